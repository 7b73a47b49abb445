"""The groups of features that each tower reads, and how to exchange one of them between videos or between users.

Everything but the group stays where it is. A group takes `order`, a permutation of the rows: row `i` gets the group's
values of row `order[i]`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.features.spec import ACTIVITY, HOUR_BANDS, PADDING, WEEKDAYS, FeatureSpec
from tfrs_pipeline.features.users import HIDDEN, UserState, encode_users
from tfrs_pipeline.features.videos import VideoInputs

_ROWS_AT_ONCE = 512
NO_LIKE = -1

Order = NDArray[np.int64]
ExchangeVideos = Callable[[VideoInputs, Order], VideoInputs]


@dataclass(frozen=True)
class Reading:
    """What the user tower reads of users, with likes by the numbers of their videos: their vectors may change.

    Attributes:
        likes: oldest first, NO_LIKE where there is none; int64 [users, length].
        weights: float32 [users, decay rates, length].
        ages: int32 [users, length].
        mask: float32 [users, length].
        profile: float32 [users, profile_size].
    """

    likes: NDArray[np.int64]
    weights: NDArray[np.float32]
    ages: NDArray[np.int32]
    mask: NDArray[np.float32]
    profile: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.likes)

    def __getitem__(self, rows: slice) -> "Reading":
        return Reading(self.likes[rows], self.weights[rows], self.ages[rows], self.mask[rows], self.profile[rows])

    def arrays(self, vectors: NDArray[np.float32]) -> list[NDArray]:
        """In the order of the user tower's inputs, with the videos' `vectors` [videos, n]."""
        window = np.where((self.likes == NO_LIKE)[:, :, None], np.float32(0), vectors[self.likes])
        return [window, self.weights, self.ages, self.mask, self.profile]


ExchangeUsers = Callable[[Reading, Order], Reading]


def read_users(spec: FeatureSpec, states: list[UserState], videos: VideoInputs) -> Reading:
    """What the user tower reads of users who liked `states`."""
    no_vectors = np.zeros((len(videos), 0), np.float32)
    parts = []
    for start in range(0, len(states), _ROWS_AT_ONCE):
        some = states[start : start + _ROWS_AT_ONCE]
        likes = np.full((len(some), spec.window), NO_LIKE, np.int64)
        for row, state in enumerate(some):
            likes[row, : len(state.videos)] = state.videos
        inputs = encode_users(spec, some, videos, no_vectors)
        parts.append((likes, inputs.weights, inputs.ages, inputs.mask, inputs.profile))
    return Reading(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def item_groups(spec: FeatureSpec) -> dict[str, ExchangeVideos]:
    """What the item tower reads of a video, by name."""
    groups: dict[str, ExchangeVideos] = {"own_embedding": _exchange_own}
    for name, (first, size) in _token_ranges(spec).items():
        groups[name] = partial(_exchange_tokens, first, size)
    start = 0
    for name, text in spec.texts.items():
        groups[name] = partial(_exchange_text, slice(start, start + text.dimension))
        start += text.dimension
    return groups


def user_groups(spec: FeatureSpec, heads: int) -> dict[str, ExchangeUsers]:
    """What the user tower reads of a user, by name: the likes in the ways in which they are read, and the profile.

    Args:
        heads: of the user tower's attention.
    """
    groups: dict[str, ExchangeUsers] = {
        f"likes_decay_{rate:g}": partial(_exchange_average, place) for place, rate in enumerate(spec.decay_rates)
    }
    if heads:
        groups["likes_attention"] = _exchange_attention
    tokens = np.array(spec.profile_tokens, np.int64)
    for name, (first, size) in _token_ranges(spec).items():
        columns = np.flatnonzero((tokens >= first) & (tokens < first + size))
        if len(columns):
            groups[f"profile_{name}"] = partial(_exchange_profile, columns)
    start = len(tokens)
    sizes = {"hours": HOUR_BANDS, "weekdays": WEEKDAYS, "activity": ACTIVITY, "moment": len(spec.moments)}
    for name, size in sizes.items():
        groups[name] = partial(_exchange_profile, np.arange(start, start + size))
        start += size
    return groups


def _token_ranges(spec: FeatureSpec) -> dict[str, tuple[int, int]]:
    """The first token of each field, and how many there are."""
    fields = {name: (field.offset, field.size) for name, field in (spec.vocabularies | spec.scales).items()}
    return {**fields, "thumbnail": (spec.thumbnail, 2)}


def _exchange_own(videos: VideoInputs, order: Order) -> VideoInputs:
    return replace(videos, video=videos.video[order])


def _exchange_tokens(first: int, size: int, videos: VideoInputs, order: Order) -> VideoInputs:
    """The rows of tokens grow by as many places as the group takes, so that no other token has to give way."""
    inside = (videos.tokens >= first) & (videos.tokens < first + size)
    places = np.argsort(~inside, axis=1, kind="stable")[:, : inside.sum(axis=1).max(initial=0)]
    held = np.take_along_axis(inside, places, axis=1)
    tokens = np.where(held, np.take_along_axis(videos.tokens, places, axis=1), PADDING)
    weights = np.where(held, np.take_along_axis(videos.weights, places, axis=1), np.float32(0))
    return replace(
        videos,
        tokens=np.concatenate([np.where(inside, PADDING, videos.tokens), tokens[order]], axis=1),
        weights=np.concatenate([np.where(inside, np.float32(0), videos.weights), weights[order]], axis=1),
    )


def _exchange_text(columns: slice, videos: VideoInputs, order: Order) -> VideoInputs:
    text = videos.text.copy()
    text[:, columns] = videos.text[order, columns]
    return replace(videos, text=text)


def _exchange_average(rate: int, users: Reading, order: Order) -> Reading:
    length = users.likes.shape[1]
    both = _with_another(users, order)
    both.weights[:, rate, :length] = 0
    both.weights[:, rate, length:] = users.weights[order, rate]
    return both


def _exchange_attention(users: Reading, order: Order) -> Reading:
    length = users.likes.shape[1]
    both = _with_another(users, order)
    for own, filled, of_other in ((both.mask, HIDDEN, users.mask), (both.ages, length, users.ages)):
        own[:, :length] = filled
        own[:, length:] = of_other[order]
    return both


def _with_another(users: Reading, order: Order) -> Reading:
    """Likes of twice the length: a user's own, and behind them those of another, which nothing looks at yet."""
    length = users.likes.shape[1]
    return replace(
        users,
        likes=np.concatenate([users.likes, users.likes[order]], axis=1),
        weights=np.concatenate([users.weights, np.zeros_like(users.weights)], axis=2),
        ages=np.concatenate([users.ages, np.full_like(users.ages, length)], axis=1),
        mask=np.concatenate([users.mask, np.full_like(users.mask, HIDDEN)], axis=1),
    )


def _exchange_profile(columns: NDArray[np.int64], users: Reading, order: Order) -> Reading:
    profile = users.profile.copy()
    profile[:, columns] = users.profile[order][:, columns]
    return replace(users, profile=profile)
