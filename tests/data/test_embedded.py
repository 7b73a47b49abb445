import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tfrs_pipeline.data import embedded, keeper
from tfrs_pipeline.data.database import connect
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
ROOT = Path(__file__).parents[2]

# A command that uses the database until it is told to end.
_USER = """
import sys
from pathlib import Path
from tfrs_pipeline.data import embedded
from tfrs_pipeline.progress import Progress
with embedded.running(Path(sys.argv[1]), Progress(quiet=True)) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose database has been made."""
    project = tmp_path_factory.mktemp("project")
    with embedded.running(project, QUIET):
        pass
    return project


@pytest.fixture
def project(made: Path) -> Iterator[Path]:
    """The same, with no server running before or after."""
    assert not embedded.status(made).running
    yield made
    _wait_until(lambda: embedded.stop(made))


@pytest.fixture
def use(project: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts another command that uses the project's database, and waits until it does."""
    with contextlib.ExitStack() as stack:

        def start() -> "subprocess.Popen[str]":
            command = [sys.executable, "-c", _USER, str(project)]
            pipe = subprocess.PIPE
            user = stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT))
            assert user.stdout is not None
            assert user.stdout.readline().startswith("postgresql://")
            return user

        yield start


def _end(user: "subprocess.Popen[str]") -> None:
    user.communicate("\n")
    assert user.returncode == 0


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def _count(url: str) -> int:
    with connect(url) as connection:
        row = connection.execute("select count(*) from pg_tables where tablename like 'kept%'").fetchone()
        assert row is not None
        return int(row[0])


def _postmaster(project: Path) -> int:
    identity = keeper.identity(project / ".local" / "postgres")
    assert identity is not None
    return int(identity.split()[0])


def test_runs_as_long_as_the_block(project: Path) -> None:
    with embedded.running(project, QUIET) as url:
        assert embedded.status(project) == embedded.Status(project / ".local" / "postgres", True, False, url)
        with connect(url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    assert embedded.status(project) == embedded.Status(project / ".local" / "postgres", False, False, None)


def test_stops_also_when_the_block_fails(project: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded.running(project, QUIET):
        raise ZeroDivisionError
    assert not embedded.status(project).running


def test_listens_to_nobody_but_this_user(project: Path) -> None:
    with embedded.running(project, QUIET) as url, connect(url) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)
        assert Path(connection.info.host).stat().st_mode & 0o077 == 0


def test_stops_with_the_last_of_its_users(project: Path, use: Callable[[], "subprocess.Popen[str]"]) -> None:
    first, second = use(), use()
    _end(first)
    assert embedded.status(project).running
    with embedded.running(project, QUIET):
        _end(second)
        assert embedded.status(project).running
    assert not embedded.status(project).running


def test_commands_that_start_at_the_same_time_share_one_server(project: Path) -> None:
    command = [sys.executable, "-c", _USER, str(project)]
    pipe = subprocess.PIPE
    users = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) for _ in range(3)]
    for user in users:
        assert user.stdout is not None
        assert user.stdout.readline().startswith("postgresql://")
    for user in users:
        _end(user)
    assert not embedded.status(project).running


def test_stays_when_asked_to_until_told_to_stop(project: Path) -> None:
    with embedded.running(project, QUIET):
        embedded.stay(project)
    assert embedded.status(project).stays
    with embedded.running(project, QUIET):
        pass
    assert embedded.status(project).running
    assert embedded.stop(project)
    assert not embedded.status(project).running
    with embedded.running(project, QUIET):
        assert not embedded.status(project).stays
    assert not embedded.status(project).running


def test_told_to_stop_while_in_use_it_stops_with_its_user(
    project: Path, use: Callable[[], "subprocess.Popen[str]"]
) -> None:
    user = use()
    embedded.stay(project)
    assert not embedded.stop(project)
    assert embedded.status(project).running
    _end(user)
    assert not embedded.status(project).running


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stops_after_a_user_that_was_killed(
    project: Path, use: Callable[[], "subprocess.Popen[str]"], sign: signal.Signals
) -> None:
    user = use()
    user.send_signal(sign)
    user.wait()
    _wait_until(lambda: not embedded.status(project).running)


