import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from tfrs_pipeline.data.reading import read_snapshot
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


def _free_likes(connection: psycopg.Connection) -> None:
    """Let the view give anything, as it may over tables of a service's own."""
    connection.execute("drop view training_likes; drop table likes cascade")
    connection.execute("create table likes (user_id uuid, video_id uuid, created_at timestamptz)")
    connection.execute("create view training_likes as select * from likes")


def _good_likes() -> list[Row]:
    return [
        (USERS[0], VIDEOS[0], START + timedelta(hours=3)),
        (USERS[0], VIDEOS[1], START + timedelta(hours=1)),
        (USERS[1], VIDEOS[1], START),
        (USERS[3], VIDEOS[2], START + timedelta(microseconds=1)),
    ]


_WRONG: dict[str, tuple[Row, str]] = {
    "unknown_video": ((USERS[0], _id(99), START), "1 like of videos that training_videos does not have"),
    "in_the_future": ((USERS[0], VIDEOS[3], NOW + timedelta(microseconds=1)), "1 like dated after now, which is 2024-"),
    "no_time": ((USERS[0], VIDEOS[3], None), "1 like without a time"),
    "no_user": ((None, VIDEOS[3], START), "1 like without a user"),
    "duplicate": ((USERS[0], VIDEOS[1], START + timedelta(days=1)), "1 like given again"),
}


@pytest.mark.parametrize("reason", _WRONG)
def test_a_like_that_cannot_be_right_is_left_out_and_told(
    database: psycopg.Connection, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _free_likes(database)
    _add_videos(database)
    _add_likes(database, _good_likes())
    clean = read_snapshot(database, QUIET, NOW)
    assert capsys.readouterr().err == ""
    row, sentence = _WRONG[reason]
    _add_likes(database, [row])
    snapshot = read_snapshot(database, QUIET, NOW)
    assert snapshot.info.left_out == {reason: 1}
    assert snapshot.info.content_hash == clean.info.content_hash
    assert f"Warning: Left out {sentence}" in capsys.readouterr().err
    with pytest.raises(InputError, match=f"not clean. There are {sentence}"):
        read_snapshot(database, QUIET, NOW, strict=True)


def test_likes_at_the_ends_of_time_are_left_out(database: psycopg.Connection) -> None:
    _free_likes(database)
    _add_videos(database)
    times = ("infinity", "-infinity", "294000-01-01")
    _add_likes(database, [*_good_likes(), *((USERS[2], VIDEOS[3], at) for at in times), (USERS[2], None, START)])
    snapshot = read_snapshot(database, QUIET, NOW)
    assert snapshot.info.left_out == {"unknown_video": 1, "no_time": 1, "in_the_future": 2}
    assert str(USERS[2]) not in snapshot.users


def test_a_like_given_just_before_the_read_is_not_in_the_future(database: psycopg.Connection) -> None:
    _add_videos(database)
    _add_likes(database, _good_likes())
    database.execute("insert into likes values (%s, %s, clock_timestamp())", [USERS[2], VIDEOS[2]])
    assert read_snapshot(database, QUIET).info.left_out == {}


def test_no_videos_is_told(database: psycopg.Connection) -> None:
    with pytest.raises(InputError, match="There are no videos"):
        read_snapshot(database, QUIET)


def test_no_likes_is_told(database: psycopg.Connection) -> None:
    _add_videos(database)
    with pytest.raises(InputError, match="There are no likes"):
        read_snapshot(database, QUIET)


def test_no_like_that_can_be_used_is_told(database: psycopg.Connection) -> None:
    _free_likes(database)
    _add_videos(database)
    _add_likes(database, [(USERS[0], _id(99), START), (USERS[1], None, None)])
    with pytest.raises(InputError, match="There are no likes"):
        read_snapshot(database, QUIET)


def test_one_user_is_told(database: psycopg.Connection) -> None:
    _add_videos(database)
    _add_likes(database, _good_likes()[:2])
    with pytest.raises(InputError, match="All likes are of one user"):
        read_snapshot(database, QUIET)


def test_every_video_liked_by_everyone_is_told(database: psycopg.Connection) -> None:
    _add_videos(database)
    _add_likes(
        database,
        [
            (user, video, START + timedelta(minutes=10 * i + j))
            for i, user in enumerate(USERS)
            for j, video in enumerate(VIDEOS)
        ],
    )
    with pytest.raises(InputError, match="Every video is liked by everyone"):
        read_snapshot(database, QUIET)


def test_equal_times_are_told(database: psycopg.Connection) -> None:
    _add_videos(database)
    _add_likes(database, [(user, video, START) for user, video, _ in _good_likes()])
    with pytest.raises(InputError, match="All likes have the same time"):
        read_snapshot(database, QUIET)
