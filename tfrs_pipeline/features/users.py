"""User features: a pure function of a user's last likes, so that one more like costs the same whatever came before.

The state of a user is the window of the last `FeatureSpec.window` likes, oldest first. Folding a like in drops the
oldest, and what is computed from a folded state is what is computed from scratch. Nothing else is kept, which is why
taking a like back, or one that arrives late, needs no more than the window read anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.features.spec import HOUR_BANDS, WEEKDAYS, FeatureSpec
from tfrs_pipeline.features.videos import VideoInputs

HIDDEN = -1e9
"""Added to the attention of places that hold no like."""
_MICROSECONDS_AN_HOUR = 3_600_000_000
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


def causal_weights(rates: list[float], length: int) -> NDArray[np.float32]:
    """How much each like counts at each place of a history: [length, rates, length].

    Row `t` weights likes 0 … t by exp(-rate * likes ago) and sums to 1; what comes after `t` weighs nothing.
    """
    ago = np.arange(length)[:, None] - np.arange(length)[None, :]
    weights = np.where(ago >= 0, np.exp(-np.array(rates)[:, None, None] * np.maximum(ago, 0)), 0.0)
    return (weights / weights.sum(axis=2, keepdims=True)).transpose(1, 0, 2).astype(np.float32)


def causal_ages(window: int, length: int) -> NDArray[np.int32]:
    """How many likes ago, [length, length]; `window` where nothing is to be seen."""
    ago = np.arange(length)[:, None] - np.arange(length)[None, :]
    return np.where((ago >= 0) & (ago < window), ago, window).astype(np.int32)


def profiles(spec: FeatureSpec, likes: VideoInputs, at: NDArray[np.int64]) -> NDArray[np.float32]:
    """The profile of a user after each of their likes.

    Args:
        likes: the videos of `users * length` likes, row by row, oldest first.
        at: microseconds of each like, int64 [users, length]; rows shorter than `length` are padded at the end.

    Returns:
        [users, length, profile_size]: shares of the profile tokens, of hours and weekdays (UTC), weighted by recency;
        then how many likes, the usual gap between them, the last gap, and the span.
    """
    users, length = at.shape
    weights = causal_weights(spec.decay_rates[:1], length)[:, 0]
    columns = len(spec.profile_tokens)
    column = np.full(spec.tokens, -1, np.int64)
    column[spec.profile_tokens] = np.arange(columns)
    places = column[likes.tokens]
    known = places >= 0
    rows = np.broadcast_to(np.arange(users * length)[:, None], places.shape)
    flat = rows[known] * columns + places[known]
    shares = np.bincount(flat, likes.weights[known], minlength=users * length * columns)
    hours = at // _MICROSECONDS_AN_HOUR
    bands = np.eye(HOUR_BANDS)[hours % 24 // (24 // HOUR_BANDS)]
    weekdays = np.eye(WEEKDAYS)[(hours // 24 + 3) % 7]  # 1970-01-01 was a Thursday; Monday is 0.
    gaps = np.log1p(np.maximum(np.diff(at, axis=1, prepend=at[:, :1]), 0) / _MICROSECONDS_AN_HOUR) / _ACTIVITY_SCALE
    gaps = gaps[:, :, None]
    averaged = np.concatenate([shares.reshape(users, length, columns), bands, weekdays, gaps], axis=2)
    averaged = np.matmul(weights, averaged.astype(np.float32))
    count = np.broadcast_to((np.log1p(np.arange(1, length + 1)) / np.log1p(spec.window))[None, :, None], gaps.shape)
    span = np.log1p(np.maximum(at - at[:, :1], 0) / (24 * _MICROSECONDS_AN_HOUR))[:, :, None] / _ACTIVITY_SCALE
    activity = [count, averaged[:, :, -1:], gaps, span]
    return np.concatenate([averaged[:, :, :-1], *activity], axis=2).astype(np.float32)


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
    rows = np.zeros((count, length), np.int64)
    at = np.zeros((count, length), np.int64)
    known = np.array([len(state.videos) for state in states])
    for i, state in enumerate(states):
        rows[i, : known[i]] = state.videos
        at[i, : known[i]] = state.at
    held = np.arange(length)[None, :] < known[:, None]
    last = np.maximum(known - 1, 0)
    window = np.where(held[:, :, None], vectors[rows], np.float32(0))
    profile = profiles(spec, videos[rows.ravel()], at)[np.arange(count), last]
    return UserInputs(
        window=window,
        weights=causal_weights(spec.decay_rates, length)[last] * (known > 0)[:, None, None],
        ages=np.where(held, causal_ages(length, length)[last], length).astype(np.int32),
        mask=np.where(held, 0.0, HIDDEN).astype(np.float32),
        profile=profile * (known > 0)[:, None],
    )
