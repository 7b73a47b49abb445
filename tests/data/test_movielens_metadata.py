from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tfrs_pipeline.data.movielens import read_movielens
from tfrs_pipeline.data.movielens_metadata import Metadata, read_metadata, release_date
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
COLUMNS = "id,budget,cast,keywords,overview,runtime,production_companies,release_date,release_year,popularity"
ROW = '862,30000000,Tom Hanks|Tim Allen,toy|boy,"Woody, a toy",81,Pixar|Disney,10/30/95,1995,8.5'


def table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "tmdb.csv"
    path.write_text("\n".join((COLUMNS, *rows)), "utf-8")
    return path


def one(tmp_path: Path, **values: str) -> Metadata:
    fields = dict.fromkeys(COLUMNS.split(","), "") | {"id": "1"} | values
    return read_metadata(table(tmp_path, ",".join(fields.values())), QUIET)[1]


def test_metadata_becomes_the_fields_of_a_video(ml_latest: Callable[..., Path], tmp_path: Path) -> None:
    toys, amelie, _ = read_movielens(ml_latest(), table(tmp_path, ROW), 4, QUIET).videos
    assert toys.title == "Toy Story (1995)"
    assert toys.description == "Woody, a toy"
    assert toys.genres == ["Adventure", "Animation"]
    assert toys.maker == "Pixar"
    assert toys.performers == ["Tom Hanks", "Tim Allen"]
    assert toys.tags == ["toy", "boy"]
    assert toys.duration_seconds == 81 * 60
    assert toys.published_at == datetime(1995, 10, 30, tzinfo=timezone.utc)
    assert toys.price == 30_000_000
    assert (amelie.description, amelie.maker, amelie.published_at) == (
        None,
        None,
        datetime(2001, 1, 1, tzinfo=timezone.utc),
    )


def test_numbers_taken_later_than_the_likes_are_not_used(tmp_path: Path) -> None:
    assert one(tmp_path, popularity="1.5") == one(tmp_path, popularity="99.5")


def test_of_rows_with_one_id_the_first_counts(tmp_path: Path) -> None:
    rows = read_metadata(table(tmp_path, ROW, ROW.replace("Woody", "Buzz")), QUIET)
    assert rows[862].overview == "Woody, a toy"


@pytest.mark.parametrize("text", ["", "No overview found."])
def test_no_overview_is_none(tmp_path: Path, text: str) -> None:
    assert one(tmp_path, overview=text).overview is None


@pytest.mark.parametrize("text", ["", "0", "-5", "99999999999999", "nan", "inf", "long"])
def test_runtimes_and_budgets_that_cannot_be_right_are_missing(tmp_path: Path, text: str) -> None:
    found = one(tmp_path, runtime=text, budget=text)
    assert (found.seconds, found.budget) == (None, None)


def test_tells_what_it_took_for_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one(tmp_path, runtime="-5", budget="1e15", release_date="13/45/15")
    assert "count as missing (1 of runtime, 1 of budget, 1 of release_date)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "year", "expected"),
    [
        ("6/9/15", 2015, (2015, 6, 9)),
        ("6/9/66", 1966, (1966, 6, 9)),
        ("12/31/1915", None, (1915, 12, 31)),
        ("2015-06-09", None, (2015, 6, 9)),
    ],
)
def test_dates(text: str, year: int | None, expected: tuple[int, int, int]) -> None:
    assert release_date(text, year) == datetime(*expected, tzinfo=timezone.utc)


@pytest.mark.parametrize(("text", "year"), [("6/9/15", None), ("6/9/15", 1966), ("13/1/15", 2015), ("soon", 2015)])
def test_no_dates(text: str, year: int | None) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (Python's own, with words of its own)
        release_date(text, year)


def test_a_wrong_date_leaves_the_year(tmp_path: Path) -> None:
    assert one(tmp_path, release_date="13/45/15", release_year="2015").released_at == datetime(
        2015, 1, 1, tzinfo=timezone.utc
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"tmdb\.csv is empty"),
        (b"id,title\n1,Up\n", r"tmdb\.csv line 1: the header lacks overview, cast"),
        (COLUMNS.encode(), r"tmdb\.csv holds no movies below its header"),
        (f"{COLUMNS}\n{ROW}\n863,1,A|B".encode(), r"tmdb\.csv line 3: 3 fields, where the header has 10"),
        (f"{COLUMNS}\n{ROW.replace('862', 'tt862')}".encode(), r"tmdb\.csv line 2: the id is 'tt862'"),
        (f"{COLUMNS}\n{ROW}é".encode("latin-1"), r"tmdb\.csv line 2: byte 0xe9 is not UTF-8"),
        (f"{COLUMNS}\n{ROW.replace('862', '5')}\n".encode(), r"No tmdbId of links\.csv is an id of tmdb\.csv"),
    ],
)
def test_faults(ml_latest: Callable[..., Path], tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "tmdb.csv").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_movielens(ml_latest(), tmp_path / "tmdb.csv", 4, QUIET)


def test_a_table_that_is_not_there(ml_latest: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv is not a file"):
        read_movielens(ml_latest(), tmp_path / "nothing.csv", 4, QUIET)
