import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Likes, Snapshot
from tfrs_pipeline.data.split import TEST, VALIDATION
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.users import UserState
from tfrs_pipeline.measuring import Task, measure, prepare, split_likes
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import open_run

QUIET = Progress(quiet=True)


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def task_of(service: Snapshot, config: Config, part: int) -> Task:
    return prepare(service, split_likes(service, config.evaluation), part, config)


def with_other_ends(service: Snapshot, likes: int) -> Snapshot:
    """The same users, whose last likes went to other videos."""
    columns = service.likes
    end = np.searchsorted(columns.user, columns.user, side="right")
    last = np.arange(len(columns)) >= end - likes
    video = np.where(last, (columns.video + 13) % 60, columns.video).astype(np.int32)
    return replace(service, likes=Likes(columns.user, video, columns.at))


def assert_same_states(first: list[UserState], second: list[UserState]) -> None:
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.videos, other.videos)
        np.testing.assert_array_equal(one.at, other.at)


@pytest.mark.parametrize(("part", "later_likes"), [(VALIDATION, 2), (TEST, 1)])
def test_nothing_that_is_to_be_foretold_or_came_later_is_known(
    service: Snapshot, small: Config, part: int, later_likes: int
) -> None:
    here, elsewhere = task_of(service, small, part), task_of(with_other_ends(service, later_likes), small, part)
    assert here.spec == elsewhere.spec
    for one, other in zip(here.videos.arrays(), elsewhere.videos.arrays(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert_same_states(here.states, elsewhere.states)
    np.testing.assert_array_equal(here.problem.training_counts, elsewhere.problem.training_counts)
    assert (here.problem.targets != elsewhere.problem.targets).all()


def test_what_came_before_is_known(service: Snapshot, small: Config) -> None:
    here, elsewhere = task_of(service, small, TEST), task_of(with_other_ends(service, 2), small, TEST)
    assert here.spec != elsewhere.spec
    assert any(
        not np.array_equal(one.videos, other.videos) for one, other in zip(here.states, elsewhere.states, strict=True)
    )


def test_a_video_without_a_like_in_training_has_no_embedding_of_its_own(service: Snapshot, small: Config) -> None:
    task = task_of(service, small, VALIDATION)
    assert ((task.videos.video > 0) == (task.problem.training_counts > 0)).all()


def test_as_many_users_are_asked_as_the_settings_say(service: Snapshot, small: Config) -> None:
    config = replace(
        small,
        training=replace(small.training, validation_users=7),
        evaluation=replace(small.evaluation, users=11),
    )
    for part, users in ((VALIDATION, 7), (TEST, 11)):
        task = task_of(service, config, part)
        assert len(task.problem) == len(task.states) == users


def test_measuring_again_gives_the_same_numbers(runs: Path) -> None:
    run = open_run(runs / "latest")
    before = run.metrics
    after = measure(run, QUIET)
    for section in ("version", "snapshot", "split", "validation", "systems", "training"):
        assert after[section] == before[section], section
    assert json.loads((runs / "latest" / "metrics.json").read_text(), parse_constant=no_constant) == json.loads(
        json.dumps(after)
    )


def test_other_candidates_are_measured_when_asked_for(runs: Path) -> None:
    run = open_run(runs / "latest")
    assert run.metrics["split"]["candidates"] == 60
    liked = measure(run, QUIET, replace(run.config.evaluation, candidates="liked"))
    assert liked["split"]["candidates"] == 59


def test_metrics_hold_each_system_in_each_segment_with_intervals(finished: Path) -> None:
    metrics = json.loads((finished / "latest" / "metrics.json").read_text(), parse_constant=no_constant)
    assert list(metrics["systems"]) == ["two_tower", "linear", "popularity"]
    for segments in metrics["systems"].values():
        assert segments["all"]["users"] == 61
        for name in ("recall", "ndcg", "mrr", "diversity", "novelty"):
            for k in (10, 50):
                low, value, high = (segments["all"][f"{name}@{k}{end}"] for end in ("_low", "", "_high"))
                assert low <= value <= high
        assert segments["cold_users"] == {"users": 0}, "what was not computed is absent"
    assert metrics["snapshot"]["likes"] > 0
    assert metrics["training"]["best_epoch"] == metrics["validation"]["epoch"]
    assert metrics["training"]["peak_memory_mib"] > 0
    assert metrics["index"]


@pytest.mark.parametrize(
    "history",
    [
        [],
        {},
        {"selection": [], "final": [], "peak_memory_mib": 1},
        {"selection": [{"epoch": 1}], "final": [], "peak_memory_mib": 1},
        {"selection": [{"epoch": 9, "ndcg@100": 1, "seconds": 1, "examples_per_second": 1}], "final": []},
        {"selection": "text", "final": "text", "peak_memory_mib": 1},
    ],
)
def test_a_damaged_history_is_one_sentence_and_changes_nothing(runs: Path, history: Any) -> None:
    (runs / "latest" / "history.json").write_text(json.dumps(history))
    before = (runs / "latest" / "metrics.json").read_bytes()
    with pytest.raises(InputError, match=r"history\.json is not the history of a training"):
        measure(open_run(runs / "latest"), QUIET)
    assert (runs / "latest" / "metrics.json").read_bytes() == before


def test_a_missing_history_is_one_sentence(runs: Path) -> None:
    (runs / "latest" / "history.json").unlink()
    with pytest.raises(InputError, match=r"history\.json cannot be read"):
        measure(open_run(runs / "latest"), QUIET)
