"""A small run, as far as the export needs it: a snapshot, its features, and real towers that learned nothing."""

import importlib.util
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import pyarrow as pa
import pytest

from export.bundle import ExportResult, write_bundle
from tfrs_pipeline.config import FeatureConfig, ModelConfig
from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Likes, Snapshot, SnapshotInfo, content_hash
from tfrs_pipeline.features.fitting import fit_features
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.progress import Progress

VIDEOS, USERS, WINDOW = 30, 20, 6


@dataclass(frozen=True)
class SmallRun:
    """What `write_bundle` takes of a run."""

    spec: FeatureSpec
    snapshot: Snapshot
    like_counts: np.ndarray
    item_tower: Any
    user_tower: Any

    def export(self, folder: Path, precision: str = "float32", **other: Any) -> ExportResult:
        """Write a bundle, with other parts where they are named."""
        parts = {**vars(self), "version": "v1", "metrics": {"recall@10": 0.1}, "progress": Progress(quiet=True)}
        return write_bundle(folder, precision=precision, **parts | other)


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    """Two dozen liked videos and some that nobody likes, with gaps in what is known of them."""
    generator = np.random.default_rng(1)
    start = datetime(2024, 1, 1, tzinfo=timezone.utc)
    videos = [
        {
            "id": str(uuid.UUID(int=i)),
            "title": f"映画 Film {i}",
            "description": None if i % 5 == 0 else "Ein Haus am Meer, " * (i % 4),
            "genres": [f"genre {i % 3}", f"genre {i % 4}"],
            "maker": None if i % 7 == 0 else f"maker {i % 5}",
            "performers": [f"performer {j}" for j in range(i % 6)],
            "tags": None,
            "price": None if i % 3 == 0 else 4.99 + i,
            "duration_seconds": 600 + 60 * i,
            "published_at": start - timedelta(days=i, microseconds=i),
        }
        for i in range(VIDEOS)
    ]
    likes = [(user, video) for user in range(USERS) for video in generator.permutation(VIDEOS - 5)[: 3 + user % 8]]
    at = 1_700_000_000_000_000 + generator.integers(0, 10**13, len(likes))
    columns = (
        pa.Table.from_pylist(videos, VIDEO_SCHEMA),
        np.array([str(uuid.UUID(int=10**6 + user)) for user in range(USERS)]),
        Likes.sort(*np.array(likes).T, at),
    )
    return Snapshot(*columns, SnapshotInfo(VIDEOS, USERS, len(likes), content_hash(*columns), start.isoformat(), {}))


@pytest.fixture(scope="session")
def small_spec(snapshot: Snapshot) -> FeatureSpec:
    """Features with a window that a user outgrows soon."""
    config = FeatureConfig(
        window=WINDOW,
        title_dimension=16,
        description_dimension=16,
        profile_tokens=8,
        max_tokens=16,
        max_videos=20,
    )
    return fit_features(config, snapshot.videos, snapshot.likes)


@pytest.fixture(scope="session")
def small_run(snapshot: Snapshot, small_spec: FeatureSpec) -> SmallRun:
    """Towers of 768 outputs and little inside, every weight drawn at random so that none goes without effect."""
    import tensorflow as tf

    from tfrs_pipeline.models.item_tower import ItemTower
    from tfrs_pipeline.models.user_tower import UserTower

    config = ModelConfig(width=128, user_width=8, heads=2, head_width=4, value_width=4)
    towers = (ItemTower(small_spec, config), UserTower(small_spec, config))
    generator = np.random.default_rng(2)
    for tower in towers:
        for variable in tower.model.trainable_variables:
            variable.assign(tf.constant(generator.normal(0, 0.3, variable.shape), variable.dtype))
    counts = snapshot.likes.counts(VIDEOS)
    return SmallRun(small_spec, snapshot, counts, towers[0].model, towers[1].model)


@pytest.fixture(scope="session")
def bundle(small_run: SmallRun, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    """A bundle in float32; tests that change it copy it first."""
    for package in ("deno", "tensorflowjs"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    return small_run.export(tmp_path_factory.mktemp("run") / "bundle")


@pytest.fixture
def bundle_copy(bundle: ExportResult, tmp_path: Path) -> Path:
    """A copy of the bundle to spoil."""
    return Path(shutil.copytree(bundle.folder, tmp_path / "bundle"))


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file under a folder, hidden ones too, with what is in it."""
    return lambda folder: {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
