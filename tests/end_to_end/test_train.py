"""From an empty folder to a measured run, by the commands that a person types."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tfrs_pipeline.data import embedded
from tfrs_pipeline.runs import open_run

ROOT = Path(__file__).parents[2]
SETTINGS = """
[features]
window = 10
title_dimension = 64
description_dimension = 64
[model]
width = 32
user_width = 32
heads = 1
head_width = 16
value_width = 32
[training]
epochs = 4
learning_rate = 4e-3
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder, where the embedded server will live."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "settings.toml").write_text(SETTINGS)
    yield folder
    embedded.stop(folder)


@pytest.fixture(scope="module")
def run(project: Path) -> Run:
    environment = {**os.environ, "TFRS_HOME": str(project), "PYTHONPATH": str(ROOT)}
    environment.pop("DATABASE_URL", None)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "tfrs_pipeline", *arguments]
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)

    return run


def test_an_empty_database_is_one_sentence_and_trains_nothing(run: Run, project: Path) -> None:
    done = run("train", "--quiet")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: There are no videos: training_videos is empty. Fill it with `tfrs-pipeline import`.\n"
    )
    assert not (project / "runs").exists()


def test_the_demo_is_learned_and_beats_popularity(run: Run, project: Path) -> None:
    demo = run("import", "demo", "--videos", "300", "--users", "200", "--likes", "3000", "--json")
    assert demo.returncode == 0, demo.stderr
    assert json.loads(demo.stdout)["likes"] == 3000

    trained = run("train", "--config", "settings.toml", "--json")
    assert trained.returncode == 0, trained.stderr
    assert "Traceback" not in trained.stderr
    metrics: dict[str, Any] = json.loads(trained.stdout)
    assert metrics["snapshot"]["likes"] == 3000
    towers, popularity = (metrics["systems"][name]["all"] for name in ("two_tower", "popularity"))
    assert towers["recall@100"] > popularity["recall@100"]
    assert metrics["systems"]["linear"]["all"]["users"] == towers["users"] > 100

    finished = open_run(project / "runs" / "latest")
    assert finished.version == metrics["version"]
    assert (finished.folder / "report.html").stat().st_size > 10_000
    listed = json.loads(run("versions", "--json").stdout)
    assert [(row["version"], row["latest"]) for row in listed] == [(finished.version, True)]


def test_a_server_that_was_killed_costs_nothing(run: Run, project: Path) -> None:
    assert run("db", "start", "--quiet").returncode == 0
    pid = int((project / ".local" / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    taken = run("snapshot", "--json")
    assert taken.returncode == 0, taken.stderr
    trained_on = open_run(project / "runs" / "latest").snapshot.info
    assert json.loads(taken.stdout)["content_hash"] == trained_on.content_hash
