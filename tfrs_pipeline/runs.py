"""The run folder: what a training leaves behind, and how it is found and loaded again.

`runs/<version>/` holds config.json, snapshot/, selection/ and final/ (the two phases of training with TensorBoard's
logs; in the first, features.json and weights.npz of the towers that saw no validation like), features.json,
weights.npz, history.json, importance.json where it was asked for and, last of all, report.html and metrics.json; a
folder without metrics.json is a run that was cut off. `runs/latest` points at the newest finished one.
"""

import contextlib
import fcntl
import functools
import hashlib
import io
import json
import os
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.config import Config, config_from_dict
from tfrs_pipeline.data.snapshot import Snapshot, load_snapshot, save_snapshot
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.files import disk_errors, whole_file

if TYPE_CHECKING:
    from tfrs_pipeline.models.two_tower import TwoTower

RUNS = Path("runs")
LATEST = "latest"
FIRST_PHASE = "selection"
_CHECKPOINTS = "checkpoints"
_TOWERS = ("features.json", "weights.npz")
_NEEDED = ("config.json", "snapshot", *_TOWERS, "metrics.json")


@dataclass(frozen=True)
class Run:
    """A finished run; its parts are read when they are asked for."""

    folder: Path

    @property
    def version(self) -> str:
        """Its name."""
        return self.folder.name

    @functools.cached_property
    def config(self) -> Config:
        """The settings it was trained with."""
        return config_from_dict(read_json(self.folder / "config.json"), str(self.folder / "config.json"))

    @functools.cached_property
    def metrics(self) -> dict[str, Any]:
        """What was measured; see docs/metrics.md."""
        return read_json(self.folder / "metrics.json")

    @functools.cached_property
    def snapshot(self) -> Snapshot:
        """What it was trained on."""
        return load_snapshot(self.folder / "snapshot")

    @functools.cached_property
    def spec(self) -> FeatureSpec:
        """The fitted features."""
        return _read_spec(self.folder)

    @functools.cached_property
    def model(self) -> "TwoTower":
        """Both towers with their weights."""
        return self._towers(self.folder, self.spec)

    @functools.cached_property
    def selection_model(self) -> "TwoTower":
        """The towers that validation chose, which saw no validation like.

        Raises:
            InputError: the run does not hold them, or they are damaged.
        """
        folder = self.folder / FIRST_PHASE
        missing = [name for name in _TOWERS if not (folder / name).exists()]
        if missing:
            raise InputError(
                f"{folder} lacks {', '.join(missing)}: it was damaged, or written by an earlier version. Train again."
            )
        return self._towers(folder, _read_spec(folder))

    def _towers(self, folder: Path, spec: FeatureSpec) -> "TwoTower":
        from tfrs_pipeline.models.two_tower import TwoTower

        model = TwoTower(spec, self.config.model, self.config.training.temperature)
        load_weights(model, folder / "weights.npz")
        return model


def open_run(folder: Path) -> Run:
    """A finished run.

    Raises:
        InputError: there is no such folder, or it lacks a part.
    """
    if not folder.exists():
        raise InputError(f"There is no run at {folder}. Train one with `tfrs-pipeline train`, or name another folder.")
    folder = folder.resolve()
    missing = [name for name in _NEEDED if not (folder / name).exists()]
    if missing:
        raise InputError(
            f"The run in {folder} lacks {', '.join(missing)}: it was cut off or damaged. "
            "Run `tfrs-pipeline train` again to finish it."
        )
    return Run(folder)


def finished_runs(runs: Path) -> list[Run]:
    """All finished runs, oldest first."""
    folders = sorted(path for path in runs.glob("*") if path.is_dir() and not path.is_symlink())
    return [Run(folder) for folder in folders if all((folder / name).exists() for name in _NEEDED)]


