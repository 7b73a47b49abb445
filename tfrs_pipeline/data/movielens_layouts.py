"""The layouts that MovieLens data sets have come in: which files there are, and how each says what the movies are."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from tfrs_pipeline.data.movielens_files import DataSet, csv_rows, open_data_set, whole_number
from tfrs_pipeline.errors import InputError

LARGEST_ID = 2**31 - 1

# Free tags (tags.csv, tags.dat) are not read. Users gave them at any time after watching, years after some of the
# likes, so as a property of the video they would tell a model about the future.

_NO_GENRE = {"(no genres listed)", "unknown", ""}
# '(1995)', also '(2006-2007)' and '(2006- )' of series, at the end of a title.
_YEAR = re.compile(r"\((\d{4})(?:\s*[-–]\s*\d{0,4}\s*)?\)\s*$")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Movie(NamedTuple):
    """What a data set itself says about a movie."""

    number: int
    title: str
    genres: list[str]
    published_at: datetime | None


@dataclass(frozen=True)
class Layout:
    """How the files of one kind of data set are laid out.

    Attributes:
        needed: the names of the files that have to be there.
        ratings: the name of the file with the ratings.
        separator: what stands between the fields of a rating.
        header: whether the first line names the fields; otherwise they are user, movie, rating and timestamp.
        links: the name of the file that leads to TMDB ids, '' where the layout has none.
        movies: reads what the movies are.
    """

    name: str
    needed: tuple[str, ...]
    ratings: str
    separator: str
    header: bool
    links: str
    movies: Callable[[DataSet], list[Movie]]


def find_layout(data_set: DataSet) -> Layout:
    """The first layout whose files are all there."""
    return next(layout for layout in LAYOUTS if all(name in data_set for name in layout.needed))


def year_of(title: str) -> int | None:
    """The year in brackets at the end of a title, if it can be one."""
    found = _YEAR.search(title)
    return int(found[1]) if found and 1850 <= int(found[1]) <= 2100 else None


def _latest_movies(data_set: DataSet) -> list[Movie]:
    name = "movies.csv"
    rows = csv_rows(data_set.text(name), name, ("movieId", "title", "genres"))
    return _numbered(
        name, ((line, row["movieId"], row["title"], _genres(row["genres"].split("|")), None) for line, row in rows)
    )


def _1m_movies(data_set: DataSet) -> list[Movie]:
    name = "movies.dat"
    lines = _lines(data_set.text(name, latin_1=True), name, "::", 3, "movieId::title::genres")
    return _numbered(
        name, ((line, fields[0], fields[1], _genres(fields[2].split("|")), None) for line, fields in lines)
    )


def _100k_movies(data_set: DataSet) -> list[Movie]:
    genre_lines = _lines(data_set.text("u.genre", latin_1=True), "u.genre", "|", 2, "genre|number")
    genres = {fields[1]: fields[0] for _, fields in genre_lines}
    names = [genres[str(number)] for number in range(len(genres)) if str(number) in genres]
    if len(names) != len(genres):
        raise InputError(f"u.genre: the genres have to be numbered 0 to {len(genres) - 1}, one on a line.")
    name = "u.item"
    form = f"id|title|release date|video release date|URL|{len(names)} genre flags"
    lines = _lines(data_set.text(name, latin_1=True), name, "|", 5 + len(names), form)
    return _numbered(
        name,
        (
            (
                line,
                fields[0],
                fields[1],
                _genres(genre for genre, flag in zip(names, fields[5:], strict=True) if flag == "1"),
                _release_date(fields[2]),
            )
            for line, fields in lines
        ),
    )


LAYOUTS = (
    Layout("ml-latest", ("movies.csv", "ratings.csv"), "ratings.csv", ",", True, "links.csv", _latest_movies),
    Layout("ml-1m", ("movies.dat", "ratings.dat"), "ratings.dat", "::", False, "", _1m_movies),
    Layout("ml-100k", ("u.data", "u.item", "u.genre"), "u.data", "\t", False, "", _100k_movies),
)


def open_movielens(path: Path) -> tuple[DataSet, Layout]:
    """Open a folder or a zip and tell its layout.

    Raises:
        InputError: it is none of the layouts.
    """
    data_set = open_data_set(path, [layout.needed for layout in LAYOUTS])
    return data_set, find_layout(data_set)


def _lines(text: str, name: str, delimiter: str, fields: int, form: str) -> Iterable[tuple[int, list[str]]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if content.strip():
            parts = content.rstrip("\r").split(delimiter)
            if len(parts) != fields:
                raise InputError(f"{name} line {line}: {len(parts)} fields; a line has to read {form}.")
            yield line, parts


def _numbered(name: str, rows: Iterable[tuple[int, str, str, list[str], datetime | None]]) -> list[Movie]:
    movies = []
    lines: dict[int, int] = {}
    for line, number_text, title, genres, published_at in rows:
        number = whole_number(number_text, LARGEST_ID)
        if number is None:
            raise InputError(f"{name} line {line}: the id is '{number_text[:40]}'. It has to be a whole number.")
        if number in lines:
            raise InputError(
                f"{name} line {line}: id {number} was on line {lines[number]} already. Remove one of them."
            )
        lines[number] = line
        if published_at is None:
            year = year_of(title)
            published_at = datetime(year, 1, 1, tzinfo=timezone.utc) if year else None
        movies.append(Movie(number, title, genres, published_at))
    if not movies:
        raise InputError(f"{name} lists no movies. Fetch the data set again.")
    return sorted(movies)


def _genres(names: Iterable[str]) -> list[str]:
    return [name.strip() for name in dict.fromkeys(names) if name.strip() not in _NO_GENRE]


def _release_date(text: str) -> datetime | None:
    # '01-Jan-1995'; by hand, because strptime knows the months only in the language of the machine.
    day, _, rest = text.partition("-")
    month, _, year = rest.partition("-")
    try:
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=timezone.utc)
    except ValueError:
        return None
