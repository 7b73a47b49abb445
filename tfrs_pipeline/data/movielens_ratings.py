"""Ratings of a MovieLens data set, streamed from disk into compact columns; and which of them are likes."""

import csv
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from tfrs_pipeline.data.movielens_files import DataSet, cut_off, whole_number
from tfrs_pipeline.data.movielens_layouts import LARGEST_ID, Layout
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

LOWEST_RATING, HIGHEST_RATING = 0.5, 5.0

_COLUMNS = ("userId", "movieId", "rating", "timestamp")
_BLOCK_BYTES = 1 << 22
NEVER = int(np.iinfo(np.int64).max)
"""The time of what did not happen."""


@dataclass(frozen=True)
class Ratings:
    """Ratings in the order of their file, 13 bytes each.

    Attributes:
        user, movie: ids, int32.
        at: seconds since 1970-01-01 UTC, int64.
        liked: whether the rating is high enough for a like.
        first: user id, movie id, rating and timestamp of the first, as text: tells one data set from another.
    """

    user: NDArray[np.int32]
    movie: NDArray[np.int32]
    at: NDArray[np.int64]
    liked: NDArray[np.bool_]
    first: str

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: NDArray[np.bool_]) -> "Ratings":
        """The ratings for which `keep` holds."""
        if keep.all():
            return self
        return Ratings(self.user[keep], self.movie[keep], self.at[keep], self.liked[keep], self.first)


def read_ratings(data_set: DataSet, layout: Layout, likes_from: float, progress: Progress) -> Ratings:
    """Read the file of ratings in blocks.

    Args:
        likes_from: the lowest rating that is a like.

    Raises:
        InputError: a line is not a rating, or the file is empty, cut off or damaged.
    """
    name = layout.ratings
    columns: tuple[list[NDArray], ...] = ([], [], [], [])
    first = ""
    with data_set.open(name) as file, progress.steps(data_set.sizes[name], "Bytes of ratings") as advance:
        watched = _Watched(file, advance)
        try:
            for batch in _batches(watched, layout):
                user, movie, rating, at = (batch.column(column).to_numpy() for column in _COLUMNS)
                if not first and len(user):
                    first = f"{user[0]} {movie[0]} {rating[0]:g} {at[0]}"
                if not _all_valid(user, movie, rating, at):
                    raise _fault(data_set, layout)
                # Copies: a view would keep all of pyarrow's block.
                block = (user.astype(np.int32), movie.astype(np.int32), at.copy(), rating >= likes_from)
                for column, values in zip(columns, block, strict=True):
                    column.append(values)
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            raise _fault(data_set, layout) from error
        if watched.last and watched.last != b"\n":
            raise _fault(data_set, layout)
    if not first:
        raise InputError(f"{name} holds no ratings. Fetch the data set again.")
    user, movie, at, liked = (_joined(column) for column in columns)
    return Ratings(user, movie, at, liked, first)


def without_future(ratings: Ratings, progress: Progress) -> Ratings:
    """Leave out ratings that are not given yet: as last likes they would be what a model is measured by.

    Raises:
        InputError: all of them are; the timestamps will be in another unit.
    """
    future = ratings.at > time.time()
    count = int(future.sum())
    if count == len(ratings):
        raise InputError(
            f"All timestamps of the ratings lie in the future (the first is {ratings.at[0]}). "
            "They have to be seconds since 1970; are these milliseconds?"
        )
    if count:
        progress.warn(f"Left out {count:,} ratings with a timestamp in the future.")
    return ratings.where(~future)


def without_unknown(ratings: Ratings, movies: NDArray[np.int64], progress: Progress) -> Ratings:
    """Leave out ratings of movies that are not among `movies`, which is sorted."""
    place = np.minimum(np.searchsorted(movies, ratings.movie), len(movies) - 1)
    known = movies[place] == ratings.movie
    if count := len(known) - int(known.sum()):
        examples = ", ".join(map(str, np.unique(ratings.movie[~known])[:3]))
        progress.warn(f"Left out {count:,} ratings of movies that the data set does not list (such as {examples}).")
    return ratings.where(known)


def without_repeated(ratings: Ratings, progress: Progress) -> Ratings:
    """Of several ratings of a movie by a user keep the latest; of those at one time, the last in the file."""
    pair = ratings.user.astype(np.int64) << 32 | ratings.movie
    if np.all(pair[1:] > pair[:-1]):
        return ratings  # Sorted, as most data sets come.
    order = np.lexsort((ratings.at, pair))
    pair = pair[order]
    latest = np.append(pair[1:] != pair[:-1], True)
    if count := len(latest) - int(latest.sum()):
        progress.warn(f"Left out {count:,} ratings that the same user gave the same movie again later.")
    keep = np.zeros(len(ratings), bool)
    keep[order[latest]] = True
    return ratings.where(keep)


