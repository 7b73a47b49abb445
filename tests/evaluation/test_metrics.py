"""Each measure on lists small enough to reckon by hand."""

import numpy as np
import pytest

from tfrs_pipeline.evaluation import metrics
from tfrs_pipeline.evaluation.ranking import NEVER

RANKS = np.array([1, 3, 10, 11, NEVER])


def test_recall_is_a_hit_within_the_first_k() -> None:
    assert metrics.recall(RANKS, 10).tolist() == [1, 1, 1, 0, 0]


def test_ndcg_discounts_by_the_logarithm_of_the_place() -> None:
    np.testing.assert_allclose(metrics.ndcg(RANKS, 10), [1, 0.5, 1 / np.log2(11), 0, 0])


def test_mrr_is_one_by_the_place() -> None:
    np.testing.assert_allclose(metrics.mrr(RANKS, 10), [1, 1 / 3, 0.1, 0, 0])


def test_coverage_counts_every_candidate_once_and_nothing_else() -> None:
    candidates = np.array([True, True, True, True, False])
    assert metrics.coverage(np.array([[0, 1], [1, -1]]), candidates) == 0.5
    assert metrics.coverage(np.array([[4, -1]]), candidates) == 0
    assert metrics.coverage(np.empty((0, 2), int), np.zeros(5, bool)) == 0


def test_diversity_is_the_mean_unlikeness_of_pairs() -> None:
    vectors = np.array([[2, 0], [0, 3], [5, 0], [0, 0]], np.float32)
    lists = np.array([[0, 1, -1], [0, 2, -1], [0, 1, 2], [0, 3, -1], [0, -1, -1]])
    np.testing.assert_allclose(metrics.diversity(lists, vectors), [1, 0, 2 / 3, 1, np.nan], atol=1e-6)


def test_diversity_of_many_lists_is_that_of_all_pairs_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_LISTS_PER_BLOCK", 3)
    random = np.random.default_rng(0)
    vectors = random.standard_normal((30, 6)).astype(np.float32)
    lists = np.array([random.choice(30, 5, replace=False) for _ in range(8)])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    by_pairs = [1 - np.mean([unit[a] @ unit[b] for a in some for b in some if a != b]) for some in lists]
    np.testing.assert_allclose(metrics.diversity(lists, vectors), by_pairs, atol=1e-6)


def test_novelty_is_high_where_few_like() -> None:
    information = metrics.self_information(np.array([3, 0, 0]))
    np.testing.assert_allclose(information, [-np.log2(4 / 6), -np.log2(1 / 6), -np.log2(1 / 6)])
    lists = np.array([[0, -1], [0, 1], [-1, -1]])
    np.testing.assert_allclose(metrics.novelty(lists, information), [information[0], information[:2].mean(), np.nan])
