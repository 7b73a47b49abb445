import json
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tfrs_pipeline.config import load_config
from tfrs_pipeline.runs import only_training

if TYPE_CHECKING:
    from tests.commands.conftest import Cli, Process

pytest.importorskip("optuna")
Start = Callable[..., "Process"]


@pytest.fixture
def tuning(training: list[str]) -> list[str]:
    """The arguments that search from the settings of `finished`, with trials of two epochs."""
    return ["tune", *training[1:], "--epochs", "2"]


def test_killed_and_taken_up_again_it_ends_with_a_config_that_train_takes(
    start: Start, cli: "Cli", tuning: list[str], training: list[str], tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    process = start(*tuning, "--trials", "2", "--runs", runs)
    said_twice = r"Trial 2 of 2.*Epoch 1: loss"
    assert process.send(signal.SIGKILL, once=lambda said: re.search(said_twice, said, re.DOTALL)) == -9
    (folder,) = runs.glob("tune-*")
    second = process.said.split("Trial 2 of 2\n")[1].splitlines()[0]
    assert not (folder / "best.toml").exists()

    process = start(*tuning, "--trials", "2", "--runs", runs, "--json")
    assert process.wait() == 0
    assert "Trial 1 of 2" not in process.said, "it is over"
    resumed = process.said.split("Trial 2 of 2\n")[1].splitlines()
    assert resumed[:2] == [second, "Going on after epoch 1."], "with the same settings"
    answer = json.loads(process.answer)
    assert (answer["trials"], answer["folder"]) == (2, str(folder))
    assert answer["score"] >= answer["start"] > 0
    assert sorted(path.name for path in folder.iterdir()) == [
        *("best.toml", "config.json", "report.html", "snapshot", "study.db")
    ]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Of 2 trials" in page
    assert "<script" not in page

    best = load_config(folder / "best.toml")
    for name, value in answer["settings"].items():
        section, key = name.split(".")
        found = getattr(getattr(best, section), key)
        assert value == (found[0] if isinstance(found, tuple) else found)
    before = load_config(Path(training[4]))
    assert best.features.decay_rates[1:] == before.features.decay_rates[1:]
    assert best.model.user_width == before.model.user_width, "what is not sought stays"

    # More trials go on with the same study; as many as there are find nothing more to do.
    status, said_table, said = cli(*tuning, "--trials", "2", "--runs", runs, "--output", tmp_path / "mine.toml")
    assert status == 0
    assert "Trial" not in said
    assert "Best of 2 trials" in said_table
    assert load_config(tmp_path / "mine.toml") == best


def test_without_optuna_it_names_the_extra(
    cli: "Cli", tuning: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    status, answer, said = cli(*tuning)
    assert (status, answer) == (2, "")
    assert said == (
        "Error: Tuning needs optuna, which is not installed. `pip install 'tfrs-pipeline[tune]'` installs it.\n"
    )
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--trials", "0"], "0 is not in the range"),
        (["--output", "."], ". is a folder. Name a file for the settings, such as best.toml."),
        (["--set", "evaluation.min_likes=100"], "No user has 100 likes or more"),
        (["--snapshot", "missing"], "missing is not a snapshot"),
        (["--runs", "file"], "Runs cannot be kept in file"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_begins_nothing(
    cli: "Cli", tuning: list[str], tmp_path: Path, options: list[str], said: str
) -> None:
    (tmp_path / "file").touch()
    status, answer, error = cli(*tuning, *options)
    assert (status, answer) == (2, "")
    assert error.splitlines()[-1].startswith("Error: ")
    assert said in error
    assert not list(tmp_path.glob("runs/tune-*"))


def test_a_damaged_study_is_one_sentence(
    cli: "Cli", tuning: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tfrs_pipeline import tuning as search

    monkeypatch.setattr(search, "_run_trial", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli(*tuning)
    (study,) = tmp_path.glob("runs/tune-*/study.db")
    study.write_bytes(b"no database" * 100)
    status, answer, error = cli(*tuning)
    assert (status, answer) == (2, "")
    last = error.splitlines()[-1]
    assert re.fullmatch(r"Error: The study \S+study\.db cannot be read or written \(.*\)\. If it .*", last)


def test_a_training_in_the_same_folder_is_not_disturbed(cli: "Cli", tuning: list[str], tmp_path: Path) -> None:
    with only_training(tmp_path / "runs"):
        status, _, said = cli(*tuning)
    assert status == 2
    assert "Error: Another training" in said
