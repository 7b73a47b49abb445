import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfrs_pipeline.runs import only_training, open_run

if TYPE_CHECKING:
    from tests.commands.conftest import Cli


def test_it_measures_the_newest_run_and_draws_the_report(cli: "Cli", runs: Path) -> None:
    report = runs / "latest" / "report.html"
    before = report.read_text(encoding="utf-8")
    assert "What the features bring" not in before
    status, answer, said = cli("importance", "--repeats", "2")
    assert status == 0
    assert "Measuring what each feature brings on 61 users." in said
    assert re.search(r"^item tower +recall@100", answer, re.MULTILINE)
    assert re.search(r"^  own embedding +-?0\.\d{4} ", answer, re.MULTILINE)
    assert answer.endswith("report.html\n")
    importance = json.loads((runs / "latest" / "importance.json").read_text())
    validation = open_run(runs / "latest").metrics["validation"]
    assert importance["recall@100"] == pytest.approx(validation["recall@100"])
    assert importance["ndcg@100"] == pytest.approx(validation["ndcg@100"], abs=1e-3)
    page = report.read_text(encoding="utf-8")
    assert page.count("What the features bring") == 1
    assert re.sub("<!-- importance -->.*<!-- end of importance -->", "", page, flags=re.DOTALL) == re.sub(
        "<!-- importance -->.*<!-- end of importance -->", "", before, flags=re.DOTALL
    )

    status, answer, said = cli("importance", "--repeats", "2", "--json", "--quiet")
    assert (status, said) == (0, "")
    assert json.loads(answer) == importance, "the same exchanges, the same numbers"
    assert report.read_text(encoding="utf-8") == page

    assert cli("evaluate", "--quiet")[0] == 0
    assert "What the features bring" in report.read_text(encoding="utf-8"), "a new report has it too"


def test_a_report_of_an_earlier_version_is_left_alone(cli: "Cli", runs: Path) -> None:
    (runs / "latest" / "report.html").write_text("<!doctype html>")
    status, _, said = cli("importance", "--repeats", "2", "--quiet")
    assert status == 0
    assert "Warning:" in said
    assert "`tfrs-pipeline evaluate`" in said
    assert (runs / "latest" / "report.html").read_text() == "<!doctype html>"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("selection/weights.npz", None, "lacks weights.npz: it was damaged, or written by an earlier version."),
        ("selection/weights.npz", b"PK\x03\x04", "weights.npz cannot be read as weights"),
        ("selection/features.json", None, "lacks features.json: it was damaged"),
        ("selection/features.json", b"{}", "features.json is not a feature specification"),
        ("snapshot/likes.parquet", None, "is not a snapshot: likes.parquet is missing."),
        ("metrics.json", None, "lacks metrics.json: it was cut off or damaged."),
    ],
)
def test_a_damaged_run_is_one_sentence_and_changes_nothing(
    refusal_of_damage: Callable[..., str], runs: Path, name: str, content: bytes | None, said: str
) -> None:
    before = (runs / "latest" / "report.html").read_bytes()
    assert said in refusal_of_damage(runs / "latest" / name, content, "importance", "--quiet")
    assert (runs / "latest" / "report.html").read_bytes() == before
    assert not (runs / "latest" / "importance.json").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"rows": [{"tower": 1}]}', '{"rows": 3}'])
def test_a_damaged_importance_is_one_sentence_of_evaluate(cli: "Cli", runs: Path, content: str) -> None:
    (runs / "latest" / "importance.json").write_text(content)
    status, answer, error = cli("evaluate", "--quiet")
    assert (status, answer) == (2, "")
    assert re.fullmatch(r"Error: \S+importance\.json is not .*\n", error)


def test_a_training_in_the_same_folder_is_not_disturbed(cli: "Cli", runs: Path) -> None:
    with only_training(runs):
        status, _, said = cli("importance")
    assert status == 2
    assert said.startswith("Error: Another training")


def test_no_repeat_is_one_sentence(cli: "Cli") -> None:
    status, answer, said = cli("importance", "--repeats", "0")
    assert (status, answer) == (2, "")
    assert "0 is not in the range" in said


def test_train_measures_it_on_request(cli: "Cli", training: list[str], tmp_path: Path) -> None:
    status, answer, _ = cli(*training, "--epochs", "1", "--importance", "--quiet")
    assert status == 0
    assert "item tower" in answer
    folder = open_run(tmp_path / "runs" / "latest").folder
    assert json.loads((folder / "importance.json").read_text())["rows"]
    assert "What the features bring" in (folder / "report.html").read_text(encoding="utf-8")
