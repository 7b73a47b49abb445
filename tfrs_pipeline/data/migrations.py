"""Bringing a database up to the tables in `sql/`."""

from pathlib import Path

import psycopg

from tfrs_pipeline.progress import Progress

FOLDER = Path(__file__).parents[2] / "sql"


def migrate(connection: psycopg.Connection, progress: Progress, embedded: bool = False) -> list[str]:
    """Apply every migration in the order of its version."""
    applied = []
    if embedded:
        for file in sorted((FOLDER / "embedded").glob("*.sql")):
            connection.execute(file.read_text())
    for file in sorted(FOLDER.glob("*.sql")):
        with connection.transaction():
            connection.execute(file.read_text())
        applied.append(file.stem)
    return applied
