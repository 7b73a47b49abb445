import contextlib
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
from tfrs_pipeline.commands.options import quiet_option
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

if TYPE_CHECKING:
    from tests.commands.conftest import Cli

ROOT = Path(__file__).parents[2]
STOPPED = "Stopped. Nothing is half done; run the same command to go on.\n"


@pytest.fixture
def running(cli: "Cli", monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., None]], tuple[int, str, str]]:
    """Runs a function as a command."""

    def run(body: Callable[..., None]) -> tuple[int, str, str]:
        module = types.ModuleType("some_command")
        module.command = click.command("some")(quiet_option(body))  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "some_command", module)
        monkeypatch.setitem(commands._COMMANDS, "some", "some_command")
        return cli("some")

    return run


@pytest.fixture
def failing(running: Callable[..., tuple[int, str, str]]) -> Callable[[BaseException], tuple[int, str, str]]:
    """Runs a command that ends with an exception."""

    def run(error: BaseException) -> tuple[int, str, str]:
        def body(progress: Progress) -> None:
            raise error

        return running(body)

    return run


def test_bad_input_is_one_sentence_and_status_2(failing: Callable[..., tuple[int, str, str]]) -> None:
    assert failing(InputError("This is wrong. That would be right.")) == (
        *(2, ""),
        "Error: This is wrong. That would be right.\n",
    )


@pytest.mark.parametrize(("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_asked_to_stop_it_cleans_up_and_says_how_to_go_on(
    running: Callable[..., tuple[int, str, str]], sign: signal.Signals, status: int
) -> None:
    cleaned_up = []

    def body(progress: Progress) -> None:
        try:
            signal.raise_signal(sign)
        finally:
            cleaned_up.append(True)

    assert running(body) == (status, "", "\n" + STOPPED)
    assert cleaned_up == [True]


def test_a_request_to_stop_that_became_another_error_is_still_one(
    running: Callable[..., tuple[int, str, str]],
) -> None:
    def body(progress: Progress) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise SystemError("bad argument to internal function") from None

    assert running(body) == (130, "", STOPPED)


def test_a_request_to_stop_that_was_swallowed_is_heard_at_the_next_step(
    running: Callable[..., tuple[int, str, str]],
) -> None:
    steps = []

    def body(progress: Progress) -> None:
        with progress.steps(3, "Working") as advance:
            for step in range(3):
                steps.append(step)
                with contextlib.suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
                advance(1)

    assert running(body) == (130, "", "\n" + STOPPED)
    assert steps == [0]


def test_once_it_stops_more_requests_change_nothing(running: Callable[..., tuple[int, str, str]]) -> None:
    def body(progress: Progress) -> None:
        signal.raise_signal(signal.SIGINT)

    running(body)
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)


def test_a_signal_that_is_ignored_stays_ignored(running: Callable[..., tuple[int, str, str]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    assert running(lambda progress: signal.raise_signal(signal.SIGINT)) == (0, "", "")


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
