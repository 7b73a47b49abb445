import json
import resource
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_pipeline.data.snapshot import (
    VIDEO_SCHEMA,
    Likes,
    Snapshot,
    SnapshotInfo,
    content_hash,
    load_snapshot,
    save_snapshot,
)
from tfrs_pipeline.data.storing import store
from tfrs_pipeline.errors import InputError

ROOT = Path(__file__).parents[2]
_FILES = ["likes.parquet", "snapshot.json", "users.parquet", "videos.parquet"]


def make_snapshot(likes: int = 3, title: str = "emoji 👩‍🚀, NULL, \\N") -> Snapshot:
    videos = pa.Table.from_pylist(
        [
            {
                "id": str(uuid.UUID(int=number)),
                "title": title,
                "genres": ["ドラマ"],
                "performers": [],
                "price": -1.5,
                "published_at": datetime(1950, 1, 1, tzinfo=timezone.utc),
            }
            for number in range(likes)
        ],
        schema=VIDEO_SCHEMA,
    )
    users = np.array([str(uuid.UUID(int=number)) for number in range(2)], dtype=np.str_)
    columns = Likes.sort(np.arange(likes) % 2, np.arange(likes), np.arange(likes) * 10**6)
    info = SnapshotInfo(
        likes, 2, likes, content_hash(videos, users, columns), "2024-01-01T00:00:00+00:00", {"no_time": 1}
    )
    return Snapshot(videos, users, columns, info)


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    snapshot = make_snapshot()
    save_snapshot(snapshot, tmp_path / "s")
    loaded = load_snapshot(tmp_path / "s")
    assert loaded.videos.equals(snapshot.videos)
    assert loaded.info == snapshot.info
    np.testing.assert_array_equal(loaded.users, snapshot.users)
    for name in ("user", "video", "at"):
        np.testing.assert_array_equal(getattr(loaded.likes, name), getattr(snapshot.likes, name))


def test_the_hash_does_not_depend_on_arrows_chunks() -> None:
    snapshot = make_snapshot(likes=10)
    cut = pa.concat_tables([snapshot.videos.slice(0, 3), snapshot.videos.slice(3)])
    assert content_hash(cut, snapshot.users, snapshot.likes) == snapshot.info.content_hash


def test_the_hash_tells_other_rows_apart() -> None:
    snapshot = make_snapshot()
    later = Likes(snapshot.likes.user, snapshot.likes.video, snapshot.likes.at + 1)
    assert content_hash(snapshot.videos, snapshot.users, later) != snapshot.info.content_hash
    assert make_snapshot(title="other").info.content_hash != snapshot.info.content_hash


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(-(2**60), 2**60)), max_size=30))
def test_likes_are_sorted_by_user_then_time_then_video(rows: list[tuple[int, int, int]]) -> None:
    columns = np.array(rows, np.int64).reshape(-1, 3).T
    likes = Likes.sort(*columns)
    assert list(zip(likes.user, likes.at, likes.video, strict=True)) == sorted((u, at, v) for u, v, at in rows)
    assert likes.counts(6).tolist() == [sum(v == video for _, v, _ in rows) for video in range(6)]


@pytest.mark.parametrize("name", _FILES)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    save_snapshot(make_snapshot(), tmp_path / "s")
    (tmp_path / "s" / name).unlink()
    with pytest.raises(InputError, match=rf"{name} is missing"):
        load_snapshot(tmp_path / "s")


@pytest.mark.parametrize("name", _FILES)
@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_file_is_told(tmp_path: Path, name: str, damage: str) -> None:
    save_snapshot(make_snapshot(likes=200), tmp_path / "s")
    path = tmp_path / "s" / name
    content = bytearray(path.read_bytes())
    if damage == "flip":
        # In the data rather than in statistics that nobody reads: the hash in the JSON, the pages of the tables.
        content[content.index(b'"content_hash": "') + 20 if name == "snapshot.json" else 30] ^= 0x15
    path.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "flip": content}[damage])
    with pytest.raises(InputError, match=r"damaged|not what was written"):
        load_snapshot(tmp_path / "s")


def test_equal_rows_are_stored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))
    snapshot = make_snapshot()
    folder, reused = store(snapshot)
    assert (folder, reused) == (tmp_path / ".local" / "snapshots" / snapshot.info.content_hash[:12], False)
    written = (folder / "videos.parquet").stat().st_mtime_ns
    assert store(snapshot) == (folder, True)
    assert (folder / "videos.parquet").stat().st_mtime_ns == written


def test_a_damaged_snapshot_is_written_anew(tmp_path: Path) -> None:
    store(make_snapshot(), tmp_path / "s")
    (tmp_path / "s" / "likes.parquet").write_bytes(b"")
    assert store(make_snapshot(), tmp_path / "s") == (tmp_path / "s", False)
    load_snapshot(tmp_path / "s")


def test_another_snapshot_takes_its_place_whole(tmp_path: Path) -> None:
    store(make_snapshot(), tmp_path / "s")
    store(make_snapshot(title="other"), tmp_path / "s")
    assert load_snapshot(tmp_path / "s").videos["title"].to_pylist() == ["other"] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_folder_with_other_things_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("five years")
    with pytest.raises(InputError, match="holds other things"):
        store(make_snapshot(), tmp_path)
    with pytest.raises(InputError, match="is a file"):
        store(make_snapshot(), tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    assert (tmp_path / "thesis.txt").read_text() == "five years"


def test_what_a_killed_run_left_is_swept_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))
    left = tmp_path / ".local" / "snapshots" / ".0123456789ab.x7_k2"
    left.mkdir(parents=True)
    (left / "videos.parquet").write_bytes(b"half")
    folder, _ = store(make_snapshot())
    assert not left.exists()
    assert json.loads((folder / "snapshot.json").read_text())["likes"] == 3


_STORE = """
import sys
from pathlib import Path
sys.path.insert(0, "tests/data")
from test_snapshot import make_snapshot
from tfrs_pipeline.data.storing import store
from tfrs_pipeline.errors import InputError
try:
    store(make_snapshot(likes=20_000), Path(sys.argv[1]))
except InputError as error:
    print(error)
"""


def test_a_full_disk_is_told_and_the_last_snapshot_stays(tmp_path: Path) -> None:
    store(make_snapshot(), tmp_path / "s")
    done = subprocess.run(
        [sys.executable, "-c", _STORE, str(tmp_path / "s")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        # A file that may not grow fails as one on a full disk does.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert done.stdout.startswith("The disk is full"), done.stdout + done.stderr
    assert load_snapshot(tmp_path / "s").info.likes == 3
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
