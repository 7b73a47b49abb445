"""Likes out of Postgres as columns: a binary COPY taken apart by numpy, chunk by chunk, never like by like.

Every row of the stream is 54 bytes long, because the query leaves no null in it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import psycopg
from numpy.typing import NDArray

NO_TIME = np.iinfo(np.int64).min
"""Stands for the time of a like that has none."""

# Postgres's manual, COPY, "Binary Format": a header, rows of (count, then length and value for each), a count of -1.
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = b"\xff\xff"
_ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("user_length", ">i4"),
        ("user", "S16"),
        ("video_length", ">i4"),
        ("video", "S16"),
        ("at_length", ">i4"),
        ("at", ">i8"),
    ]
)
_ROWS_IN_A_CHUNK = 1 << 17

_NO_ID = b"\xff" * 16  # No generator gives this id; it stands for null.
_QUERY = """
    copy (
        select
            coalesce(user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
            coalesce(video_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
            coalesce(created_at, '-infinity')
        from public.training_likes
    ) to stdout (format binary)
"""
_MICROSECONDS_FROM_1970_TO_2000 = 946_684_800_000_000


@dataclass(frozen=True)
class RawLikes:
    """Likes as they stand in the database, in no order, right or wrong.

    Attributes:
        users: ids of 16 bytes; user `u` of the columns is `users[u]`.
        user: number of the user, int32; -1 for none.
        video: number of the video, int32; -1 for none that is in the catalogue.
        at: microseconds since 1970-01-01 UTC, int64; `NO_TIME` for none.
    """

    users: NDArray[np.bytes_]
    user: NDArray[np.int32]
    video: NDArray[np.int32]
    at: NDArray[np.int64]


def copy_likes(
    connection: psycopg.Connection, video_ids: NDArray[np.bytes_], advance: Callable[[int], None]
) -> RawLikes:
    """Stream `training_likes`.

    Args:
        video_ids: the catalogue's ids of 16 bytes ("S16"), sorted; a like gets its video's place among them.
        advance: told how many more likes have come.
    """
    numbers: dict[bytes, int] = {}
    user, video, at = [np.empty(0, np.int32)], [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    for rows in _chunks(connection):
        # One look-up for each user of a chunk rather than for each like.
        ids, which = np.unique(rows["user"], return_inverse=True)
        user.append(np.array([_number(numbers, number) for number in ids.tolist()], np.int32)[which])
        video.append(_places(rows["video"], video_ids))
        at.append(_since_1970(rows["at"].astype(np.int64)))
        advance(len(rows))
    return RawLikes(
        np.array(list(numbers), dtype="S16"), np.concatenate(user), np.concatenate(video), np.concatenate(at)
    )


def _chunks(connection: psycopg.Connection) -> Iterator[NDArray]:
    waiting = bytearray()
    with connection.cursor() as cursor, cursor.copy(_QUERY) as stream:
        for piece in stream:
            waiting += piece
            if len(waiting) >= len(_HEADER) + _ROWS_IN_A_CHUNK * _ROW.itemsize:
                yield _take_rows(waiting)
    rows = _take_rows(waiting)
    if bytes(waiting) != _END:
        raise ValueError("The stream of likes is not what COPY writes.")
    yield rows


def _take_rows(waiting: bytearray) -> NDArray:
    """Take all whole rows off the front, and the header if it is there."""
    if waiting.startswith(_HEADER):
        del waiting[: len(_HEADER)]
    size = len(waiting) // _ROW.itemsize * _ROW.itemsize
    rows = np.frombuffer(bytes(waiting[:size]), _ROW)
    del waiting[:size]
    return rows


def _number(numbers: dict[bytes, int], user: bytes) -> int:
    user = user.ljust(16, b"\0")  # numpy drops the zeros at the end of a string.
    return -1 if user == _NO_ID else numbers.setdefault(user, len(numbers))


def _places(ids: NDArray[np.bytes_], among: NDArray[np.bytes_]) -> NDArray[np.int32]:
    """Where each id stands in a sorted list; -1 where it does not."""
    if len(among) == 0:
        return np.full(len(ids), -1, np.int32)
    ids = np.ascontiguousarray(ids)
    place = np.minimum(np.searchsorted(among, ids), len(among) - 1)
    return np.where(among[place] == ids, place, -1).astype(np.int32)


def _since_1970(since_2000: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move the epoch; the ends of the range, which are Postgres's infinities, stay where they are."""
    limits = np.iinfo(np.int64)
    latest = limits.max - _MICROSECONDS_FROM_1970_TO_2000
    moved = np.minimum(since_2000, latest) + _MICROSECONDS_FROM_1970_TO_2000
    return np.where(since_2000 == limits.min, NO_TIME, moved)
