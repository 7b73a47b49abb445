import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfrs_pipeline.data.demo_shelf import Shelf, pick, power_law


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=12),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 4),
    st.integers(-3, 10),
    st.integers(0, 10),
)
def test_draws_a_video_of_the_group_and_the_time_if_there_is_one(
    places: list[tuple[int, int, int]], chance: float, group: int, since: int, until: int
) -> None:
    groups, published, weight = np.array(places).T
    shelf = Shelf(groups, np.arange(len(places)), published, weight)
    fitting = np.flatnonzero((groups == group) & (published >= since) & (published <= until) & (weight > 0))
    drawn = shelf.draw(*(np.array([value]) for value in (chance, group, since, until)))[0]
    assert drawn in fitting if len(fitting) else drawn == -1


def test_draws_by_weight() -> None:
    shelf = Shelf(np.zeros(3, int), np.arange(3), np.array([5, 1, 3]), np.array([1, 0, 3]))
    rows = np.zeros(4_000, int)
    drawn = shelf.draw((np.arange(4_000) + 0.5) / 4_000, rows, rows, rows + 9)
    assert np.bincount(drawn).tolist() == [1_000, 0, 3_000]


def test_picks_by_weight() -> None:
    assert np.bincount(pick((np.arange(400) + 0.5) / 400, np.array([1, 0, 3]))).tolist() == [100, 0, 300]


def test_power_law_ranks_its_chances() -> None:
    assert power_law(np.array([0.9, 0.1, 0.5]), 1.0).tolist() == [333_333, 1_000_000, 500_000]