def first_rated(ratings: Ratings, movies: NDArray[np.int64]) -> NDArray[np.int64]:
    """When each of `movies` was first rated, in seconds; the largest int64 where it never was."""
    first = np.full(len(movies), NEVER)
    np.minimum.at(first, np.searchsorted(movies, ratings.movie), ratings.at)
    return first


def _joined(parts: list[NDArray]) -> NDArray:
    whole = np.concatenate(parts)
    parts.clear()  # One column after the other, so that the data are never there twice.
    return whole


class _Watched:
    """A file for pyarrow that tells how far it has been read, and remembers how it ended."""

    closed = False

    def __init__(self, file: BinaryIO, advance: Callable[[int], None]) -> None:
        self._file = file
        self._advance = advance
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        if data:
            self.last = data[-1:]
            self._advance(len(data))
        return data


def _batches(file: _Watched, layout: Layout) -> pyarrow.csv.CSVStreamingReader:
    # pyarrow separates by one character. Read so, '::' has an empty field in its middle, and each needs a name.
    names = None if layout.header else [*_COLUMNS]
    if not layout.header and len(layout.separator) == 2:
        names = ["userId", "1", "movieId", "2", "rating", "3", "timestamp"]
    types = {"userId": pa.int64(), "movieId": pa.int64(), "rating": pa.float64(), "timestamp": pa.int64()}
    try:
        return pyarrow.csv.open_csv(
            pa.PythonFile(file, mode="r"),
            pyarrow.csv.ReadOptions(block_size=_BLOCK_BYTES, column_names=names),
            pyarrow.csv.ParseOptions(delimiter=layout.separator[0]),
            pyarrow.csv.ConvertOptions(column_types=types, include_columns=list(_COLUMNS), null_values=[]),
        )
    except (pa.ArrowKeyError, KeyError) as error:
        raise pa.ArrowInvalid("a column is missing") from error


def _all_valid(user: NDArray, movie: NDArray, rating: NDArray, at: NDArray) -> bool:
    ids = all(((column >= 0) & (column <= LARGEST_ID)).all() for column in (user, movie))
    return ids and bool(((rating >= LOWEST_RATING) & (rating <= HIGHEST_RATING)).all()) and bool((at >= 0).all())


def _fault(data_set: DataSet, layout: Layout) -> InputError:
    """Read the file again, slowly, for the first line that is not a rating."""
    name = layout.ratings
    form = layout.separator.replace("\t", "<tab>").join(_COLUMNS)
    columns = None if layout.header else list(_COLUMNS)
    line = 0
    with data_set.open(name) as file:
        for line, raw in enumerate(file, start=1):
            # Latin-1 reads any bytes: whatever is wrong shows in a field.
            text = raw.decode("latin-1").removeprefix("\xef\xbb\xbf").rstrip("\r\n")
            if not text.strip():
                continue
            fields = _fields(text, layout.separator)
            if columns is None:
                columns = [field.strip() for field in fields]
                if missing := [column for column in _COLUMNS if column not in columns]:
                    return InputError(
                        f"{name} line 1: the header lacks {', '.join(missing)}. The first line has to read {form}."
                    )
            elif not raw.endswith(b"\n"):
                return cut_off(name, line)
            elif len(fields) != len(columns):
                return InputError(f"{name} line {line}: {len(fields)} fields. The line has to read {form}.")
            elif reason := _why_not(dict(zip(columns, fields, strict=True))):
                return InputError(f"{name} line {line}: {reason}")
    if line == 0:
        return InputError(f"{name} is empty. Fetch the data set again.")
    return InputError(f"{name} cannot be read. Each line has to read {form}.")


def _fields(text: str, separator: str) -> list[str]:
    if separator == ",":
        try:
            return next(csv.reader([text]))
        except csv.Error:  # Python 3.10 has it for a NUL, and all have it for a field without an end.
            pass
    return text.split(separator)


def _why_not(fields: dict[str, str]) -> str | None:
    """What is wrong with the fields of one rating, if anything."""
    for column, largest in (("userId", LARGEST_ID), ("movieId", LARGEST_ID), ("timestamp", NEVER)):
        if whole_number(fields[column], largest) is None:
            unit = "of seconds since 1970" if column == "timestamp" else f"up to {LARGEST_ID}"
            return f"{column} is '{fields[column][:40]}'. It has to be a whole number {unit}."
    text = fields["rating"].strip()
    try:
        valid = LOWEST_RATING <= float(text) <= HIGHEST_RATING
    except ValueError:
        valid = False
    return (
        None if valid else f"rating is '{text[:40]}'. It has to be a number from {LOWEST_RATING} to {HIGHEST_RATING:g}."
    )
