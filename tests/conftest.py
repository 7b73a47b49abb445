"""What tests share: one embedded Postgres with a database for each test that asks, and one small service with its run.

The Postgres and the run are made when the first test asks for them, once for all tests.
"""

import contextlib
import itertools
import os
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from psycopg.conninfo import make_conninfo

# Before anything imports TensorFlow, as the command line does it.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from tfrs_pipeline.config import Config, FeatureConfig, ModelConfig, TrainingConfig
from tfrs_pipeline.data import embedded
from tfrs_pipeline.data.database import connect
from tfrs_pipeline.data.migrations import migrate
from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Likes, Snapshot, SnapshotInfo, content_hash
from tfrs_pipeline.features.fitting import fit_features
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.videos import VideoInputs, encode_videos
from tfrs_pipeline.progress import Progress

_PASSWORD = "a b@c/d:e%f"
_NEW_YEAR = datetime(2024, 1, 1, tzinfo=timezone.utc)
_SUBJECTS = ("cats", "犬", "the sea", "山")


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """Commands under test can be interrupted even where the tests run in the background, whose Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server; it stops when the tests end, however they end."""
    project = tmp_path_factory.mktemp("postgres")
    with embedded.running(project, Progress(quiet=True)) as url:
        with connect(url) as connection:
            connection.execute("alter system set fsync = off")  # Nobody will miss these rows after a power cut.
            connection.execute("create database migrated")
            # Everybody is trusted on this server but one, who needs the password.
            connection.execute(f"create role guarded login password '{_PASSWORD}'")
            rules = Path(connection.execute("show hba_file").fetchone()[0])
            rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
            connection.execute("select pg_reload_conf()")
        with connect(make_conninfo(url, dbname="migrated")) as connection:
            migrate(connection, Progress(quiet=True), embedded=True)
        yield url


@pytest.fixture(scope="session")
def password() -> str:
    """The password of the server's user `guarded`."""
    return _PASSWORD


@pytest.fixture(scope="session")
def new_database(postgres: str) -> Callable[[str], contextlib.AbstractContextManager[str]]:
    """Makes a database like the named one (`migrated`, or `template0` for a bare one) for the length of a block."""
    numbers = itertools.count()

    @contextlib.contextmanager
    def made(template: str) -> Iterator[str]:
        name = f"test_{next(numbers)}"
        with connect(postgres) as connection:
            # Copied file by file: quicker for a small database than through the log.
            connection.execute(f"create database {name} template {template} strategy file_copy")
            yield make_conninfo(postgres, dbname=name)
            connection.execute(f"drop database {name} with (force)")

    return made


@pytest.fixture
def database_url(new_database: Callable[[str], contextlib.AbstractContextManager[str]]) -> Iterator[str]:
    """The address of a fresh database with all tables and no rows."""
    with new_database("migrated") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection, as its owner, to a fresh database with all tables and no rows."""
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def bare_database(
    new_database: Callable[[str], contextlib.AbstractContextManager[str]],
) -> Iterator[psycopg.Connection]:
    """A connection to a database in which there is nothing."""
    with new_database("template0") as url, connect(url) as connection:
        yield connection


def _video(number: int) -> dict[str, object]:
    subject = number % len(_SUBJECTS)
    return {
        "id": str(uuid.UUID(int=number + 1)),
        "title": f"{_SUBJECTS[subject]} {number}",
        "description": None if number % 5 == 0 else f"A story of {_SUBJECTS[subject]}.",
        "genres": [f"genre {subject}"],
        "maker": None if number % 7 == 0 else f"maker {number % 6}",
        "performers": [f"performer {i}" for i in range(number % 3)],
        "price": None if number % 3 == 0 else 4.99 + number,
        "duration_seconds": 600 + 60 * number,
        "thumbnail_url": None if number % 2 else "https://example.com/thumbnail.jpg",
        "published_at": _NEW_YEAR - timedelta(days=number),
    }


@pytest.fixture(scope="session")
def service() -> Snapshot:
    """60 videos of four genres, the last without a like; 61 users who mostly like one genre, 8 to 12 likes each."""
    generator = np.random.default_rng(0)
    videos, users = 60, 61
    genre = np.arange(videos) % len(_SUBJECTS)
    likes: list[tuple[int, int, int]] = []
    for user in range(users):
        taste = np.where(genre == user % len(_SUBJECTS), 20.0, 1.0) / (1 + np.arange(videos) // 4)
        taste[-1] = 0
        liked = generator.choice(videos, 8 + user % 5, replace=False, p=taste / taste.sum())
        at = 1_700_000_000_000_000 + np.sort(generator.integers(0, 10**13, len(liked)))
        likes += [(user, int(video), int(moment)) for video, moment in zip(liked, at, strict=True)]
    columns = Likes.sort(*np.array(likes).T)
    table = pa.Table.from_pylist([_video(number) for number in range(videos)], VIDEO_SCHEMA)
    ids = np.array([str(uuid.UUID(int=10**6 + user)) for user in range(users)])
    info = SnapshotInfo(videos, users, len(columns), content_hash(table, ids, columns), _NEW_YEAR.isoformat(), {})
    return Snapshot(table, ids, columns, info)


@pytest.fixture(scope="session")
def small() -> Config:
    """Settings under which a training of `service` takes seconds; a user outgrows the window.

    What tests lean on is fixed here, so that other defaults do not change them.
    """
    return Config(
        features=FeatureConfig(
            window=8,
            decay_rates=(0.05, 0.3, 1.5),
            title_dimension=32,
            description_dimension=24,
            profile_tokens=16,
            moments=4,
        ),
        model=ModelConfig(width=16, user_width=16, heads=1, head_width=8, value_width=8, read_dropout=0.1, dropout=0.2),
        training=TrainingConfig(epochs=4, patience=3, temperature=0.1, learning_rate=1e-3, averaging=0.99),
    )


@pytest.fixture(scope="session")
def spec(service: Snapshot, small: Config) -> FeatureSpec:
    """Features fitted to all of `service`."""
    return fit_features(small.features, service.videos, service.likes)


@pytest.fixture(scope="session")
def videos(service: Snapshot, spec: FeatureSpec) -> VideoInputs:
    """The videos of `service`, encoded."""
    return encode_videos(spec, service.videos, service.likes.counts(service.videos.num_rows))


@pytest.fixture(scope="session")
def finished(service: Snapshot, small: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs with one undisturbed run in it; to be looked at only."""
    from tfrs_pipeline.pipeline import train

    runs = tmp_path_factory.mktemp("finished") / "runs"
    train(service, small, runs, Progress(quiet=True))
    return runs


@pytest.fixture
def runs(finished: Path, tmp_path: Path) -> Path:
    """A copy of `finished`, to be spoiled."""
    return Path(shutil.copytree(finished, tmp_path / "runs", symlinks=True))
