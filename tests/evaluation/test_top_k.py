"""The k highest scores, against sorting everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_pipeline.evaluation import top_k as module
from tfrs_pipeline.evaluation.top_k import top_k


def by_sorting(scores: np.ndarray, k: int) -> np.ndarray:
    lists = np.full((len(scores), k), -1)
    for row, of_row in enumerate(scores):
        order = [number for number in np.argsort(-of_row, kind="stable") if of_row[number] > -np.inf][:k]
        lists[row, : len(order)] = order
    return lists


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    videos=st.integers(1, 3000),
    k=st.integers(1, 12),
    levels=st.sampled_from([1, 2, 7, 10_000]),
    barred=st.sampled_from([0.0, 0.3, 0.999, 1.0]),
)
def test_lists_are_those_of_a_stable_sort_whatever_is_tied_or_barred(
    seed: int, videos: int, k: int, levels: int, barred: float
) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(-levels, levels, size=(3, videos)).astype(np.float32)
    scores[random.random(scores.shape) < barred] = -np.inf
    np.testing.assert_array_equal(top_k(scores, k), by_sorting(scores, k))


@pytest.mark.parametrize("order", ["ascending", "descending", "alternating"])
def test_long_rows_in_any_order_take_the_short_cut_and_are_right(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.arange(20_000, dtype=np.float32)
    if order == "descending":
        scores = scores[::-1].copy()
    if order == "alternating":
        scores[::2] *= -1
    few = []
    whole = module._best_of_few
    monkeypatch.setattr(module, "_best_of_few", lambda some, k: few.append(len(some)) or whole(some, k))
    np.testing.assert_array_equal(top_k(scores[None], 10), by_sorting(scores[None], 10))
    assert few[0] < 5_000
