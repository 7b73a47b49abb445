import json
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tfrs_pipeline.commands import main

SMALL = ("--videos", "60", "--users", "30", "--likes", "300")
MOVIES = "movieId,title,genres\n1,Toy Story (1995),Comedy\n2,夜 😂,Drama\n"
RATINGS = "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.0,964982704\n2,2,4.5,964982705\n"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str) -> Run:
    """Run `tfrs-pipeline import` with arguments: exit status, standard output and standard error."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tfrs-pipeline", "import", *arguments])
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def movielens(tmp_path: Path) -> Path:
    (tmp_path / "movies.csv").write_text(MOVIES, "utf-8")
    (tmp_path / "ratings.csv").write_text(RATINGS, "utf-8")
    return tmp_path


def held(database: psycopg.Connection) -> tuple[int, int]:
    return database.execute("select (select count(*) from videos), (select count(*) from likes)").fetchone()


def test_imports_a_data_set_and_says_what_there_is(run: Run, movielens: Path, database: psycopg.Connection) -> None:
    status, out, err = run("movielens", str(movielens))
    assert status == 0
    assert out == "2 videos and 2 likes of 2 users are in the database.\n"
    assert "3 ratings, 2 of them likes, of 2 movies." in err
    assert held(database) == (2, 2)


def test_quiet_and_json(run: Run, movielens: Path) -> None:
    status, out, err = run("movielens", str(movielens), "--json", "--quiet")
    assert (status, err) == (0, "")
    assert json.loads(out) == {"videos": 2, "users": 2, "likes": 2, "removed_likes": 0}


def test_another_threshold_replaces_the_likes(run: Run, movielens: Path, database: psycopg.Connection) -> None:
    run("movielens", str(movielens))
    status, _, err = run("movielens", str(movielens), "--likes-from", "4.5")
    assert status == 0
    assert "Removed 1 likes" in err
    assert held(database) == (2, 1)


def test_warns_of_likes_that_are_there_already(run: Run, movielens: Path) -> None:
    run("demo", *SMALL)
    status, _, err = run("movielens", str(movielens), "--quiet")
    assert status == 0
    assert err == "Warning: The database also holds 300 likes of other sources; a model learns from all of them.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--likes-from", "7"], "Error: --likes-from is 7. It has to be a rating, 0.5 to 5.\n"),
        (["--likes-from", "many"], "Invalid value for '--likes-from'"),
        (["--metadata", "nothing.csv"], "lacks links.csv"),
    ],
)
def test_a_fault_is_a_sentence_and_changes_nothing(
    run: Run, movielens: Path, database: psycopg.Connection, arguments: list[str], sentence: str
) -> None:
    status, out, err = run("movielens", str(movielens), *arguments)
    assert (status, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err
    assert held(database) == (0, 0)


def test_a_cut_file_changes_nothing_of_an_earlier_import(
    run: Run, movielens: Path, database: psycopg.Connection
) -> None:
    run("movielens", str(movielens))
    (movielens / "ratings.csv").write_text(RATINGS + "3,1,5.0,96", "utf-8")
    status, _, err = run("movielens", str(movielens), "--quiet")
    assert status == 2
    assert err.startswith("Error: ratings.csv breaks off within line 5.")
    assert held(database) == (2, 2)


def test_imports_the_demo_and_importing_it_again_adds_nothing(run: Run, database: psycopg.Connection) -> None:
    for _ in range(2):
        status, out, _ = run("demo", *SMALL, "--json")
        assert status == 0
        assert json.loads(out) == {"videos": 60, "users": 30, "likes": 300, "removed_likes": 0}
        assert held(database) == (60, 300)


def test_the_demo_keeps_away_from_peoples_likes(run: Run, database: psycopg.Connection) -> None:
    video = database.execute("insert into videos (title) values ('Somebody''s') returning id").fetchone()[0]
    for likes in (0, 1):
        status, _, err = run("demo", *SMALL, "--quiet")
        assert status == 2
        assert err.startswith(f"Error: The database already holds 1 videos and {likes} likes that this demo does not")
        assert held(database) == (1, likes)
        if not likes:
            database.execute("insert into likes (user_id, video_id) values (gen_random_uuid(), %s)", [video])
    assert run("demo", *SMALL, "--add")[0] == 0
    assert held(database) == (61, 301)


def test_the_demo_refuses_what_cannot_be(run: Run, database: psycopg.Connection) -> None:
    status, _, err = run("demo", "--videos", "0")
    assert (status, err) == (2, "Error: --videos is 0. It has to be 1 to 1,000,000.\n")
    assert held(database) == (0, 0)


@pytest.mark.parametrize("arguments", [[], ["movielens"], ["demo"]])
def test_help_shows_an_example(run: Run, arguments: list[str]) -> None:
    status, out, _ = run(*arguments, "--help")
    assert status == 0
    assert f"Example: tfrs-pipeline import {' '.join(arguments)}" in out
