"""Validation after an epoch: how well the towers as they stand foretell the validation likes."""

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
from numpy.typing import NDArray

from tfrs_pipeline.evaluation import metrics
from tfrs_pipeline.evaluation.problem import RankingProblem
from tfrs_pipeline.evaluation.ranking import VectorScorer, rank_targets
from tfrs_pipeline.features.users import UserState
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.models.two_tower import TwoTower

_QUERIES_AT_ONCE = 512


class Validation:
    """Figures of a model on one ranking problem.

    Args:
        problem: whom to ask for what.
        states: of the problem's users, in its order.
        videos: the catalogue, encoded.
    """

    def __init__(self, problem: RankingProblem, states: list[UserState], videos: VideoInputs) -> None:
        self._problem = problem
        self._states = states
        self._videos = videos

    def __call__(self, model: TwoTower) -> dict[str, float]:
        """`recall@k` and `ndcg@k` without what was liked before, and TFRS's `factorized_top_k/k` over all."""
        vectors = model.video_vectors(self._videos)
        users = model.user_vectors(self._states, self._videos, vectors)
        problem = self._problem
        ranks = rank_targets(
            VectorScorer(users, vectors), problem.seen, problem.targets, problem.candidates
        ).target_rank
        figures = {f"recall@{k}": float(metrics.recall(ranks, k).mean()) for k in metrics.KS}
        figures |= {f"ndcg@{k}": float(metrics.ndcg(ranks, k).mean()) for k in metrics.KS}
        return figures | factorized_top_k_of_tfrs(users, vectors, problem.targets, problem.candidates)


def factorized_top_k_of_tfrs(
    users: NDArray[np.float32],
    vectors: NDArray[np.float32],
    targets: NDArray[np.int32],
    candidates: NDArray[np.bool_],
) -> dict[str, float]:
    """`tfrs.metrics.FactorizedTopK` of user vectors [U, d] and video vectors [N, d], as `factorized_top_k/k`.

    It is absent for a k past the number of candidates.
    """
    ids = np.flatnonzero(candidates).astype(np.int32)
    index = tfrs.layers.factorized_top_k.BruteForce(k=min(max(metrics.KS), len(ids)))
    index.index(vectors[ids], ids)
    ks = [k for k in metrics.KS if k <= len(ids)]
    if not ks:
        return {}
    metric = tfrs.metrics.FactorizedTopK(candidates=index, ks=ks)
    for start in range(0, len(users), _QUERIES_AT_ONCE):
        rows = slice(start, start + _QUERIES_AT_ONCE)
        metric.update_state(users[rows], vectors[targets[rows]], true_candidate_ids=tf.constant(targets[rows]))
    return {f"factorized_top_k/{k}": float(value) for k, value in zip(ks, metric.result(), strict=True)}
