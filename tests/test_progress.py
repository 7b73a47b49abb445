import sys

import pytest

from tfrs_pipeline import progress as module
from tfrs_pipeline.progress import Progress

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as its only element; the test turns it."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_it_speaks_on_standard_error_alone(capsys: Capture) -> None:
    Progress().say("working")
    Progress().warn("careful")
    assert capsys.readouterr() == ("", "working\nWarning: careful\n")


def test_quiet_keeps_to_warnings(capsys: Capture) -> None:
    progress = Progress(quiet=True)
    progress.say("working")
    progress.warn("careful")
    with progress.steps(10, "Reading") as advance:
        advance(10)
    assert capsys.readouterr() == ("", "Warning: careful\n")


def test_without_a_terminal_it_prints_a_plain_line_now_and_then(capsys: Capture, clock: list[float]) -> None:
    with Progress().steps(3_000, "Reading") as advance:
        for _ in range(3):
            advance(500)
        clock[0] += 6
        advance(500)
        advance(500)
        clock[0] += 6
        advance(500)
    assert capsys.readouterr() == ("", "Reading: 2,000 of 3,000\n"), "and none when it is done"


def test_on_a_terminal_it_draws_a_bar(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Progress().steps(4, "Reading") as advance:
        advance(1)
        advance(3)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Reading" in err
    assert "100%" in err


@pytest.mark.parametrize("quiet", [True, False])
def test_every_step_asks_whether_to_go_on(quiet: bool) -> None:
    asked: list[int] = []

    def check() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise KeyboardInterrupt

    with Progress(quiet, check).steps(9, "Working") as advance:
        advance(1)
        advance(1)
        with pytest.raises(KeyboardInterrupt):
            advance(1)
