"""A handful of users for the report: what they liked, and what they would get."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfrs_pipeline.evaluation.problem import RankingProblem
from tfrs_pipeline.evaluation.ranking import Ranking, Scorer
from tfrs_pipeline.evaluation.report import UserExample

_LIKED = 8
_RECOMMENDED = 10


def user_examples(
    videos: pa.Table,
    users: NDArray[np.str_],
    problem: RankingProblem,
    ranking: Ranking,
    scorer: Scorer,
    count: int = 6,
) -> list[UserExample]:
    """Users from the one who liked least to the one who liked most, at even distances.

    Args:
        videos: of the snapshot.
        users: ids of the snapshot's users.
        problem: what the system was asked.
        ranking: its answer.
        scorer: the system, for the scores of what it recommends.
    """
    by_likes = np.argsort(problem.seen.counts(), kind="stable")
    rows = np.unique(by_likes[np.linspace(0, len(by_likes) - 1, count).astype(int)])
    return [_example(videos, users, problem, ranking, scorer, int(row)) for row in rows]


def _example(
    videos: pa.Table, users: NDArray[np.str_], problem: RankingProblem, ranking: Ranking, scorer: Scorer, row: int
) -> UserExample:
    scores = scorer.scores(slice(row, row + 1))[0]
    liked = problem.seen.of(row)[-_LIKED:]
    top = [int(video) for video in ranking.top[row, :_RECOMMENDED] if video >= 0]
    shown = {int(video): videos.slice(int(video), 1).to_pylist()[0] for video in [*liked, *top]}
    facts = {video: (of["title"] or "", of["genres"] or [], of["maker"]) for video, of in shown.items()}
    return UserExample(
        user=str(users[problem.users[row]]),
        liked=[facts[int(video)] for video in liked],
        recommended=[(*facts[video], float(scores[video]), video == int(problem.targets[row])) for video in top],
    )
