"""The way in for every command that needs the database: `DATABASE_URL` if it is set, the embedded server otherwise."""

import contextlib
import os
from collections.abc import Iterator

import psycopg

from tfrs_pipeline.data import embedded
from tfrs_pipeline.data.database import connect, sentences
from tfrs_pipeline.data.migrations import migrate
from tfrs_pipeline.progress import Progress


@contextlib.contextmanager
def open_database(progress: Progress, migrated: bool = True) -> Iterator[psycopg.Connection]:
    """Yield a connection in autocommit mode: work that belongs together goes into `with connection.transaction():`.

    With `DATABASE_URL` unset, the embedded server is started inside the project's folder and brought up to date; it
    stops again when the last command that uses it ends, unless `tfrs-pipeline db start` asked it to stay.

    Args:
        migrated: bring an embedded database up to date first.

    Raises:
        InputError: the server cannot be started or reached, or what it refuses while the block runs (a full disk, a
            lost connection, a missing right) can be said in a sentence.
    """
    with contextlib.ExitStack() as stack:
        given = given_url()
        url = given or stack.enter_context(embedded.running(embedded.home(), progress))
        connection = stack.enter_context(connect(url))
        stack.enter_context(sentences())
        if migrated and not given:
            migrate(connection, progress, embedded=True)
        yield connection


def given_url() -> str | None:
    """`DATABASE_URL`, or None where it is unset or empty."""
    return os.environ.get("DATABASE_URL") or None
