import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tfrs_pipeline.commands import main
from tfrs_pipeline.data import embedded

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs `db` in a project's folder of its own and gives its exit status, what it answered and what it said."""
    monkeypatch.setenv("TFRS_HOME", str(tmp_path))

    def run(*arguments: str, url: str = "") -> tuple[int, str, str]:
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setattr(sys, "argv", ["tfrs-pipeline", "db", *arguments])
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capsys.readouterr()

    yield run
    embedded.stop(tmp_path)


def test_the_embedded_server_from_start_to_stop(run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path / ".local" / "postgres")
    status, answer, _ = run("status", "--json")
    assert (status, json.loads(answer)) == (0, {"database": "embedded", "folder": folder, "running": False})
    assert list(tmp_path.iterdir()) == [], "looking starts nothing"

    status, address, _ = run("start", "--quiet")
    assert status == 0
    with psycopg.connect(address.strip()) as connection:
        assert connection.execute("select count(*) from training_videos").fetchone() == (0,)

    status, answer, _ = run("status", "--json")
    assert status == 0
    assert json.loads(answer) == {
        "database": "embedded",
        "folder": folder,
        "running": True,
        "address": address.strip(),
        "stays": True,
        "missing_migrations": [],
        "videos": 0,
        "likes": 0,
    }
    assert "stays: yes\nmissing migrations: none\nvideos: 0\n" in run("status")[1]
    assert run("migrate") == (0, "", "Nothing to apply: the database is up to date.\n")
    assert run("stop") == (0, "", "")
    assert json.loads(run("stop", "--json")[1]) == {"running": False}
    assert not embedded.status(tmp_path).running


def test_a_database_of_ones_own_is_looked_at_as_it_is(run: Run, bare_database: psycopg.Connection) -> None:
    url = make_conninfo(bare_database.info.dsn, password="hush")
    status, answer, _ = run("status", "--json", url=url)
    assert status == 0
    found = json.loads(answer)
    assert len(found["missing_migrations"]) >= 4
    assert "view training_videos is missing" in found["problem"]
    assert "videos" not in found
    assert "hush" not in answer


def test_a_database_of_ones_own_is_migrated_once(run: Run, bare_database: psycopg.Connection) -> None:
    status, answer, said = run("migrate", "--plain-postgres", "--json", url=bare_database.info.dsn)
    assert status == 0
    assert json.loads(answer)["applied"][0].endswith("_catalogue.sql")
    assert "Applied" in said
    status, answer, _ = run("migrate", "--json", url=bare_database.info.dsn)
    assert (status, json.loads(answer)) == (0, {"applied": []})


def test_a_bare_database_is_not_turned_into_supabases_unasked(run: Run, bare_database: psycopg.Connection) -> None:
    status, _, said = run("migrate", url=bare_database.info.dsn)
    assert status == 2
    assert said.startswith("Error: ")
    assert "--plain-postgres" in said
    assert bare_database.execute("select to_regclass('videos')").fetchone() == (None,)


def test_start_with_an_address_given_starts_nothing(run: Run, database_url: str, tmp_path: Path) -> None:
    status, answer, said = run("start", url=database_url)
    assert (status, answer) == (0, "")
    assert "Nothing was started" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["start", "migrate", "status"])
def test_no_server_at_the_address_is_one_sentence(run: Run, command: str, tmp_path: Path) -> None:
    status, answer, said = run(command, url="postgresql://me:hush@127.0.0.1:1/db")
    assert (status, answer) == (2, "")
    assert said.startswith("Error: No database server answers at the address in DATABASE_URL")
    assert len(said.splitlines()) == 1
    assert "hush" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [[], ["start"], ["stop"], ["migrate"], ["status"]])
def test_help_shows_an_example(run: Run, command: list[str]) -> None:
    status, answer, _ = run(*command, "--help")
    assert status == 0
    assert "Example: " in answer
