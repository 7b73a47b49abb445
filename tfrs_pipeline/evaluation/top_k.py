"""The k highest of many scores, exactly: equal scores stand in the order of their numbers."""

import numpy as np
from numpy.typing import NDArray

# One bound for so many scores: the maxima of 100,000 scores in groups of 128 are 781, among which 100 are found fast.
_GROUP = 128


def top_k(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Numbers of the `k` highest scores of each row, the highest first.

    Args:
        scores: [rows, videos], without NaN; -inf stands for a video that may not appear.
        k: length of a list.

    Returns:
        int32 [rows, k]; equal scores by number, the lower first; -1 where a row has no further video.
    """
    lists = np.full((len(scores), k), -1, np.int32)
    for row, of_row in enumerate(scores):
        best = _best_of_row(of_row, min(k, len(of_row)))
        lists[row, : len(best)] = best
    return lists


def _best_of_row(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Numbers of the `k` highest finite scores, in order."""
    if k == 0:
        return np.empty(0, np.int64)
    if len(scores) >= 4 * k * _GROUP:
        reachable = _at_least_the_kth_maximum(scores, k)
        if len(reachable) < len(scores) // 8:
            return reachable[_best_of_few(scores[reachable], k)]
    return _best_of_few(scores, k)


def _at_least_the_kth_maximum(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Numbers, ascending, of all scores that can be among the `k` highest, and as a rule few others.

    The scores are cut into groups. The k-th highest of the groups' maxima is reached by k scores at least, so what lies
    below it is out. This reads the row twice and is an order of magnitude faster than a partition of all of it. A group
    takes every n-th score, so that a row which is already sorted is no worse than another.
    """
    groups = len(scores) // _GROUP
    maxima = scores[: groups * _GROUP].reshape(_GROUP, groups).max(axis=0)
    bound = np.partition(maxima, groups - k)[groups - k]
    return np.flatnonzero(scores >= bound)


def _best_of_few(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    bound = np.partition(scores, len(scores) - k)[len(scores) - k]
    above = np.flatnonzero(scores > bound)
    ties = np.flatnonzero(scores == bound)[: k - len(above)] if bound > -np.inf else above[:0]
    chosen = np.concatenate([above, ties])
    return chosen[np.lexsort((chosen, -scores[chosen]))]
