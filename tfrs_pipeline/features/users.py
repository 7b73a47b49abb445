"""User features: a pure function of a user's last likes, so that one more like costs the same whatever came before.

The state of a user is the window of the last `FeatureSpec.window` likes, oldest first. Folding a like in drops the
oldest, and what is computed from a folded state is what is computed from scratch. Nothing else is kept, which is why
taking a like back, or one that arrives late, needs no more than the window read anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.features.knots import between_knots
from tfrs_pipeline.features.spec import HOUR_BANDS, WEEKDAYS, FeatureSpec
from tfrs_pipeline.features.videos import VideoInputs

HIDDEN = -1e9
"""Added to the attention of places that hold no like."""
_MICROSECONDS_AN_HOUR = 3_600_000_000
MICROSECONDS_A_DAY = 24 * _MICROSECONDS_AN_HOUR
_ACTIVITY_SCALE = 10.0
"""Logarithms of hours and days come to about 10; the division brings them near 1."""


@dataclass(frozen=True)
class UserState:
    """The last likes of a user, oldest first.

    Attributes:
        videos: numbers of the videos, int32 [n], n at most the window.
        at: microseconds since 1970-01-01 UTC, int64 [n].
    """

    videos: NDArray[np.int32]
    at: NDArray[np.int64]

    def fold(self, spec: FeatureSpec, video: int, at: int) -> "UserState":
        """The state after one more like, which is not earlier than those before."""
        start = max(0, len(self.videos) + 1 - spec.window)
        return UserState(np.append(self.videos, np.int32(video))[start:], np.append(self.at, np.int64(at))[start:])


def states_of(likes: Likes, users: NDArray[np.int32], window: int) -> list[UserState]:
    """The state of each of the users after all of the likes."""
    first, end = np.searchsorted(likes.user, users), np.searchsorted(likes.user, users, side="right")
    first = np.maximum(first, end - window)
    return [UserState(likes.video[i:j], likes.at[i:j]) for i, j in zip(first, end, strict=True)]


@dataclass(frozen=True)
class Views:
    """What is seen of rows of likes from some places in them.

    Attributes:
        ages: how many likes ago, int32 [rows, places, length]; the window where a like is not seen.
        first: the earliest like that is seen, int64 [rows, places].
        last: the latest, int64 [rows, places].
    """

    ages: NDArray[np.int32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @staticmethod
    def at(last: NDArray[np.int64], length: int, window: int) -> "Views":
        """From the likes `last` [rows, places], a window back; nothing is seen from a place of -1."""
        first = np.maximum(last - window + 1, 0)
        like = np.arange(length)
        seen = (like >= first[:, :, None]) & (like <= last[:, :, None])
        return Views(np.where(seen, last[:, :, None] - like, window).astype(np.int32), first, last)

    def weights(self, rates: list[float], window: int) -> NDArray[np.float32]:
        """exp(-rate * likes ago), of sum 1 over what is seen: [rows, places, rates, length]."""
        ages = self.ages[:, :, None, :]
        weights = np.where(ages < window, np.exp(-np.array(rates)[:, None] * ages), 0.0)
        total = weights.sum(axis=3, keepdims=True)
        return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).astype(np.float32)

    def mask(self, window: int) -> NDArray[np.float32]:
        """0 where a like is seen, HIDDEN elsewhere: [rows, places, length]."""
        return np.where(self.ages < window, 0.0, HIDDEN).astype(np.float32)


def profiles(spec: FeatureSpec, likes: VideoInputs, at: NDArray[np.int64], views: Views) -> NDArray[np.float32]:
    """The profile of a user as seen from some places of their likes.

    Args:
        likes: the videos of `rows * length` likes, row by row, oldest first.
        at: microseconds of each like, int64 [rows, length].
        views: what is seen, from where.

    Returns:
        [rows, places, profile_size]: shares of the profile tokens, of hours and weekdays (UTC), weighted by recency;
        then how many likes, the usual gap between them, the last gap, and the span; then the time of the last like, as
        shares of `spec.moments`. All 0 where nothing is seen.
    """
    rows, length = at.shape
    columns = len(spec.profile_tokens)
    column = np.full(spec.tokens, -1, np.int64)
    column[spec.profile_tokens] = np.arange(columns)
    places = column[likes.tokens]
    known = places >= 0
    like = np.broadcast_to(np.arange(rows * length)[:, None], places.shape)
    flat = like[known] * columns + places[known]
    shares = np.bincount(flat, likes.weights[known], minlength=rows * length * columns)
    hours = at // _MICROSECONDS_AN_HOUR
    bands = np.eye(HOUR_BANDS)[hours % 24 // (24 // HOUR_BANDS)]
    weekdays = np.eye(WEEKDAYS)[(hours // 24 + 3) % 7]  # 1970-01-01 was a Thursday; Monday is 0.
    kinds = np.concatenate([shares.reshape(rows, length, columns), bands, weekdays], axis=2)
    weights = views.weights(spec.decay_rates[:1], spec.window)[:, :, 0]
    averages = np.matmul(weights, kinds.astype(np.float32))

    row = np.arange(rows)[:, None]
    seen = views.last >= 0
    # The gap before the earliest like that is seen reaches out of the window, so it does not count.
    gaps = np.log1p(np.maximum(np.diff(at, axis=1, prepend=at[:, :1]), 0) / _MICROSECONDS_AN_HOUR) / _ACTIVITY_SCALE
    inside = np.arange(length) > views.first[:, :, None]
    usual_gap = (weights * inside * gaps[:, None, :]).sum(axis=2)
    last_gap = np.where(views.last > views.first, gaps[row, views.last], 0)
    span = np.log1p((at[row, views.last] - at[row, views.first]) / MICROSECONDS_A_DAY) / _ACTIVITY_SCALE
    count = np.log1p(views.last - views.first + 1) / np.log1p(spec.window)
    activity = np.stack([count, usual_gap, last_gap, span], axis=2) * seen[:, :, None]
    moment = _moments(spec, at[row, views.last]) * seen[:, :, None]
    return np.concatenate([averages, activity, moment], axis=2).astype(np.float32)


def _moments(spec: FeatureSpec, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """Times as shares of the two moments that they lie between, [..., moments]."""
    below, above, share = between_knots(spec.moments, at / MICROSECONDS_A_DAY)
    moments = np.eye(len(spec.moments))
    return (1 - share)[..., None] * moments[below] + share[..., None] * moments[above]


@dataclass(frozen=True)
class UserInputs:
    """What the user tower reads, row by row.

    Attributes:
        window: the item tower's vectors of the last likes, oldest first, float32 [B, window, dimension].
        weights: float32 [B, decay rates, window].
        ages: how many likes ago, int32 [B, window]; `window` where there is no like.
        mask: 0 where there is a like, HIDDEN elsewhere, float32 [B, window].
        profile: float32 [B, profile_size].
    """

    window: NDArray[np.float32]
    weights: NDArray[np.float32]
    ages: NDArray[np.int32]
    mask: NDArray[np.float32]
    profile: NDArray[np.float32]

    def arrays(self) -> list[NDArray]:
        """In the order of the user tower's inputs."""
        return [self.window, self.weights, self.ages, self.mask, self.profile]


def encode_users(
    spec: FeatureSpec, states: list[UserState], videos: VideoInputs, vectors: NDArray[np.float32]
) -> UserInputs:
    """The inputs of the user tower for some users.

    Args:
        videos: what the item tower reads of each video.
        vectors: what it made of them, [videos, dimension].
    """
    count, length = len(states), spec.window
    known = np.array([len(state.videos) for state in states])
    rows = np.zeros((count, length), np.int64)
    at = np.zeros((count, length), np.int64)
    for i, state in enumerate(states):
        rows[i, : known[i]] = state.videos
        at[i, : known[i]] = state.at
    held = np.arange(length) < known[:, None]
    views = Views.at(known[:, None] - 1, length, length)
    return UserInputs(
        window=np.where(held[:, :, None], vectors[rows], np.float32(0)),
        weights=views.weights(spec.decay_rates, length)[:, 0],
        ages=views.ages[:, 0],
        mask=views.mask(length)[:, 0],
        profile=profiles(spec, videos[rows.ravel()], at, views)[:, 0],
    )
