"""The choice of a setting, what is reported of it, and what stands in where there is no ScaNN."""

import importlib.util
import json

import numpy as np
import pytest

from tfrs_pipeline.evaluation import index_sweep as module
from tfrs_pipeline.evaluation.index import ExactIndex, ScannIndex
from tfrs_pipeline.evaluation.index_sweep import recalls, sweep_index
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
scann_only = pytest.mark.skipif(importlib.util.find_spec("scann") is None, reason="scann has no wheel here")


def unit(seed: int, rows: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, 12)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@scann_only
def test_the_chosen_setting_finds_enough_on_queries_that_did_not_choose_it() -> None:
    vectors, users = unit(0, 1500), unit(1, 60)
    index, result = sweep_index(vectors, users, QUIET, recall_target=0.9)
    assert isinstance(index, ScannIndex)
    assert result["kind"] == "scann"
    assert result["stand_in"] is False
    assert (result["tuning_queries"], result["report_queries"]) == (30, 30)
    truth = ExactIndex(vectors).search(users, 100)[0]
    assert result["recall@100"] >= 0.9
    assert recalls(index.search(users, 100)[0], truth).mean() >= 0.9
    assert result["recall_reached"]
    assert result["setting"] in [
        {name: value for name, value in point.items() if name in result["setting"]} for point in result["curve"]
    ]
    assert {point["leaves"] for point in result["curve"]} >= {0, 39}
    for name in ("build_seconds", "index_bytes", "queries_per_second", "exact_queries_per_second", "single_query_ms"):
        assert result[name] > 0
    assert result["speedup"] == pytest.approx(result["queries_per_second"] / result["exact_queries_per_second"])
    assert json.loads(json.dumps(result)) == result


@scann_only
def test_a_catalogue_too_small_for_a_tree_has_one_setting() -> None:
    _, result = sweep_index(unit(2, 40), unit(3, 8), QUIET)
    assert result["setting"]["leaves"] == 0
    assert result["recall@40"] == 1
    assert len(result["curve"]) == 1
    assert result["note"] == "With so few videos it is fastest to look at all of them."


@scann_only
def test_where_nothing_finds_enough_the_one_that_finds_most_is_chosen_and_it_says_so() -> None:
    _, result = sweep_index(unit(4, 1200), unit(5, 20), QUIET, recall_target=1.01)
    assert not result["recall_reached"]
    assert result["recall@100"] == pytest.approx(1, abs=0.01)


def test_without_scann_exact_search_stands_in_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "scann_missing", lambda: "No ScaNN here: exact search stands in.")
    index, result = sweep_index(unit(6, 300), unit(7, 20), QUIET)
    assert isinstance(index, ExactIndex)
    assert (result["kind"], result["stand_in"]) == ("exact", True)
    assert result["note"] == "No ScaNN here: exact search stands in."
    assert result["exact_queries_per_second"] > 0
    assert "recall@100" not in result
    assert "queries_per_second" not in result


def test_one_user_is_too_few_to_choose_on() -> None:
    _, result = sweep_index(unit(8, 300), unit(9, 1), QUIET)
    assert result["stand_in"]
    assert "too few users" in result["note"] or "ScaNN" in result["note"]


def test_recall_counts_what_was_found_wherever_it_stands() -> None:
    truth = np.array([[1, 2], [3, 4], [0, 9]])
    found = np.array([[2, 1, 7], [3, -1, -1], [4, 3, 1]])
    assert recalls(found, truth).tolist() == [1, 0.5, 0]
