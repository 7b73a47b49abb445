import shutil
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from tfrs_pipeline.data import embedded
from tfrs_pipeline.data.database import check_schema, connect
from tfrs_pipeline.data.migrations import FOLDER, all_migrations, migrate, missing_migrations
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)


def test_applies_everything_once(bare_database: psycopg.Connection) -> None:
    assert migrate(bare_database, QUIET, embedded=True) == all_migrations()
    assert migrate(bare_database, QUIET, embedded=True) == []
    check_schema(bare_database)


def test_writes_down_what_it_applied_where_the_supabase_cli_looks(bare_database: psycopg.Connection) -> None:
    migrate(bare_database, QUIET, embedded=True)
    rows = bare_database.execute(
        "select version, name, statements from supabase_migrations.schema_migrations order by version"
    ).fetchall()
    assert rows == [(one.version, one.name, [one.path.read_text()]) for one in all_migrations()]


def test_goes_on_from_what_the_supabase_cli_applied(bare_database: psycopg.Connection) -> None:
    first = all_migrations()[0]
    bare_database.execute((FOLDER / "embedded" / "supabase.sql").read_bytes())
    bare_database.execute(first.path.read_bytes())
    # The table as the first releases of the CLI made it.
    bare_database.execute("create schema supabase_migrations")
    bare_database.execute("create table supabase_migrations.schema_migrations (version text primary key)")
    bare_database.execute("insert into supabase_migrations.schema_migrations values (%s)", [first.version])
    assert migrate(bare_database, QUIET) == all_migrations()[1:]


def test_names_are_those_of_the_supabase_cli() -> None:
    assert (FOLDER.parent / "supabase" / "migrations").resolve() == FOLDER
    for migration in all_migrations():
        assert len(migration.version) == 14
        assert migration.version.isdigit()


def test_two_migrators_do_not_collide(
    new_database: Callable[[str], AbstractContextManager[str]],
) -> None:
    with new_database("template0") as url:
        applied, failures = [], []

        def run() -> None:
            try:
                with connect(url) as connection:
                    applied.extend(migrate(connection, QUIET, embedded=True))
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert sorted(one.version for one in applied) == [one.version for one in all_migrations()]


def test_a_migration_that_fails_leaves_nothing_and_those_before_it_stand(
    database: psycopg.Connection, tmp_path: Path
) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "sql")
    (folder / "29990101000000_good.sql").write_text("create table good (id integer);")
    (folder / "29990101000001_bad.sql").write_text("create table half (id integer); select 1 / 0;")
    with pytest.raises(InputError, match=r"29990101000001_bad\.sql could not be applied.*division by zero"):
        migrate(database, QUIET, folder=folder)
    assert database.execute("select to_regclass('good')::text, to_regclass('half')").fetchone() == ("good", None)
    assert [one.name for one in missing_migrations(database, folder)] == ["bad"]


def test_says_what_to_do_about_a_database_that_is_not_supabases(bare_database: psycopg.Connection) -> None:
    # The roles belong to the whole server, and the tests' server has them: the first thing missing is auth.uid().
    with pytest.raises(InputError, match=r"no Supabase database.*--plain-postgres"):
        migrate(bare_database, QUIET)


def test_says_who_may_migrate(database: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "29990101000000_more.sql").write_text("create table public.more (id integer);")
    database.execute("grant usage on schema supabase_migrations to service_role")
    database.execute("grant all on all tables in schema supabase_migrations to service_role")
    database.execute("set role service_role")
    with pytest.raises(InputError, match="owner of the database"):
        migrate(database, QUIET, folder=tmp_path)


def test_an_empty_folder_is_not_taken_for_an_up_to_date_database(database: psycopg.Connection, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no migrations in"):
        migrate(database, QUIET, folder=tmp_path)


def test_postgres_16_takes_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVER_POSTGRES_VERSION", "16")
    with embedded.running(tmp_path, QUIET) as url, connect(url) as connection:
        assert connection.info.server_version // 10000 == 16
        migrate(connection, QUIET, embedded=True)
        check_schema(connection)
