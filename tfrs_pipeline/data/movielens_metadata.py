"""What TMDB's table says about a movie: text, people, keywords, length, budget and date.

Its columns popularity, vote_count and vote_average are left alone: they were counted after most of the ratings were
given, so a model that sees them sees the future.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from tfrs_pipeline.data.movielens_files import DataSet, csv_rows, decode, whole_number
from tfrs_pipeline.data.movielens_layouts import LARGEST_ID
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

_COLUMNS = (
    "id", "overview", "cast", "keywords", "production_companies", "runtime", "release_date", "budget",
)  # fmt: skip
_LONGEST_MINUTES = 24 * 60
_LARGEST_BUDGET = 1_000_000_000  # Twice what the dearest film has cost.
_NO_OVERVIEW = {"", "no overview found."}


@dataclass(frozen=True)
class Metadata:
    """A row of the table; what it does not say is None, or an empty list.

    Attributes:
        budget: in dollars, above 0.
    """

    overview: str | None
    companies: list[str]
    cast: list[str]
    keywords: list[str]
    seconds: int | None
    budget: float | None
    released_at: datetime | None


def read_metadata(path: Path, progress: Progress) -> dict[int, Metadata]:
    """Read a table of TMDB metadata by TMDB id; of rows with one id, the first counts.

    Raises:
        InputError: there is no such file, or it is not such a table.
    """
    try:
        text = decode(path.read_bytes(), path.name)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise InputError(f"{path} is not a file. Give --metadata a CSV with TMDB's metadata.") from error
    except PermissionError as error:
        raise InputError(f"{path} may not be read by this user.") from error
    table: dict[int, Metadata] = {}
    odd = {"runtime": 0, "budget": 0, "release_date": 0}
    for line, row in csv_rows(text, path.name, _COLUMNS):
        number = _tmdb_id(row["id"], path.name, line)
        if number in table:
            continue
        minutes = _number(row, "runtime", _LONGEST_MINUTES, odd)
        budget = _number(row, "budget", _LARGEST_BUDGET, odd)
        overview = row["overview"].strip()
        table[number] = Metadata(
            overview=overview if overview.lower() not in _NO_OVERVIEW else None,
            companies=_names(row["production_companies"]),
            cast=_names(row["cast"]),
            keywords=_names(row["keywords"]),
            seconds=round(minutes * 60) if minutes else None,
            budget=budget or None,
            released_at=_date(row, odd),
        )
    if not table:
        raise InputError(f"{path.name} holds no movies below its header. Give --metadata a whole table.")
    if any(odd.values()):
        found = ", ".join(f"{count:,} of {column}" for column, count in odd.items() if count)
        progress.warn(f"{path.name}: values that cannot be right count as missing ({found}).")
    return table


def read_links(data_set: DataSet, name: str) -> dict[int, int]:
    """Read which movie has which TMDB id; some have none."""
    links = {}
    for line, row in csv_rows(data_set.text(name), name, ("movieId", "tmdbId")):
        if row["tmdbId"].strip():
            links[_tmdb_id(row["movieId"], name, line)] = _tmdb_id(row["tmdbId"], name, line)
    return links


def release_date(text: str, year: int | None) -> datetime:
    """A date as '2015-06-09' or, month first, '6/9/2015' or '6/9/15'.

    Args:
        year: the whole year, where it is known. Two digits do not say their century, and a machine's guess
            makes films of 1966 films of 2066.

    Raises:
        ValueError: it is no date, or there are two digits and no whole year.
    """
    if "/" in text:
        month, day, short = (int(part) for part in text.split("/"))
        if short >= 100:
            year = short
        elif year is None or year % 100 != short:
            raise ValueError(text)
        return datetime(year, month, day, tzinfo=timezone.utc)
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=timezone.utc)


def _number(row: dict[str, str], column: str, largest: float, odd: dict[str, int]) -> float:
    """A number from 0 to `largest`; 0, which this table has for what it does not know, for anything else."""
    text = row[column].strip()
    try:
        value = float(text or 0)
    except ValueError:
        value = math.nan
    if 0 <= value <= largest:
        return value
    odd[column] += 1
    return 0


def _date(row: dict[str, str], odd: dict[str, int]) -> datetime | None:
    text, year = row["release_date"].strip(), whole_number(row.get("release_year", ""), 9_999)
    if text:
        try:
            return release_date(text, year)
        except ValueError:
            odd["release_date"] += 1
    return datetime(year, 1, 1, tzinfo=timezone.utc) if year else None


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in text.split("|") if name.strip()))


def _tmdb_id(text: str, name: str, line: int) -> int:
    number = whole_number(text, LARGEST_ID)
    if number is None:
        raise InputError(f"{name} line {line}: the id is '{text[:40]}'. It has to be a whole number.")
    return number
