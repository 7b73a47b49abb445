"""The way in for every command that needs the database: `DATABASE_URL` if it is set, the embedded server otherwise."""

import contextlib
import os
from collections.abc import Iterator

import psycopg

from tfrs_pipeline.data.database import connect
from tfrs_pipeline.progress import Progress


@contextlib.contextmanager
def open_database(progress: Progress) -> Iterator[psycopg.Connection]:
    """Yield a connection in autocommit mode: work that belongs together goes into `with connection.transaction():`.

    With `DATABASE_URL` unset, the embedded server is started inside the project's folder and brought up to date; it
    stops again when the last command that uses it ends, unless `tfrs-pipeline db start` asked it to stay.

    Raises:
        InputError: the server cannot be started or reached.
    """
    url = os.environ.get("DATABASE_URL")
    if url:
        with connect(url) as connection:
            yield connection
        return
    from tfrs_pipeline.data import embedded, migrations

    with embedded.running(embedded.home(), progress) as url:
        with connect(url) as connection:
            migrations.migrate(connection, progress, embedded=True)
            yield connection
