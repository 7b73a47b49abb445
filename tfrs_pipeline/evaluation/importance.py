"""Permutation importance: how much worse the next like is foretold when one group of features says something else.

Breiman 2001, "Random Forests", section 10, and Fisher, Rudin and Dominici, JMLR 20 (2019), for models of any kind: the
group's values are exchanged at random between videos, or between users, and the vectors are made anew. What several
groups tell alike is not missed when one of them is exchanged, so what a group alone brings is measured.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.evaluation import metrics
from tfrs_pipeline.evaluation.bootstrap import intervals
from tfrs_pipeline.evaluation.feature_groups import (
    ExchangeUsers,
    ExchangeVideos,
    Reading,
    item_groups,
    read_users,
    user_groups,
)
from tfrs_pipeline.evaluation.problem import RankingProblem
from tfrs_pipeline.evaluation.ranking import VectorScorer, rank_targets
from tfrs_pipeline.features.users import UserState
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.models.item_tower import sparse_tokens
from tfrs_pipeline.models.two_tower import TwoTower
from tfrs_pipeline.progress import Progress

ITEM_TOWER, USER_TOWER = "item_tower", "user_tower"
_K = 100
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""The 97.5 % quantile of Student's distribution with 1, 2, … degrees of freedom."""
MEASURE = f"recall@{_K}"
SECOND_MEASURE = f"ndcg@{_K}"
_VIDEOS_AT_ONCE, _USERS_AT_ONCE = 4096, 512

_Values = NDArray[np.float64]


def permutation_importance(
    model: TwoTower,
    problem: RankingProblem,
    states: list[UserState],
    videos: VideoInputs,
    progress: Progress,
    repeats: int = 5,
    seed: int = 0,
) -> dict[str, Any]:
    """Importance of every feature group of both towers.

    Args:
        model: towers that did not learn from the targets.
        problem: whom to ask for what.
        states: of the problem's users, in its order.
        videos: the catalogue, encoded.
        repeats: how often each group is exchanged, twice at least.
        seed: of the exchanges.

    Returns:
        What importance.json holds, see docs/metrics.md.
    """
    random = np.random.default_rng(seed)
    orders = [(random.permutation(len(videos)), random.permutation(len(problem))) for _ in range(repeats)]
    towers = NarrowTowers(model)
    users = read_users(model.spec, states, videos)
    vectors = towers.video_vectors(videos)

    def values(user_vectors: NDArray[np.float32], video_vectors: NDArray[np.float32]) -> _Values:
        """Both measures for each user, [users, 2]."""
        scorer = VectorScorer(user_vectors, video_vectors)
        ranks = rank_targets(scorer, problem.seen, problem.targets, problem.candidates, depth=1).target_rank
        return np.column_stack([metrics.recall(ranks, _K), metrics.ndcg(ranks, _K)])

    def with_videos(exchange: ExchangeVideos, repeat: int) -> _Values:
        changed = towers.video_vectors(exchange(videos, orders[repeat][0]))
        return values(towers.user_vectors(users, changed), changed)

    def with_users(exchange: ExchangeUsers, repeat: int) -> _Values:
        return values(towers.user_vectors(exchange(users, orders[repeat][1]), vectors), vectors)

    undisturbed = values(towers.user_vectors(users, vectors), vectors)
    heads = model.user_tower.heads
    groups: list[tuple[str, str, Callable[[int], _Values]]] = [
        *((ITEM_TOWER, name, partial(with_videos, exchange)) for name, exchange in item_groups(model.spec).items()),
        *((USER_TOWER, name, partial(with_users, change)) for name, change in user_groups(model.spec, heads).items()),
    ]
    rows = []
    with progress.steps(len(groups) * repeats, "Exchanging features") as advance:
        for tower, name, exchanged in groups:
            drops = []
            for repeat in range(repeats):
                drops.append(undisturbed - exchanged(repeat))
                advance(1)
            rows.append(_row(tower, name, np.stack(drops)))
    rows.sort(key=lambda row: (row["tower"], -row["importance_score"], row["feature_name"]))
    recall, ndcg = undisturbed.mean(axis=0).tolist()
    return {"users": len(problem), "repeats": repeats, MEASURE: recall, SECOND_MEASURE: ndcg, "rows": rows}


def _row(tower: str, name: str, drops: _Values) -> dict[str, Any]:
    """The mean of the drops [repeats, users, 2], with intervals."""
    row: dict[str, Any] = {"tower": tower, "feature_name": name}
    names = (("importance_score", "low", "high"), tuple(f"{SECOND_MEASURE}{end}" for end in ("", "_low", "_high")))
    luck = _luck(drops.mean(axis=1))
    for i, (keys, interval) in enumerate(zip(names, intervals(drops.mean(axis=0)), strict=True)):
        if interval is not None:
            mean, below, above = interval.mean, interval.mean - interval.low, interval.high - interval.mean
            ends = (mean, mean - float(np.hypot(below, luck[i])), mean + float(np.hypot(above, luck[i])))
            row |= zip(keys, ends, strict=True)
    return row


def _luck(drops: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far all users' drop could be off together, by the luck of one order: half a 95 % interval, [2].

    An order of videos is good or bad for all users at once, so resampling users does not tell. If a group says nothing,
    its true order is one more order drawn at random, hence Student's interval for a new draw against the mean of the
    others.

    Args:
        drops: mean over the users for each repeat, [repeats, 2].
    """
    repeats = len(drops)
    quantile = _STUDENT[min(repeats - 1, len(_STUDENT)) - 1]
    return quantile * drops.std(axis=0, ddof=1) * np.sqrt(1 + 1 / repeats)


class NarrowTowers:
    """Vectors of the numbers that the towers compute with: their cosines are those of the wider ones that are stored.

    Unlike those of the exported models, rows of tokens and of likes may have any length.
    """

    def __init__(self, model: TwoTower) -> None:
        self._item_tower, self._user_tower = model.item_tower, model.user_tower
        self._serving: dict[int, Any] = {}

    def video_vectors(self, videos: VideoInputs) -> NDArray[np.float32]:
        """Unit vectors [videos, width]."""
        return np.concatenate(
            [
                self._some_videos(videos[start : start + _VIDEOS_AT_ONCE])
                for start in range(0, len(videos), _VIDEOS_AT_ONCE)
            ]
        )

    def _some_videos(self, videos: VideoInputs) -> NDArray[np.float32]:
        tokens = sparse_tokens(self._item_tower.spec, videos)
        return self._item_tower(videos.video, tokens, videos.text).numpy()

    def user_vectors(self, users: Reading, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Unit vectors [users, width] of users whose likes have these `vectors`."""
        length = users.likes.shape[1]
        if length not in self._serving:
            self._serving[length] = self._user_tower.serving_model(length, self._user_tower.width)
        return np.concatenate(
            [
                self._serving[length].predict_on_batch(users[start : start + _USERS_AT_ONCE].arrays(vectors))
                for start in range(0, len(users), _USERS_AT_ONCE)
            ]
        )
