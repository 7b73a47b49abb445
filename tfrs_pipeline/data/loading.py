"""Bringing a catalogue into Postgres: by COPY into temporary tables, then into `videos` and `likes`, all or nothing."""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from tfrs_pipeline.data.catalogue import Catalogue, Video
from tfrs_pipeline.data.database import check_training_views
from tfrs_pipeline.data.identifiers import LARGEST_NUMBER, LOW_BITS, Source
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

_COLUMNS = Video._fields[1:]
_LIKES_AT_ONCE = 100_000
_VIDEOS_AT_ONCE = 5_000
_POSTGRES_EPOCH = 946_684_800_000_000  # 2000-01-01 in microseconds since 1970: Postgres counts from there.

# The binary COPY format, https://www.postgresql.org/docs/current/sql-copy.html: two uuids and a timestamp.
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
_LIKE = np.dtype(
    [
        ("fields", ">i2"),
        ("user_length", ">i4"),
        ("user_high", ">u8"),
        ("user_low", ">u8"),
        ("video_length", ">i4"),
        ("video_high", ">u8"),
        ("video_low", ">u8"),
        ("at_length", ">i4"),
        ("at", ">i8"),
    ]
)


@dataclass(frozen=True)
class Loaded:
    """What the database holds of a source after loading.

    Attributes:
        removed_likes: likes of an earlier import of this source that this one does not contain, and that are gone.
    """

    videos: int
    users: int
    likes: int
    removed_likes: int


def load(connection: psycopg.Connection, catalogue: Catalogue, progress: Progress, *, prune: bool) -> Loaded:
    """Insert or update the rows of `catalogue` in one transaction: if anything stops it, nothing has changed.

    Args:
        prune: take out likes that an earlier import of the same source brought and this one does not contain.

    Raises:
        InputError: the tables are missing or do not take the rows.
    """
    with _table_errors(), connection.transaction(), connection.cursor() as cursor:
        # A server may limit how long a statement of its web requests takes; this is not one.
        cursor.execute("set local statement_timeout = 0")
        _copy_videos(cursor, catalogue, progress)
        _copy_likes(cursor, catalogue, progress)
        progress.say("Putting the rows in their place ...")
        return _merge(cursor, catalogue, prune)


def has_likes(connection: psycopg.Connection) -> bool:
    """Whether there is anything to learn from, in the service's own tables too."""
    check_training_views(connection)
    row = connection.execute("select exists (select from public.training_likes)").fetchone()
    return bool(row and row[0])


def others_rows(connection: psycopg.Connection, source: Source) -> tuple[int, int]:
    """Count the videos and the likes in the database that are not of `source`."""
    with _table_errors():
        row = connection.execute(
            "select (select count(*) from public.videos where id not between %s and %s), "
            "(select count(*) from public.likes where user_id not between %s and %s)",
            (*_range(source.video_bits), *_range(source.user_bits)),
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def binary_likes(catalogue: Catalogue) -> Iterator[tuple[int, bytes]]:
    """Yield (number of likes, their rows in the binary COPY format), sorted as the primary key is."""
    order = np.lexsort((catalogue.video, catalogue.user))
    for start in range(0, len(order), _LIKES_AT_ONCE):
        rows = order[start : start + _LIKES_AT_ONCE]
        block = np.empty(len(rows), _LIKE)
        block["fields"] = 3
        block["user_length"] = block["video_length"] = 16
        block["at_length"] = 8
        block["user_high"] = catalogue.source.user_bits
        block["video_high"] = catalogue.source.video_bits
        block["user_low"] = _low(catalogue.user[rows])
        block["video_low"] = _low(catalogue.video[rows])
        block["at"] = catalogue.at[rows] - _POSTGRES_EPOCH
        yield len(rows), block.tobytes()


@contextlib.contextmanager
def _table_errors() -> Iterator[None]:
    """Turn what tables of another shape make Postgres say into a sentence."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        raise  # `open_database` has a better sentence for it.
    except (psycopg.ProgrammingError, psycopg.IntegrityError, psycopg.DataError) as error:
        reason = (error.diag.message_primary or str(error).splitlines()[0]).strip().rstrip(".")
        raise InputError(
            f"The tables public.videos and public.likes do not take the rows ({reason}); nothing was imported. They "
            "have to be as `tfrs-pipeline db migrate` makes them; a service with tables of its own needs no import."
        ) from error


def _low(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    return numbers.astype(np.uint64) + np.uint64(LOW_BITS)


def _range(high: int) -> tuple[UUID, UUID]:
    return UUID(int=high << 64 | LOW_BITS), UUID(int=high << 64 | LOW_BITS | LARGEST_NUMBER)


def _copy_videos(cursor: psycopg.Cursor, catalogue: Catalogue, progress: Progress) -> None:
    cursor.execute("create temporary table new_videos (like public.videos) on commit drop")
    names = ", ".join(("id", *_COLUMNS))
    with (
        progress.steps(len(catalogue.videos), "Videos") as advance,
        cursor.copy(f"copy pg_temp.new_videos ({names}) from stdin") as copy,
    ):
        rows = iter(catalogue.videos)
        while some := list(islice(rows, _VIDEOS_AT_ONCE)):
            for video in some:
                copy.write_row((catalogue.source.video(video.number), *video[1:]))
            advance(len(some))


def _copy_likes(cursor: psycopg.Cursor, catalogue: Catalogue, progress: Progress) -> None:
    cursor.execute(
        "create temporary table new_likes (user_id uuid not null, video_id uuid not null, created_at timestamptz "
        "not null) on commit drop"
    )
    with (
        progress.steps(len(catalogue.at), "Likes") as advance,
        cursor.copy("copy pg_temp.new_likes (user_id, video_id, created_at) from stdin (format binary)") as copy,
    ):
        copy.write(_HEADER)
        for count, block in binary_likes(catalogue):
            copy.write(block)
            advance(count)
        copy.write(_TRAILER)


def _merge(cursor: psycopg.Cursor, catalogue: Catalogue, prune: bool) -> Loaded:
    names = ", ".join(("id", *_COLUMNS))
    newer = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
    cursor.execute(
        f"insert into public.videos ({names}) select {names} from pg_temp.new_videos "
        f"on conflict (id) do update set {newer}"
    )
    removed = 0
    if prune:
        cursor.execute("analyze pg_temp.new_likes")
        cursor.execute(
            "delete from public.likes old where old.user_id between %s and %s and old.video_id between %s and %s "
            "and not exists (select from pg_temp.new_likes new where new.user_id = old.user_id "
            "and new.video_id = old.video_id)",
            (*_range(catalogue.source.user_bits), *_range(catalogue.source.video_bits)),
        )
        removed = cursor.rowcount
    cursor.execute(
        "insert into public.likes as old (user_id, video_id, created_at) "
        "select user_id, video_id, created_at from pg_temp.new_likes "
        "on conflict (user_id, video_id) do update set created_at = excluded.created_at "
        "where old.created_at <> excluded.created_at"
    )
    return Loaded(len(catalogue.videos), catalogue.users, len(catalogue.at), removed)
