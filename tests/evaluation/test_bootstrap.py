"""Intervals: their width, their sameness, and what they do where numbers are missing."""

import numpy as np
import pytest

from tfrs_pipeline.evaluation import bootstrap
from tfrs_pipeline.evaluation.bootstrap import intervals, paired_difference


def test_an_interval_is_as_wide_as_the_theory_of_means_says() -> None:
    values = np.random.default_rng(1).normal(5, 2, size=(2000, 1))
    (interval,) = intervals(values, resamples=2000)
    assert interval.mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / np.sqrt(2000)
    assert interval.mean - interval.low == pytest.approx(half, rel=0.1)
    assert interval.high - interval.mean == pytest.approx(half, rel=0.1)


def test_the_same_seed_gives_the_same_interval_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random((50, 2))
    assert intervals(values, seed=3) == intervals(values, seed=3)
    assert intervals(values, seed=3) != intervals(values, seed=4)
    whole = intervals(values, seed=3)
    monkeypatch.setattr(bootstrap, "_DRAWS_PER_BLOCK", 50 * 7)
    assert intervals(values, seed=3) == whole


def test_users_without_a_value_are_left_out() -> None:
    some, none = intervals(np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]]))
    assert some.mean == 2
    assert (some.low, some.high) == (1, 3)
    assert none is None


def test_nobody_has_no_interval() -> None:
    assert intervals(np.empty((0, 2))) == [None, None]


def test_a_steady_difference_is_told_apart_although_the_intervals_overlap() -> None:
    random = np.random.default_rng(4)
    base = random.random(200)
    better = base + 0.02 + 0.001 * random.standard_normal(200)
    first, second = intervals(np.column_stack([better, base]))
    assert first.low < second.high
    difference = paired_difference(better, base)
    assert difference.low > 0.019
    assert paired_difference(base, base) == bootstrap.Interval(0, 0, 0)
