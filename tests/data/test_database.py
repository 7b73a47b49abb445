import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tfrs_pipeline.data.database import check_schema, check_training_views, connect, redact, sentences
from tfrs_pipeline.errors import InputError


def _refusal(url: str) -> str:
    with pytest.raises(InputError) as refused:
        connect(url)
    # Nor may a traceback tell what the sentence does not.
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    return str(refused.value)


@pytest.fixture
def guarded(postgres: str, password: str) -> str:
    """The address of a user who has to give the password, and gives it."""
    return make_conninfo(postgres, user="guarded", password=password)


def test_connects_and_begins_no_transaction(database: psycopg.Connection) -> None:
    database.execute("select 1")
    assert database.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_the_right_password_opens(guarded: str) -> None:
    with connect(guarded) as connection:
        assert connection.execute("select current_user").fetchone() == ("guarded",)


def test_a_wrong_password_is_told_and_not_shown(guarded: str) -> None:
    said = _refusal(make_conninfo(guarded, password="open-sesame"))
    assert "refused the password" in said
    assert "user guarded" in said
    assert "open-sesame" not in said


def test_a_missing_password_is_told(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert "has none" in _refusal(make_conninfo(postgres, user="guarded"))


def test_an_unknown_user_is_told(postgres: str) -> None:
    assert "does not know the user" in _refusal(make_conninfo(postgres, user="nobody_here"))


def test_a_missing_database_is_told(postgres: str) -> None:
    said = _refusal(make_conninfo(postgres, dbname="no_such_database"))
    assert "no such database" in said
    assert "no_such_database" in said


@pytest.mark.parametrize("address", ["postgresql://me:hush@127.0.0.1:1/db", "postgresql://me:hush@/db?host=/nowhere"])
def test_no_server_is_told(address: str) -> None:
    said = _refusal(address)
    assert "No database server answers" in said
    assert "hush" not in said


def test_an_unknown_host_is_told() -> None:
    said = _refusal("postgresql://me:hush@no-such-host.invalid:5432/db")
    assert "no-such-host.invalid:5432" in said
    assert "not known" in said
    assert "hush" not in said


@pytest.mark.parametrize(
    "address",
    [
        "mysql://me:hush@host/db",
        "hush",
        "postgresql://me:hush@host:port/db",
        "postgresql://me:hu%ZZsh@host/db",
        "postgresql://me:a@hush@127.0.0.1:1/db",
        "postgresql://me:12/hush@127.0.0.1:1/db",
        "postgresql://me:a?hush@127.0.0.1:1/db",
        "postgresql://me:a#hush@127.0.0.1:1/db",
    ],
)
def test_an_address_that_makes_no_sense_is_told_without_a_piece_of_the_password(address: str) -> None:
    said = _refusal(address)
    assert "DATABASE_URL" in said
    assert "hush" not in said
    assert "hush" not in redact(address)


def test_an_address_is_shown_without_its_password(guarded: str, password: str) -> None:
    shown = redact(guarded)
    assert "guarded" in shown
    assert password not in shown
    assert str(conninfo_to_dict(guarded)["password"]) not in shown


def test_a_whole_schema_passes(database: psycopg.Connection) -> None:
    check_schema(database)


def test_an_empty_database_has_an_old_schema(bare_database: psycopg.Connection) -> None:
    with pytest.raises(InputError, match=r"old schema.*_catalogue\.sql.*db migrate"):
        check_schema(bare_database)


def test_a_migration_that_is_missing_is_named(database: psycopg.Connection) -> None:
    database.execute("delete from supabase_migrations.schema_migrations where name = 'embeddings'")
    with pytest.raises(InputError, match=r"lacks 20250101000300_embeddings\.sql"):
        check_schema(database)


@pytest.mark.parametrize("view", ["training_videos", "training_likes"])
def test_a_view_that_is_missing_is_named(database: psycopg.Connection, view: str) -> None:
    database.execute(f"drop view {view}")
    with pytest.raises(InputError, match=f"old schema: the view {view} is missing"):
        check_schema(database)


def test_columns_that_are_missing_are_named(database: psycopg.Connection) -> None:
    database.execute("drop view training_videos; create view training_videos as select id, title from videos")
    with pytest.raises(InputError, match="training_videos lacks description, genres, maker"):
        check_training_views(database)


def test_an_id_that_is_no_uuid_is_told(database: psycopg.Connection) -> None:
    database.execute("drop view training_likes")
    database.execute("create view training_likes as select user_id::text, video_id, created_at from likes")
    with pytest.raises(InputError, match=r"training_likes\.user_id is text and has to be uuid"):
        check_training_views(database)


def test_two_views_of_somebodys_own_are_enough_for_reading(bare_database: psycopg.Connection) -> None:
    bare_database.execute(
        """
        create table films (number integer, name text);
        create view training_videos as
            select md5(number::text)::uuid as id, name as title, null as description, null::text[] as genres,
                null as maker, null::text[] as performers, null::text[] as tags, 1.5::float8 as price,
                10 as duration_seconds, null as thumbnail_url, date '2020-01-01' as published_at, now() as created_at
            from films;
        create view training_likes as
            select gen_random_uuid() as user_id, gen_random_uuid() as video_id, now() as created_at;
        """
    )
    check_training_views(bare_database)


@pytest.fixture
def interrupted(database_url: str, database: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A connection that the server ends."""
    connection = connect(database_url)
    database.execute("select pg_terminate_backend(%s)", [connection.info.backend_pid])
    yield connection
    connection.close()


def test_a_lost_connection_is_told(interrupted: psycopg.Connection) -> None:
    with pytest.raises(InputError, match="connection to the database was lost"), sentences():
        interrupted.execute("select 1")


def test_a_time_limit_is_told(database: psycopg.Connection) -> None:
    database.execute("set statement_timeout = '20ms'")
    with pytest.raises(InputError, match=r"gave up.*statement timeout"), sentences():
        database.execute("select pg_sleep(5)")


def test_a_missing_right_is_told(database: psycopg.Connection) -> None:
    database.execute("set role anon")
    with pytest.raises(InputError, match="permission denied for view training_likes"), sentences():
        database.execute("select * from training_likes")


def test_a_mistake_of_ours_is_not_hidden(database: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), sentences():
        database.execute(f'select * from "{uuid.uuid4()}"')
