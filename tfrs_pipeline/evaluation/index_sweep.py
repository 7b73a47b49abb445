"""Choose how ScaNN is built and asked: the fastest setting that finds enough, on queries that are not reported on.

Speed is compared as queries per second of a batch, every index with all its threads, because that is where exact search
is at its best: it reads each vector once for 256 queries. One query at a time is measured beside it. Exact search and
ScaNN take turns, so that other work on the machine hits both.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
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
_SEARCHED_SHARES = (0.02, 0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.17, 0.22, 0.3, 0.5, 1.0)
_REORDERED = (1.5, 2.0, 3.0, 4.5, 8.0)
"""As multiples of the depth."""
_NO_GAIN = 0.002
_FULL_RECALL = 0.99
"""A query that looks further once a setting finds so much, or gains no more than `_NO_GAIN`, only grows slower."""
_ROUNDS = 5
_FINALISTS = 4
_SINGLE_QUERIES, _SINGLES_IN_TURN = 50, 10
_SETTLING_SECONDS = 0.05
"""The threads of a matrix product stay awake for some 30 ms in case another follows, and slow ScaNN down meanwhile."""
_SURE = 1.645
"""Standard errors by which the recall on the tuning queries has to exceed the target: the reported one then holds."""


@dataclass(frozen=True)
class _Tried:
    """A setting and what it gave on the tuning queries."""

    index: ScannIndex
    build_seconds: float
    recall: float
    surely: float
    queries_per_second: float


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
    truth = exact.search(tuning, k)[0]
    tried: list[_Tried] = []
    for setting in _builds(len(vectors), k):
        if setting.float32 and max(each.surely for each in tried) >= recall_target:
            break  # The smaller vectors are good enough.
        if setting.leaves:
            progress.say(f"Building a ScaNN index of {len(vectors):,} videos with {setting.leaves} leaves")
        tried += _try(vectors, setting, tuning, truth)
    chosen = _choose(tried, tuning, recall_target)
    index = chosen.index
    recall = float(recalls(index.search(report, k)[0], exact.search(report, k)[0]).mean())
    return index, result | {
        "kind": index.kind,
        "stand_in": False,
        "setting": asdict(index.setting),
        f"recall@{k}": recall,
        "recall_reached": recall >= recall_target,
        "build_seconds": chosen.build_seconds,
        "sweep_seconds": time.perf_counter() - started,
        "index_bytes": index.size_bytes(),
        **_speeds(index, exact, report, k),
        **({} if index.setting.leaves else {"note": "With so few videos it is fastest to look at all of them."}),
        "curve": [
            asdict(each.index.setting) | {f"recall@{k}": each.recall, "queries_per_second": each.queries_per_second}
            for each in tried
        ],
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
    """What is built: no leaves if videos are few; as many as a leaf holds videos, and twice that, if they are many."""
    if videos < _MOST_FOR_BRUTE_FORCE:
        yield ScannSetting(0, 0, 0)
    if videos >= _FEWEST_FOR_A_TREE:
        leaves = round(videos**0.5)
        yield ScannSetting(leaves, leaves, k)
        if videos >= _MOST_FOR_BRUTE_FORCE:
            yield ScannSetting(2 * leaves, 2 * leaves, k)
        yield ScannSetting(leaves, leaves, k, float32=True)


def _try(
    vectors: NDArray[np.float32], setting: ScannSetting, queries: NDArray[np.float32], truth: NDArray[np.int32]
) -> Iterator[_Tried]:
    """Build one index and ask it in growing depth, as long as that finds more."""
    started = time.perf_counter()
    built = ScannIndex(vectors, setting)
    build_seconds = time.perf_counter() - started
    if setting.leaves == 0:
        yield _trial(built, build_seconds, queries, truth)
        return
    k = truth.shape[1]
    for searched in sorted({max(1, round(share * setting.leaves)) for share in _SEARCHED_SHARES}):
        before = 0.0
        for reordered in sorted({min(round(multiple * k), len(vectors)) for multiple in _REORDERED}):
            trial = _trial(built.at(searched, reordered), build_seconds, queries, truth)
            yield trial
            if trial.recall < before + _NO_GAIN:
                break
            before = trial.recall
        if before >= _FULL_RECALL:
            return


def _trial(index: ScannIndex, build_seconds: float, queries: NDArray[np.float32], truth: NDArray[np.int32]) -> _Tried:
    k = truth.shape[1]
    found = recalls(index.search(queries, k)[0], truth)
    surely = found.mean() - _SURE * found.std() / np.sqrt(len(found))
    seconds = min(_seconds(index, queries, k) for _ in range(2))
    return _Tried(index, build_seconds, float(found.mean()), float(surely), len(queries) / seconds)


def _choose(tried: list[_Tried], queries: NDArray[np.float32], recall_target: float) -> _Tried:
    """The fastest that surely reaches the target, or that just reaches it, or else the one that finds most."""
    sure = [each for each in tried if each.surely >= recall_target]
    enough = sure or [each for each in tried if each.recall >= recall_target]
    if not enough:
        return max(tried, key=lambda each: each.recall)
    # One measurement may have been unlucky, so the fastest meet again, in turns.
    finalists = sorted(enough, key=lambda each: -each.queries_per_second)[:_FINALISTS]
    k = min(DEPTH, len(finalists[0].index.vectors))
    seconds = [[_seconds(each.index, queries, k) for each in finalists] for _ in range(_ROUNDS)]
    return finalists[int(np.argmin(np.median(seconds, axis=0)))]


def _speeds(index: CandidateIndex, exact: ExactIndex, queries: NDArray[np.float32], k: int) -> dict[str, float]:
    """Medians over rounds in which the two take turns."""
    both = (index, exact)
    batches = np.array([[_settled_seconds(each, [queries], k)[0] for each in both] for _ in range(_ROUNDS)])
    alone = [query[None] for query in queries[:_SINGLE_QUERIES]]
    turns = [alone[first : first + _SINGLES_IN_TURN] for first in range(0, len(alone), _SINGLES_IN_TURN)]
    by_turn = [[_settled_seconds(each, turn, k) for each in both] for turn in turns]
    singles = np.concatenate(by_turn, axis=1)
    per_second = len(queries) / np.median(batches, axis=0)
    latency = 1000 * np.median(singles, axis=1)
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


def _settled_seconds(index: CandidateIndex, batches: Sequence[NDArray[np.float32]], k: int) -> list[float]:
    """Seconds of each batch, once the threads of whoever came before have gone to sleep."""
    time.sleep(_SETTLING_SECONDS)
    return [_seconds(index, queries, k) for queries in batches]


def _seconds(index: CandidateIndex, queries: NDArray[np.float32], k: int) -> float:
    started = time.perf_counter()
    index.search(queries, k)
    return time.perf_counter() - started
