"""Agreement with `tfrs.metrics.FactorizedTopK`, in both of its ways to compare and all its ways to search."""

import numpy as np
import pytest

from tfrs_pipeline.evaluation import factorized
from tfrs_pipeline.evaluation.factorized import factorized_top_k
from tfrs_pipeline.evaluation.ranking import Seen, VectorScorer, rank_targets

tfrs = pytest.importorskip("tensorflow_recommenders")
tf = pytest.importorskip("tensorflow")

KS = (1, 5, 10, 50, 100)


def exact_vectors(random: np.random.Generator, rows: int, levels: int) -> np.ndarray:
    """Small whole numbers: their dot products are exact in float32, so that what is tied is tied for everybody."""
    return random.integers(-levels, levels + 1, size=(rows, 24)).astype(np.float32)


def of_tfrs(queries: np.ndarray, candidates: np.ndarray, targets: np.ndarray, by_ids: bool, brute_force: bool) -> list:
    ids = np.arange(len(candidates), dtype=np.int32)
    pairs = tf.data.Dataset.from_tensor_slices((ids, candidates)).batch(128)
    index = pairs
    if brute_force:
        index = tfrs.layers.factorized_top_k.BruteForce(k=max(KS)).index(candidates, ids)
    metric = tfrs.metrics.FactorizedTopK(index, ks=KS)
    metric.update_state(queries, candidates[targets], true_candidate_ids=targets if by_ids else None)
    return [float(value) for value in metric.result()]


@pytest.mark.parametrize("levels", [1, 50], ids=["many ties", "few ties"])
@pytest.mark.parametrize("brute_force", [False, True], ids=["dataset", "brute force"])
@pytest.mark.parametrize("ties", ["scores", "ids"])
def test_values_are_those_of_tfrs(levels: int, brute_force: bool, ties: str) -> None:
    random = np.random.default_rng(levels)
    candidates = exact_vectors(random, 700, levels)
    candidates[random.integers(700, size=80)] = candidates[3]
    targets = random.integers(700, size=150).astype(np.int32)
    targets[:20] = 3
    queries = candidates[targets] + exact_vectors(random, 150, 2 * levels)
    theirs = of_tfrs(queries, candidates, targets, ties == "ids", brute_force)
    ours = list(factorized_top_k(queries, candidates, targets, KS, ties).values())
    assert 0 < theirs[0] < theirs[-1] < 1
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_ranking_of_the_evaluation_gives_the_same_shares() -> None:
    random = np.random.default_rng(5)
    candidates = exact_vectors(random, 500, 2)
    targets = random.integers(500, size=80).astype(np.int32)
    queries = candidates[targets] + exact_vectors(random, 80, 4)
    nothing_seen = Seen(np.zeros(81, np.int64), np.empty(0, np.int32))
    ranks = rank_targets(VectorScorer(queries, candidates), nothing_seen, targets, np.ones(500, bool)).target_rank
    theirs = of_tfrs(queries, candidates, targets, by_ids=True, brute_force=False)
    np.testing.assert_allclose([np.mean(ranks <= k) for k in KS], theirs, atol=1e-6)


def test_real_numbers_agree_by_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    # By scores FactorizedTopK rounds a target's score in two ways and may count a target as its own rival.
    monkeypatch.setattr(factorized, "_FIRST_TILE", 16)
    monkeypatch.setattr(factorized, "_LARGEST_TILE", 100)
    random = np.random.default_rng(6)
    candidates = random.standard_normal((900, 48)).astype(np.float32)
    targets = random.integers(900, size=120).astype(np.int32)
    queries = candidates[targets] + 2 * random.standard_normal((120, 48)).astype(np.float32)
    theirs = of_tfrs(queries, candidates, targets, by_ids=True, brute_force=True)
    np.testing.assert_allclose(
        list(factorized_top_k(queries, candidates, targets, KS, "ids").values()), theirs, atol=1e-6
    )


def test_equal_vectors_are_ties_wherever_they_stand() -> None:
    random = np.random.default_rng(7)
    candidates = random.standard_normal((400, 33)).astype(np.float32)
    candidates[::4] = candidates[0]
    queries = candidates[:1] + 0.01 * random.standard_normal((5, 33)).astype(np.float32)
    targets = np.array([0, 4, 36, 40, 396], np.int32)
    assert factorized_top_k(queries, candidates, targets, (1,), "scores") == {1: 1.0}
    assert factorized_top_k(queries, candidates, targets, (1, 10), "ids") == {1: 0.2, 10: 0.6}


def test_other_ties_are_refused() -> None:
    with pytest.raises(ValueError, match="ties is 'luck'"):
        factorized_top_k(np.ones((1, 2), np.float32), np.ones((1, 2), np.float32), np.array([0]), ties="luck")
