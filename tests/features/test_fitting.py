from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tfrs_pipeline.config import Config, FeatureConfig
from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Likes, Snapshot
from tfrs_pipeline.features.fitting import fit_features
from tfrs_pipeline.features.spec import PADDING, FeatureSpec
from tfrs_pipeline.features.videos import encode_tokens

DAY = 86_400_000_000


def fitted(rows: list[dict[str, Any]], counts: list[int], **settings: Any) -> FeatureSpec:
    rows = [{"id": f"v{number}"} | row for number, row in enumerate(rows)]
    liked = np.repeat(np.arange(len(rows)), counts)
    likes = Likes.sort(np.arange(len(liked)), liked, np.arange(len(liked)) * DAY)
    return fit_features(FeatureConfig(**settings), pa.Table.from_pylist(rows, VIDEO_SCHEMA), likes)


def test_a_vocabulary_holds_what_is_frequent_enough_the_most_frequent_first() -> None:
    rows = [
        {"genres": ["b", "a", "a", " a "]},
        {"genres": ["a", "c", ""]},
        {"genres": ["b", "d", None]},
        {"genres": ["e"]},
    ]
    spec = fitted(rows, [1] * 4, min_videos=2)
    assert spec.vocabularies["genre"].values == ["a", "b"], "a value counts once for a video, equals by name"
    assert fitted(rows, [1] * 4, min_videos=1, max_values=3).vocabularies["genre"].values == ["a", "b", "c"]
    assert spec.vocabularies["tag"].values == []


def test_tokens_follow_upon_each_other_without_gaps(spec: FeatureSpec) -> None:
    taken = [PADDING]
    for field in (spec.vocabularies | spec.scales).values():
        taken += range(field.offset, field.offset + field.size)
    assert [*taken, spec.thumbnail, spec.thumbnail + 1] == list(range(spec.tokens))
    assert FeatureSpec.from_json(spec.to_json()) == spec


def test_no_video_needs_a_token_outside_the_table(service: Snapshot, spec: FeatureSpec) -> None:
    tokens, _ = encode_tokens(spec, service.videos.to_pylist(), service.likes.counts(60))
    assert tokens.min() >= PADDING
    assert tokens.max() < spec.tokens


def test_the_most_liked_videos_have_an_embedding_of_their_own() -> None:
    assert fitted([{}] * 5, [0, 3, 1, 2, 0]).videos == ["v1", "v2", "v3"]
    assert fitted([{}] * 5, [0, 3, 1, 2, 0], max_videos=2).videos == ["v1", "v3"]


def test_knots_divide_the_videos_evenly() -> None:
    spec = fitted([{"price": float(np.expm1(i))} for i in range(9)], [1] * 9, knots=5)
    assert spec.scales["price"].knots == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("prices", [[None] * 4, [-1.0] * 4, [float("nan"), None, -3.0, float("inf")]])
def test_a_number_that_no_video_has_still_has_a_scale(prices: list[float | None]) -> None:
    assert fitted([{"price": price} for price in prices], [1] * 4).scales["price"].knots == [0.0]


def test_a_number_that_is_the_same_everywhere_has_one_knot() -> None:
    assert len(fitted([{"duration_seconds": 60}] * 4, [1] * 4).scales["duration"].knots) == 1


def test_the_profile_counts_the_most_liked_of_what_a_taste_can_be_about() -> None:
    rows = [{"genres": ["a"], "price": 1.0}, {"genres": ["b"], "price": 1.0}, {"genres": ["c"], "price": 1.0}]
    spec = fitted(rows, [5, 1, 0], min_videos=1)
    genre, price = spec.vocabularies["genre"], spec.scales["price"]
    missing = [spec.vocabularies[name].missing for name in ("maker", "performer", "tag")]
    liked_genres = [genre.offset + 2, genre.offset + 3]
    assert spec.profile_tokens == sorted([*liked_genres, *missing, price.offset + 1])
    assert fitted(rows, [5, 1, 0], min_videos=1, profile_tokens=0).profile_tokens == []
    most_liked = fitted(rows, [5, 1, 0], min_videos=1, profile_tokens=5).profile_tokens
    assert genre.offset + 3 not in most_liked


def test_the_same_rows_give_the_same_spec(service: Snapshot, spec: FeatureSpec, small: Config) -> None:
    assert fit_features(small.features, service.videos, service.likes).to_json() == spec.to_json()


def test_the_longest_row_of_tokens_is_as_long_as_needed_and_allowed() -> None:
    rows = [{"tags": [str(i) for i in range(20)]}, {}]
    assert fitted(rows, [1, 1]).max_tokens == 32
    assert fitted(rows, [1, 1], max_tokens=15).max_tokens == 15
    assert fitted([{}], [1]).max_tokens == 13


def test_moments_stand_in_the_middle_of_equal_parts_of_the_likes() -> None:
    assert fitted([{}, {}], [60, 40], moments=4).moments == pytest.approx([12.375, 37.125, 61.875, 86.625])
    assert fitted([{}], [1], moments=4).moments == [0]
    assert fitted([{}], [0], moments=4).moments == [0], "without likes there is one moment all the same"


def test_a_new_video_has_the_likes_of_the_one_in_the_middle_of_all_likes() -> None:
    assert fitted([{}, {}, {}], [1, 4, 20]).new_video_likes == 20
    assert fitted([{}, {}, {}], [1, 4, 20], new_video_popularity=0.1).new_video_likes == 4
    assert fitted([{}], [0]).new_video_likes == 0
