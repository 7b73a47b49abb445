"""Ranks and lists, against a ranking written out in plain words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation import ranking as module
from tfrs_pipeline.evaluation.ranking import NEVER, PopularityScorer, Seen, VectorScorer, rank_targets


class Table:
    """A scorer that has all its scores written down."""

    def __init__(self, scores: list[list[float]] | np.ndarray) -> None:
        self.table = np.asarray(scores, np.float32)

    def scores(self, users: slice) -> np.ndarray:
        return self.table[users].copy()


def seen_of(*videos: list[int]) -> Seen:
    rows = np.repeat(np.arange(len(videos)), [len(of_user) for of_user in videos])
    return Seen.of_pairs(rows, np.array([video for of_user in videos for video in of_user], int), len(videos))


def everything(videos: int) -> np.ndarray:
    return np.ones(videos, bool)


def test_a_target_stands_behind_all_that_score_higher() -> None:
    ranking = rank_targets(Table([[0.1, 0.9, 0.5]]), seen_of([]), np.array([2]), everything(3), depth=2)
    assert ranking.target_rank.tolist() == [2]
    assert ranking.top.tolist() == [[1, 2]]


def test_equal_scores_stand_in_the_order_of_their_numbers() -> None:
    scorer = Table([[0.5] * 4] * 4)
    ranking = rank_targets(scorer, seen_of([], [], [], []), np.arange(4), everything(4), depth=4)
    assert ranking.target_rank.tolist() == [1, 2, 3, 4]
    assert ranking.top.tolist() == [[0, 1, 2, 3]] * 4


def test_what_a_user_has_seen_is_not_in_the_way() -> None:
    ranking = rank_targets(Table([[0.9, 0.8, 0.7]] * 2), seen_of([0, 1], []), np.array([2, 2]), everything(3), depth=3)
    assert ranking.target_rank.tolist() == [1, 3]
    assert ranking.top.tolist() == [[2, -1, -1], [0, 1, 2]]


def test_what_is_no_candidate_is_not_ranked() -> None:
    ranking = rank_targets(Table([[0.9, 0.8]]), seen_of([]), np.array([1]), np.array([False, True]), depth=2)
    assert ranking.target_rank.tolist() == [1]
    assert ranking.top.tolist() == [[1, -1]]


def test_a_target_that_is_seen_or_no_candidate_is_never_found() -> None:
    candidates = np.array([True, True, False])
    ranking = rank_targets(Table([[0.9, 0.8, 0.7]] * 2), seen_of([0], []), np.array([0, 2]), candidates, depth=3)
    assert ranking.target_rank.tolist() == [NEVER, NEVER]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), users=st.integers(1, 9), videos=st.integers(1, 40), levels=st.sampled_from([2, 1000]))
def test_the_rank_is_the_place_in_the_list_and_a_list_repeats_nothing(
    seed: int, users: int, videos: int, levels: int
) -> None:
    random = np.random.default_rng(seed)
    table = Table(random.integers(levels, size=(users, videos)) / levels)
    pairs = np.argwhere(random.random((users, videos)) < 0.3)
    targets = random.integers(videos, size=users)
    candidates = random.random(videos) < 0.8
    ranking = rank_targets(table, Seen.of_pairs(pairs[:, 0], pairs[:, 1], users), targets, candidates, depth=videos)
    for user, (rank, top) in enumerate(zip(ranking.target_rank, ranking.top, strict=True)):
        listed = top[top >= 0].tolist()
        assert sorted(listed) == sorted(set(np.flatnonzero(candidates)) - set(pairs[pairs[:, 0] == user, 1]))
        assert rank == (listed.index(targets[user]) + 1 if targets[user] in listed else NEVER)


def test_blocks_of_users_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    vectors = random.integers(-4, 5, size=(60, 8)).astype(np.float32)
    users, targets = vectors[:17] * 2, random.integers(60, size=17)
    seen = seen_of(*[random.choice(60, 3, replace=False).tolist() for _ in range(17)])
    at_once = rank_targets(VectorScorer(users, vectors), seen, targets, everything(60), depth=5)
    monkeypatch.setattr(module, "_SCORES_PER_BLOCK", 4 * 60)
    in_blocks = rank_targets(VectorScorer(users, vectors), seen, targets, everything(60), depth=5)
    np.testing.assert_array_equal(in_blocks.target_rank, at_once.target_rank)
    np.testing.assert_array_equal(in_blocks.top, at_once.top)


def test_popularity_ranks_by_counts_that_float32_cannot_tell_apart() -> None:
    counts = np.array([2**25, 2**25 + 1, 7])
    ranking = rank_targets(PopularityScorer(counts, 2), seen_of([], [1]), np.array([0, 2]), everything(3), depth=3)
    assert ranking.top.tolist() == [[1, 0, 2], [0, 2, -1]]
    assert ranking.target_rank.tolist() == [2, 2]


def test_pairs_in_any_order_become_rows() -> None:
    seen = Seen.of_pairs(np.array([2, 0, 2]), np.array([5, 1, 4]), 4)
    assert [seen.of(row).tolist() for row in range(4)] == [[1], [], [5, 4], []]
    assert seen.counts().tolist() == [1, 0, 2, 0]


def test_vectors_that_cannot_be_ranked_are_refused_in_a_sentence() -> None:
    with pytest.raises(InputError, match="same dimensions"):
        VectorScorer(np.zeros((2, 3), np.float32), np.zeros((5, 4), np.float32))
    with pytest.raises(InputError, match="video vector holds a number that is not finite"):
        VectorScorer(np.zeros((2, 3), np.float32), np.full((5, 3), np.nan, np.float32))
