import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tfrs_pipeline.runs import only_training, open_run

if TYPE_CHECKING:
    from tests.commands.conftest import Cli, Process

ROOT = Path(__file__).parents[2]

Start = Callable[..., "Process"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_nothing_half_done(runs: Path) -> None:
    hidden = [path.name for path in runs.rglob(".*") if path.name != ".lock"]
    assert hidden == []
    for path in runs.rglob("*.json"):
        json.loads(path.read_text())


def assert_stopped_politely(process: "Process") -> None:
    assert process.answer == ""
    assert "Traceback" not in process.said


def test_killed_again_and_again_it_ends_with_the_metrics_of_an_undisturbed_run(
    start: Start, training: list[str], finished: Path, tmp_path: Path
) -> None:
    """Ctrl-C, a kill and a polite request, each in another part of the work; then left alone."""
    runs = tmp_path / "runs"
    command = (*training, "--runs", runs)

    process = start(*command)
    assert process.send(signal.SIGINT, once=lambda said: "Epoch 2:" in said) == 130
    assert_stopped_politely(process)
    assert process.said.endswith("Stopped. Nothing is half done; run the same command to go on.\n")
    assert_nothing_half_done(runs)

    process = start(*command)
    assert process.send(signal.SIGKILL, once=lambda said: re.search(r"Learning from.*Epoch 1:", said, re.DOTALL)) == -9
    assert "Going on after epoch 2." in process.said or "Going on after epoch 1." in process.said

    process = start(*command)
    assert process.send(signal.SIGTERM, once=lambda said: "Measuring on" in said) == 143
    assert_stopped_politely(process)
    assert_nothing_half_done(runs)
    assert not (runs / "latest").exists()

    process = start(*command, "--json", "--quiet")
    assert process.wait() == 0
    assert process.said == ""
    assert process.answer.count("\n") == 1
    metrics = json.loads(process.answer)
    assert_nothing_half_done(runs)
    run, undisturbed = open_run(runs / "latest"), open_run(finished / "latest")
    assert [path.name for path in runs.iterdir() if path.is_dir() and not path.is_symlink()] == [run.version]
    assert metrics == run.metrics
    assert metrics["version"] == run.version
    for section in ("systems", "validation", "snapshot", "split"):
        assert without_times(metrics[section]) == without_times(undisturbed.metrics[section]), section
    with np.load(run.folder / "weights.npz") as mine, np.load(undisturbed.folder / "weights.npz") as theirs:
        for name in theirs.files:
            np.testing.assert_array_equal(mine[name], theirs[name])


def without_times(section: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if name not in ("seconds", "examples_per_second")}


@pytest.mark.parametrize("delay", [0.05, 0.4, 2.0])
def test_ctrl_c_while_it_starts_is_no_error(training: list[str], tmp_path: Path, delay: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tfrs_pipeline", *training, "--runs", str(tmp_path / "runs")],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # A shell may have it ignored.
    )
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    # Before Python has begun to listen, the signal ends it by itself.
    assert process.returncode in (130, -signal.SIGINT)
    if process.returncode == 130:
        assert "Traceback" not in said
    assert not (tmp_path / "runs" / "latest").exists()


def test_a_full_disk_is_one_sentence_and_earlier_runs_stay(start: Start, training: list[str], runs: Path) -> None:
    before = contents(runs)
    process = start(*training, "--runs", runs, "--seed", "1", "--quiet", limit=50_000)
    assert process.wait() == 2
    assert re.fullmatch(r"Error: The disk is full: \S+ could not be written\. Free some .*\n", process.said)
    assert process.answer == ""
    after = contents(runs)
    assert {name: after[name] for name in before if name != ".lock"} == {
        name: content for name, content in before.items() if name != ".lock"
    }
    assert_nothing_half_done(runs)


def test_two_trainings_at_once_are_one_sentence(cli: "Cli", training: list[str], runs: Path) -> None:
    before = sorted(path.name for path in runs.iterdir())
    with only_training(runs):
        status, answer, said = cli(*training, "--runs", runs)
    assert (status, answer) == (2, "")
    assert re.fullmatch(rf"Error: Another training \(process {os.getpid()}\) is writing to .*\n", said)
    assert sorted(path.name for path in runs.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--epochs", "0"], "the command line sets training.epochs to 0; it takes a number above 0."),
        (["--epochs", "many"], "'many' is not a valid integer"),
        (["--seed", "-1"], "the command line sets training.seed to -1; it takes 0 or a number above 0."),
        (["--set", "training.epochs"], "--set training.epochs is not SECTION.KEY=VALUE"),
        (["--set", "epochs=3"], "--set epochs=3 is not SECTION.KEY=VALUE"),
        (["--set", "training.epoch=3"], "the command line sets training.epoch, which does not exist"),
        (["--set", "train.epochs=3"], "the command line has a section 'train'"),
        (["--set", "training.epochs=2.5"], "it takes a whole number"),
        (["--set", "training.learning_rate=NaN"], "it takes a number up to"),
        (["--set", "features.decay_rates=0.5"], "it takes a list of numbers"),
        (["--set", "evaluation.split=random"], "it takes one of last-like, by-time, cold"),
        (["--config", "missing.toml"], "The config file missing.toml cannot be read as TOML"),
        (["--snapshot", "missing"], "missing is not a snapshot: snapshot.json is missing"),
        (["--runs", "file"], "Runs cannot be kept in file: a part of that path is a file"),
        (["--set", "evaluation.min_likes=100"], "No user has 100 likes or more"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_begins_nothing(
    cli: "Cli", training: list[str], tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "file").touch()
    status, answer, error = cli(*training, *options)
    assert (status, answer) == (2, "")
    last = error.splitlines()[-1]
    assert last.startswith("Error: ")
    assert said in last
    assert [path.name for path in tmp_path.glob("runs/*") if path.name != ".lock"] == []


def test_a_damaged_snapshot_is_one_sentence(cli: "Cli", training: list[str], tmp_path: Path) -> None:
    import shutil

    snapshot = shutil.copytree(training[2], tmp_path / "snapshot")
    content = bytearray((snapshot / "likes.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (snapshot / "likes.parquet").write_bytes(content)
    status, answer, said = cli("train", "--snapshot", snapshot)
    assert (status, answer) == (2, "")
    assert said.startswith(f"Error: The snapshot in {snapshot} is ")


def test_flags_override_the_file_and_go_into_the_run(cli: "Cli", training: list[str], tmp_path: Path) -> None:
    status, answer, said = cli(
        *training,
        *("--epochs", "1", "--seed", "5", "--set", "features.decay_rates=[0.2]"),
        *("--set", "evaluation.candidates=liked", "--set", "training.mixed_precision=off"),
    )
    assert status == 0
    run = open_run(tmp_path / "runs" / "latest")
    assert (run.config.training.epochs, run.config.training.seed) == (1, 5)
    assert run.config.features.decay_rates == (0.2,)
    assert run.config.evaluation.candidates == "liked"
    assert run.config.features.window == 8, "of the file"
    assert "Epoch 1: loss" in said
    assert answer.splitlines()[1].split()[:4] == ["users", "recall@10", "recall@50", "recall@100"]
    assert {line.split()[0] for line in answer.splitlines()[2:] if line} >= {"two_tower", "linear", "popularity"}
    assert answer.splitlines()[-1] == f"Report: {run.folder / 'report.html'}"
