"""Who of the demo likes what, and when: sessions of users whose interests drift and who follow makers and people."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.demo_shelf import Shelf, pick
from tfrs_pipeline.data.demo_videos import DAY, DAYS, OPENING_DAYS, Stock
from tfrs_pipeline.data.demo_words import themes

_END = DAYS * DAY
_INTERESTS = np.array([45, 27, 18, 10])  # How often a session is about each of a user's four interests.
_SESSION_GOES_ON = 0.72  # So a session has three to four likes in the mean.
_FRESH_SHARE = 0.4  # Of the likes that go to what came out lately,
_FRESH_DAYS = 45  # ... by so many days in the mean.
_ATTEMPTS_BY_TASTE = 4

# What a like comes from, with its share: at the start of a session, and in its course, where the last like leads on.
_NEXT_EPISODE, _SAME_MAKER, _SAME_CAST, _SAME_NICHE, _INTEREST, _MAKER, _PERFORMER, _ANY = range(8)
_AT_START = np.array([0, 0, 0, 0, 43, 29, 23, 5])
_IN_COURSE = np.array([24, 10, 10, 22, 15, 9, 7, 3])


@dataclass(frozen=True)
class Audience:
    """The users, as columns of length [users]; times in seconds after the start.

    Attributes:
        weight: how much a user likes, against others.
        joined, left: between which the user is active.
        hour: around which the user's day with the service begins, UTC.
        japanese: how likely a video of the user's choice is in Japanese.
        interest: themes before and after the drift [2, users, interests].
        drifts: when each interest gives way to another [users, interests]; may be after the end.
        maker, performer: followed for each interest, before and after the drift, [2, users, interests]; -1 for none.
    """

    weight: NDArray[np.int64]
    joined: NDArray[np.int64]
    left: NDArray[np.int64]
    hour: NDArray[np.float64]
    japanese: NDArray[np.float64]
    interest: NDArray[np.int64]
    drifts: NDArray[np.int64]
    maker: NDArray[np.int64]
    performer: NDArray[np.int64]


class Service:
    """The shelves that likes are drawn from, and one performer of each video."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock
        everything = np.arange(len(stock))
        self.niche, self.maker, self.all = (
            Shelf(group, everything, stock.published, stock.weight)
            for group in (stock.niche, stock.maker, np.zeros(len(stock), np.int64))
        )
        self.performer = Shelf(stock.cast_performer, stock.cast_video, stock.published, stock.weight)
        self.star = np.full(len(stock), -1)
        self.star[stock.cast_video[::-1]] = stock.cast_performer[::-1]


