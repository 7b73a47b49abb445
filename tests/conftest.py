"""One embedded Postgres for the whole run of the tests, and a database of its own for each test that asks."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tfrs_pipeline.data import embedded
from tfrs_pipeline.data.database import connect
from tfrs_pipeline.data.migrations import migrate
from tfrs_pipeline.progress import Progress

_PASSWORD = "a b@c/d:e%f"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server; it stops when the tests end, however they end."""
    project = tmp_path_factory.mktemp("postgres")
    with embedded.running(project, Progress(quiet=True)) as url:
        with connect(url) as connection:
            connection.execute("alter system set fsync = off")  # Nobody will miss these rows after a power cut.
            connection.execute("create database migrated")
            # Everybody is trusted on this server but one, who needs the password.
            connection.execute(f"create role guarded login password '{_PASSWORD}'")
            rules = Path(connection.execute("show hba_file").fetchone()[0])
            rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
            connection.execute("select pg_reload_conf()")
        with connect(make_conninfo(url, dbname="migrated")) as connection:
            migrate(connection, Progress(quiet=True), embedded=True)
        yield url


@pytest.fixture(scope="session")
def password() -> str:
    """The password of the server's user `guarded`."""
    return _PASSWORD


@pytest.fixture(scope="session")
def new_database(postgres: str) -> Callable[[str], contextlib.AbstractContextManager[str]]:
    """Makes a database like the named one (`migrated`, or `template0` for a bare one) for the length of a block."""
    numbers = itertools.count()

    @contextlib.contextmanager
    def made(template: str) -> Iterator[str]:
        name = f"test_{next(numbers)}"
        with connect(postgres) as connection:
            # Copied file by file: quicker for a small database than through the log.
            connection.execute(f"create database {name} template {template} strategy file_copy")
            yield make_conninfo(postgres, dbname=name)
            connection.execute(f"drop database {name} with (force)")

    return made


@pytest.fixture
def database_url(new_database: Callable[[str], contextlib.AbstractContextManager[str]]) -> Iterator[str]:
    """The address of a fresh database with all tables and no rows."""
    with new_database("migrated") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[psycopg.Connection]:
    """A connection, as its owner, to a fresh database with all tables and no rows."""
    with connect(database_url) as connection:
        yield connection


@pytest.fixture
def bare_database(
    new_database: Callable[[str], contextlib.AbstractContextManager[str]],
) -> Iterator[psycopg.Connection]:
    """A connection to a database in which there is nothing."""
    with new_database("template0") as url, connect(url) as connection:
        yield connection
