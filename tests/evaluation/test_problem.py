"""The ranking problem that a split poses."""

import numpy as np
import pytest

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.data.split import TEST, VALIDATION, last_like
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.problem import ranking_problem

# Users 2 and 5 take part; user 3 likes too little, and is alone in liking video 6. Nobody likes videos 7 and 8.
LIKES = Likes.sort(
    np.array([5, 5, 5, 5, 2, 2, 2, 3]), np.array([4, 1, 0, 2, 3, 1, 5, 6]), np.array([1, 2, 3, 4, 1, 2, 3, 9])
)
SPLIT = last_like(LIKES, min_likes=3)


def test_each_user_has_a_target_and_the_likes_before_it() -> None:
    problem = ranking_problem(SPLIT, TEST, LIKES, videos=9)
    assert problem.users.tolist() == [2, 5]
    assert problem.targets.tolist() == [5, 2]
    assert [problem.seen.of(row).tolist() for row in (0, 1)] == [[3, 1], [4, 1, 0]]


def test_validation_knows_nothing_of_the_test_likes() -> None:
    problem = ranking_problem(SPLIT, VALIDATION, LIKES, videos=9)
    assert problem.targets.tolist() == [1, 0]
    assert [problem.seen.of(row).tolist() for row in (0, 1)] == [[3], [4, 1]]
    assert problem.training_counts.tolist() == [0, 1, 0, 1, 1, 0, 0, 0, 0]


def test_candidates_are_all_videos_or_those_that_anybody_likes() -> None:
    assert ranking_problem(SPLIT, TEST, LIKES, videos=9).candidates.all()
    liked = ranking_problem(SPLIT, TEST, LIKES, videos=9, candidates="liked").candidates
    assert np.flatnonzero(~liked).tolist() == [7, 8]


def test_a_sample_asks_the_same_of_fewer_users() -> None:
    problem = ranking_problem(SPLIT, TEST, LIKES, videos=9)
    assert problem.sample(2) is problem
    one = problem.sample(1)
    row = problem.users.tolist().index(one.users[0])
    assert one.targets.tolist() == [problem.targets[row]]
    assert one.seen.of(0).tolist() == problem.seen.of(row).tolist()


def test_other_candidates_are_refused() -> None:
    with pytest.raises(InputError, match=r"evaluation\.candidates is 'some'"):
        ranking_problem(SPLIT, TEST, LIKES, videos=9, candidates="some")
