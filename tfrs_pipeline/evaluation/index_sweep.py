"""Choose how ScaNN is built and asked: the fastest setting that finds enough, on queries that are not reported on.

Speed is compared as queries per second of a batch, every index with all its threads, because that is where exact search
is at its best: it reads each vector once for 256 queries. One query at a time is measured beside it. Exact search and
ScaNN take turns, so that other work on the machine hits both.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.evaluation.index import (
    CandidateIndex,
    ExactIndex,
    ScannIndex,
    ScannSetting,
    available_threads,
    scann_missing,
)
from tfrs_pipeline.progress import Progress

DEPTH = 100
"""Recall is measured over lists of this length, as the ranking downstream gets them."""

_FEWEST_FOR_A_TREE = 1_000
_MOST_FOR_BRUTE_FORCE = 20_000
_MOST_QUERIES = 1_000
_SEARCHED_SHARES = (0.02, 0.04, 0.06, 0.09, 0.13, 0.2, 0.35, 0.7)
_REORDERED = (1.5, 2.5, 4.0, 8.0)
"""As multiples of the depth."""
_ROUNDS = 5
_SINGLE_QUERIES = 50
_SURE = 1.645
"""Standard errors by which the recall on the tuning queries has to exceed the target: the reported one then holds."""


def sweep_index(
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    progress: Progress,
    recall_target: float = 0.95,
    seed: int = 0,
) -> tuple[CandidateIndex, dict[str, Any]]:
    """Build indexes, choose one, and measure it against exact search.

    Half of the queries (of at most 1,000) choose the setting, the other half are reported on.

    Args:
        vectors: [videos, dimensions], of unit length.
        queries: users' vectors, [users, dimensions], two at least.
        progress: is told what is being built.
        recall_target: share of the exact lists that has to be found.
        seed: of the division of the queries.

    Returns:
        The index and what docs/metrics.md lists under `index`.
    """
    order = np.random.default_rng(seed).permutation(len(queries))[:_MOST_QUERIES]
    tuning, report = queries[order[: len(order) // 2]], queries[order[len(order) // 2 :]]
    exact = ExactIndex(vectors)
    k = min(DEPTH, len(vectors))
    result: dict[str, Any] = {
        "videos": len(vectors),
        "dimensions": vectors.shape[1],
        "threads": available_threads(),
        "recall_target": recall_target,
        "tuning_queries": len(tuning),
        "report_queries": len(report),
        "exact_bytes": exact.size_bytes(),
    }
    missing = scann_missing()
    if missing is not None or len(tuning) == 0:
        note = missing or "There are too few users to choose a setting on: exact search stands in."
        return exact, result | {"kind": exact.kind, "stand_in": True, "note": note} | _exact_speed(exact, report, k)

    started = time.perf_counter()
    curve = []
    chosen: tuple[tuple[bool, bool, float], ScannIndex, float] | None = None
    truth = exact.search(tuning, k)[0]
    for setting in _builds(len(vectors), k):
        if setting.float32 and chosen is not None and chosen[0][1]:
            break  # The smaller vectors were good enough.
        progress.say(f"Building a ScaNN index of {len(vectors):,} videos with {setting.leaves} leaves")
        building = time.perf_counter()
        built = ScannIndex(vectors, setting)
        build_seconds = time.perf_counter() - building
        for index in _questions(built, k):
            found = recalls(index.search(tuning, k)[0], truth)
            per_second = len(tuning) / min(_seconds(index, tuning, k) for _ in range(2))
            curve.append(asdict(index.setting) | {f"recall@{k}": float(found.mean()), "queries_per_second": per_second})
            lower = found.mean() - _SURE * found.std() / np.sqrt(len(found))
            reached = bool(found.mean() >= recall_target)
            # Surely enough before just enough before too little; then the fastest, or the one that finds most.
            rank = (bool(lower >= recall_target), reached, per_second if reached else float(found.mean()))
            if chosen is None or rank > chosen[0]:
                chosen = (rank, index, build_seconds)
    assert chosen is not None, "there is a setting for every number of videos"
    _, index, build_seconds = chosen
    recall = float(recalls(index.search(report, k)[0], exact.search(report, k)[0]).mean())
    return index, result | {
        "kind": index.kind,
        "stand_in": False,
        "setting": asdict(index.setting),
        f"recall@{k}": recall,
        "recall_reached": recall >= recall_target,
        "build_seconds": build_seconds,
        "sweep_seconds": time.perf_counter() - started,
        "index_bytes": index.size_bytes(),
        **_speeds(index, exact, report, k),
        "curve": curve,
    }


def recalls(found: NDArray[np.int32], truth: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of each true list that was found, wherever it stands in the list found, [queries].

    Args:
        found: [queries, any], -1 for none.
        truth: [queries, k], without -1.
    """
    # Numbers of different queries are kept apart, so that one sorted search serves all.
    apart = np.arange(len(truth), dtype=np.int64)[:, None] * (int(max(truth.max(), found.max(), 0)) + 1)
    both = np.isin(truth + apart, np.where(found >= 0, found + apart, -1))
    return both.mean(axis=1)


def _builds(videos: int, k: int) -> Iterator[ScannSetting]:
    """What is built: one leaf for so many videos as there are leaves, or half as many; none where that is no use."""
    if videos < _MOST_FOR_BRUTE_FORCE:
        yield ScannSetting(0, 0, 0)
    if videos >= _FEWEST_FOR_A_TREE:
        leaves = round(videos**0.5)
        yield ScannSetting(leaves, leaves, k)
        yield ScannSetting(2 * leaves, 2 * leaves, k)
        yield ScannSetting(leaves, leaves, k, float32=True)


def _questions(built: ScannIndex, k: int) -> Iterator[ScannIndex]:
    """The ways in which one index is asked."""
    if built.setting.leaves == 0:
        yield built
        return
    for share in _SEARCHED_SHARES:
        for multiple in _REORDERED:
            yield built.at(max(1, round(share * built.setting.leaves)), min(round(multiple * k), len(built.vectors)))


def _speeds(index: CandidateIndex, exact: ExactIndex, queries: NDArray[np.float32], k: int) -> dict[str, float]:
    """Medians over rounds in which the two take turns."""
    both = (index, exact)
    batches = np.array([[_seconds(each, queries, k) for each in both] for _ in range(_ROUNDS)])
    singles = np.array([[_seconds(each, query[None], k) for each in both] for query in queries[:_SINGLE_QUERIES]])
    per_second = len(queries) / np.median(batches, axis=0)
    latency = 1000 * np.median(singles, axis=0)
    return {
        "queries_per_second": float(per_second[0]),
        "exact_queries_per_second": float(per_second[1]),
        "speedup": float(per_second[0] / per_second[1]),
        "single_query_ms": float(latency[0]),
        "exact_single_query_ms": float(latency[1]),
    }


def _exact_speed(exact: ExactIndex, queries: NDArray[np.float32], k: int) -> dict[str, float]:
    if len(queries) == 0:
        return {}
    seconds = np.median([_seconds(exact, queries, k) for _ in range(_ROUNDS)])
    singles = [_seconds(exact, query[None], k) for query in queries[:_SINGLE_QUERIES]]
    return {
        "exact_queries_per_second": float(len(queries) / seconds),
        "exact_single_query_ms": float(1000 * np.median(singles)),
    }


def _seconds(index: CandidateIndex, queries: NDArray[np.float32], k: int) -> float:
    started = time.perf_counter()
    index.search(queries, k)
    return time.perf_counter() - started
