"""What an import brings in: videos, and who liked them when, by number. Where the rows go is up to `loading`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.identifiers import Source


class Video(NamedTuple):
    """A row of `videos`; what is not known is None, or an empty list.

    Attributes:
        number: of the video within its source; the id is made of it.
        price: in the currency of the service.
    """

    number: int
    title: str
    description: str | None
    genres: list[str]
    maker: str | None
    performers: list[str]
    tags: list[str]
    price: float | None
    duration_seconds: int | None
    thumbnail_url: str | None
    published_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Catalogue:
    """Videos and likes of one source.

    Attributes:
        videos: each number once.
        user, video: numbers of the user and the video of each like, int64; each pair once, each video one of `videos`.
        at: when the like was given, microseconds since 1970-01-01 UTC, int64.
    """

    source: Source
    videos: Sequence[Video]
    user: NDArray[np.int64]
    video: NDArray[np.int64]
    at: NDArray[np.int64]

    @property
    def users(self) -> int:
        """How many users like something."""
        return len(np.unique(self.user))
