import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.data.split import TEST, TRAIN, VALIDATION, Split, by_time, cold, last_like
from tfrs_pipeline.errors import InputError

# Users who like videos at times; a user likes a video once.
_services = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 9), st.integers(0, 50)),
    min_size=1,
    max_size=60,
    unique_by=lambda row: row[:2],
).map(lambda rows: Likes.sort(*np.array(rows, np.int64).T))


def _rows(likes: Likes) -> list[tuple[int, int, int]]:
    return [tuple(map(int, row)) for row in zip(likes.user, likes.at, likes.video, strict=True)]


def _of(rows: list[tuple[int, int, int]], user: int) -> list[tuple[int, int, int]]:
    return [row for row in rows if row[0] == user]


def _split_or_none(split: type, likes: Likes, **settings: int) -> Split | None:
    try:
        return split(likes, **settings)
    except InputError:
        return None


@given(_services, st.integers(1, 6))
def test_last_like_foretells_the_last_and_the_one_before(likes: Likes, min_likes: int) -> None:
    split = _split_or_none(last_like, likes, min_likes=min_likes)
    all_rows = _rows(likes)
    active = [user for user in range(7) if len(_of(all_rows, user)) >= max(min_likes, 3)]
    if split is None:
        assert active == []
        return
    assert _rows(split.targets(TEST)) == [_of(all_rows, user)[-1] for user in active]
    assert _rows(split.targets(VALIDATION)) == [_of(all_rows, user)[-2] for user in active]
    assert _rows(split.known(VALIDATION)) == [row for user in active for row in _of(all_rows, user)[:-2]]
    assert _rows(split.known(TEST)) == [row for user in active for row in _of(all_rows, user)[:-1]]
    assert _rows(split.histories(TEST)) == _rows(split.known(TEST))
    assert _rows(split.histories(VALIDATION)) == _rows(split.known(VALIDATION))


@given(_services, st.integers(1, 4))
def test_by_time_knows_nothing_that_came_after_a_cut(likes: Likes, min_likes: int) -> None:
    split = _split_or_none(by_time, likes, min_likes=min_likes)
    if split is None:
        return
    for part in (VALIDATION, TEST):
        known, targets = split.known(part), split.targets(part)
        later = split.likes.at[split.part >= part]
        assert known.at.max() <= later.min()
        assert len(np.unique(targets.user)) == len(targets) > 0
        trained = set(split.likes.user[split.part == TRAIN].tolist())
        assert set(targets.user.tolist()) <= trained
        for user, at, video in _rows(targets):
            own = _of(_rows(split.likes), user)
            before = own[: own.index((user, at, video))]
            assert _of(_rows(split.histories(part)), user) == before


@given(_services)
def test_every_like_of_an_active_user_is_in_one_part(likes: Likes) -> None:
    for split in (_split_or_none(last_like, likes, min_likes=3), _split_or_none(by_time, likes, min_likes=3)):
        if split is not None:
            kept = np.isin(likes.user, np.flatnonzero(np.bincount(likes.user) >= 3))
            assert _rows(split.likes) == _rows(likes.where(kept))
            assert set(split.part.tolist()) <= {TRAIN, VALIDATION, TEST}


def test_by_time_cuts_at_the_shares_asked_for() -> None:
    likes = Likes.sort(np.arange(100) % 2, np.arange(100), np.arange(100))
    split = by_time(likes, min_likes=1, validation_share=0.2, test_share=0.1)
    assert np.bincount(split.part).tolist() == pytest.approx([70, 20, 10], abs=1)


def test_too_few_likes_are_told() -> None:
    likes = Likes.sort(np.arange(4), np.arange(4), np.arange(4))
    for split in (last_like, by_time):
        with pytest.raises(InputError, match="No user has 5 likes"):
            split(likes, min_likes=5)


def test_users_on_one_side_of_a_cut_are_told() -> None:
    likes = Likes.sort(np.repeat([0, 1], 5), np.arange(10), np.arange(10))
    with pytest.raises(InputError, match="both sides of a cut"):
        by_time(likes, min_likes=5, validation_share=0.25, test_share=0.25)


@given(_services, st.integers(0, 9))
def test_cold_holds_out_whole_users_and_whole_videos(likes: Likes, seed: int) -> None:
    split = _split_or_none(cold, likes, min_likes=2, seed=seed)
    if split is None:
        return
    for part in (VALIDATION, TEST):
        known, targets, histories = split.known(part), split.targets(part), split.histories(part)
        assert len(np.unique(targets.user)) == len(targets) > 0
        assert set(histories.user.tolist()) == set(targets.user.tolist()), "everybody is known by a like"
        trained_users, trained_videos = set(known.user.tolist()), set(known.video.tolist())
        for user, video in zip(targets.user.tolist(), targets.video.tolist(), strict=True):
            seen = histories.video[histories.user == user]
            assert video not in seen
            if user in trained_users:
                assert video not in trained_videos
            else:
                assert 1 <= len(seen) <= 5
    assert set(_rows(split.likes)) <= set(_rows(likes))


def test_cold_draws_the_same_from_the_same_seed_and_other_users_from_another() -> None:
    likes = Likes.sort(np.repeat(np.arange(50), 10), np.tile(np.arange(50), 10), np.arange(500))
    first, again, other = cold(likes), cold(likes), cold(likes, seed=1)
    assert _rows(first.targets(TEST)) == _rows(again.targets(TEST)) != _rows(other.targets(TEST))
    held_out = set(range(50)) - set(first.known(TEST).user.tolist())
    assert len(held_out) == 5
