"""Fit the feature specification to training data."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tfrs_pipeline.config import FeatureConfig
from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.features.knots import fit_knots
from tfrs_pipeline.features.spec import DIMENSION, LIST_FIELDS, SCALES, TEXT_FIELDS, FeatureSpec, Scale, Vocabulary
from tfrs_pipeline.features.text_encoders import fit_text_encoder
from tfrs_pipeline.features.users import MICROSECONDS_A_DAY
from tfrs_pipeline.features.videos import distinct_values, encode_tokens, texts_of, tokens_needed, video_numbers


def fit_features(config: FeatureConfig, videos: pa.Table, likes: Likes) -> FeatureSpec:
    """Learn vocabularies, scales and text statistics.

    Args:
        videos: the videos that may be learned from, a table of `VIDEO_SCHEMA`.
        likes: what may be learned from.
    """
    rows = videos.to_pylist()
    like_counts = likes.counts(len(rows))
    offset = 1  # Token 0 is PADDING.
    vocabularies: dict[str, Vocabulary] = {}
    for field, column in LIST_FIELDS.items():
        counts = Counter(value for row in rows for value in distinct_values(row[column]))
        vocabularies[field] = Vocabulary(offset, _frequent(counts, config.min_videos, config.max_values))
        offset += vocabularies[field].size
    scales: dict[str, Scale] = {}
    numbers = video_numbers(rows, like_counts)
    for field in SCALES:
        scales[field] = Scale(offset, fit_knots(numbers[field], np.linspace(0, 1, config.knots)))
        offset += scales[field].size
    sizes = {"title": config.title_dimension, "description": config.description_dimension}
    texts = {field: fit_text_encoder(texts_of(rows, field), sizes[field], config).spec for field in TEXT_FIELDS}
    most_liked = np.argsort(-like_counts, kind="stable")[: config.max_videos]
    spec = FeatureSpec(
        dimension=DIMENSION,
        videos=[rows[i]["id"] for i in sorted(most_liked) if like_counts[i] > 0],
        vocabularies=vocabularies,
        scales=scales,
        new_video_likes=_likes_of_a_new_video(like_counts, config.new_video_popularity),
        thumbnail=offset,
        tokens=offset + 2,
        max_tokens=min(config.max_tokens, max(tokens_needed(row) for row in rows)),
        texts=texts,
        window=config.window,
        decay_rates=list(config.decay_rates),
        profile_tokens=[],
        # In the middle of equal parts, so that the last one is well known: it stands for all time to come.
        moments=fit_knots(likes.at / MICROSECONDS_A_DAY, (np.arange(config.moments) + 0.5) / config.moments),
    )
    tokens, _ = encode_tokens(spec, rows, like_counts)
    return replace(spec, profile_tokens=_most_liked_tokens(spec, tokens, like_counts, config.profile_tokens))


def _likes_of_a_new_video(like_counts: NDArray[np.integer], quantile: float) -> float:
    """The likes of the video that stands at the quantile of all likes, 0 without any."""
    liked = np.repeat(like_counts, like_counts)
    return float(np.quantile(liked, quantile)) if len(liked) else 0.0


def _most_liked_tokens(
    spec: FeatureSpec, tokens: NDArray[np.int32], like_counts: NDArray[np.integer], most: int
) -> list[int]:
    """The tokens of genre, maker, performer, tag and price that stand in the most likes, sorted."""
    likes = np.bincount(tokens.ravel(), np.repeat(like_counts, tokens.shape[1]), minlength=spec.tokens)
    eligible = np.zeros(spec.tokens, bool)
    countable: list[Vocabulary | Scale] = [*spec.vocabularies.values(), spec.scales["price"]]
    for field in countable:
        eligible[field.offset : field.offset + field.size] = True
    likes[~eligible] = 0
    ranked = np.argsort(-likes, kind="stable")[:most]
    return sorted(int(token) for token in ranked if likes[token] > 0)


def _frequent(counts: Counter[str], at_least: int, most: int) -> list[str]:
    ranked = sorted((-count, value) for value, count in counts.items() if count >= at_least)
    return [value for _, value in ranked[:most]]
