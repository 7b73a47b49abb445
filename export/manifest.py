"""The manifest of a bundle: what it is, and every file with its size and sha256."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfrs_pipeline.errors import InputError

FORMAT = 1
NAME = "manifest.json"
_OWN_HASH = '"sha256": "{}"\n}}\n'
_NO_HASH = _OWN_HASH.format("")
"""How a manifest ends before its own hash, which is that of this text, is written into it."""


@dataclass(frozen=True)
class BundleFile:
    """A file; `path` is relative to the bundle, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What `manifest.json` says.

    Attributes:
        version: name of the run.
        dimension: length of the vectors.
        precision: of the weights, `float16` or `float32`.
        metrics: as the run's metrics.json has them.
        files: every file of the bundle but the manifest, sorted by path.
    """

    version: str
    dimension: int
    precision: str
    metrics: dict[str, Any]
    files: list[BundleFile]
    format: int = FORMAT


def list_files(folder: Path) -> list[BundleFile]:
    """Every file under the folder but the manifest, sorted by path."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return [_describe(folder, path) for path in paths if path != NAME]


def _describe(folder: Path, path: str) -> BundleFile:
    content = (folder / path).read_bytes()
    return BundleFile(path, len(content), hashlib.sha256(content).hexdigest())


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json`, with a hash of its own as the last entry."""
    text = json.dumps({**asdict(manifest), "sha256": ""}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    own = hashlib.sha256(text.encode()).hexdigest()
    (folder / NAME).write_text(text.removesuffix(_NO_HASH) + _OWN_HASH.format(own), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json`.

    Raises:
        InputError: there is none, or it is not what was written.
    """
    if not (folder / NAME).is_file():
        raise InputError(f"{folder} is not a bundle: {NAME} is missing. Make one with `tfrs-pipeline export-tfjs`.")
    content = (folder / NAME).read_bytes()
    try:
        text = content.decode()
        raw = json.loads(text)
        own = raw.pop("sha256")
        unhashed = text.removesuffix(_OWN_HASH.format(own)) + _NO_HASH
        if hashlib.sha256(unhashed.encode()).hexdigest() != own:
            raise ValueError("its hash differs")
        return Manifest(**raw | {"files": [BundleFile(**file) for file in raw["files"]]})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder / NAME} is not what was written ({error}). Export the run again.") from error


def verify_bundle(folder: Path) -> Manifest:
    """See that a bundle is byte for byte what was written.

    Raises:
        InputError: a byte differs, or a file is missing or too many; the sentence names it.
    """
    manifest = read_manifest(folder)
    found = {file.path: file for file in list_files(folder)}
    for file in manifest.files:
        if file.path not in found:
            raise InputError(f"The bundle in {folder} lacks {file.path}. Export the run again.")
        if found[file.path].size != file.size:
            raise InputError(
                f"{folder / file.path} has {found[file.path].size:,} bytes and its manifest says {file.size:,}. "
                "Export the run again."
            )
        if found[file.path].sha256 != file.sha256:
            raise InputError(f"{folder / file.path} is not what was written: its hash differs. Export the run again.")
    extra = sorted(set(found) - {file.path for file in manifest.files})
    if extra:
        raise InputError(f"The bundle in {folder} holds {extra[0]}, which its manifest does not name. Remove it.")
    return manifest
