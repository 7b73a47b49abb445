"""From a system to the numbers of `metrics.json`: rank, measure, average, and say how sure."""

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation import metrics
from tfrs_pipeline.evaluation.bootstrap import intervals, paired_difference
from tfrs_pipeline.evaluation.problem import RankingProblem
from tfrs_pipeline.evaluation.ranking import Ranking, Scorer, rank_targets
from tfrs_pipeline.evaluation.segments import segments

Measures = dict[str, dict[str, float | int]]
"""Numbers by segment and name, as docs/metrics.md lists them."""


def evaluate_system(
    name: str,
    scorer: Scorer,
    problem: RankingProblem,
    vectors: NDArray[np.float32] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Measures:
    """Rank every user's target and measure the result, segment by segment.

    Args:
        name: of the system, for messages.
        scorer: the system.
        problem: what it is asked.
        vectors: for diversity, [videos, dimensions]; the same for all systems. Without them diversity is absent.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        For each segment `users` and, for k of 10, 50 and 100, `recall@k`, `ndcg@k`, `mrr@k`, `diversity@k`, `novelty@k`
        with the ends of their 95 % intervals (`recall@10_low`, `recall@10_high`), and `coverage@k`. An empty segment
        has `users` 0 and nothing else.

    Raises:
        InputError: the system ranks other users or videos than the problem has.
    """
    return measure(rank(name, scorer, problem), problem, vectors, resamples, seed)


def rank(name: str, scorer: Scorer, problem: RankingProblem) -> Ranking:
    """The system's lists and the targets' places, for `measure`, `difference` and examples alike.

    Raises:
        InputError: the system ranks other users or videos than the problem has.
    """
    shape = scorer.scores(slice(0, 1)).shape
    rows = scorer.scores(slice(len(problem) - 1, len(problem) + 1)).shape[0]
    if shape[1] != len(problem.candidates) or rows != 1:
        raise InputError(
            f"The system {name} does not score the {len(problem)} users and {len(problem.candidates)} videos "
            "of this problem. Its vectors have to be made from the same snapshot and split."
        )
    return rank_targets(scorer, problem.seen, problem.targets, problem.candidates, depth=max(metrics.KS))


def measure(
    ranking: Ranking,
    problem: RankingProblem,
    vectors: NDArray[np.float32] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Measures:
    """The numbers of `evaluate_system` for a ranking that is there already."""
    names, values = _user_values(ranking, problem, vectors)
    result: Measures = {}
    for segment, inside in segments(problem).items():
        numbers: dict[str, float | int] = {"users": int(inside.sum())}
        if inside.any():
            for name, interval in zip(names, intervals(values[inside], resamples, seed), strict=True):
                if interval is not None:
                    numbers |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
            for k in metrics.KS:
                numbers[f"coverage@{k}"] = metrics.coverage(ranking.top[inside, :k], problem.candidates)
        result[segment] = numbers
    return result


def difference(
    first: Ranking, second: Ranking, problem: RankingProblem, resamples: int = 1000, seed: int = 0
) -> Measures:
    """How much better the first system is, in the same form: `recall@10`, `recall@10_low`, `recall@10_high`, ...

    The interval is that of the paired difference over users; one that does not hold 0 tells the systems apart.
    """
    result: Measures = {}
    for segment, inside in segments(problem).items():
        numbers: dict[str, float | int] = {"users": int(inside.sum())}
        for name, of_first in _accuracy(first.target_rank[inside]).items():
            of_second = _accuracy(second.target_rank[inside])[name]
            interval = paired_difference(of_first, of_second, resamples, seed)
            if interval is not None:
                numbers |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
        result[segment] = numbers
    return result


def _accuracy(target_rank: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    measures = {"recall": metrics.recall, "ndcg": metrics.ndcg, "mrr": metrics.mrr}
    return {f"{name}@{k}": of_user(target_rank, k) for name, of_user in measures.items() for k in metrics.KS}


def _user_values(
    ranking: Ranking, problem: RankingProblem, vectors: NDArray[np.float32] | None
) -> tuple[list[str], NDArray[np.float64]]:
    """Names of the measures and their values for each user, [users, measures]."""
    values = _accuracy(ranking.target_rank)
    information = metrics.self_information(problem.training_counts)
    for k in metrics.KS:
        if vectors is not None:
            values[f"diversity@{k}"] = metrics.diversity(ranking.top[:, :k], vectors)
        values[f"novelty@{k}"] = metrics.novelty(ranking.top[:, :k], information)
    return list(values), np.column_stack(list(values.values()))
