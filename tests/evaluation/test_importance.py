"""What carries the answer comes out on top, what is noise at zero within its interval."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Likes, Snapshot, SnapshotInfo
from tfrs_pipeline.data.split import VALIDATION
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
# More videos share a tag than a list is long, so that knowing the tag is not yet the whole answer.
_TAGS, _VIDEOS, _USERS, _LIKES = 6, 1200, 300, 14

Rows = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def tagged() -> Snapshot:
    """A service whose users each like the videos of one tag, whatever they cost and whenever they are liked."""
    random = np.random.default_rng(3)
    rows = [
        {"id": f"{number:05}", "tags": [f"tag {number % _TAGS}"], "price": float(random.integers(1, 400))}
        for number in range(_VIDEOS)
    ]
    likes = [
        (user, tag + _TAGS * place)
        for user in range(_USERS)
        for tag in [random.integers(_TAGS)]
        for place in random.permutation(_VIDEOS // _TAGS)[:_LIKES]
    ]
    user, video = np.array(likes).T
    at = 1_700_000_000_000_000 + random.integers(0, 10**14, len(likes))
    videos = pa.Table.from_pylist(rows, VIDEO_SCHEMA)
    info = SnapshotInfo(_VIDEOS, _USERS, len(likes), "", "", {})
    return Snapshot(videos, np.arange(_USERS).astype(str), Likes.sort(user, video, at), info)


@pytest.fixture(scope="module")
def measured(tagged: Snapshot, small: Config, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Importance for towers that learned this service."""
    from tfrs_pipeline.evaluation.importance import permutation_importance
    from tfrs_pipeline.measuring import prepare, split_likes
    from tfrs_pipeline.pipeline import select

    training = replace(small.training, epochs=3, learning_rate=1e-2, averaging=0.9, own_dropout=0.5)
    config = replace(small, training=training)
    split = split_likes(tagged, config.evaluation)
    model, _ = select(tagged, split, config, tmp_path_factory.mktemp("selection"), QUIET)
    task = prepare(tagged, split, VALIDATION, config, model.spec)
    return permutation_importance(model, task.problem, task.states, task.videos, QUIET, repeats=3)


@pytest.fixture(scope="module")
def rows(measured: dict[str, Any]) -> Rows:
    """The rows by tower and feature."""
    return {(row["tower"], row["feature_name"]): row for row in measured["rows"]}


def test_what_carries_the_answer_is_on_top(measured: dict[str, Any], rows: Rows) -> None:
    first = {}
    for row in measured["rows"]:
        first.setdefault(row["tower"], row["feature_name"])
    assert first == {"item_tower": "tag", "user_tower": "likes_decay_0.05"}
    for key in first.items():
        assert rows[key]["low"] > 0.25
        assert rows[key]["ndcg@100_low"] > 0
    # Without the tag every video is as good as another.
    assert measured["recall@100"] - rows["item_tower", "tag"]["importance_score"] == pytest.approx(1 / 12, abs=0.05)


@pytest.mark.parametrize(
    ("tower", "name"),
    [("item_tower", "price"), ("user_tower", "profile_price"), ("user_tower", "hours"), ("user_tower", "weekdays")],
)
def test_pure_noise_is_at_zero_within_its_interval(rows: Rows, tower: str, name: str) -> None:
    row = rows[tower, name]
    assert row["low"] <= 0 <= row["high"]
    assert row["low"] < row["high"], "it was exchanged, and some ranks moved"


@pytest.mark.parametrize("name", ["genre", "maker", "performer", "duration", "published", "thumbnail", "title"])
def test_what_is_the_same_everywhere_is_exactly_zero(rows: Rows, name: str) -> None:
    row = rows["item_tower", name]
    assert {row[key] for key in row if key not in ("tower", "feature_name")} == {0.0}


def test_rows_are_ready_for_the_table_and_for_json(measured: dict[str, Any], rows: Rows) -> None:
    assert len(rows) == len(measured["rows"])
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured
    assert (measured["users"], measured["repeats"]) == (_USERS, 3)
    documented = set(re.findall(r"`([^`\n]+)`", (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()))
    assert set(measured) <= documented
    for row in measured["rows"]:
        assert set(row) <= documented
        assert row["low"] <= row["importance_score"] <= row["high"]
