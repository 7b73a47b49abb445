from pathlib import Path

import psycopg
import pytest

from tfrs_pipeline.data import embedded
from tfrs_pipeline.data.opening import open_database
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)


def test_starts_and_migrates_where_no_address_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    with open_database(QUIET) as connection:
        assert connection.execute("select count(*) from training_likes").fetchone() == (0,)
    assert not embedded.status(tmp_path).running


def test_takes_the_address_that_is_given(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    with open_database(QUIET) as connection:
        assert connection.info.dbname.startswith("test_")
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_while_it_is_open_is_a_sentence(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    with pytest.raises(InputError, match="connection to the database was lost"), open_database(QUIET) as connection:
        _cut_off(connection)


def _cut_off(connection: psycopg.Connection) -> None:
    connection.execute("select pg_terminate_backend(pg_backend_pid())")
