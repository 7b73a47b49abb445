"""What a ranking is worth, user by user; averages and intervals are made elsewhere."""

import numpy as np
from numpy.typing import NDArray

KS = (10, 50, 100)
"""The lengths of list that everything is measured at."""

_LISTS_PER_BLOCK = 256


def recall(rank: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """1 where the target is among the first `k`, else 0.

    With one relevant video this is the hit rate, and what TFRS calls top-k categorical accuracy.
    """
    return (rank <= k).astype(np.float64)


def ndcg(rank: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """1 / log2(1 + rank) within the first `k`, else 0.

    Normalised discounted cumulative gain (Järvelin and Kekäläinen, ACM TOIS 20(4), 2002, with the logarithm to base 2
    of 1 + rank) for one relevant video: the ideal list has it first and gains 1, so nothing is left to normalise.
    """
    return np.where(rank <= k, 1 / np.log2(1 + rank.astype(np.float64)), 0.0)


def mrr(rank: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """1 / rank within the first `k`, else 0 (mean reciprocal rank; Voorhees, TREC-8 question answering, 1999)."""
    return np.where(rank <= k, 1 / rank.astype(np.float64), 0.0)


def coverage(top: NDArray[np.int32], candidates: NDArray[np.bool_]) -> float:
    """Share of the candidates that appear in at least one list (catalogue coverage; Ge et al., RecSys 2010, sec. 3).

    It grows with the number of lists, so it compares systems on the same users only.

    Args:
        top: lists of video numbers, -1 for none, [users, k].
        candidates: what could appear, [videos].
    """
    shown = np.zeros(len(candidates), bool)
    shown[top[top >= 0]] = True
    return float(np.count_nonzero(shown & candidates) / max(1, np.count_nonzero(candidates)))


def diversity(top: NDArray[np.int32], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """1 minus the mean cosine over all pairs of a list (intra-list diversity; Ziegler et al., WWW 2005, sec. 3).

    Args:
        top: lists of video numbers, -1 for none, [users, k].
        vectors: what the cosine is taken of, [videos, dimensions]. Give all systems that are compared the same ones,
            or each is judged by its own idea of likeness. A vector of zeros is like no other.

    Returns:
        [users]; NaN for a list of fewer than two videos.
    """
    result = np.full(len(top), np.nan)
    for first in range(0, len(top), _LISTS_PER_BLOCK):
        lists = top[first : first + _LISTS_PER_BLOCK]
        listed = vectors[lists]
        norms = np.sqrt(np.einsum("lkd,lkd->lk", listed, listed))
        counted = (lists >= 0) & (norms > 0)
        scale = np.divide(1, norms, out=np.zeros_like(norms), where=counted)
        # The sum of x·y over all ordered pairs is |sum of x|² without the pairs of a video with itself.
        total = (scale[:, None, :] @ listed)[:, 0].astype(np.float64)
        pairs = np.einsum("ld,ld->l", total, total) - counted.sum(axis=1)
        size = (lists >= 0).sum(axis=1)
        long_enough = size > 1
        result[first : first + len(lists)][long_enough] = 1 - (pairs / np.maximum(size * (size - 1), 1))[long_enough]
    return result


def self_information(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """-log2 of each video's share of the likes, in bits, [videos].

    Zhou et al., PNAS 107(10), 2010 (there by users; by likes as in Vargas and Castells, RecSys 2011). One like is added
    to every video, so that a video without any is very novel rather than infinitely so.
    """
    return -np.log2((counts + 1) / (counts.sum() + len(counts)))


def novelty(top: NDArray[np.int32], information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean self-information of each list's videos, in bits, [users]; NaN for an empty list."""
    there = top >= 0
    size = there.sum(axis=1)
    total = np.sum(information[top], axis=1, where=there)
    return np.divide(total, size, out=np.full(len(top), np.nan), where=size > 0)
