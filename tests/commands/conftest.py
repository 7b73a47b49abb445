"""The command line, called within the tests' process, or as a process of its own to be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tfrs_pipeline.commands import main
from tfrs_pipeline.config import Config, to_toml
from tfrs_pipeline.data.snapshot import Snapshot, save_snapshot

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Runs `tfrs-pipeline` in a folder of its own: exit status, answer, what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    handlers = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tfrs-pipeline", *map(str, arguments)])
        try:
            status = int(main() or 0)
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capsys.readouterr()

    yield call
    for sign, handler in handlers.items():
        signal.signal(sign, handler)


@pytest.fixture
def refusal_of_damage(cli: Cli) -> Callable[..., str]:
    """Damages a file, runs a command on it and gives the one sentence that it said, which is all it did."""

    def refusal(path: Path, content: bytes | None, *arguments: str) -> str:
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        status, answer, error = cli(*arguments)
        assert (status, answer) == (2, "")
        assert error.startswith("Error: ")
        assert len(error.splitlines()) == 1
        return error

    return refusal


@pytest.fixture(scope="session")
def training(service: Snapshot, small: Config, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The arguments that train `service` as `finished` was trained, but for `--runs`."""
    folder = tmp_path_factory.mktemp("training")
    save_snapshot(service, folder / "snapshot")
    (folder / "small.toml").write_text(to_toml(small))
    return ["train", "--snapshot", str(folder / "snapshot"), "--config", str(folder / "small.toml")]


@dataclass
class Process:
    """A command that runs beside the tests."""

    number: int
    folder: Path
    ask: Callable[..., int]

    @property
    def answer(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def said(self) -> str:
        return (self.folder / "err").read_text()

    def wait(self) -> int:
        """Its exit status; minus the number of the signal if it was killed."""
        return self.ask(wait=self.number)

    def send(self, sign: signal.Signals, once: Callable[[str], Any]) -> int:
        """Send a signal as soon as what it said fulfils a condition, and wait for the end."""
        deadline = time.monotonic() + 300
        while not once(self.said):
            assert Path(f"/proc/{self.number}/status").read_text().split("State:\t")[1][0] != "Z", self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.005)
        os.kill(self.number, sign)
        return self.wait()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Callable[..., int]]:
    """The process that commands are forked from; see `warm_process`."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("warm_process.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(**request: Any) -> int:
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield ask
    process.stdin.close()
    process.wait(timeout=30)


@pytest.fixture
def start(nursery: Callable[..., int], tmp_path: Path) -> Callable[..., Process]:
    """Starts `tfrs-pipeline` as a process of its own; `limit` is the size in bytes that no file may grow past."""

    def start(*arguments: str | Path, limit: int = 0) -> Process:
        for name in ("out", "err"):
            (tmp_path / name).write_text("")
        number = nursery(start=[*map(str, arguments)], folder=str(tmp_path), limit=limit)
        return Process(number, tmp_path, nursery)

    return start
