import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot, load_snapshot
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.runs import (
    Run,
    begin_run,
    drop_checkpoints,
    finished_runs,
    load_weights,
    only_training,
    open_run,
    point_latest_at,
    read_json,
    save_weights,
    write_json,
)

PARTS = ["config.json", "snapshot", "features.json", "weights.npz", "metrics.json"]


@pytest.fixture
def begin(service: Snapshot, small: Config, tmp_path: Path) -> Callable[..., Path]:
    """Begins a run as a training does."""
    return lambda config=small: begin_run(tmp_path / "runs", service, config)


def finish(folder: Path) -> Path:
    for name in PARTS:
        if not (folder / name).exists():
            (folder / name).write_text("{}")
    return folder


def test_a_run_begins_with_its_settings_and_its_data(
    begin: Callable[..., Path], service: Snapshot, small: Config
) -> None:
    folder = begin()
    assert Run(folder).config == small
    assert Run(folder).snapshot.info == service.info
    assert Run(folder).version == folder.name
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "snapshot"]


def test_a_run_that_was_cut_off_is_gone_on_with(begin: Callable[..., Path], small: Config) -> None:
    folder = begin()
    assert begin() == folder
    other = begin(replace(small, training=replace(small.training, seed=1)))
    assert other.name[-8:] != folder.name[-8:]
    assert begin() == folder


def test_a_run_that_was_cut_off_before_its_data_was_written_is_gone_on_with(
    begin: Callable[..., Path], service: Snapshot
) -> None:
    folder = begin()
    shutil.rmtree(folder / "snapshot")
    (folder / ".snapshot.abc").mkdir()
    (folder / ".snapshot.abc" / "likes.parquet").write_text("half")
    (folder / ".weights.npz.def").write_text("half")
    assert begin() == folder
    assert load_snapshot(folder / "snapshot").info == service.info
    assert not list(folder.glob(".*"))


def test_a_finished_run_is_left_alone_and_a_new_one_begun(begin: Callable[..., Path]) -> None:
    folder = finish(begin())
    folder = folder.rename(folder.with_name(f"20200101-000000-{folder.name[-8:]}"))
    assert begin() != folder


def test_a_run_that_was_cut_off_between_its_metrics_and_its_end_is_gone_on_with(begin: Callable[..., Path]) -> None:
    folder = finish(begin())
    for phase in ("selection", "final"):
        (folder / phase / "checkpoints").mkdir(parents=True)
        (folder / phase / "best.npz").touch()
    assert begin() == folder
    drop_checkpoints(folder)
    assert [path for path in folder.rglob("*") if "checkpoints" in path.name or path.name == "best.npz"] == []
    assert not list(folder.glob(".*"))
    drop_checkpoints(folder)


def test_latest_is_a_link_that_moves_in_one_step(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        point_latest_at(tmp_path / name)
        assert os.readlink(tmp_path / "latest") == name, "relative, so that the folder can be moved"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "latest", "second"]


def test_something_else_in_the_place_of_latest_is_told_before_training(
    begin: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "runs" / "latest").mkdir(parents=True)
    with pytest.raises(InputError, match="latest has to be a link"):
        begin()
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["latest"]


def test_finished_runs_come_oldest_first_and_once(tmp_path: Path) -> None:
    for name in ("20250102-a", "20240101-b", "20250101-c"):
        (tmp_path / name).mkdir()
        finish(tmp_path / name)
    (tmp_path / "20260101-unfinished").mkdir()
    (tmp_path / "note.txt").touch()
    point_latest_at(tmp_path / "20250102-a")
    assert [run.version for run in finished_runs(tmp_path)] == ["20240101-b", "20250101-c", "20250102-a"]
    assert finished_runs(tmp_path / "nowhere") == []


def test_a_run_is_opened_by_its_folder_or_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    finish(tmp_path / "one")
    point_latest_at(tmp_path / "one")
    assert open_run(tmp_path / "latest").version == "one"
    assert open_run(tmp_path / "one").folder == (tmp_path / "one").resolve()


@pytest.mark.parametrize("part", PARTS)
def test_a_run_that_lacks_a_part_is_one_sentence(tmp_path: Path, part: str) -> None:
    finish(tmp_path)
    (tmp_path / part).unlink()
    with pytest.raises(InputError, match=rf"The run in .* lacks {part}: it was cut off or damaged"):
        open_run(tmp_path)


def test_a_run_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("gone")
    (tmp_path / "file").touch()
    for name in ("nothing", "latest"):
        with pytest.raises(InputError, match="There is no run at"):
            open_run(tmp_path / name)
    with pytest.raises(InputError, match=r"lacks config\.json, snapshot"):
        open_run(tmp_path / "file")


