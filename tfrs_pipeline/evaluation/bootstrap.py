"""How far a mean over users could be off: percentile bootstrap (Efron and Tibshirani, 1993, chapter 13).

The same seed and number of users give the same resamples, so that two systems are compared on the same draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_DRAWS_PER_BLOCK = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A mean and the ends of its interval."""

    mean: float
    low: float
    high: float


def intervals(values: NDArray[np.float64], resamples: int = 1000, seed: int = 0) -> list[Interval | None]:
    """Mean and 95 % interval of every column.

    Args:
        values: [users, columns]; NaN where a user has no such value.
        resamples: how often the users are drawn anew, with replacement.
        seed: of the draws.

    Returns:
        One for each column; None where no user has a value.
    """
    if len(values) == 0:
        return [None] * values.shape[1]
    there = ~np.isnan(values)
    numbers = np.where(there, values, 0.0)
    means = []
    for weights in _weights(len(values), resamples, seed):
        counts = weights @ there.astype(np.float64)
        means.append(np.divide(weights @ numbers, counts, out=np.full_like(counts, np.nan), where=counts > 0))
    found = there.any(axis=0)
    tail = (1 - CONFIDENCE) / 2
    ends = np.zeros((2, values.shape[1]))
    ends[:, found] = np.nanquantile(np.concatenate(means)[:, found], [tail, 1 - tail], axis=0)
    mean = numbers.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return [
        Interval(float(mean[c]), float(ends[0, c]), float(ends[1, c])) if found[c] else None for c in range(len(mean))
    ]


def paired_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], resamples: int = 1000, seed: int = 0
) -> Interval | None:
    """Mean of `first - second` over the same users, with its interval; one without 0 tells the systems apart.

    Args:
        first: a value for each user, [users].
        second: of another system, for the same users in the same order.
        resamples: how often the users are drawn anew.
        seed: of the draws.
    """
    return intervals((first - second)[:, None], resamples, seed)[0]


def _weights(users: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each user was drawn, [resamples, users] in blocks of rows."""
    random = np.random.default_rng(seed)
    block = max(1, _DRAWS_PER_BLOCK // users)
    for first in range(0, resamples, block):
        rows = min(block, resamples - first)
        drawn = random.integers(users, size=(rows, users)) + np.arange(rows)[:, None] * users
        yield np.bincount(drawn.ravel(), minlength=rows * users).reshape(rows, users).astype(np.float64)
