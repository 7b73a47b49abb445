"""One contract that every index goes through, and what is ScaNN's alone."""

import importlib.util
import sys
from collections.abc import Callable

import numpy as np
import pytest

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.index import CandidateIndex, ExactIndex, ScannIndex, ScannSetting, scann_missing

scann_only = pytest.mark.skipif(importlib.util.find_spec("scann") is None, reason="scann has no wheel here")
VIDEOS = 600


def unit(seed: int, rows: int, dimensions: int = 16) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


INDEXES: dict[str, Callable[[np.ndarray], CandidateIndex]] = {
    "exact": ExactIndex,
    "scann, every video": lambda vectors: ScannIndex(vectors, ScannSetting(0, 0, 0), threads=1),
    "scann, a tree": lambda vectors: ScannIndex(vectors, ScannSetting(8, 8, 200, float32=True), threads=1),
}
every_index = pytest.mark.parametrize(
    "build",
    [pytest.param(build, id=name, marks=scann_only if "scann" in name else ()) for name, build in INDEXES.items()],
)


@every_index
@pytest.mark.parametrize("queries", [1, 2, 300])
def test_the_nearest_are_found_best_first_with_their_dot_products(build: Callable, queries: int) -> None:
    vectors, asked = unit(0, VIDEOS), unit(1, queries)
    ids, scores = build(vectors).search(asked, 10)
    assert (ids.shape, ids.dtype, scores.shape, scores.dtype) == ((queries, 10), np.int32, (queries, 10), np.float32)
    products = asked @ vectors.T
    np.testing.assert_allclose(scores, np.take_along_axis(products, ids, axis=1), atol=1e-5)
    assert (np.diff(scores, axis=1) <= 0).all()
    best = np.argsort(-products, axis=1)[:, :10]
    found = np.mean([np.isin(true, some).mean() for true, some in zip(best, ids, strict=True)])
    assert found > 0.97


@every_index
def test_a_video_finds_itself_first(build: Callable) -> None:
    vectors = unit(2, VIDEOS)
    assert (build(vectors).search(vectors[:50], 1)[0][:, 0] == np.arange(50)).all()


@every_index
def test_a_list_longer_than_the_catalogue_is_filled_up(build: Callable) -> None:
    vectors = unit(3, 60)
    ids, scores = build(vectors).search(vectors[:3], 64)
    assert (ids[:, 60:] == -1).all()
    assert (scores[:, 60:] == -np.inf).all()
    assert [sorted(row) for row in ids[:, :60].tolist()] == [list(range(60))] * 3


@every_index
def test_no_queries_get_no_lists(build: Callable) -> None:
    ids, scores = build(unit(4, VIDEOS)).search(np.empty((0, 16), np.float32), 5)
    assert ids.shape == scores.shape == (0, 5)


@every_index
def test_what_does_not_fit_is_refused(build: Callable) -> None:
    index = build(unit(5, VIDEOS))
    with pytest.raises(InputError, match="do not fit videos of 16 dimensions"):
        index.search(unit(6, 2, dimensions=17), 5)
    with pytest.raises(InputError, match="needs vectors of shape"):
        build(np.empty((0, 16), np.float32))
    with pytest.raises(InputError, match="not finite"):
        build(np.full((600, 16), np.inf, np.float32))


@every_index
def test_its_size_is_told(build: Callable) -> None:
    assert VIDEOS * 16 * 4 <= build(unit(7, VIDEOS)).size_bytes() < 4 * VIDEOS * 16 * 4


def test_exact_ties_stand_by_number() -> None:
    vectors = np.ones((9, 2), np.float32)
    assert ExactIndex(vectors).search(vectors[:1], 4)[0].tolist() == [[0, 1, 2, 3]]


@scann_only
def test_one_built_tree_is_asked_in_several_ways() -> None:
    vectors = unit(8, VIDEOS)
    wide = ScannIndex(vectors, ScannSetting(16, 16, 400), threads=1)
    narrow = wide.at(1, 10)
    assert (narrow.setting.leaves_to_search, wide.setting.leaves_to_search) == (1, 16)
    asked = unit(9, 200)
    truth = ExactIndex(vectors).search(asked, 10)[0]
    found = [np.mean([np.isin(*pair).mean() for pair in zip(truth, each.search(asked, 10)[0], strict=True)])
             for each in (narrow, wide)]  # fmt: skip
    assert found[0] < found[1]


@scann_only
def test_where_a_leaf_holds_too_few_the_list_is_filled_up() -> None:
    vectors = unit(10, VIDEOS)
    index = ScannIndex(vectors, ScannSetting(60, 1, 300), threads=1)
    for queries in (1, 4):
        ids, scores = index.search(unit(11, queries), 200)
        assert ids.min() == -1
        assert ((ids == -1) == (scores == -np.inf)).all()


def test_where_scann_is_not_installed_a_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "scann"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scann", None)
    assert scann_missing() == "ScaNN is not installed, as it has no wheel for this machine: exact search stands in."
