import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfrs_pipeline.runs import point_latest_at

if TYPE_CHECKING:
    from tests.commands.conftest import Cli


@pytest.fixture
def two_runs(runs: Path) -> tuple[str, str]:
    """An older run with a bundle, which is the latest, and a newer one without."""
    newer = os.readlink(runs / "latest")
    older = "20200101-000000-0000000f"
    shutil.copytree(runs / newer, runs / older)
    (runs / older / "bundle").mkdir()
    (runs / older / "bundle" / "manifest.json").write_text("{}")
    point_latest_at(runs / older)
    return older, newer


def test_no_runs_is_an_answer(cli: "Cli", tmp_path: Path) -> None:
    assert cli("versions") == (0, "", "No finished run in runs. Train one with `tfrs-pipeline train`.\n")
    assert cli("versions", "--json") == (0, "[]\n", "")
    assert list(tmp_path.iterdir()) == []


def test_runs_are_listed_oldest_first_with_their_figures(cli: "Cli", two_runs: tuple[str, str]) -> None:
    status, answer, said = cli("versions")
    assert (status, said) == (0, "")
    first, second = answer.splitlines()
    assert first.split()[0] == two_runs[0]
    assert second.split()[0] == two_runs[1]
    assert "recall@10 0." in first
    assert first.endswith("latest  exported")
    assert "latest" not in second


def test_json_is_one_list(cli: "Cli", two_runs: tuple[str, str], runs: Path) -> None:
    status, answer, _ = cli("versions", "--json", "--runs", runs)
    assert status == 0
    rows = json.loads(answer)
    assert [(row["version"], row["latest"], row["bundle"]) for row in rows] == [
        (two_runs[0], True, True),
        (two_runs[1], False, False),
    ]
    measured = json.loads((runs / "latest" / "metrics.json").read_text())["systems"]["two_tower"]["all"]
    for name in ("recall@10", "recall@100", "ndcg@10"):
        assert rows[0].get(name) == measured.get(name)


def test_a_run_that_was_cut_off_is_not_listed(cli: "Cli", two_runs: tuple[str, str], runs: Path) -> None:
    (runs / two_runs[1] / "metrics.json").unlink()
    assert len(json.loads(cli("versions", "--json")[1])) == 1


@pytest.mark.parametrize("content", ["{", "[]", "null", "{}", '{"systems": {"two_tower": []}}', '{"systems": 3}'])
def test_damaged_metrics_are_one_sentence(cli: "Cli", runs: Path, content: str) -> None:
    (runs / "latest" / "metrics.json").write_text(content)
    status, answer, said = cli("versions")
    assert (status, answer) == (2, "")
    assert said.startswith("Error: ")
    assert "metrics.json" in said
    assert len(said.splitlines()) == 1