def test_a_user_killed_with_its_keeper_blocks_nobody(project: Path, use: Callable[[], "subprocess.Popen[str]"]) -> None:
    user = use()
    for process in [*_children(user.pid), user.pid]:
        os.kill(process, signal.SIGKILL)
    user.wait()
    assert embedded.status(project).running
    with embedded.running(project, QUIET) as url:
        _count(url)
    assert not embedded.status(project).running


def test_a_killed_server_recovers_with_all_its_rows(project: Path) -> None:
    with embedded.running(project, QUIET) as url:
        with connect(url) as connection:
            connection.execute("create table kept_through_a_crash ()")
        before = _count(url)
        os.kill(_postmaster(project), signal.SIGKILL)
    with embedded.running(project, QUIET) as url:
        assert _count(url) == before


def test_a_process_number_given_again_does_not_pass_for_the_server(project: Path) -> None:
    note = project / ".local" / "postgres" / "data" / "postmaster.pid"
    with embedded.running(project, QUIET):
        lines = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not embedded.status(project).running
    with embedded.running(project, QUIET) as url:
        assert _postmaster(project) != os.getpid()
        _count(url)


def test_settings_meant_for_other_servers_do_not_disturb(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "nowhere", "LC_ALL": "xx_XX.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    with embedded.running(project, QUIET) as url:
        _count(url)


def test_a_path_too_long_for_a_socket_is_no_hindrance(made: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("it's a very long name " * 5) / "percent %41"
    deep.mkdir(parents=True)
    (made / ".local").rename(deep / ".local")
    try:
        with embedded.running(deep, QUIET) as url, connect(url) as connection:
            sockets = Path(connection.info.host)
            assert not sockets.is_relative_to(deep)
            assert sockets.stat().st_mode & 0o077 == 0
        assert not sockets.exists()
    finally:
        (deep / ".local").rename(made / ".local")


def test_a_project_elsewhere_is_named_by_the_environment(
    made: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TFRS_HOME", raising=False)
    assert embedded.home() == tmp_path
    monkeypatch.setenv("TFRS_HOME", str(made))
    assert embedded.home() == made


def test_a_server_that_cannot_start_says_why(project: Path) -> None:
    settings = project / ".local" / "postgres" / "data" / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    try:
        with pytest.raises(InputError, match=r"did not start: .*auto.conf. contains errors. Its log is .*log"):
            embedded.running(project, QUIET).__enter__()
    finally:
        settings.write_text(before)


def test_a_version_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVER_POSTGRES_VERSION", "99")
    with pytest.raises(InputError, match=r"has no Postgres 99 .*initdb is missing"):
        embedded.running(tmp_path, QUIET).__enter__()


def test_a_database_of_a_version_that_is_not_installed_is_told(tmp_path: Path) -> None:
    data = tmp_path / ".local" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(InputError, match=r"no Postgres 9, which made the database"):
        embedded.running(tmp_path, QUIET).__enter__()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file")
    with pytest.raises(InputError, match=r"\.local"):
        embedded.running(tmp_path, QUIET).__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_database_of_another_user_is_told(made: Path) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(1)
            os.setuid(1)
            embedded.status(made)
        except InputError as error:
            os._exit(0 if "belongs to another user" in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(tmp_path)], check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(InputError, match="the disk is full"):
            embedded.running(tmp_path, QUIET).__enter__()
        assert list((tmp_path / ".local" / "postgres").glob("data*")) == []
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_start_that_was_killed_half_way_is_swept_up(tmp_path: Path, made: Path) -> None:
    folder = tmp_path / ".local" / "postgres"
    shutil.copytree(made / ".local" / "postgres" / "data" / "base", folder / "data.half")
    with embedded.running(tmp_path, QUIET) as url, connect(url) as connection:
        assert isinstance(connection, psycopg.Connection)
    assert not (folder / "data.half").exists()


def _children(number: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]
