"""The bundle: all that serving needs of a run, written whole and only after Deno gave Python's numbers."""

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.check import CheckReport, check_in_deno
from export.convert import convert_tower, converter
from export.golden import make_golden
from export.manifest import BundleFile, Manifest, list_files, verify_bundle, write_manifest
from export.typescript import deno_binary
from tfrs_pipeline.data.keeper import locked
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.files import disk_errors, whole_folder
from tfrs_pipeline.progress import Progress


@dataclass(frozen=True)
class ExportResult:
    """What was written.

    Attributes:
        folder: the bundle.
        files: all of its files but the manifest.
        check: how near Deno came to Python.
    """

    folder: Path
    version: str
    precision: str
    files: list[BundleFile]
    check: CheckReport


def check_tools() -> None:
    """See that what only the export needs is installed, before any work is done.

    Raises:
        InputError: it is not; the sentence says how to install it.
    """
    deno_binary()
    converter()


def write_bundle(
    folder: Path,
    *,
    version: str,
    spec: FeatureSpec,
    item_tower: Any,
    user_tower: Any,
    snapshot: Snapshot,
    like_counts: NDArray[np.integer],
    metrics: dict[str, Any],
    precision: str,
    progress: Progress,
) -> ExportResult:
    """Convert the towers, check them in Deno, and put the bundle in place of an earlier one.

    Args:
        item_tower: a tf_keras Model with the inputs video, tokens, weights, text.
        user_tower: a tf_keras Model with the inputs window, weights, ages, mask, profile.
        like_counts: likes of each video of the snapshot, from which popularity is told.
        precision: `float16` or `float32`.

    Raises:
        InputError: a tool is missing, the disk is full, or Deno's vectors are not Python's; the earlier bundle stays.
    """
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent / f".{folder.name}-lock", fcntl.LOCK_EX):
            _recover(folder)
            with whole_folder(folder) as partial:
                progress.say("Writing golden vectors")
                (partial / "features.json").write_text(spec.to_json(), encoding="utf-8")
                golden = make_golden(spec, item_tower, user_tower, snapshot, like_counts)
                (partial / "golden.json").write_text(golden, encoding="utf-8")
                progress.say(f"Converting the towers to TF.js, {precision}")
                convert_tower(item_tower, partial / "item_tower", precision)
                convert_tower(user_tower, partial / "user_tower", precision)
                progress.say("Checking the bundle in Deno")
                check = check_in_deno(partial, precision)
                files = list_files(partial)
                write_manifest(partial, Manifest(version, spec.dimension, precision, metrics, files))
                verify_bundle(partial)
    return ExportResult(folder, version, precision, files, check)


def _recover(folder: Path) -> None:
    """Put right what an export left that was killed; we hold the lock, so none is under way."""
    for previous in folder.parent.glob(f".{folder.name}.*.previous"):
        if not folder.exists():
            previous.rename(folder)
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
