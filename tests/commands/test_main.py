import errno
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from tfrs_pipeline import commands
from tfrs_pipeline.errors import InputError

if TYPE_CHECKING:
    from tests.commands.conftest import Cli

ROOT = Path(__file__).parents[2]


@pytest.fixture
def failing(cli: "Cli", monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], tuple[int, str, str]]:
    """Runs a command that ends with an exception."""

    def run(error: BaseException) -> tuple[int, str, str]:
        @click.command("fail")
        def command() -> None:
            raise error

        module = types.ModuleType("failing_command")
        module.command = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "failing_command", module)
        monkeypatch.setitem(commands._COMMANDS, "fail", "failing_command")
        return cli("fail")

    return run


def test_bad_input_is_one_sentence_and_status_2(failing: Callable[..., tuple[int, str, str]]) -> None:
    assert failing(InputError("This is wrong. That would be right.")) == (
        *(2, ""),
        "Error: This is wrong. That would be right.\n",
    )


def test_ctrl_c_is_status_130_and_says_how_to_go_on(failing: Callable[..., tuple[int, str, str]]) -> None:
    status, answer, said = failing(KeyboardInterrupt())
    assert (status, answer) == (130, "")
    assert said.strip() == "Stopped. Nothing is half done; run the same command to go on."
    assert failing(click.Abort())[0] == 130


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_anywhere_is_one_sentence(failing: Callable[..., tuple[int, str, str]], number: int) -> None:
    assert failing(OSError(number, "full")) == (2, "", "Error: the disk is full. Free some space and run again.\n")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken disk"), ValueError("a bug")])
def test_a_bug_is_not_hidden(failing: Callable[..., tuple[int, str, str]], error: Exception) -> None:
    with pytest.raises(type(error), match=str(error.args[-1])):
        failing(error)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "--epoch"], "--epoch"),
        (["train", "surprise"], "unexpected extra argument"),
        (["evaluate", "--candidates", "some"], "'some' is not one of"),
        (["--nonsense"], "No such option"),
    ],
)
def test_a_command_that_is_not_understood_is_status_2(cli: "Cli", arguments: list[str], said: str) -> None:
    status, answer, error = cli(*arguments)
    assert (status, answer) == (2, "")
    assert said in error
    assert "Usage: " in error


def test_the_version_is_that_of_the_package(cli: "Cli") -> None:
    status, answer, _ = cli("--version")
    assert status == 0
    assert answer.strip().endswith("0.1.0")


def test_legacy_keras_is_chosen_before_anything_is_imported(cli: "Cli", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "0")
    cli("versions")
    assert os.environ["TF_USE_LEGACY_KERAS"] == "1"


def test_an_answer_that_nobody_reads_to_the_end_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m tfrs_pipeline train --help | head -c 5; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_a_polite_request_to_stop_cleans_up(failing: Callable[..., tuple[int, str, str]]) -> None:
    failing(InputError("only to have the handler set"))
    with pytest.raises(SystemExit) as stop:
        signal.raise_signal(signal.SIGTERM)
    assert stop.value.code == 143