def test_only_one_training_at_a_time(tmp_path: Path) -> None:
    with only_training(tmp_path / "runs"):
        for _ in range(2):
            with (
                pytest.raises(InputError, match=rf"Another training \(process {os.getpid()}\) is writing to"),
                only_training(tmp_path / "runs"),
            ):
                pass
        with only_training(tmp_path / "others"):
            pass
    with only_training(tmp_path / "runs"):
        pass


def test_the_folder_is_free_again_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), only_training(tmp_path):
        raise KeyboardInterrupt
    with only_training(tmp_path):
        pass


def test_runs_that_cannot_be_kept_there_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "runs"):
        with pytest.raises(InputError, match="a part of that path is a file"), only_training(path):
            pass


def test_json_is_readable_and_comes_back(tmp_path: Path) -> None:
    value = {"title": "映画 😀", "numbers": [1, 0.1 + 0.2, None]}
    write_json(tmp_path / "deep" / "value.json", value)
    assert read_json(tmp_path / "deep" / "value.json") == value
    assert "映画" in (tmp_path / "deep" / "value.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"a": 1}}'])
def test_what_is_no_json_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "value.json").write_bytes(content)
    with pytest.raises(InputError, match=r"value\.json (is not JSON|cannot be read)"):
        read_json(tmp_path / "value.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path / "nothing.json")


def test_weights_come_back_as_they_were(finished: Path, small: Config, tmp_path: Path) -> None:
    from tfrs_pipeline.models.two_tower import TwoTower

    trained = open_run(finished / "latest")
    save_weights(trained.model, tmp_path / "weights.npz")
    again = TwoTower(trained.spec, small.model, 0.1)
    load_weights(again, tmp_path / "weights.npz")
    for first, second in zip(trained.model.tower_weights, again.tower_weights, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-10],
        lambda content: content[:1_000] + b"flipped" + content[1_007:],
        lambda content: b"",
        lambda content: b"PK\x03\x04 and nothing more",
        lambda content: b"no zip at all",
        lambda content: b"\x93NUMPY" + content[6:],
    ],
    ids=["half", "end missing", "flipped", "empty", "a zip by name", "text", "an array by name"],
)
def test_damaged_weights_are_one_sentence(runs: Path, damage: Callable[[bytes], bytes]) -> None:
    path = runs / "latest" / "weights.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"weights\.npz cannot be read as weights"):
        _ = open_run(runs / "latest").model


def test_a_single_array_is_no_weights(runs: Path) -> None:
    with (runs / "latest" / "weights.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match="cannot be read as weights"):
        _ = open_run(runs / "latest").model


def test_weights_of_another_model_are_one_sentence(runs: Path) -> None:
    path = runs / "latest" / "config.json"
    config = json.loads(path.read_text())
    config["model"]["width"] = 8
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match="holds the weights of another model"):
        _ = open_run(runs / "latest").model


@pytest.mark.parametrize(
    ("name", "part"),
    [("config.json", "config"), ("metrics.json", "metrics"), ("features.json", "spec"), ("weights.npz", "model")],
)
@pytest.mark.parametrize("content", [b"", b'{"training": {"epochs": "ma', b"\xff\xfe\x00"])
def test_a_damaged_part_is_one_sentence_that_names_it(runs: Path, name: str, part: str, content: bytes) -> None:
    (runs / "latest" / name).write_bytes(content)
    with pytest.raises(InputError, match=name.replace(".", r"\.")):
        getattr(open_run(runs / "latest"), part)


@pytest.mark.parametrize("content", ["[1, 2]", "null", '{"training": {"epochs": "many"}}', '{"trainig": {}}'])
def test_settings_that_cannot_be_are_one_sentence(runs: Path, content: str) -> None:
    (runs / "latest" / "config.json").write_text(content)
    with pytest.raises(InputError, match=r"config\.json "):
        _ = open_run(runs / "latest").config


def test_a_damaged_snapshot_is_one_sentence(runs: Path) -> None:
    (runs / "latest" / "snapshot" / "likes.parquet").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"The snapshot in .* is damaged"):
        _ = open_run(runs / "latest").snapshot


def test_a_run_holds_all_that_the_readme_says(finished: Path) -> None:
    folder = (finished / "latest").resolve()
    files: set[Any] = {str(path.relative_to(folder)).split("/")[0] for path in folder.rglob("*")}
    assert files == {*PARTS, "history.json", "report.html", "selection", "final"}
