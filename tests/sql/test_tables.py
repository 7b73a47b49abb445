"""What the tables of contract 1 allow, and that applying them harms nobody's data."""

import uuid

import psycopg
import pytest

from tfrs_pipeline.data.migrations import FOLDER, all_migrations, migrate
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
VECTOR = str([1.0] + [0.0] * 767)

_SWITCH = "update embedding_model_versions set is_active = %s where version = %s and model_type like %s"


def _bootstrap(connection: psycopg.Connection) -> None:
    connection.execute((FOLDER / "embedded" / "supabase.sql").read_bytes())


def _register(connection: psycopg.Connection, version: str) -> None:
    for tower in ("user_tower", "item_tower"):
        connection.execute(
            "insert into embedding_model_versions (version, model_type, model_path) values (%s, %s, 'models')",
            [version, tower],
        )


def test_every_migration_can_be_applied_twice(database: psycopg.Connection) -> None:
    database.execute("insert into videos (title) values ('kept')")
    for _ in range(2):
        _bootstrap(database)
        for migration in all_migrations():
            database.execute(migration.path.read_bytes())
    assert database.execute("select title from training_videos").fetchall() == [("kept",)]


def test_tables_and_views_that_a_service_already_has_are_left_alone(bare_database: psycopg.Connection) -> None:
    bare_database.execute(
        """
        create table videos (number bigint primary key, name text);
        create table likes (who bigint, what bigint);
        create view training_likes as select md5(who::text)::uuid as user_id, 'theirs' as note from likes;
        create view training_videos as select md5(number::text)::uuid as id from videos;
        """
    )
    migrate(bare_database, QUIET, embedded=True)
    bare_database.execute("insert into likes values (1, 2)")
    assert bare_database.execute("select note from training_likes").fetchall() == [("theirs",)]
    assert bare_database.execute(
        "select bool_or(relrowsecurity) from pg_class where oid in ('videos'::regclass, 'likes'::regclass)"
    ).fetchone() == (False,)


def test_a_vector_extension_in_another_schema_is_told_of(bare_database: psycopg.Connection) -> None:
    _bootstrap(bare_database)
    bare_database.execute("create extension vector with schema public")
    with pytest.raises(psycopg.errors.RaiseException, match="in the schema public and has to be in the schema ext"):
        bare_database.execute((FOLDER / "20250101000300_embeddings.sql").read_bytes())


@pytest.mark.parametrize(
    ("column", "value"),
    [("price", "-1"), ("price", "'NaN'"), ("price", "'Infinity'"), ("duration_seconds", "-1"), ("title", "null")],
)
def test_a_video_that_cannot_be_right_is_refused(database: psycopg.Connection, column: str, value: str) -> None:
    with pytest.raises(psycopg.IntegrityError):
        database.execute(f"insert into videos (title) values ('x'); update videos set {column} = {value}")


def test_a_like_needs_its_video_and_goes_with_it(database: psycopg.Connection) -> None:
    video, user = uuid.uuid4(), uuid.uuid4()
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.execute("insert into likes values (%s, %s)", [user, video])
    database.execute("insert into videos (id, title) values (%s, 'x')", [video])
    database.execute("insert into likes values (%s, %s)", [user, video])
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute("insert into likes values (%s, %s)", [user, video])
    database.execute("delete from videos")
    assert database.execute("select count(*) from likes").fetchone() == (0,)


def test_at_most_one_version_is_active(database: psycopg.Connection) -> None:
    _register(database, "1")
    _register(database, "2")
    database.execute(_SWITCH, [True, "1", "%"])
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute(_SWITCH, [True, "2", "%"])
    with database.transaction():
        database.execute(_SWITCH, [False, "1", "%"])
        database.execute(_SWITCH, [True, "2", "%"])
    assert database.execute("select distinct version from embedding_model_versions where is_active").fetchall() == [
        ("2",)
    ]


def test_the_towers_of_a_version_are_switched_together(database: psycopg.Connection) -> None:
    _register(database, "1")
    _register(database, "2")
    with pytest.raises(psycopg.errors.CheckViolation, match="both towers"):
        database.execute(_SWITCH, [True, "1", "user_tower"])
    with pytest.raises(psycopg.errors.CheckViolation, match="both towers"):
        database.execute(
            "update embedding_model_versions set is_active = (version = '1') = (model_type = 'user_tower')"
        )


def test_a_vector_has_768_numbers_and_a_version_that_is_registered(database: psycopg.Connection) -> None:
    insert = "insert into video_embeddings (video_id, version, embedding) values (%s, %s, %s)"
    _register(database, "1")
    with pytest.raises(psycopg.DataError, match="expected 768 dimensions"):
        database.execute(insert, [uuid.uuid4(), "1", "[1,0]"])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        database.execute(insert, [uuid.uuid4(), "2", VECTOR])
    database.execute(insert, [uuid.uuid4(), "1", VECTOR])
    database.execute("delete from embedding_model_versions")
    assert database.execute("select count(*) from video_embeddings").fetchone() == (0,)


def test_a_deleted_account_takes_its_likes_and_vectors_along(bare_database: psycopg.Connection) -> None:
    _bootstrap(bare_database)
    bare_database.execute("create table auth.users (id uuid primary key)")
    migrate(bare_database, QUIET)
    leaving, staying, video = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    bare_database.execute("insert into auth.users values (%s), (%s)", [leaving, staying])
    bare_database.execute("insert into videos (id, title) values (%s, 'x')", [video])
    _register(bare_database, "1")
    for user in (leaving, staying):
        bare_database.execute("insert into likes values (%s, %s)", [user, video])
        bare_database.execute(
            "insert into user_embeddings (user_id, version, embedding) values (%s, '1', %s)", [user, VECTOR]
        )
    bare_database.execute("delete from auth.users where id = %s", [leaving])
    assert bare_database.execute("select user_id from likes").fetchall() == [(staying,)]
    assert bare_database.execute("select user_id from user_embeddings").fetchall() == [(staying,)]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("select video_id from likes where user_id = {} order by created_at desc limit 50", "likes_user_id_created_at"),
        ("select count(*) from likes where video_id = {}", "likes_video_id_idx"),
    ],
)
def test_training_and_serving_find_likes_by_an_index(database: psycopg.Connection, query: str, index: str) -> None:
    for other_way in ("seqscan", "bitmapscan", "sort"):
        database.execute(f"set enable_{other_way} = off")
    plan = "\n".join(row[0] for row in database.execute("explain " + query.format(f"'{uuid.uuid4()}'")))
    assert index in plan
    assert "Sort" not in plan
