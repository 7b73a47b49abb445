"""The snapshot: one consistent read of videos and likes, as columns in memory and as Parquet on disk.

How a snapshot is read from Postgres is in `reading`. Everything after it works on rows by their number: video `i` is
row `i` of `videos`, user `u` is `users[u]`.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.files import whole_folder

VIDEO_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("description", pa.string()),
        ("genres", pa.list_(pa.string())),
        ("maker", pa.string()),
        ("performers", pa.list_(pa.string())),
        ("tags", pa.list_(pa.string())),
        ("price", pa.float64()),
        ("duration_seconds", pa.int64()),
        ("thumbnail_url", pa.string()),
        ("published_at", pa.timestamp("us", tz="UTC")),
        ("created_at", pa.timestamp("us", tz="UTC")),
    ]
)


@dataclass(frozen=True)
class Likes:
    """Likes as three columns of one length, sorted by user, then time, then video.

    Attributes:
        user: number of the user, int32.
        video: number of the video, int32.
        at: microseconds since 1970-01-01 UTC, int64.
    """

    user: NDArray[np.int32]
    video: NDArray[np.int32]
    at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: NDArray[np.bool_]) -> "Likes":
        """The likes for which `keep` holds, in the same order."""
        return Likes(self.user[keep], self.video[keep], self.at[keep])

    @staticmethod
    def sort(user: NDArray, video: NDArray, at: NDArray) -> "Likes":
        """Bring columns of any order into the order that this class promises."""
        order = np.lexsort((video, at, user))
        return Likes(
            np.asarray(user, np.int32)[order], np.asarray(video, np.int32)[order], np.asarray(at, np.int64)[order]
        )

    def counts(self, videos: int) -> NDArray[np.int64]:
        """Likes of each video, int64 [videos]."""
        return np.bincount(self.video, minlength=videos)


@dataclass(frozen=True)
class SnapshotInfo:
    """What `snapshot.json` says.

    Attributes:
        content_hash: sha256 over the rows; equal rows give an equal hash, whenever and wherever they were read.
        left_out: how many likes were left out, by reason.
    """

    videos: int
    users: int
    likes: int
    content_hash: str
    taken_at: str
    left_out: dict[str, int]


@dataclass(frozen=True)
class Snapshot:
    """Videos and likes as they stood at one moment.

    Attributes:
        videos: a table of `VIDEO_SCHEMA`, sorted by id.
        users: the ids of the users who like something, sorted.
        likes: by the numbers of `users` and `videos`.
    """

    videos: pa.Table
    users: NDArray[np.str_]
    likes: Likes
    info: SnapshotInfo


def content_hash(videos: pa.Table, users: NDArray[np.str_], likes: Likes) -> str:
    """Sha256 over all that a snapshot holds, independent of how Arrow cut it into chunks."""
    digest = hashlib.sha256()
    for row in videos.to_pylist():
        digest.update(json.dumps(list(row.values()), default=str, ensure_ascii=False).encode())
    digest.update("\0".join(users.tolist()).encode())
    for column in (likes.user, likes.video, likes.at):
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


def save_snapshot(snapshot: Snapshot, folder: Path) -> None:
    """Write the snapshot as a folder, whole or not at all."""
    with whole_folder(folder) as partial:
        pq.write_table(snapshot.videos, partial / "videos.parquet")
        pq.write_table(pa.table({"id": pa.array(snapshot.users.tolist(), pa.string())}), partial / "users.parquet")
        likes = snapshot.likes
        pq.write_table(
            pa.table(
                {
                    "user": pa.array(likes.user),
                    "video": pa.array(likes.video),
                    "at": pa.array(likes.at).cast(pa.timestamp("us", tz="UTC")),
                }
            ),
            partial / "likes.parquet",
        )
        (partial / "snapshot.json").write_text(json.dumps(asdict(snapshot.info), indent=2) + "\n")


def load_snapshot(folder: Path) -> Snapshot:
    """Read a snapshot that `save_snapshot` wrote.

    Raises:
        InputError: the folder lacks a file, or its rows are not those that were written.
    """
    for name in ("snapshot.json", "videos.parquet", "users.parquet", "likes.parquet"):
        if not (folder / name).is_file():
            raise InputError(f"{folder} is not a snapshot: {name} is missing. Make one with `tfrs-pipeline snapshot`.")
    try:
        info = SnapshotInfo(**json.loads((folder / "snapshot.json").read_text()))
        videos = pq.read_table(folder / "videos.parquet", schema=VIDEO_SCHEMA)
        users = np.array(pq.read_table(folder / "users.parquet")["id"].to_pylist(), dtype=np.str_)
        table = pq.read_table(folder / "likes.parquet")
    except (ValueError, TypeError, KeyError, OSError, pa.ArrowException) as error:  # Arrow has OSError for bad bytes.
        raise InputError(f"The snapshot in {folder} is damaged ({error}). Take a new one.") from error
    likes = Likes(
        table["user"].to_numpy().astype(np.int32),
        table["video"].to_numpy().astype(np.int32),
        table["at"].cast(pa.int64()).to_numpy(),
    )
    if content_hash(videos, users, likes) != info.content_hash:
        raise InputError(f"The snapshot in {folder} is not what was written: its hash differs. Take a new one.")
    return Snapshot(videos, users, likes, info)
