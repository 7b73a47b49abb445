"""Stops the embedded Postgres when nobody uses it any more; runs as a small process of its own beside each command.

A command that is killed cannot tidy up after itself. Its keeper notices, because the pipe between them closes, and
does what the command would have asked it to do at a good end. It imports nothing but the standard library, so that it
starts at once and stays small.
"""

import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def locked(path: Path, operation: int) -> Iterator[None]:
    """Hold a lock on a file, `fcntl.LOCK_SH` or `fcntl.LOCK_EX`; the system gives it back whatever becomes of us.

    Raises:
        BlockingIOError: with `LOCK_NB`, somebody else holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, operation)
        try:
            yield
        finally:
            # A process forked meanwhile has a copy of the descriptor: closing ours alone would not unlock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def identity(folder: Path) -> str | None:
    """What tells this run of the server from any other: its process and when that started."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return None
    return f"{lines[0].strip()} {lines[2].strip()}" if len(lines) > 2 else None


def is_running(folder: Path) -> bool:
    """Whether the process that `postmaster.pid` names is there and is the server of this folder."""
    run = identity(folder)
    if run is None:
        return False
    try:
        # Empty for a process that has ended and waits to be buried; another program's if the number was given again.
        command = Path("/proc", run.split()[0], "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.fsencode(folder / "data") in command


def socket_folder(folder: Path) -> Path | None:
    """Where the server listens, if it is ready."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return None
    return Path(lines[4].strip()) if len(lines) > 4 else None


def asked_to_stay(folder: Path) -> bool:
    """Whether `db start` asked this run of the server to outlive the commands that use it."""
    try:
        return (folder / "stay").read_text() == identity(folder)
    except FileNotFoundError:
        return False


def stop(folder: Path, pg_ctl: str) -> bool:
    """Stop the server as the user it runs as; whether it is gone."""
    if not is_running(folder):
        return True
    owner = (folder / "data").stat()
    how: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    if os.geteuid() == 0:
        how |= {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    sockets = socket_folder(folder)
    command = [pg_ctl, "stop", "--silent", "--wait", "--mode=fast", "-D", str(folder / "data")]
    subprocess.run(command, check=False, **how)
    if is_running(folder):
        return False
    if sockets is not None and sockets != folder / "data":
        with contextlib.suppress(OSError):
            sockets.rmdir()  # It was made for this run of the server.
    return True


def stop_if_unused(folder: Path, pg_ctl: str) -> bool:
    """Stop the server unless a command uses it or it was asked to stay; whether it is gone."""
    try:
        with locked(folder / "in_use.lock", fcntl.LOCK_EX | fcntl.LOCK_NB):
            return not asked_to_stay(folder) and stop(folder, pg_ctl)
    except BlockingIOError:
        return False


if __name__ == "__main__":
    os.read(0, 1)  # A byte, or the end of the pipe: the command beside us has ended, well or not.
    stop_if_unused(Path(sys.argv[1]), sys.argv[2])