def begin_run(runs: Path, snapshot: Snapshot, config: Config) -> Path:
    """The folder of an unfinished run with the same data and settings, or a new one that holds both.

    Returns:
        The folder; its name is the version.

    Raises:
        InputError: it cannot be written, or something else than a link stands where `latest` goes.
    """
    if (runs / LATEST).exists() and not (runs / LATEST).is_symlink():
        raise InputError(f"{runs / LATEST} has to be a link to the newest run. Move away what is there.")
    name = fingerprint(snapshot, config)
    unfinished = [folder for folder in runs.glob(f"*-{name}") if not _is_over(folder)]
    folder = min(unfinished, default=runs / f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{name}")
    sweep(folder)
    write_json(folder / "config.json", config.to_dict())
    if not (folder / "snapshot").exists():
        save_snapshot(snapshot, folder / "snapshot")
    return folder


def point_latest_at(folder: Path) -> None:
    """Make `runs/latest` this run, in one step."""
    with disk_errors(folder.parent / LATEST):
        link = folder.parent / f".{LATEST}.{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(folder.name)
        link.replace(folder.parent / LATEST)


@contextlib.contextmanager
def only_training(runs: Path) -> Iterator[None]:
    """Hold the runs folder for one training; the lock goes with the process, however it ends.

    Raises:
        InputError: another training holds it, or it cannot be written.
    """
    try:
        with disk_errors(runs):
            runs.mkdir(parents=True, exist_ok=True)
            lock = (runs / ".lock").open("a+")
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"Runs cannot be kept in {runs}: a part of that path is a file.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise InputError(
                f"Another training (process {lock.read().strip() or 'unknown'}) is writing to {runs}. "
                "Wait for it, or give this one a folder of its own with --runs."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def save_towers(model: "TwoTower", folder: Path) -> None:
    """Write features and weights."""
    with whole_file(folder / "features.json") as partial:
        partial.write_text(model.spec.to_json(), encoding="utf-8")
    save_weights(model, folder / "weights.npz")


def save_weights(model: "TwoTower", path: Path) -> None:
    """Write the trainable variables in their order."""
    arrays = {f"{i:03d}": variable.numpy() for i, variable in enumerate(model.tower_weights)}
    # By way of memory: a zip file that meets a full disk complains once more, past our hearing, when it is collected.
    content = io.BytesIO()
    np.savez(content, **arrays)
    with whole_file(path) as partial:
        partial.write_bytes(content.getbuffer())


def load_weights(model: "TwoTower", path: Path) -> None:
    """Read what `save_weights` wrote.

    Raises:
        InputError: the file is damaged or of another model.
    """
    variables = model.tower_weights
    try:
        with np.load(path) as file:
            arrays: list[NDArray] = [file[name] for name in sorted(file.files)]
    # NumPy takes a file without a zip's first letters for an array, which is no context and has no names.
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, BadZipFile, zlib.error) as error:
        raise InputError(f"{path} cannot be read as weights ({error}). Train again.") from error
    if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
        raise InputError(f"{path} holds the weights of another model than its config and features. Train again.")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def drop_checkpoints(folder: Path) -> None:
    """Remove what both phases of a training kept to go on from: the last thing that it does."""
    for phase in ("final", FIRST_PHASE):
        checkpoints = folder / phase / _CHECKPOINTS
        if checkpoints.exists():
            dropped = checkpoints.rename(folder / f".{phase}.dropped")  # In one step: half of them is of no use.
            shutil.rmtree(dropped, ignore_errors=True)
        (folder / phase / "best.npz").unlink(missing_ok=True)


def _is_over(folder: Path) -> bool:
    """Whether a training has nothing more to do there; it may have been cut off after metrics.json was written."""
    return (folder / "metrics.json").exists() and not (folder / FIRST_PHASE / _CHECKPOINTS).exists()


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        InputError: it is not.
    """
    try:
        return json.loads(_read_text(path))
    except ValueError as error:
        raise InputError(f"{path} is not JSON ({error}).") from error


def _read_spec(folder: Path) -> FeatureSpec:
    path = folder / "features.json"
    return FeatureSpec.from_json(_read_text(path), path)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}).") from error


def sweep(folder: Path) -> None:
    """Remove what a killed training was in the middle of writing."""
    for partial in folder.glob(".*"):
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink()


def fingerprint(snapshot: Snapshot, config: Config, *more: str) -> str:
    """Eight letters that tell data and settings, and what else is named, from others."""
    text = snapshot.info.content_hash + json.dumps(config.to_dict(), sort_keys=True) + "".join(more)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