def make_audience(users: int, service: Service, rng: np.random.Generator) -> Audience:
    """Draw `users` users."""
    count, slots = len(themes()), len(_INTERESTS)
    joined = ((OPENING_DAYS + (DAYS - OPENING_DAYS - 2) * rng.random(users) ** 0.8) * DAY).astype(np.int64)
    stays = (-np.log(1 - rng.random(users)) * 300 * DAY).astype(np.int64) + DAY
    left = np.minimum(joined + stays, _END - DAY // 4)
    japanese = np.array([0.95, 0.05, 0.6])[pick(rng.random(users), np.array([55, 30, 15]))]
    # Interests go by how much there is of a theme, so that a small service's users care for what it has.
    themes_there = np.bincount(service.stock.theme, minlength=count)
    before = pick(rng.random((users, slots)), themes_there)
    # Every other time the new interest is of the old one's genre: five themes that stand together.
    near = before // 5 * 5 + rng.integers(0, 5, (users, slots))
    after = np.where(rng.random((users, slots)) < 0.5, near, pick(rng.random((users, slots)), themes_there))
    interest = np.stack([before, after])
    # In the mean two or three of a user's four interests outlast the user's time.
    drifts = joined[:, None] + (rng.random((users, slots)) * 2.5 * (left - joined)[:, None]).astype(np.int64)

    language = (rng.random(interest.shape) >= japanese[:, None]).astype(np.int64)
    nought = np.zeros(interest.shape, np.int64)
    favourite = service.niche.draw(rng.random(interest.shape), interest * 2 + language, nought, nought + _END)
    return Audience(
        weight=np.rint(1e4 * np.exp(1.1 * rng.standard_normal(users))).astype(np.int64) + 1,
        joined=joined,
        left=left,
        hour=np.array([22.0, 3.5, 11.5, 13.0])[rng.integers(0, 4, users)],  # Morning, noon and evening in Japan.
        japanese=japanese,
        interest=interest,
        drifts=drifts,
        maker=np.where(favourite >= 0, service.stock.maker[favourite], -1),
        performer=np.where(favourite >= 0, service.star[favourite], -1),
    )


def make_likes(
    service: Service, audience: Audience, likes: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw exactly `likes` likes, one for each user at least.

    Returns:
        user, video and second of each like; each pair of user and video once.
    """
    users, stock = len(audience.weight), service.stock
    likeable = np.flatnonzero(stock.weight)
    user = np.append(np.arange(users), pick(rng.random(likes - users), audience.weight))
    user, video, at = _once(*_sessions(service, audience, user, rng), len(stock))
    attempt = 0
    while lacking := likes - len(user):
        if attempt < _ATTEMPTS_BY_TASTE:
            more = pick(rng.random(lacking + lacking // 4 + 8), audience.weight)
            more, more_video, more_at = _sessions(service, audience, more, rng)
        else:
            # The busiest users have liked what they care for. Where likes are this dense, anybody likes anything.
            more = rng.integers(0, users, 2 * lacking + 8)
            more_video = likeable[rng.integers(0, len(likeable), len(more))]
            earliest = np.maximum(stock.published[more_video], audience.joined[more])
            more_at = earliest + (rng.random(len(more)) * (_END - earliest)).astype(np.int64)
        attempt += 1
        user, video, at = _once(
            np.append(user, more), np.append(video, more_video), np.append(at, more_at), len(stock), likes
        )
    return user, video, at


def _sessions(
    service: Service, audience: Audience, user: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Draw a like for each entry of `user`, in bursts; all sessions take their next step together."""
    user = np.sort(user)
    starts = rng.random(len(user)) >= _SESSION_GOES_ON
    starts[0] = True
    starts[1:] |= user[1:] != user[:-1]
    head = np.flatnonzero(starts)
    length = np.diff(np.append(head, len(user)))
    whose = user[head]
    joined, left = audience.joined[whose], audience.left[whose]
    day = (joined + (rng.random(len(head)) * (left - joined)).astype(np.int64)) // DAY
    hour = audience.hour[whose] + 1.5 * rng.standard_normal(len(head))
    now = np.clip(day * DAY + (hour * 3_600).astype(np.int64), joined, left)
    slot = pick(rng.random(len(head)), _INTERESTS)

    video, at = np.empty_like(user), np.empty_like(user)
    for step in range(int(length.max())):
        going = np.flatnonzero(length > step)
        previous = video[head[going] + step - 1] if step else None
        video[head[going] + step] = _like(service, audience, whose[going], slot[going], now[going], previous, rng)
        at[head[going] + step] = now[going]
        pause = 20 + (-np.log(1 - rng.random(len(going))) * 300).astype(np.int64)
        now[going] = np.minimum(now[going] + pause, _END - 1)
    return user, video, at


def _like(
    service: Service,
    audience: Audience,
    user: NDArray[np.int64],
    slot: NDArray[np.int64],
    now: NDArray[np.int64],
    previous: NDArray[np.int64] | None,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Draw what each of these users likes at this moment.

    Args:
        slot: which of the user's interests the session is about.
        previous: the session's last video, None at its start.
    """
    stock = service.stock
    drifted = (now >= audience.drifts[user, slot]).astype(np.int64)
    niche = audience.interest[drifted, user, slot] * 2 + (rng.random(len(user)) >= audience.japanese[user])
    why = pick(rng.random(len(user)), _AT_START if previous is None else _IN_COURSE)
    chance = rng.random(len(user))
    age = (-np.log(1 - rng.random(len(user))) * _FRESH_DAYS * DAY).astype(np.int64)
    since = np.where(rng.random(len(user)) < _FRESH_SHARE, now - age, 0)

    sources = [
        (_INTEREST, service.niche, niche),
        (_MAKER, service.maker, audience.maker[drifted, user, slot]),
        (_PERFORMER, service.performer, audience.performer[drifted, user, slot]),
        (_ANY, service.all, np.zeros(len(user), np.int64)),
    ]
    drawn = np.full(len(user), -1)
    if previous is not None:
        following = stock.next_episode[previous]
        out = (why == _NEXT_EPISODE) & (following >= 0) & (stock.published[following] <= now)
        drawn[out] = following[out]
        sources += [
            (_SAME_MAKER, service.maker, stock.maker[previous]),
            (_SAME_CAST, service.performer, service.star[previous]),
            (_SAME_NICHE, service.niche, stock.niche[previous]),
        ]
    for reason, shelf, group in sources:
        rows = np.flatnonzero((why == reason) & (group >= 0))
        drawn[rows] = shelf.draw(chance[rows], group[rows], since[rows], now[rows])
    # Where there was nothing of that kind: something old of the interest, or whatever there is.
    for shelf, group in ((service.niche, niche), (service.all, np.zeros(len(user), np.int64))):
        rows = np.flatnonzero(drawn < 0)
        drawn[rows] = shelf.draw(chance[rows], group[rows], np.zeros(len(rows), np.int64), now[rows])
    return drawn


def _once(
    user: NDArray[np.int64], video: NDArray[np.int64], at: NDArray[np.int64], videos: int, most: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of likes of a video by one user keep the first in order; keep the first `most`."""
    _, first = np.unique(user * videos + video, return_index=True)
    first = np.sort(first)[:most]
    return user[first], video[first], at[first]
