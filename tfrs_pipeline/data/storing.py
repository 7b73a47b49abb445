"""Where snapshots lie on disk: by default one folder for each content, so that equal rows are stored once."""

import fcntl
import shutil
from pathlib import Path

from tfrs_pipeline.data.embedded import home
from tfrs_pipeline.data.keeper import locked
from tfrs_pipeline.data.snapshot import Snapshot, load_snapshot, save_snapshot
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.files import disk_errors


def store(snapshot: Snapshot, folder: Path | None = None) -> tuple[Path, bool]:
    """Write the snapshot unless it is there already.

    Args:
        folder: `.local/snapshots/<first 12 characters of the content hash>` in the project's folder if not given.

    Returns:
        The folder, and whether it held this snapshot before.

    Raises:
        InputError: the folder holds something that is no snapshot, or cannot be written.
    """
    if folder is not None:
        return folder, _write(snapshot, folder)
    shelf = home() / ".local" / "snapshots"
    folder = shelf / snapshot.info.content_hash[:12]
    with disk_errors(shelf):
        shelf.mkdir(parents=True, exist_ok=True)
        with locked(shelf / ".lock", fcntl.LOCK_EX):
            for leftover in shelf.glob(".*.*"):  # Of a run that was killed while it wrote: we hold the lock.
                shutil.rmtree(leftover, ignore_errors=True)
            return folder, _write(snapshot, folder)


def _write(snapshot: Snapshot, folder: Path) -> bool:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file. Name a folder that is new, empty, or a snapshot.")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "snapshot.json").is_file():
            raise InputError(f"{folder} holds other things. Name a folder that is new, empty, or a snapshot.")
        if _holds(folder, snapshot.info.content_hash):
            return True
    save_snapshot(snapshot, folder)
    return False


def _holds(folder: Path, content_hash: str) -> bool:
    try:
        return load_snapshot(folder).info.content_hash == content_hash
    except InputError:  # Damaged: written anew.
        return False
