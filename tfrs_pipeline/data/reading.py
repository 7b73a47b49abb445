"""Taking a snapshot: the two training views, read in one transaction, cleaned and checked."""

import itertools
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa

from tfrs_pipeline.data.cleaning import check_learnable, clean, describe
from tfrs_pipeline.data.copying import RawLikes, copy_likes
from tfrs_pipeline.data.database import check_training_views
from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Snapshot, SnapshotInfo, content_hash
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

_VIDEOS_IN_A_BATCH = 8192

# A time that Python has no name for (infinity, before Christ) is worth no more than none.
_TIME = """case when {0}::timestamptz >= '0001-01-02 00:00+00' and {0}::timestamptz < '9999-12-31 00:00+00'
    then {0}::timestamptz end"""
_COLUMNS = {
    "id": ("id", "uuid"),
    "title": ("title::text", "text"),
    "description": ("description::text", "text"),
    "genres": ("genres::text[]", "text[]"),
    "maker": ("maker::text", "text"),
    "performers": ("performers::text[]", "text[]"),
    "tags": ("tags::text[]", "text[]"),
    "price": ("price::numeric", "numeric"),
    "duration_seconds": ("duration_seconds::int8", "int8"),
    "thumbnail_url": ("thumbnail_url::text", "text"),
    "published_at": (_TIME.format("published_at"), "timestamptz"),
    "created_at": (_TIME.format("created_at"), "timestamptz"),
}


def read_snapshot(
    connection: psycopg.Connection, progress: Progress, now: datetime | None = None, strict: bool = False
) -> Snapshot:
    """Read `training_videos` and `training_likes` as they stand at one moment; nothing else is read.

    Args:
        connection: in autocommit mode, or with no transaction begun.
        now: likes after it cannot be right; the database's own clock if not given.
        strict: likes that cannot be right are an error, rather than left out with a warning.

    Raises:
        InputError: a view or column is missing, or there is nothing to learn from.
    """
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local statement_timeout = 0")
        check_training_views(connection)
        # The clock, and not the transaction's beginning: what we see may have been written since.
        clock = connection.execute("select clock_timestamp() at time zone 'UTC'").fetchone()
        assert clock is not None
        now = now or clock[0].replace(tzinfo=timezone.utc)
        videos, ids = _read_videos(connection)
        raw = _read_likes(connection, ids, progress)
    likes, user_ids, left_out = clean(raw, now)
    phrases = describe(left_out, now)
    if strict and phrases:
        raise InputError(f"The likes are not clean. There are {'; '.join(phrases)}. Mend them, or read without strict.")
    for phrase in phrases:
        progress.warn(f"Left out {phrase}.")
    check_learnable(likes, len(user_ids), videos.num_rows)
    users = np.array([str(uuid.UUID(bytes=user.ljust(16, b"\0"))) for user in user_ids.tolist()], dtype=np.str_)
    info = SnapshotInfo(
        videos=videos.num_rows,
        users=len(users),
        likes=len(likes),
        content_hash=content_hash(videos, users, likes),
        taken_at=now.isoformat(),
        left_out=left_out,
    )
    return Snapshot(videos, users, likes, info)


def _read_likes(connection: psycopg.Connection, video_ids: np.ndarray, progress: Progress) -> RawLikes:
    count = connection.execute("select count(*) from public.training_likes").fetchone()
    assert count is not None
    with progress.steps(count[0], "Reading likes") as advance:
        return copy_likes(connection, video_ids, advance)


def _read_videos(connection: psycopg.Connection) -> tuple[pa.Table, np.ndarray]:
    """The catalogue sorted by id, and its ids of 16 bytes ("S16") in the same order."""
    query = f"""
        copy (
            select {", ".join(expression for expression, _ in _COLUMNS.values())}
            from public.training_videos where id is not null order by id
        ) to stdout (format binary)
    """
    batches, ids = [], []
    try:
        with connection.cursor() as cursor, cursor.copy(query) as stream:
            stream.set_types([type_name for _, type_name in _COLUMNS.values()])
            for rows in _batches(stream.rows()):
                columns = list(zip(*rows, strict=True))
                ids += [video.bytes for video in columns[0]]
                batches.append(_record_batch(columns))
    except (psycopg.DataError, psycopg.errors.CannotCoerce) as error:
        said = (error.diag.message_primary or str(error)).rstrip(".")
        raise InputError(f"training_videos cannot be read: {said}. Convert the column in the view.") from error
    for earlier, later in itertools.pairwise(ids):
        if earlier == later:
            raise InputError(
                f"training_videos gives {uuid.UUID(bytes=later)} twice. Each video has to be one row of it."
            )
    return pa.Table.from_batches(batches, VIDEO_SCHEMA), np.array(ids, dtype="S16")


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == _VIDEOS_IN_A_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _record_batch(columns: list[tuple[Any, ...]]) -> pa.RecordBatch:
    values: dict[str, list[Any]] = dict(zip(_COLUMNS, map(list, columns), strict=True))
    values["id"] = [str(video) for video in values["id"]]
    values["price"] = [None if price is None else float(price) for price in values["price"]]
    for name in ("genres", "performers", "tags"):
        values[name] = [None if items is None else _flat(items) for items in values[name]]
    return pa.RecordBatch.from_pydict(values, VIDEO_SCHEMA)


def _flat(items: list[Any]) -> list[str]:
    """The strings of an array of any depth, without its nulls."""
    flat: list[str] = []
    for item in items:
        if isinstance(item, list):
            flat += _flat(item)
        elif item is not None:
            flat.append(item)
    return flat
