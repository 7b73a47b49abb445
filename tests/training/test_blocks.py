import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.features.users import Views
from tfrs_pipeline.training.blocks import cut_blocks


def likes_of(counts: list[int]) -> Likes:
    """So many likes of each user; a user without any leaves a gap in the numbers."""
    user = np.repeat(np.arange(len(counts)), counts)
    return Likes.sort(user, np.arange(len(user)), np.arange(len(user)))


@given(st.lists(st.integers(0, 60), max_size=8), st.integers(1, 12), st.integers(1, 20))
def test_each_like_but_a_users_first_is_foretold_once_from_a_window_before_it(
    counts: list[int], window: int, places: int
) -> None:
    likes = likes_of(counts)
    blocks = cut_blocks(likes, window, places)
    foretold = []
    for start, first, examples in zip(blocks.start, blocks.first, blocks.examples, strict=True):
        assert 1 <= examples <= places
        assert first - start < window
        last = np.arange(first, first + examples) - start
        views = Views.at(last[None], last[-1] + 1, window)
        for place in range(examples):
            target = first + place + 1
            seen = start + np.flatnonzero(views.ages[0, place] < window)
            begin = int(np.searchsorted(likes.user, likes.user[target]))
            assert seen.tolist() == list(range(max(begin, target - window), target))
            foretold.append(target)
    firsts = {int(np.searchsorted(likes.user, user)) for user in likes.user}
    assert sorted(foretold) == sorted(set(range(len(likes))) - firsts)


@pytest.mark.parametrize("counts", [[], [0], [1], [1, 1, 1]])
def test_single_likes_make_no_block(counts: list[int]) -> None:
    assert len(cut_blocks(likes_of(counts), 8, 16)) == 0


def test_a_long_history_is_cut_into_few_blocks() -> None:
    blocks = cut_blocks(likes_of([100]), 8, 16)
    assert blocks.examples.tolist() == [16] * 6 + [3]
    assert blocks.first.tolist() == [0, 16, 32, 48, 64, 80, 96]
    assert blocks.start.tolist() == [0, 9, 25, 41, 57, 73, 89]
