"""A made-up video service: what is asked for, and its catalogue."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np

from tfrs_pipeline.data.catalogue import Catalogue
from tfrs_pipeline.data.demo_likes import Service, make_audience, make_likes
from tfrs_pipeline.data.demo_videos import DAYS, make_stock, write_videos
from tfrs_pipeline.data.identifiers import Source
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

_EDITION = 1  # To be raised when the same numbers come to make other rows: ids of two editions do not meet.
_LARGEST = {"videos": 1_000_000, "users": 10_000_000, "likes": 50_000_000}


@dataclass(frozen=True)
class Demo:
    """What is asked for.

    Attributes:
        until: when the service's two years end.
    """

    videos: int
    users: int
    likes: int
    seed: int
    until: datetime

    @property
    def source(self) -> Source:
        """Equal for equal demos."""
        return Source.of("demo", _EDITION, self.videos, self.users, self.likes, self.seed, self.until.isoformat())

    def check(self) -> None:
        """Raise InputError if there can be no such service."""
        for name, largest in _LARGEST.items():
            given = getattr(self, name)
            if not 1 <= given <= largest:
                raise InputError(f"--{name} is {given:,}. It has to be 1 to {largest:,}.")
        if self.seed < 0:
            raise InputError(f"--seed is {self.seed}. It has to be 0 or more.")
        if self.likes < self.users:
            raise InputError(
                f"{self.likes:,} likes are too few for {self.users:,} users: each has one at least. "
                "Raise --likes or lower --users."
            )
        if 2 * self.likes > self.users * self.videos:
            raise InputError(
                f"{self.likes:,} likes are too many: {self.users:,} users who like half of {self.videos:,} videos "
                f"give {self.users * self.videos // 2:,}. Lower --likes, or raise --videos or --users."
            )
        if self.until > datetime.now(timezone.utc):
            raise InputError(f"--until is {self.until:%Y-%m-%d}, which is yet to come. Give a day that is over.")
        if self.until.year < 2000:
            raise InputError(f"--until is {self.until:%Y-%m-%d}. Give a day from 2000-01-01 on.")

    def refuse_beside(self, videos: int, likes: int) -> None:
        """Raise InputError if the database holds so many videos and likes that this demo does not make."""
        if videos or likes:
            raise InputError(
                f"The database already holds {videos:,} videos and {likes:,} likes that this demo does not make; "
                "people's likes and made-up ones would be learned from together. Use a database of its own, "
                "or --add if that is meant."
            )


def make_demo(demo: Demo, progress: Progress) -> Catalogue:
    """Make the service. Equal demos give equal rows: everything is drawn from PCG64 streams of the seed."""
    demo.check()
    progress.say(f"Making up {demo.videos:,} videos, {demo.users:,} users and {demo.likes:,} likes ...")
    of_stock, of_words, of_users, of_likes = (
        np.random.Generator(np.random.PCG64([demo.seed, stream])) for stream in range(4)
    )
    start = demo.until - timedelta(days=DAYS)
    stock = make_stock(demo.videos, of_stock)
    service = Service(stock)
    audience = make_audience(demo.users, service, of_users)
    user, video, second = make_likes(service, audience, demo.likes, of_likes)
    return Catalogue(
        source=demo.source,
        videos=write_videos(stock, start, of_words),
        user=user + 1,
        video=video + 1,
        at=(int(start.timestamp()) + second) * 1_000_000,
    )
