"""Drawing many videos at once: one of a group, out before a moment, by popularity."""

import numpy as np
from numpy.typing import NDArray

_SPAN = 1 << 32  # More seconds than the demo's years have.


class Shelf:
    """Videos by group, and within a group by the time they came out.

    All sums are of integers, so what is drawn does not depend on how a machine rounds.

    Args:
        group: of each place on the shelf, int64; a video may stand in several groups.
        video: which video stands there, int64.
        published: second at which each video comes out, int64 [videos].
        weight: chance of each video to be drawn, against others, int64 [videos]; 0 for never.
    """

    def __init__(
        self,
        group: NDArray[np.int64],
        video: NDArray[np.int64],
        published: NDArray[np.int64],
        weight: NDArray[np.int64],
    ) -> None:
        order = np.lexsort((video, published[video], group))
        self._video = video[order]
        self._place = group[order] * _SPAN + published[self._video]
        self._weight = np.append(0, np.cumsum(weight[self._video]))

    def draw(
        self,
        chance: NDArray[np.float64],
        group: NDArray[np.int64],
        since: NDArray[np.int64],
        until: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Draw a video for each row.

        Args:
            chance: uniform in [0, 1).
            group: to draw from.
            since, until: seconds, both included, between which the video came out.

        Returns:
            videos, -1 where there is none.
        """
        first = np.searchsorted(self._place, group * _SPAN + np.maximum(since, 0), "left")
        end = np.searchsorted(self._place, group * _SPAN + until, "right")
        low, high = self._weight[first], self._weight[np.maximum(first, end)]
        drawn = low + (chance * (high - low)).astype(np.int64)
        place = np.searchsorted(self._weight, drawn, "right") - 1
        return np.where(high > low, self._video[np.minimum(place, len(self._video) - 1)], -1)


def pick(chance: NDArray[np.float64], weight: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers 0 to len(weight) - 1, each as often as its weight says; `chance` is uniform in [0, 1)."""
    total = np.cumsum(weight)
    return np.searchsorted(total, (chance * total[-1]).astype(np.int64), "right")


def power_law(chance: NDArray[np.float64], exponent: float) -> NDArray[np.int64]:
    """Weights 1,000,000 / rank^exponent, where the ranks are those of `chance`: a few hits and a long tail."""
    rank = np.empty(len(chance))
    rank[np.argsort(chance, kind="stable")] = np.arange(1, len(chance) + 1)
    return np.maximum(1, np.rint(1e6 * rank**-exponent)).astype(np.int64)
