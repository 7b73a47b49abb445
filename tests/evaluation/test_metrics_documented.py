"""docs/metrics.md lists every number that is measured."""

import re
from pathlib import Path

import numpy as np

from tfrs_pipeline.evaluation.evaluate import evaluate_system
from tfrs_pipeline.evaluation.index_sweep import sweep_index
from tfrs_pipeline.evaluation.problem import RankingProblem
from tfrs_pipeline.evaluation.ranking import Seen, VectorScorer
from tfrs_pipeline.progress import Progress

DOCUMENTED = set(re.findall(r"`([^`\n]+)`", (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()))


def test_every_measure_of_a_system_is_listed() -> None:
    vectors = np.eye(9, dtype=np.float32)
    problem = RankingProblem(
        users=np.arange(3, dtype=np.int32),
        seen=Seen.of_pairs(np.arange(3), np.arange(3), 3),
        targets=np.array([3, 4, 5], np.int32),
        candidates=np.ones(9, bool),
        training_counts=np.ones(9, np.int64),
    )
    result = evaluate_system("any", VectorScorer(vectors[:3], vectors), problem, vectors)
    measures = {re.sub(r"@\d+(_low|_high)?$", "@k", name) for numbers in result.values() for name in numbers}
    assert set(result) | (measures - {"users"}) <= DOCUMENTED
    assert "users" in measures


def test_every_figure_of_the_index_is_listed() -> None:
    vectors = np.random.default_rng(0).standard_normal((120, 8)).astype(np.float32)
    _, result = sweep_index(vectors, vectors[:10], Progress(quiet=True))
    assert set(result) <= DOCUMENTED
    assert set(result.get("setting", {})) <= DOCUMENTED
