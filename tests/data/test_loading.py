import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import psycopg
import pytest

from tfrs_pipeline.data.catalogue import Catalogue, Video
from tfrs_pipeline.data.identifiers import Source
from tfrs_pipeline.data.loading import Loaded, load, others_rows
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def video(number: int, **fields: Any) -> Video:
    return Video(number, f"Title {number}", None, [], None, [], [], None, None, None, None, NOON)._replace(**fields)


def catalogue(likes: list[tuple[int, int, int]], videos: list[Video] | None = None) -> Catalogue:
    """Likes as (user, video, microsecond)."""
    columns = np.array(likes, np.int64).reshape(-1, 3).T
    numbers = sorted({number for _, number, _ in likes})
    return Catalogue(Source.of("test"), videos or [video(number) for number in numbers], *columns)


def rows(connection: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"select * from {table} order by 1, 2").fetchall()


def test_every_field_arrives_as_it_was(database: psycopg.Connection) -> None:
    full = video(
        7,
        title="夜の\t街 😂 \\N \"quoted\" {'a,b'}",
        description="two\nlines",
        genres=["Sci-Fi", "with, comma", 'with "quote"'],
        maker="青空映像",
        performers=["佐藤 蓮", "NULL"],
        tags=["\\", "{}"],
        price=1480.5,
        duration_seconds=90,
        thumbnail_url="https://example.org/7.jpg",
        published_at=NOON - timedelta(days=3, microseconds=1),
    )
    given = catalogue([(1, 7, 1_700_000_000_123_456), (2**48 - 1, 8, -1)], [full, video(8)])
    assert load(database, given, QUIET, prune=False) == Loaded(videos=2, users=2, likes=2, removed_likes=0)
    found, bare = rows(database, "training_videos")
    assert found == (given.source.video(7), *full[1:7], Decimal("1480.5"), *full[8:])
    assert bare == (given.source.video(8), *video(8)[1:])
    assert rows(database, "training_likes") == [
        (given.source.user(1), given.source.video(7), datetime(2023, 11, 14, 22, 13, 20, 123456, timezone.utc)),
        (
            given.source.user(2**48 - 1),
            given.source.video(8),
            datetime(1969, 12, 31, 23, 59, 59, 999999, timezone.utc),
        ),
    ]


def test_loading_again_gives_the_same_rows(database: psycopg.Connection) -> None:
    given = catalogue([(1, 1, 10), (1, 2, 20), (2, 1, 30)])
    load(database, given, QUIET, prune=True)
    before = rows(database, "videos"), rows(database, "likes")
    assert load(database, given, QUIET, prune=True).removed_likes == 0
    assert (rows(database, "videos"), rows(database, "likes")) == before


def test_loading_again_brings_rows_up_to_date(database: psycopg.Connection) -> None:
    load(database, catalogue([(1, 1, 10), (1, 2, 20)]), QUIET, prune=False)
    load(database, catalogue([(1, 1, 99)], [video(1, title="New"), video(2)]), QUIET, prune=False)
    assert [row[1] for row in rows(database, "videos")] == ["New", "Title 2"]
    assert [row[2].microsecond for row in rows(database, "likes")] == [99, 20]


def test_prune_takes_out_what_is_no_like_any_more_and_nothing_of_others(database: psycopg.Connection) -> None:
    others = replace(catalogue([(1, 1, 10)]), source=Source.of("others"))
    load(database, others, QUIET, prune=True)
    load(database, catalogue([(1, 1, 10), (1, 2, 20)]), QUIET, prune=True)
    loaded = load(database, catalogue([(1, 1, 10)], [video(1), video(2)]), QUIET, prune=True)
    assert loaded.removed_likes == 1
    assert len(rows(database, "likes")) == 2
    assert others_rows(database, others.source) == (2, 1)


def test_counts_rows_of_others(database: psycopg.Connection) -> None:
    given = catalogue([(1, 1, 10), (2, 1, 10)])
    load(database, given, QUIET, prune=True)
    assert others_rows(database, given.source) == (0, 0)
    assert others_rows(database, Source.of("another")) == (1, 2)


def test_many_blocks_arrive_whole(database: psycopg.Connection) -> None:
    count = 110_000
    user, number = np.divmod(np.arange(count), 10)
    given = Catalogue(Source.of("test"), [video(n) for n in range(10)], user, number, user * 7 + number)
    load(database, given, QUIET, prune=False)
    assert database.execute(
        "select count(*), count(distinct user_id), sum(extract(epoch from created_at) * 1000000)::bigint from likes"
    ).fetchone() == (count, 11_000, int(given.at.sum()))


class Interrupted(Progress):
    """Is interrupted in the middle of the likes."""

    @contextlib.contextmanager
    def steps(self, total: int, label: str) -> Iterator[Callable[[int], None]]:
        def advance(steps: int) -> None:
            if label == "Likes":
                raise KeyboardInterrupt

        yield advance


def test_an_interrupted_load_changes_nothing(database: psycopg.Connection) -> None:
    load(database, catalogue([(1, 1, 10)]), QUIET, prune=False)
    before = rows(database, "videos"), rows(database, "likes")
    with pytest.raises(KeyboardInterrupt):
        load(database, catalogue([(1, 2, 10)]), Interrupted(), prune=True)
    assert (rows(database, "videos"), rows(database, "likes")) == before


def test_a_killed_import_changes_nothing(database: psycopg.Connection, database_url: str) -> None:
    command = [sys.executable, "-m", "tfrs_pipeline", "import", "demo", "--videos=50", "--users=20", "--likes=100"]
    with database.transaction():
        # Holds the import up when its videos are in and its likes are about to be.
        database.execute("lock table public.likes in share row exclusive mode")
        process = subprocess.Popen([*command, "--add", "--quiet"], env=os.environ | {"DATABASE_URL": database_url})
        try:
            waiting = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            until = time.monotonic() + 60
            with psycopg.connect(database_url, autocommit=True) as watch:
                while not (found := watch.execute(waiting).fetchone()):
                    assert time.monotonic() < until, "the import did not get that far"
                    assert process.poll() is None, "the import ended by itself"
                    time.sleep(0.02)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    # Postgres notices that its client is gone when it has something to tell it.
    with psycopg.connect(database_url, autocommit=True) as watch:
        while watch.execute("select 1 from pg_stat_activity where pid = %s", found).fetchone():
            time.sleep(0.02)
    assert rows(database, "videos") == rows(database, "likes") == []
    subprocess.run([*command, "--quiet"], env=os.environ | {"DATABASE_URL": database_url}, check=True)
    assert len(rows(database, "likes")) == 100


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("drop table public.likes cascade", "likes.* does not exist"),
        ("alter table public.videos drop column price cascade", "price"),
        ("alter table public.videos add column owner uuid not null", "owner"),
        ("alter table public.likes rename column user_id to owner", "user_id"),
        ("alter table public.likes drop constraint likes_pkey", "ON CONFLICT"),
    ],
)
def test_tables_of_another_shape_are_said_to_be(database: psycopg.Connection, change: str, reason: str) -> None:
    database.execute(change)
    with pytest.raises(InputError, match=f"do not take the rows .*{reason}.*nothing was imported"):
        load(database, catalogue([(1, 1, 10)]), QUIET, prune=True)
    assert rows(database, "videos") == []
