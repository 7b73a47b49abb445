import math
import tracemalloc
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import psycopg
import pytest

from tfrs_pipeline.data import copying
from tfrs_pipeline.data.database import connect
from tfrs_pipeline.data.reading import read_snapshot
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
START = datetime(2024, 2, 29, 23, 59, 59, 123457, tzinfo=timezone.utc)
NOW = START + timedelta(days=100)

Row = tuple[uuid.UUID | None, uuid.UUID | None, datetime | str | None]


def _id(number: int) -> uuid.UUID:
    # Ends in zeros, which numpy's strings drop.
    return uuid.UUID(int=number << 64)


USERS = [_id(number) for number in (3, 1, 2, 2**60)]
VIDEOS = [_id(number) for number in (20, 10, 2**61, 30)]


def _add_videos(connection: psycopg.Connection, videos: Sequence[uuid.UUID] = VIDEOS) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("insert into videos (id, title) values (%s, %s)", [(video, str(video)) for video in videos])


def _add_likes(connection: psycopg.Connection, rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("insert into likes values (%s, %s, %s)", rows)


def _free_videos(connection: psycopg.Connection) -> None:
    connection.execute("alter table videos drop constraint videos_price_check")
    connection.execute("alter table videos drop constraint videos_duration_seconds_check")
    connection.execute("alter table videos alter column title drop not null")


def _good_likes() -> list[Row]:
    return [
        (USERS[0], VIDEOS[0], START + timedelta(hours=3)),
        (USERS[0], VIDEOS[1], START + timedelta(hours=1)),
        (USERS[1], VIDEOS[1], START),
        (USERS[3], VIDEOS[2], START + timedelta(microseconds=1)),
    ]


def _rows(snapshot: Snapshot) -> list[tuple[str, str, datetime]]:
    ids = snapshot.videos["id"].to_pylist()
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    likes = zip(snapshot.likes.user, snapshot.likes.video, snapshot.likes.at, strict=True)
    return [
        (str(snapshot.users[user]), ids[video], epoch + timedelta(microseconds=int(at))) for user, video, at in likes
    ]


def test_reads_every_like_under_the_numbers_of_sorted_ids(database: psycopg.Connection) -> None:
    _add_videos(database)
    _add_likes(database, _good_likes())
    snapshot = read_snapshot(database, QUIET, NOW)
    assert snapshot.videos["id"].to_pylist() == sorted(map(str, VIDEOS))
    assert snapshot.users.tolist() == sorted(str(USERS[number]) for number in (0, 1, 3))
    expected = sorted(_good_likes(), key=lambda row: (str(row[0]), row[2]))
    assert _rows(snapshot) == [(str(user), str(video), at) for user, video, at in expected]
    assert (snapshot.info.videos, snapshot.info.users, snapshot.info.likes) == (4, 3, 4)
    assert snapshot.info.left_out == {}
    assert snapshot.info.taken_at == NOW.isoformat()


def test_chunks_of_the_stream_make_no_difference(database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(database, users=40, videos=30, likes=500)
    whole = read_snapshot(database, QUIET)
    monkeypatch.setattr(copying, "_ROWS_IN_A_CHUNK", 7)
    chunked = read_snapshot(database, QUIET)
    assert chunked.info.content_hash == whole.info.content_hash
    stored = database.execute("select user_id, video_id, created_at from likes order by 1, 3, 2").fetchall()
    assert _rows(chunked) == [(str(user), str(video), at) for user, video, at in stored]


def test_equal_rows_have_an_equal_hash_in_whatever_order_they_lie(database: psycopg.Connection) -> None:
    _fill(database, users=40, videos=30, likes=500)
    before = read_snapshot(database, QUIET).info.content_hash
    database.execute("create table copied as select * from likes order by random()")
    database.execute("truncate likes; insert into likes select * from copied")
    assert read_snapshot(database, QUIET).info.content_hash == before
    database.execute(
        "update likes set created_at = created_at - interval '1 microsecond' where user_id = "
        "(select user_id from likes limit 1)"
    )
    assert read_snapshot(database, QUIET).info.content_hash != before


def test_sees_one_moment_whatever_is_written_meanwhile(database_url: str, database: psycopg.Connection) -> None:
    _fill(database, users=10, videos=10, likes=50)

    class Meddler(Progress):
        """Deletes a video with its likes between the two reads."""

        def steps(self, total: int, label: str) -> Any:
            with connect(database_url) as other:
                other.execute("delete from videos where id = (select video_id from likes limit 1)")
            return super().steps(total, label)

    before = read_snapshot(database, QUIET)
    assert read_snapshot(database, Meddler(quiet=True)).info.content_hash == before.info.content_hash
    assert read_snapshot(database, QUIET).info.likes < before.info.likes


def test_reads_only_and_leaves_the_connection_as_it_was(database: psycopg.Connection) -> None:
    _fill(database, users=10, videos=10, likes=50)
    read_snapshot(database, QUIET)
    assert database.execute("show transaction_read_only").fetchone() == ("off",)
    assert database.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_every_column_of_a_video_comes_through(database: psycopg.Connection) -> None:
    _add_videos(database)
    _add_likes(database, _good_likes())
    huge = "あ" * 400_000
    database.execute(
        """
        update videos set title = %s, description = %s, genres = %s, maker = %s, performers = %s, tags = %s,
            price = 19.99, duration_seconds = 2147483647, thumbnail_url = 'https://x/y.jpg',
            published_at = '2020-02-29 12:00+09', created_at = %s where id = %s
        """,
        ['👩‍🚀\t\n\\N "x"', huge, ["ドラマ", "a,b", ""], "", ["{}", "NULL"], [], START, VIDEOS[0]],
    )
    video = read_snapshot(database, QUIET, NOW).videos.to_pylist()[sorted(map(str, VIDEOS)).index(str(VIDEOS[0]))]
    assert video == {
        "id": str(VIDEOS[0]),
        "title": '👩‍🚀\t\n\\N "x"',
        "description": huge,
        "genres": ["ドラマ", "a,b", ""],
        "maker": "",
        "performers": ["{}", "NULL"],
        "tags": [],
        "price": 19.99,
        "duration_seconds": 2147483647,
        "thumbnail_url": "https://x/y.jpg",
        "published_at": datetime(2020, 2, 29, 3, tzinfo=timezone.utc),
        "created_at": START,
    }


@pytest.mark.parametrize(
    ("price", "read"),
    [("-5", -5.0), ("'NaN'", math.nan), ("'Infinity'", math.inf), ("1e400", math.inf), ("1e-400", 0.0), ("null", None)],
)
def test_a_price_comes_through_as_it_is(database: psycopg.Connection, price: str, read: float | None) -> None:
    _add_videos(database)
    _add_likes(database, _good_likes())
    _free_videos(database)
    database.execute(f"update videos set price = {price}, duration_seconds = -7, title = null")
    videos = read_snapshot(database, QUIET, NOW).videos
    assert videos["price"].to_pylist() == pytest.approx([read] * 4, nan_ok=True)
    assert videos["duration_seconds"].to_pylist() == [-7] * 4
    assert videos["title"].to_pylist() == [None] * 4


@pytest.mark.parametrize("published", ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01", "9999-12-31 23:59:59"])
def test_a_time_beyond_the_calendar_is_none(database: psycopg.Connection, published: str) -> None:
    _add_videos(database)
    _add_likes(database, _good_likes())
    database.execute("update videos set published_at = %s", [published])
    database.execute("set timezone = 'Pacific/Kiritimati'")
    assert read_snapshot(database, QUIET, NOW).videos["published_at"].to_pylist() == [None] * 4


def test_lists_lose_their_nulls_and_nesting(database: psycopg.Connection) -> None:
    _add_videos(database)
    _add_likes(database, _good_likes())
    database.execute("update videos set genres = '{{a,null},{b,c}}', tags = '{null}'")
    videos = read_snapshot(database, QUIET, NOW).videos
    assert videos["genres"].to_pylist() == [["a", "b", "c"]] * 4
    assert videos["tags"].to_pylist() == [[]] * 4


def test_a_view_over_tables_of_other_types_is_converted(bare_database: psycopg.Connection) -> None:
    bare_database.execute(
        """
        create table films (number integer, name varchar(20), cost float8, minutes numeric, day date);
        insert into films select n, 'film ' || n, 0.1, 1.5, '2020-01-01' from generate_series(1, 5) n;
        create view training_videos as
            select md5(number::text)::uuid as id, name as title, null as description, array[name] as genres,
                null as maker, null::varchar[] as performers, '{}'::text[] as tags, cost as price,
                minutes * 60 as duration_seconds, null as thumbnail_url, day as published_at,
                day::timestamp as created_at
            from films;
        create view training_likes as
            select md5(u::text)::uuid as user_id, md5(v::text)::uuid as video_id,
                now() - u * interval '1 day' as created_at
            from generate_series(1, 3) u, generate_series(1, 4) v where u <> v;
        """
    )
    snapshot = read_snapshot(bare_database, QUIET)
    assert (snapshot.info.videos, snapshot.info.users, snapshot.info.likes) == (5, 3, 9)
    assert snapshot.videos["price"].to_pylist() == [0.1] * 5
    assert snapshot.videos["duration_seconds"].to_pylist() == [90] * 5
    assert snapshot.videos["performers"].to_pylist() == [None] * 5


def test_a_column_that_cannot_be_converted_is_told(database: psycopg.Connection) -> None:
    _add_videos(database)
    database.execute("drop view training_videos; alter table videos alter genres drop default")
    database.execute("alter table videos alter genres type jsonb using to_jsonb(genres)")
    database.execute("create view training_videos as select * from videos")
    with pytest.raises(InputError, match=r"training_videos cannot be read: cannot cast type jsonb to text\[\]"):
        read_snapshot(database, QUIET)


def test_a_video_given_twice_is_told(database: psycopg.Connection) -> None:
    _add_videos(database)
    database.execute(
        "create or replace view training_videos as select videos.id, title, description, genres, maker, performers, "
        "tags, price, duration_seconds, thumbnail_url, published_at, created_at from videos, generate_series(1, 2)"
    )
    with pytest.raises(InputError, match="twice"):
        read_snapshot(database, QUIET)


def test_an_old_schema_is_told(database: psycopg.Connection) -> None:
    database.execute("drop view training_likes")
    with pytest.raises(InputError, match="old schema: the view training_likes is missing"):
        read_snapshot(database, QUIET)


def test_memory_holds_columns_and_not_rows(database: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    likes, chunk = 100_000, 5_000
    _fill(database, users=500, videos=500, likes=likes)
    monkeypatch.setattr(copying, "_ROWS_IN_A_CHUNK", chunk)
    ids = np.array(sorted(row[0].bytes for row in database.execute("select id from videos")), dtype="S16")
    copying.copy_likes(database, ids, lambda likes: None)
    tracemalloc.start()
    try:
        assert len(copying.copy_likes(database, ids, lambda likes: None).at) == likes
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Columns of 16 bytes a like, twice while chunks are joined; and one chunk as it came, with what is made of it.
    assert peak < 32 * likes + 300 * chunk


def _fill(connection: psycopg.Connection, users: int, videos: int, likes: int) -> None:
    """A service with the numbers given, its ids made up by the server."""
    connection.execute(
        "insert into videos (id, title) select md5('v' || n)::uuid, 'video ' || n from generate_series(0, %s - 1) n",
        [videos],
    )
    connection.execute(
        """
        insert into likes select md5('u' || n %% %s)::uuid, md5('v' || n / %s)::uuid, now() - n * interval '1 minute'
        from generate_series(0, %s - 1) n
        """,
        [users, users, likes],
    )
