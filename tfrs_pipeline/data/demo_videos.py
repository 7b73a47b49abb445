"""The videos of the demo: who made them, about what, when they came out, and how much of it is known.

A work is one video or a series. A maker keeps to a theme for the most part, performers to theirs; a work is in its
maker's language.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.catalogue import Video
from tfrs_pipeline.data.demo_shelf import Shelf, pick, power_law
from tfrs_pipeline.data.demo_words import (
    COMMON_TAGS,
    DESCRIPTIONS,
    EPISODES,
    MOODS,
    TITLES,
    maker_name,
    performer_name,
    themes,
)

DAY = 86_400
DAYS = 730
OPENING_DAYS = 20
"""The service opens with a first stock of videos; likes begin after these days."""

_OPENING_SHARE = 0.15
_UNSEEN_SHARE = 0.03  # The newest videos, which nobody has liked yet.
_PRICES = np.array([0, 100, 300, 500, 980, 1_480, 1_980, 2_980, 4_980])
_NO_EPISODE = -1
_ALSO = ("{name}の話題も。", " Also about {name}.")


@dataclass(frozen=True)
class Stock:
    """The videos as columns, each of length [videos] unless it says otherwise; a video's place is its number - 1.

    Attributes:
        theme, language, maker: numbers.
        cast_video, cast_performer: who performs in what, pairs of numbers.
        published: second after the start.
        weight: how often a video is liked, against others; 0 for those that nobody has liked yet.
        next_episode: the next video of the series, -1 where there is none.
        first_episode: the place of the work's first video.
        price: band, an index into the prices.
    """

    theme: NDArray[np.int64]
    second_theme: NDArray[np.int64]
    language: NDArray[np.int64]
    maker: NDArray[np.int64]
    cast_video: NDArray[np.int64]
    cast_performer: NDArray[np.int64]
    published: NDArray[np.int64]
    weight: NDArray[np.int64]
    next_episode: NDArray[np.int64]
    first_episode: NDArray[np.int64]
    price: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.theme)

    @property
    def niche(self) -> NDArray[np.int64]:
        """Theme and language in one number."""
        return self.theme * 2 + self.language


def make_stock(videos: int, rng: np.random.Generator) -> Stock:
    """Draw `videos` videos."""
    count = len(themes())
    makers = min(max(videos // 30, 3), 20_000)
    maker_theme = pick(rng.random(makers), power_law(rng.random(count), 0.3))
    maker_language = (rng.random(makers) < 0.4).astype(np.int64)
    maker_weight = power_law(rng.random(makers), 0.7)
    maker_price = rng.integers(0, len(_PRICES), makers)

    # Works: two in three are single videos, the others series of up to a dozen. More than needed are drawn.
    length = np.where(rng.random(videos) < 0.65, 1, rng.integers(2, 13, videos))
    works = int(np.searchsorted(np.cumsum(length), videos)) + 1
    length = length[:works]
    work = np.repeat(np.arange(works), length)[:videos]
    first = np.append(0, np.cumsum(length))[work]
    episode = np.arange(videos) - first

    maker = pick(rng.random(works), maker_weight)
    stray = rng.random(works) < 0.2
    theme = np.where(stray, rng.integers(0, count, works), maker_theme[maker])
    second_theme = np.where(rng.random(works) < 0.3, rng.integers(0, count, works), theme)
    language = maker_language[maker]
    published = _published(rng, works)[work] + episode * 7 * DAY + rng.integers(0, DAY, videos)
    # A series that would run beyond the end comes out at a faster pace.
    published = np.minimum(published, DAYS * DAY - 1 - (length[work] - episode) * DAY // 4)
    published[np.argmin(published)] = 0

    fame = power_law(rng.random(works), 1.0)[work] * np.sqrt(maker_weight[maker][work])
    weight = np.rint(fame * 0.93**episode * np.exp(0.4 * rng.standard_normal(videos)) / 100).astype(np.int64) + 1
    newest = np.argsort(-published, kind="stable")
    weight[newest[: int(videos * _UNSEEN_SHARE)]] = 0

    following = np.where(episode + 1 < length[work], np.arange(1, videos + 1), _NO_EPISODE)
    following[following >= videos] = _NO_EPISODE
    following[weight[following] == 0] = _NO_EPISODE
    price = np.clip(maker_price[maker] + rng.integers(-1, 2, works), 0, len(_PRICES) - 1)
    cast_video, cast_performer = _cast(rng, theme * 2 + language, work, performers=makers * 3)
    return Stock(
        theme=theme[work],
        second_theme=second_theme[work],
        language=language[work],
        maker=maker[work],
        cast_video=cast_video,
        cast_performer=cast_performer,
        published=published,
        weight=weight,
        next_episode=following,
        first_episode=first,
        price=price[work],
    )


def write_videos(stock: Stock, start: datetime, rng: np.random.Generator) -> list[Video]:
    """Put the videos into words, and leave some of what is known about them out.

    Args:
        start: when the service's time begins.
    """
    count = len(stock)
    # Words are drawn for a work, so that its episodes share a title; moods and missing fields for each video.
    words = rng.integers(0, 1 << 30, (count, 6))[stock.first_episode].tolist()
    own = rng.integers(0, 1 << 30, (count, 4)).tolist()
    missing = (rng.random((count, 7)) < [0.08, 0.02, 0.03, 0.1, 0.08, 0.06, 0.04]).tolist()
    unhurried = np.exp(0.35 * rng.standard_normal(count)).tolist()
    uploaded = rng.integers(3_600, 3 * DAY, count).tolist()
    prices = _PRICES[stock.price].tolist()
    cast = np.split(stock.cast_performer, np.searchsorted(stock.cast_video, np.arange(1, count)))
    about, language = themes(), stock.language.tolist()
    theme, second_theme, maker = stock.theme.tolist(), stock.second_theme.tolist(), stock.maker.tolist()
    first, published = stock.first_episode.tolist(), stock.published.tolist()
    in_series = ((stock.next_episode >= 0) | (stock.first_episode < np.arange(count))).tolist()

    videos = []
    for place in range(count):
        tongue, topic, other = language[place], about[theme[place]], about[second_theme[place]]
        title_words = _words(topic.words[tongue], words[place][:3])
        fields = {"name": topic.name[tongue], "mood": _one(MOODS[tongue], words[place][3])} | title_words
        title = _one(TITLES[tongue], words[place][4]).format(**fields)
        if in_series[place]:
            title = EPISODES[tongue].format(title=title, episode=place - first[place] + 1)
        text_words = _words(topic.words[tongue], own[place][:3])
        text = _one(DESCRIPTIONS[tongue], own[place][3]).format(**(fields | text_words))
        if second_theme[place] != theme[place]:
            text += _ALSO[tongue].format(name=other.name[tongue])
        tags = [*dict.fromkeys([*title_words.values(), *text_words.values()])][:4]
        tags += [topic.name[tongue], _one(COMMON_TAGS[tongue], words[place][5])]
        no_text, no_genre, no_maker, no_cast, no_tags, no_price, no_length = missing[place]
        published_at = start + timedelta(seconds=published[place])
        videos.append(
            Video(
                number=place + 1,
                title=title[0].upper() + title[1:],
                description=None if no_text else text[0].upper() + text[1:],
                genres=[] if no_genre else [*dict.fromkeys([topic.genre, other.genre])],
                maker=None if no_maker else maker_name(maker[place], tongue),
                performers=[] if no_cast else [performer_name(number, tongue) for number in cast[place].tolist()],
                tags=[] if no_tags else tags,
                price=None if no_price else float(prices[place]),
                duration_seconds=None if no_length else int(topic.minutes * 60 * unhurried[place]),
                thumbnail_url=None,  # There are no pictures, and an address that leads nowhere is worse than none.
                published_at=published_at,
                created_at=published_at - timedelta(seconds=uploaded[place]),
            )
        )
    return videos


def _published(rng: np.random.Generator, works: int) -> NDArray[np.int64]:
    """When each work begins to come out, in seconds: a stock to open with, then a little more each month."""
    chance = rng.random(works)
    later = OPENING_DAYS + (DAYS - OPENING_DAYS) * rng.random(works) ** 0.85
    return (np.where(chance < _OPENING_SHARE, chance / _OPENING_SHARE * OPENING_DAYS, later) * DAY).astype(np.int64)


def _cast(
    rng: np.random.Generator, niche: NDArray[np.int64], work: NDArray[np.int64], performers: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of video and performer, sorted; the episodes of a work share their cast.

    Args:
        niche: of each work.
        work: of each video.
    """
    home = niche[rng.integers(0, len(niche), performers)]
    weight = power_law(rng.random(performers), 0.6)
    everyone = np.arange(performers)
    at_home = Shelf(home, everyone, np.zeros(performers, np.int64), weight)
    size = pick(rng.random(len(niche)), np.array([15, 35, 25, 15, 10]))
    of_work = np.repeat(np.arange(len(niche)), size)
    nought = np.zeros(len(of_work), np.int64)
    drawn = at_home.draw(rng.random(len(of_work)), niche[of_work], nought, nought)
    guest = (rng.random(len(of_work)) < 0.15) | (drawn < 0)
    drawn = np.where(guest, pick(rng.random(len(of_work)), weight), drawn)
    of_work, drawn = np.divmod(np.unique(of_work * performers + drawn), performers)

    start = np.searchsorted(of_work, np.arange(len(niche) + 1))
    size = np.diff(start)[work]
    video = np.repeat(np.arange(len(work)), size)
    within = np.arange(len(video)) - np.repeat(np.cumsum(size) - size, size)
    return video, drawn[start[work[video]] + within]


def _one(choices: list[str], number: int) -> str:
    return choices[number % len(choices)]


def _words(words: list[str], numbers: list[int]) -> dict[str, str]:
    """Three different words as a, b and c."""
    left = list(words)
    return {name: left.pop(number % len(left)) for name, number in zip("abc", numbers, strict=True)}
