"""Small data sets in the layouts of MovieLens."""

from collections.abc import Callable
from pathlib import Path

import pytest

MOVIES = b"""movieId,title,genres\r
1,Toy Story (1995),Adventure|Animation\r
2,"Am\xc3\xa9lie, again \xf0\x9f\x98\x82 (2001)",Comedy\r
10,Untitled,(no genres listed)\r
"""
RATINGS = b"""userId,movieId,rating,timestamp\r
1,1,4.0,964982703\r
1,2,3.5,964982800\r
2,10,5.0,1000000000\r
2,1,0.5,1000000001\r
"""
LINKS = b"movieId,imdbId,tmdbId\r\n1,0114709,862\r\n2,0211915,194\r\n10,0000001,\r\n"


@pytest.fixture
def ml_latest(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of the ml-latest layout; a file given as None is left out."""

    def write(
        movies: bytes | None = MOVIES, ratings: bytes | None = RATINGS, links: bytes | None = LINKS, name: str = "ml"
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        for file, content in (("movies.csv", movies), ("ratings.csv", ratings), ("links.csv", links)):
            if content is not None:
                (folder / file).write_bytes(content)
        return folder

    return write
