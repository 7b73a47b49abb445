"""Item features: a video as a handful of weighted tokens and a text vector."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfrs_pipeline.features.knots import between_knots
from tfrs_pipeline.features.spec import LIST_FIELDS, PADDING, SCALES, FeatureSpec, Scale
from tfrs_pipeline.features.text_encoders import text_encoder

_SECONDS_A_DAY = 86_400
_SLOTS = 2
"""A number takes two places in a video's row of tokens: the knot below and the knot above."""


@dataclass(frozen=True)
class VideoInputs:
    """What the item tower reads, row by row.

    A row of tokens holds two places for each number, in the order of `SCALES`; one for the thumbnail; then genres,
    maker, performers and tags until the row is full.

    Attributes:
        video: 1 + place in `FeatureSpec.videos`, 0 for a video without an embedding of its own; int32 [N].
        tokens: int32 [N, max_tokens], padded with PADDING.
        weights: float32 [N, max_tokens], 0 where padded.
        text: float32 [N, spec.text_size].
    """

    video: NDArray[np.int32]
    tokens: NDArray[np.int32]
    weights: NDArray[np.float32]
    text: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.video)

    def __getitem__(self, rows: Any) -> "VideoInputs":
        return VideoInputs(self.video[rows], self.tokens[rows], self.weights[rows], self.text[rows])

    def arrays(self) -> list[NDArray]:
        """In the order of the item tower's inputs."""
        return [self.video[:, None], self.tokens, self.weights, self.text]

    def at_popularity(self, spec: FeatureSpec, like_counts: NDArray[np.integer]) -> "VideoInputs":
        """The same videos at a moment when they had `like_counts` likes."""
        tokens, weights = self.tokens.copy(), self.weights.copy()
        place = slice(0, _SLOTS)  # Popularity is the first of SCALES.
        likes = likes_to_expect(spec, self.video, like_counts)
        tokens[:, place], weights[:, place] = scale_tokens(spec.scales["popularity"], np.log1p(likes))
        return replace(self, tokens=tokens, weights=weights)


def encode_videos(spec: FeatureSpec, videos: pa.Table, like_counts: NDArray[np.integer]) -> VideoInputs:
    """Apply the specification to rows of videos.

    Args:
        videos: a table of `VIDEO_SCHEMA`.
        like_counts: likes that each video had at the moment in question.
    """
    rows = videos.to_pylist()
    index = {video: number for number, video in enumerate(spec.videos, start=1)}
    own = np.array([index.get(row["id"], 0) for row in rows], np.int32)
    tokens, weights = encode_tokens(spec, rows, likes_to_expect(spec, own, like_counts))
    return VideoInputs(
        video=own,
        tokens=tokens,
        weights=weights,
        text=encode_text(spec, rows),
    )


def likes_to_expect(
    spec: FeatureSpec, own: NDArray[np.int32], like_counts: NDArray[np.integer]
) -> NDArray[np.floating]:
    """Likes as popularity takes them: no fewer than `spec.new_video_likes` for videos that were not in training."""
    return np.where(own == 0, np.maximum(like_counts, spec.new_video_likes), like_counts)


def encode_tokens(
    spec: FeatureSpec, rows: Sequence[dict[str, Any]], like_counts: NDArray[np.number]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The tokens of videos and their weights, both [N, max_tokens]."""
    tokens = np.full((len(rows), spec.max_tokens), PADDING, np.int32)
    weights = np.zeros((len(rows), spec.max_tokens), np.float32)
    numbers = video_numbers(rows, like_counts)
    place = 0
    for field in SCALES:
        span = slice(place, place + _SLOTS)
        tokens[:, span], weights[:, span] = scale_tokens(spec.scales[field], numbers[field])
        place += _SLOTS
    tokens[:, place] = [spec.thumbnail + (0 if row["thumbnail_url"] else 1) for row in rows]
    weights[:, place] = 1
    place += 1
    lookups = {
        field: {value: vocabulary.offset + 2 + i for i, value in enumerate(vocabulary.values)}
        for field, vocabulary in spec.vocabularies.items()
    }
    for i, row in enumerate(rows):
        bag = _value_tokens(spec, lookups, row)[: spec.max_tokens - place]
        tokens[i, place : place + len(bag)] = [token for token, _ in bag]
        weights[i, place : place + len(bag)] = [weight for _, weight in bag]
    return tokens, weights


def tokens_needed(row: dict[str, Any]) -> int:
    """How many tokens a video has when none is dropped."""
    values = sum(max(1, len(distinct_values(row[column]))) for column in LIST_FIELDS.values())
    return _SLOTS * len(SCALES) + 1 + values


def _value_tokens(
    spec: FeatureSpec, lookups: dict[str, dict[str, int]], row: dict[str, Any]
) -> list[tuple[int, float]]:
    bag: list[tuple[int, float]] = []
    for field, column in LIST_FIELDS.items():
        vocabulary = spec.vocabularies[field]
        values = distinct_values(row[column])
        if not values:
            bag.append((vocabulary.missing, 1.0))
        # A unit vector for each field: one maker counts as much as three genres together.
        bag += [(lookups[field].get(value, vocabulary.unknown), len(values) ** -0.5) for value in values]
    return bag


def distinct_values(value: str | Sequence[str | None] | None) -> list[str]:
    """The values of a categorical field, trimmed of blanks, without empty and doubled ones, in their order."""
    values: Iterable[str | None] = [value] if isinstance(value, str) or value is None else value
    return list(dict.fromkeys(trimmed for text in values if text and (trimmed := text.strip(" \t\r\n"))))


def video_numbers(rows: Sequence[dict[str, Any]], like_counts: NDArray[np.number]) -> dict[str, NDArray[np.float64]]:
    """The numbers of videos on the scales that they are measured on, NaN where missing or absurd, each [N].

    Likes, price and seconds as log(1 + x), the date as days since 1970-01-01 UTC.
    """
    return {
        "popularity": np.log1p(like_counts),
        "price": _log1p_of_plausible([row["price"] for row in rows]),
        "duration": _log1p_of_plausible([row["duration_seconds"] or None for row in rows]),
        "published": np.array(
            [
                row["published_at"].timestamp() / _SECONDS_A_DAY
                if isinstance(row["published_at"], datetime)
                else np.nan
                for row in rows
            ],
            np.float64,
        ),
    }


def _log1p_of_plausible(values: Sequence[float | None]) -> NDArray[np.float64]:
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    plausible = np.isfinite(numbers) & (numbers >= 0)
    return np.log1p(numbers, out=np.full(len(numbers), np.nan), where=plausible)


def scale_tokens(scale: Scale, values: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Numbers as tokens of the knots below and above them, and how near each is: both [N, 2]."""
    missing = np.isnan(values)
    below, above, share = between_knots(scale.knots, np.where(missing, scale.knots[0], values))
    tokens = np.stack([scale.offset + 1 + below, scale.offset + 1 + above], axis=1)
    weights = np.stack([1 - share, share], axis=1)
    tokens[missing] = scale.missing
    weights[missing] = (1, 0)
    return tokens.astype(np.int32), weights.astype(np.float32)


def encode_text(spec: FeatureSpec, rows: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    """The texts of videos, [N, spec.text_size]."""
    parts = [text_encoder(text).encode(texts_of(rows, field)) for field, text in spec.texts.items()]
    return np.concatenate(parts, axis=1)


def texts_of(rows: Sequence[dict[str, Any]], field: str) -> list[str]:
    """What the text encoder of a field reads."""
    return [row[field] or "" for row in rows]
