"""What an intruder can reach: the roles and claims that Supabase's API sets for a request, on the real tables."""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest

from tfrs_pipeline.data.database import connect

OWNER, INTRUDER = uuid.uuid4(), uuid.uuid4()
VIDEO, OTHER_VIDEO = uuid.uuid4(), uuid.uuid4()
VECTOR = str([1.0] + [0.0] * 767)

_PRIVATE = ("embedding_model_versions", "feature_importance", "video_embeddings", "training_videos", "training_likes")
_TABLES = (*_PRIVATE, "videos", "likes", "user_embeddings")


@pytest.fixture(scope="module")
def filled(new_database: Callable[[str], contextlib.AbstractContextManager[str]]) -> Iterator[psycopg.Connection]:
    """A database in which one user has liked a video and has a vector."""
    with new_database("migrated") as url, connect(url) as connection:
        _fill(connection)
        yield connection


@pytest.fixture
def service(filled: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """The same, and all that a test does to it, the roles it takes included, is undone."""
    with filled.transaction(force_rollback=True):
        yield filled


def _fill(database: psycopg.Connection) -> None:
    database.execute("insert into videos (id, title) values (%s, 'one'), (%s, 'two')", [VIDEO, OTHER_VIDEO])
    database.execute("insert into likes values (%s, %s)", [OWNER, VIDEO])
    for tower in ("user_tower", "item_tower"):
        row = database.execute(
            "insert into embedding_model_versions (version, model_type, model_path) values ('1', %s, '') returning id",
            [tower],
        ).fetchone()
    database.execute(
        "insert into feature_importance (model_version_id, feature_name, importance_score) values (%s, 'genre', 1)", row
    )
    database.execute(
        "insert into video_embeddings (video_id, version, embedding) values (%s, '1', %s)", [VIDEO, VECTOR]
    )
    database.execute("insert into user_embeddings (user_id, version, embedding) values (%s, '1', %s)", [OWNER, VECTOR])


@pytest.fixture
def as_anon(service: psycopg.Connection) -> psycopg.Connection:
    service.execute("set role anon")
    return service


@pytest.fixture
def as_intruder(service: psycopg.Connection) -> psycopg.Connection:
    _become(service, INTRUDER)
    return service


@pytest.fixture
def as_owner(service: psycopg.Connection) -> psycopg.Connection:
    _become(service, OWNER)
    return service


def _become(connection: psycopg.Connection, user: uuid.UUID) -> None:
    claims = json.dumps({"sub": str(user), "role": "authenticated"})
    connection.execute("select set_config('request.jwt.claims', %s, false)", [claims])
    connection.execute("set role authenticated")


def _is_refused(connection: psycopg.Connection, statement: str, *values: object) -> bool:
    try:
        with connection.transaction():
            connection.execute(statement, values)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


def test_every_table_has_row_level_security(service: psycopg.Connection) -> None:
    without = service.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' "
        "and not relrowsecurity"
    )
    assert without.fetchall() == []


@pytest.mark.parametrize("table", [*_PRIVATE, "likes", "user_embeddings"])
def test_without_a_token_nothing_but_videos_is_readable(as_anon: psycopg.Connection, table: str) -> None:
    assert _is_refused(as_anon, f"select * from {table}")


def test_without_a_token_videos_are_readable(as_anon: psycopg.Connection) -> None:
    assert as_anon.execute("select count(*) from videos").fetchone() == (2,)


@pytest.mark.parametrize("table", _PRIVATE)
def test_a_user_reads_nothing_that_is_the_service_roles(as_intruder: psycopg.Connection, table: str) -> None:
    assert _is_refused(as_intruder, f"select * from {table}")


@pytest.mark.parametrize("table", ["likes", "user_embeddings"])
def test_a_user_sees_no_rows_of_another(as_intruder: psycopg.Connection, table: str) -> None:
    assert as_intruder.execute(f"select count(*) from {table}").fetchone() == (0,)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize("table", [table for table in _TABLES if table != "likes"])
@pytest.mark.parametrize("statement", ["insert into {} default values", "delete from {}"])
def test_nobody_but_the_service_role_writes(service: psycopg.Connection, role: str, table: str, statement: str) -> None:
    service.execute(f"set role {role}")
    assert _is_refused(service, statement.format(table))


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_nobody_changes_a_like_or_empties_the_table(service: psycopg.Connection, role: str) -> None:
    service.execute(f"set role {role}")
    assert _is_refused(service, "update likes set created_at = now()")
    assert _is_refused(service, "truncate likes")


def test_nobody_updates_a_vector_or_a_version(as_owner: psycopg.Connection) -> None:
    assert _is_refused(as_owner, "update user_embeddings set updated_at = now()")
    assert _is_refused(as_owner, "update embedding_model_versions set is_active = true")
    assert _is_refused(as_owner, "update videos set price = 0")
    assert _is_refused(as_owner, "truncate videos")


def test_a_user_likes_only_as_themselves(as_intruder: psycopg.Connection) -> None:
    like = "insert into likes (user_id, video_id) values (%s, %s)"
    assert _is_refused(as_intruder, like, OWNER, OTHER_VIDEO)
    assert not _is_refused(as_intruder, like, INTRUDER, OTHER_VIDEO)
    assert not _is_refused(as_intruder, "insert into likes (video_id) values (%s)", VIDEO)
    assert as_intruder.execute("select user_id from likes").fetchall() == [(INTRUDER,), (INTRUDER,)]


def test_a_user_cannot_date_a_like(as_intruder: psycopg.Connection) -> None:
    assert _is_refused(as_intruder, "insert into likes values (%s, %s, '2000-01-01')", INTRUDER, VIDEO)


def test_a_user_takes_back_only_their_own_like(as_intruder: psycopg.Connection) -> None:
    assert as_intruder.execute("delete from likes").rowcount == 0
    _become(as_intruder, OWNER)
    assert as_intruder.execute("delete from likes").rowcount == 1


def test_a_user_reads_their_own_vector(as_owner: psycopg.Connection) -> None:
    assert as_owner.execute("select user_id from user_embeddings").fetchall() == [(OWNER,)]


def test_a_token_without_a_user_sees_nothing(service: psycopg.Connection) -> None:
    service.execute("select set_config('request.jwt.claims', '{\"role\": \"authenticated\"}', false)")
    service.execute("set role authenticated")
    assert service.execute("select count(*) from likes").fetchone() == (0,)
    assert _is_refused(service, "insert into likes (user_id, video_id) values (%s, %s)", INTRUDER, OTHER_VIDEO)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_the_triggers_functions_cannot_be_called(service: psycopg.Connection, role: str) -> None:
    functions = service.execute(
        "select oid::regprocedure::text from pg_proc where pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert functions
    for (function,) in functions:
        allowed = service.execute("select has_function_privilege(%s, %s, 'execute')", [role, function]).fetchone()
        assert allowed == (False,), function


def test_the_service_role_reads_and_writes_all(service: psycopg.Connection) -> None:
    service.execute("set role service_role")
    for table in _TABLES:
        assert service.execute(f"select count(*) from {table}").fetchone() != (0,)
    service.execute("update embedding_model_versions set is_active = true")
    service.execute("delete from videos")
    assert service.execute("select count(*) from likes").fetchone() == (0,)
