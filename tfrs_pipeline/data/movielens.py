"""A MovieLens data set, with TMDB's metadata where it is given, as a catalogue: high ratings are likes."""

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.catalogue import Catalogue, Video
from tfrs_pipeline.data.identifiers import Source
from tfrs_pipeline.data.movielens_files import DataSet
from tfrs_pipeline.data.movielens_layouts import Layout, Movie, open_movielens
from tfrs_pipeline.data.movielens_metadata import Metadata, read_links, read_metadata
from tfrs_pipeline.data.movielens_ratings import (
    HIGHEST_RATING,
    LOWEST_RATING,
    NEVER,
    first_rated,
    read_ratings,
    without_future,
    without_repeated,
    without_unknown,
)
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress


def read_movielens(path: Path, metadata: Path | None, likes_from: float, progress: Progress) -> Catalogue:
    """Read a MovieLens data set.

    Args:
        path: a folder or a zip of the ml-latest, ml-1m or ml-100k layout.
        metadata: a CSV of TMDB metadata, joined by the data set's links.
        likes_from: the lowest rating that is a like; 4 by default, as in most papers that turn ratings into likes.

    Raises:
        InputError: something in the files cannot be used. What can be left out is, with a warning.
    """
    if not LOWEST_RATING <= likes_from <= HIGHEST_RATING:
        raise InputError(
            f"--likes-from is {likes_from:g}. It has to be a rating, {LOWEST_RATING} to {HIGHEST_RATING:g}."
        )
    data_set, layout = open_movielens(path)
    movies = layout.movies(data_set)
    described = _described(data_set, layout, movies, metadata, progress) if metadata else {}

    numbers = np.array([movie.number for movie in movies], np.int64)
    ratings = read_ratings(data_set, layout, likes_from, progress)
    read = len(ratings)
    ratings = without_future(ratings, progress)
    ratings = without_unknown(ratings, numbers, progress)
    ratings = without_repeated(ratings, progress)
    liked = ratings.where(ratings.liked)
    if len(liked) == 0:
        raise InputError(
            f"None of the {read:,} ratings is {likes_from:g} or more, so there are no likes. Lower --likes-from."
        )
    progress.say(f"{read:,} ratings, {len(liked):,} of them likes, of {len(movies):,} movies.")

    return Catalogue(
        # Releases number their users anew, so a data set is told by more than its layout. The first rating serves:
        # it stays when a file is moved, packed or appended to, and no two releases share it.
        source=Source.of("movielens", layout.name, ratings.first),
        videos=_videos(movies, described, first_rated(ratings, numbers)),
        user=liked.user.astype(np.int64),
        video=liked.movie.astype(np.int64),
        at=liked.at * 1_000_000,
    )


def _described(
    data_set: DataSet, layout: Layout, movies: list[Movie], path: Path, progress: Progress
) -> dict[int, Metadata]:
    """The metadata of each movie that has some."""
    if not layout.links:
        raise InputError(
            f"--metadata cannot be joined: the {layout.name} layout of {data_set.path} has no TMDB ids. "
            "Leave --metadata out, or use a data set with links.csv."
        )
    if layout.links not in data_set:
        raise InputError(f"{data_set.path} lacks {layout.links}, which leads from movies to the rows of --metadata.")
    links = read_links(data_set, layout.links)
    table = read_metadata(path, progress)
    described = {movie.number: table[links[movie.number]] for movie in movies if links.get(movie.number) in table}
    if not described:
        raise InputError(
            f"No tmdbId of {layout.links} is an id of {path.name}. Give --metadata the table of these movies."
        )
    progress.say(f"{len(described):,} of {len(movies):,} movies have metadata.")
    return described


def _videos(movies: list[Movie], described: dict[int, Metadata], first: NDArray[np.int64]) -> list[Video]:
    nothing = Metadata(None, [], [], [], None, None, None)
    opened = datetime.fromtimestamp(int(first.min()), timezone.utc)
    videos = []
    for movie, seconds in zip(movies, first.tolist(), strict=True):
        about = described.get(movie.number, nothing)
        published_at = about.released_at or movie.published_at
        rated_at = datetime.fromtimestamp(seconds, timezone.utc) if seconds != NEVER else None
        videos.append(
            Video(
                number=movie.number,
                title=movie.title,
                description=about.overview,
                genres=movie.genres,
                maker=about.companies[0] if about.companies else None,
                performers=about.cast,
                tags=about.keywords,
                price=about.budget,  # Nothing here has a price. A budget too is an amount that sets films apart.
                duration_seconds=about.seconds,
                thumbnail_url=None,
                published_at=published_at,
                # A row is there before anybody rates it. When it was added is not told; it was not now.
                created_at=min((moment for moment in (published_at, rated_at) if moment), default=opened),
            )
        )
    return videos
