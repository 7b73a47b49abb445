import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfrs_pipeline.runs import only_training, open_run

if TYPE_CHECKING:
    from tests.commands.conftest import Cli


def test_it_measures_the_newest_run_again_and_prints_a_table(cli: "Cli", runs: Path) -> None:
    before = open_run(runs / "latest").metrics
    (runs / "latest" / "report.html").unlink()
    status, answer, said = cli("evaluate")
    assert status == 0
    assert "Measuring on 61 users." in said
    lines = answer.splitlines()
    assert lines[1].split()[:2] == ["users", "recall@10"]
    (towers,) = (line.split() for line in lines if line.startswith("two_tower"))
    assert towers[1:3] == ["61", f"{before['systems']['two_tower']['all']['recall@10']:.4f}"]
    assert any(line.strip().startswith("cold users") and "–" in line for line in lines), "absent, and not 0"
    assert (runs / "latest" / "report.html").read_text(encoding="utf-8").lstrip().startswith("<!")
    assert open_run(runs / "latest").metrics["systems"] == before["systems"]


def test_json_is_one_object_and_quiet_says_nothing(cli: "Cli", runs: Path) -> None:
    status, answer, said = cli("evaluate", "--json", "--quiet", "--candidates", "liked")
    assert (status, said) == (0, "")
    assert json.loads(answer) == open_run(runs / "latest").metrics
    assert json.loads(answer)["split"]["candidates"] == 59


def test_a_run_can_be_named(cli: "Cli", runs: Path) -> None:
    status, answer, _ = cli("evaluate", "--run", runs / os.readlink(runs / "latest"), "--json")
    assert status == 0
    assert json.loads(answer)["version"] == os.readlink(runs / "latest")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("weights.npz", None, "lacks weights.npz: it was cut off or damaged."),
        ("weights.npz", b"PK\x03\x04", "weights.npz cannot be read as weights"),
        ("config.json", b"[]", "config.json does not hold sections of settings."),
        ("features.json", b"{}", "features.json is not a feature specification"),
        ("history.json", None, "history.json cannot be read"),
        ("history.json", b"[1]", "history.json is not the history of a training"),
        ("snapshot/snapshot.json", b"{}", "is damaged"),
        ("snapshot/likes.parquet", None, "is not a snapshot: likes.parquet is missing."),
    ],
)
def test_a_damaged_run_is_one_sentence_and_changes_nothing(
    refusal_of_damage: Callable[..., str], runs: Path, name: str, content: bytes | None, said: str
) -> None:
    before = (runs / "latest" / "metrics.json").read_bytes()
    assert said in refusal_of_damage(runs / "latest" / name, content, "evaluate", "--quiet")
    assert (runs / "latest" / "metrics.json").read_bytes() == before


def test_no_run_is_one_sentence(cli: "Cli", tmp_path: Path) -> None:
    status, answer, said = cli("evaluate")
    assert (status, answer) == (2, "")
    assert said == (
        "Error: There is no run at runs/latest. Train one with `tfrs-pipeline train`, or name another folder.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_training_in_the_same_folder_is_not_disturbed(cli: "Cli", runs: Path) -> None:
    with only_training(runs):
        status, answer, said = cli("evaluate")
    assert (status, answer) == (2, "")
    assert said.startswith("Error: Another training")


def test_damaged_metrics_are_written_anew(cli: "Cli", runs: Path) -> None:
    (runs / "latest" / "metrics.json").write_text("{")
    assert cli("versions")[0] == 2
    assert cli("evaluate")[0] == 0
    assert cli("versions")[0] == 0
