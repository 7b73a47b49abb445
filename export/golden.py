"""Golden vectors: raw videos and likes with the vectors Python gave, which TypeScript has to give again.

The users are made up, of likes that many people gave at many times, so that nobody's history is handed over.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import UserState, encode_users
from tfrs_pipeline.features.videos import encode_videos

FORMAT = 1
_SPARE_VIDEOS = 10
"""Videos beyond those that fill a window, so that histories longer than it can be made."""
_COLD_VIDEOS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_BURST_SECONDS = 90

# What real rows seldom have, and a service one day will: nothing at all, and far too much.
_STRANGE: tuple[dict[str, Any], ...] = (
    {},
    {"title": "", "genres": [], "maker": " ", "performers": [], "tags": [None, ""], "thumbnail_url": ""},
    {
        "title": "ＡＢＣ ｶﾞ ㌔ がくせい 日本語😀\0 İıẞ ΟΔΥΣΣΕΥΣ ﬁ e\u0301",
        "genres": ["nobody's genre"],
        "maker": "constructor",
    },
    {
        "title": "x",
        "price": -5.0,
        "duration_seconds": -60,
        "published_at": datetime(1901, 2, 3, 4, 5, 6, 7, timezone.utc),
    },
    {"title": "😀 enormous " * 2_000, "price": 1e300, "performers": [f"nobody {i}" for i in range(200)]},
)


class Tower(Protocol):
    """A Keras model, as far as golden vectors need it."""

    def predict_on_batch(self, inputs: list[NDArray]) -> NDArray[np.float32]:
        """The rows of the inputs as vectors."""


@dataclass(frozen=True)
class GoldenInputs:
    """Raw rows.

    Attributes:
        videos: a table of `VIDEO_SCHEMA`, sorted by id.
        like_counts: likes that each video has, [videos].
        users: the likes of each user, oldest first: numbers of videos, and microseconds since 1970-01-01 UTC.
    """

    videos: pa.Table
    like_counts: NDArray[np.int64]
    users: list[UserState]


def make_golden(
    spec: FeatureSpec, item_tower: Tower, user_tower: Tower, snapshot: Snapshot, like_counts: NDArray[np.integer]
) -> str:
    """The JSON of `golden.json`: raw rows as PostgREST would give them, and the towers' vectors of them."""
    golden = golden_inputs(spec, snapshot, like_counts)
    videos = encode_videos(spec, golden.videos, golden.like_counts)
    video_vectors = item_tower.predict_on_batch(videos.arrays())
    states = [UserState(user.videos[-spec.window :], user.at[-spec.window :]) for user in golden.users]
    user_vectors = user_tower.predict_on_batch(encode_users(spec, states, videos, video_vectors).arrays())
    rows = golden.videos.to_pylist()
    return (
        json.dumps(
            {
                "format": FORMAT,
                "videos": [
                    _video(row) | {"like_count": int(golden.like_counts[i]), "vector": _vector(video_vectors[i])}
                    for i, row in enumerate(rows)
                ],
                "users": [
                    {
                        "likes": [
                            {"video_id": rows[video]["id"], "created_at": _time(at)}
                            for video, at in zip(user.videos.tolist(), user.at.tolist(), strict=True)
                        ],
                        "vector": _vector(user_vectors[i]),
                    }
                    for i, user in enumerate(golden.users)
                ],
            },
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )
        + "\n"
    )


def golden_inputs(spec: FeatureSpec, snapshot: Snapshot, like_counts: NDArray[np.integer]) -> GoldenInputs:
    """Choose videos with and without likes, add strange ones, and make up about a dozen users; always the same ones.

    The users have 1, 2, … up to more than `window` likes, as far as there are so many videos.
    """
    generator = np.random.default_rng(0)
    liked, cold = np.flatnonzero(like_counts > 0), np.flatnonzero(like_counts == 0)
    chosen = np.concatenate(
        [
            generator.permutation(liked)[: spec.window + _SPARE_VIDEOS],
            generator.permutation(cold)[:_COLD_VIDEOS],
        ]
    )
    strange = [
        {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"strange video {i}")), **row} for i, row in enumerate(_STRANGE)
    ]
    # Sorted by id, so that likes of one moment stand in the same order by number and by id.
    videos = pa.concat_tables([snapshot.videos.take(chosen), pa.Table.from_pylist(strange, VIDEO_SCHEMA)])
    counts = np.concatenate([like_counts[chosen], np.zeros(len(strange), np.int64)])
    order = np.argsort(np.array(videos["id"].to_pylist()))
    sizes = _history_sizes(spec.window, len(order))
    users = [_history(generator, size, len(order), snapshot.likes.at, burst=i % 2 == 1) for i, size in enumerate(sizes)]
    return GoldenInputs(videos.take(order), counts[order], users)


def _history_sizes(window: int, videos: int) -> list[int]:
    wanted = {1, 2, 3, 5, 8, 13, 21, window // 2, window - 1, window, window + 1, window + _SPARE_VIDEOS}
    return sorted({min(size, videos) for size in wanted if size > 0})


def _history(
    generator: np.random.Generator, size: int, videos: int, times: NDArray[np.int64], burst: bool
) -> UserState:
    """Likes spread over years, or given in minutes, two of them at the same moment."""
    at = generator.choice(times, size)
    if burst:
        at = at[0] + np.cumsum(generator.integers(0, _BURST_SECONDS * 1_000_000, size))
        at[-1] = at[-2:][0]
    video = generator.permutation(videos)[:size].astype(np.int32)
    order = np.lexsort((video, at))
    return UserState(video[order], at[order])


def _video(row: dict[str, Any]) -> dict[str, Any]:
    """A row as PostgREST gives it: times as text, and numbers that JSON does not have too."""
    published, price = row["published_at"], row["price"]
    rest = {name: value for name, value in row.items() if name != "created_at"}
    return rest | {
        "published_at": None if published is None else published.isoformat(),
        "price": price if price is None or np.isfinite(price) else str(price).replace("inf", "Infinity"),
    }


def _time(at: int) -> str:
    return (_EPOCH + timedelta(microseconds=at)).isoformat()


def _vector(vector: Sequence[float] | NDArray[np.float32]) -> list[float]:
    # Eight digits tell two unit vectors of float32 apart, and halve the file.
    return [round(float(value), 8) for value in vector]
