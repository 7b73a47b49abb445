import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tfrs_pipeline.commands import main
from tfrs_pipeline.data.snapshot import load_snapshot

ROOT = Path(__file__).parents[2]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command on a fresh database, in a project's folder of its own: exit status, answer, what it said."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tfrs-pipeline", "snapshot", *arguments])
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def start(run: Run) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts the command as a process of its own, to be killed or kept short of something."""
    command = [sys.executable, "-m", "tfrs_pipeline", "snapshot"]
    pipe = subprocess.PIPE

    def start(*arguments: str, limit: Callable[[], None] | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=pipe, stderr=pipe, text=True, preexec_fn=limit)

    return start


@pytest.fixture
def filled(database: psycopg.Connection) -> psycopg.Connection:
    """A service of 20,000 likes."""
    database.execute(
        "insert into videos (id, title) select md5('v' || n)::uuid, 'video ' || n from generate_series(0, 499) n"
    )
    database.execute(
        "insert into likes select md5('u' || n % 100)::uuid, md5('v' || n / 100)::uuid, now() - n * interval '1 s' "
        "from generate_series(0, 19999) n"
    )
    return database


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_writes_a_snapshot_named_by_its_content_once(filled: psycopg.Connection, run: Run, tmp_path: Path) -> None:
    status, answer, _ = run("--json")
    assert status == 0
    first = json.loads(answer)
    assert first["folder"] == str(tmp_path / ".local" / "snapshots" / first["content_hash"][:12])
    assert (first["videos"], first["users"], first["likes"], first["reused"]) == (500, 100, 20_000, False)
    assert load_snapshot(Path(first["folder"])).info.content_hash == first["content_hash"]
    status, answer, _ = run("--quiet")
    assert status == 0
    assert answer.splitlines() == ["500 videos, 20,000 likes of 100 users", f"{first['folder']} (was there already)"]


def test_says_what_it_left_out_and_stops_at_it_when_strict(
    filled: psycopg.Connection, run: Run, tmp_path: Path
) -> None:
    filled.execute("update likes set created_at = now() + interval '1 year' where user_id = md5('u7')::uuid")
    status, answer, said = run("--strict", "--output", str(tmp_path / "s"))
    assert (status, answer) == (2, "")
    assert said.splitlines()[-1].startswith("Error: The likes are not clean. There are 200 likes dated after now")
    assert _files(tmp_path) == []
    status, answer, said = run("--output", str(tmp_path / "s"))
    assert status == 0
    assert "Warning: Left out 200 likes dated after now" in said
    assert load_snapshot(tmp_path / "s").info.left_out == {"in_the_future": 200}


def test_an_empty_service_is_one_sentence_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    status, answer, said = run()
    assert (status, answer) == (2, "")
    assert said == "Error: There are no videos: training_videos is empty. Fill it with `tfrs-pipeline import`.\n"
    assert _files(tmp_path) == []


def test_a_full_disk_is_one_sentence_and_nothing_is_left(
    filled: psycopg.Connection, start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    # A file that may not grow fails as one on a full disk does.
    process = start(
        "--output", str(tmp_path / "s"), limit=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    )
    answer, said = process.communicate()
    assert (process.returncode, answer) == (2, "")
    assert said.splitlines()[-1].startswith("Error: The disk is full")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_fills_up_is_left_as_it_was(filled: psycopg.Connection, run: Run, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        status, _, said = run("--output", str(disk / "s"))
        assert status == 2
        assert said.splitlines()[-1].startswith("Error: The disk is full")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_stopped_while_it_reads_it_leaves_nothing(
    filled: psycopg.Connection,
    start: Callable[..., "subprocess.Popen[str]"],
    run: Run,
    tmp_path: Path,
    sign: signal.Signals,
) -> None:
    with filled.transaction():
        filled.execute("lock table likes")  # The command waits for us, in the middle of its reading.
        process = start()
        _wait_for_a_reader(filled)
        process.send_signal(sign)
        _, said = process.communicate()
    if sign == signal.SIGINT:
        assert process.returncode == 130
        assert said.splitlines()[-1].startswith("Stopped.")
    assert _files(tmp_path) == []
    assert run()[0] == 0


def test_killed_while_it_writes_it_leaves_all_or_nothing_and_the_next_run_sweeps_up(
    filled: psycopg.Connection,
    start: Callable[..., "subprocess.Popen[str]"],
    run: Run,
    tmp_path: Path,
) -> None:
    shelf = tmp_path / ".local" / "snapshots"
    process = start()
    while process.poll() is None and not list(shelf.glob(".?*.*")):
        time.sleep(0.001)
    process.kill()
    process.communicate()
    for folder in shelf.glob("[!.]*"):
        load_snapshot(folder)
    status, answer, _ = run("--json")
    assert status == 0
    load_snapshot(Path(json.loads(answer)["folder"]))
    assert sorted(path.name for path in shelf.iterdir()) == [".lock", json.loads(answer)["content_hash"][:12]]


def test_a_wrong_address_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/db")
    status, answer, said = run()
    assert (status, answer) == (2, "")
    assert said.startswith("Error: No database server answers")
    assert "hush" not in said
    assert _files(tmp_path) == []


def test_help_shows_an_example(run: Run) -> None:
    assert "Example: tfrs-pipeline snapshot" in run("--help")[1]


def _wait_for_a_reader(connection: psycopg.Connection) -> None:
    deadline = time.monotonic() + 60
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while connection.execute(waiting).fetchone() == (0,):
        assert time.monotonic() < deadline
        connection.execute("select pg_stat_clear_snapshot()")
        time.sleep(0.01)
