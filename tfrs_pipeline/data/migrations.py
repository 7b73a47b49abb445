"""Bringing a database up to the tables in `sql/`.

What has been applied is written where the Supabase CLI writes it, so `supabase db push` and this agree.
"""

from dataclasses import dataclass
from pathlib import Path

import psycopg

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

FOLDER = Path(__file__).parents[2] / "sql"

# Any number will do that nothing else in a database uses: two migrators of one database wait for each other.
_LOCK = 7_305_441_906

_HISTORY = """
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (version text primary key);
    alter table supabase_migrations.schema_migrations add column if not exists statements text[];
    alter table supabase_migrations.schema_migrations add column if not exists name text;
"""


@dataclass(frozen=True)
class Migration:
    """One file of `sql/`: `<version>_<name>.sql`."""

    version: str
    name: str
    path: Path


def all_migrations(folder: Path = FOLDER) -> list[Migration]:
    """Every migration there is, in the order in which they are applied.

    Raises:
        InputError: the folder is not there.
    """
    migrations = []
    for path in sorted(folder.glob("[0-9]*_*.sql")):
        version, _, name = path.stem.partition("_")
        migrations.append(Migration(version, name, path))
    if not migrations:
        raise InputError(
            f"There are no migrations in {folder}. Run from a checkout of the repository, installed with -e."
        )
    return migrations


def missing_migrations(connection: psycopg.Connection, folder: Path = FOLDER) -> list[Migration]:
    """The migrations that this database has not seen."""
    if connection.execute("select to_regclass('supabase_migrations.schema_migrations')").fetchone() == (None,):
        return all_migrations(folder)
    applied = {row[0] for row in connection.execute("select version from supabase_migrations.schema_migrations")}
    return [migration for migration in all_migrations(folder) if migration.version not in applied]


def migrate(
    connection: psycopg.Connection, progress: Progress, embedded: bool = False, folder: Path = FOLDER
) -> list[Migration]:
    """Apply what is missing, each migration in a transaction of its own; return what was applied.

    Args:
        embedded: the database is a bare Postgres: first give it what Supabase would bring (roles, `auth.uid()`).

    Raises:
        InputError: a migration failed, and nothing of it was applied.
    """
    missing = missing_migrations(connection, folder)
    if not missing:
        return []
    if embedded:
        for path in sorted((folder / "embedded").glob("*.sql")):
            _apply(connection, path, path.read_text())
    _apply(connection, folder, _HISTORY)
    applied = []
    for migration in missing:
        if _apply(connection, migration.path, migration.path.read_text(), migration):
            progress.say(f"Applied {migration.path.name}.")
            applied.append(migration)
    return applied


def _apply(connection: psycopg.Connection, path: Path, sql: str, migration: Migration | None = None) -> bool:
    """Run the statements in one transaction and write the migration down; False if another migrator was faster."""
    history = "supabase_migrations.schema_migrations"
    try:
        with connection.transaction():
            # Held to the end of the transaction rather than of the session: poolers hand sessions around.
            connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
            # Waiting for the lock does not tell this session of what its holder made; opening a table does. Without it
            # `create schema if not exists` may still believe what it knew before and fail.
            connection.execute("select from pg_catalog.pg_namespace limit 0")
            if migration is not None:
                seen = connection.execute(f"select from {history} where version = %s", [migration.version])
                if seen.fetchone() is not None:
                    return False
            connection.execute(sql.encode())
            if migration is not None:
                connection.execute(
                    f"insert into {history} (version, name, statements) values (%s, %s, %s)",
                    [migration.version, migration.name, [sql]],
                )
    except psycopg.Error as error:
        raise InputError(_explain(error, path)) from error
    return True


def _explain(error: psycopg.Error, path: Path) -> str:
    said = (error.diag.message_primary or str(error)).strip().rstrip(".")
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"{path.name} may not be applied: {said}. Connect as the owner of the database."
    if isinstance(error, (psycopg.errors.UndefinedObject, psycopg.errors.InvalidSchemaName)):
        return (
            f"{path.name} could not be applied: {said}, so this is no Supabase database. "
            "`tfrs-pipeline db migrate --plain-postgres` makes first what Supabase would bring."
        )
    hint = f" {error.diag.message_hint}" if error.diag.message_hint else ""
    return f"{path.name} could not be applied, and nothing of it was: {said}.{hint}"
