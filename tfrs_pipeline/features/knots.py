"""Numbers as places between two knots of a scale."""

import numpy as np
from numpy.typing import NDArray


def fit_knots(values: NDArray[np.float64], quantiles: NDArray[np.float64]) -> list[float]:
    """The values at the quantiles, ascending, each once; NaN counts as unknown, and one knot at 0 serves nothing."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return [0.0]
    return sorted({round(value, 4) for value in np.quantile(known, quantiles).tolist()})


def between_knots(
    knots: list[float], values: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The knots below and above each value, by number, and how far it is on its way from one to the other.

    A value beyond the ends counts as the end.
    """
    places = np.array(knots)
    inside = np.clip(values, places[0], places[-1])
    below = np.clip(np.searchsorted(places, inside, side="right") - 1, 0, max(len(places) - 2, 0))
    above = np.minimum(below + 1, len(places) - 1)
    step = places[above] - places[below]
    return below, above, np.divide(inside - places[below], step, out=np.zeros_like(inside), where=step > 0)
