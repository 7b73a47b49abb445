import json
import math
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Snapshot
from tfrs_pipeline.features.spec import PADDING, FeatureSpec, Scale
from tfrs_pipeline.features.videos import (
    VideoInputs,
    distinct_values,
    encode_text,
    encode_videos,
    scale_tokens,
    tokens_needed,
    video_numbers,
)

BLANK: dict[str, Any] = dict.fromkeys(VIDEO_SCHEMA.names) | {"id": "00000000-0000-0000-0000-0000000000ff"}
SCALE = Scale(offset=10, knots=[1.0, 2.0, 4.0])


def encoded(spec: FeatureSpec, likes: int = 0, **columns: Any) -> VideoInputs:
    table = pa.Table.from_pylist([BLANK | columns], VIDEO_SCHEMA)
    return encode_videos(spec, table, np.array([likes]))


def weights_of(inputs: VideoInputs) -> dict[int, float]:
    """The weights of a single video's tokens, those of the same token added."""
    weights: dict[int, float] = {}
    for token, weight in zip(inputs.tokens[0].tolist(), inputs.weights[0].tolist(), strict=True):
        if weight:
            weights[token] = weights.get(token, 0) + weight
    return weights


def on_scale(scale: Scale, value: float) -> dict[int, float]:
    tokens, weights = scale_tokens(scale, np.array([value]))
    return {token: weight for token, weight in zip(tokens[0].tolist(), weights[0].tolist(), strict=True) if weight}


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        (1.0, {11: 1}),
        (1.25, {11: 0.75, 12: 0.25}),
        (2.0, {12: 1}),
        (3.5, {12: 0.25, 13: 0.75}),
        (4.0, {13: 1}),
        (-1e300, {11: 1}),
        (1e300, {13: 1}),
        (math.inf, {13: 1}),
        (-math.inf, {11: 1}),
        (math.nan, {10: 1}),
    ],
)
def test_a_number_is_shared_between_the_knots_around_it(value: float, tokens: dict[int, float]) -> None:
    assert on_scale(SCALE, value) == tokens


@pytest.mark.parametrize("value", [-5.0, 3.0, 99.0])
def test_on_a_scale_of_one_knot_every_number_is_that_knot(value: float) -> None:
    assert on_scale(Scale(10, [3.0]), value) == {11: 1}
    assert on_scale(Scale(10, [3.0]), math.nan) == {10: 1}


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=9, unique=True),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_the_weighted_knots_are_the_number_or_the_end_it_lies_beyond(knots: list[int], value: float) -> None:
    scale = Scale(1, [float(knot) for knot in sorted(knots)])
    tokens, weights = scale_tokens(scale, np.array([value]))
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    place = weights[0] @ np.array(scale.knots)[tokens[0] - 2]
    assert place == pytest.approx(np.clip(value, scale.knots[0], scale.knots[-1]), abs=1e-6 * 2 * 10**6)


@pytest.mark.parametrize("price", [None, -0.01, -1e300, math.nan, math.inf, -math.inf])
def test_an_impossible_price_counts_as_missing(spec: FeatureSpec, price: float | None) -> None:
    assert weights_of(encoded(spec, price=price))[spec.scales["price"].missing] == 1


@pytest.mark.parametrize("duration", [None, 0, -1, -(2**62)])
def test_an_impossible_duration_counts_as_missing(spec: FeatureSpec, duration: int | None) -> None:
    assert weights_of(encoded(spec, duration_seconds=duration))[spec.scales["duration"].missing] == 1


def test_an_absurd_number_counts_as_the_largest_known(spec: FeatureSpec) -> None:
    weights = weights_of(encoded(spec, price=1e300, duration_seconds=2**62))
    for name in ("price", "duration"):
        scale = spec.scales[name]
        assert weights[scale.offset + len(scale.knots)] == 1


def test_numbers_are_measured_as_documented() -> None:
    row = BLANK | {"price": 9.0, "duration_seconds": 99, "published_at": datetime(1970, 1, 3, 12, tzinfo=timezone.utc)}
    numbers = video_numbers([row], np.array([3]))
    assert {name: float(of_videos[0]) for name, of_videos in numbers.items()} == pytest.approx(
        {"popularity": math.log(4), "price": math.log(10), "duration": math.log(100), "published": 2.5}
    )


def test_a_video_of_which_nothing_is_known_says_so(spec: FeatureSpec) -> None:
    inputs = encoded(spec)
    missing = [vocabulary.missing for vocabulary in spec.vocabularies.values()]
    missing += [scale.missing for name, scale in spec.scales.items() if name != "popularity"]
    assert weights_of(inputs) == {
        **dict.fromkeys(missing, 1),
        **on_scale(spec.scales["popularity"], math.log1p(spec.new_video_likes)),
        spec.thumbnail + 1: 1,
    }
    assert inputs.video.tolist() == [0]
    assert not inputs.text.any()


def test_values_are_looked_up_trimmed_and_once(spec: FeatureSpec) -> None:
    vocabulary = spec.vocabularies["genre"]
    first, second = (vocabulary.offset + 2 + vocabulary.values.index(f"genre {i}") for i in range(2))
    weights = weights_of(encoded(spec, genres=["genre 0", " genre 0\t", "", "  ", None, "genre 1\n", "genre 0"]))
    assert weights[first] == weights[second] == pytest.approx(2**-0.5)
    assert vocabulary.missing not in weights
    assert vocabulary.unknown not in weights


def test_a_value_outside_the_vocabulary_is_unknown_and_not_missing(spec: FeatureSpec) -> None:
    weights = weights_of(encoded(spec, maker="nobody", tags=["a", "b"]))
    assert weights[spec.vocabularies["maker"].unknown] == 1
    assert weights[spec.vocabularies["tag"].unknown] == pytest.approx(2 * 2**-0.5)
    assert weights[spec.vocabularies["performer"].missing] == 1


def test_only_blanks_are_missing(spec: FeatureSpec) -> None:
    weights = weights_of(encoded(spec, maker=" \n", genres=["", " "], tags=[]))
    assert all(weights[spec.vocabularies[name].missing] == 1 for name in ("maker", "genre", "tag"))


@given(st.none() | st.text() | st.lists(st.none() | st.text()))
def test_distinct_values_are_trimmed_distinct_and_not_empty(value: str | list[str | None] | None) -> None:
    values = distinct_values(value)
    assert len(set(values)) == len(values)
    assert all(text == text.strip(" \t\r\n") != "" for text in values)


def test_tokens_that_find_no_room_are_dropped(spec: FeatureSpec) -> None:
    inputs = encoded(spec, genres=[f"genre {i}" for i in range(1000)])
    assert inputs.tokens.shape == (1, spec.max_tokens)
    assert (inputs.weights > 0).sum() <= spec.max_tokens
    assert np.isfinite(inputs.weights).all()


def test_places_behind_the_last_token_weigh_nothing(spec: FeatureSpec) -> None:
    inputs = encoded(spec)
    behind = inputs.tokens == PADDING
    assert behind.any()
    assert not inputs.weights[behind].any()
    assert tokens_needed(BLANK) == 13


def test_a_thumbnail_is_a_token(spec: FeatureSpec) -> None:
    assert weights_of(encoded(spec, thumbnail_url="https://example.com/a.jpg"))[spec.thumbnail] == 1
    assert weights_of(encoded(spec, thumbnail_url=""))[spec.thumbnail + 1] == 1


def test_a_liked_video_has_an_index_of_its_own(service: Snapshot, spec: FeatureSpec, videos: VideoInputs) -> None:
    counts = service.likes.counts(len(videos))
    assert ((videos.video > 0) == (counts > 0)).all()
    ids = service.videos["id"].to_pylist()
    assert all(spec.videos[number - 1] == ids[row] for row, number in enumerate(videos.video.tolist()) if number)


def test_popularity_of_another_moment_changes_popularity_alone(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs
) -> None:
    counts = np.random.default_rng(0).integers(0, 40, len(videos))
    then = videos.at_popularity(spec, counts)
    encoded_then = encode_videos(spec, service.videos, counts)
    for now, before, expected in zip(then.arrays(), videos.arrays(), encoded_then.arrays(), strict=True):
        np.testing.assert_array_equal(now, expected)
        assert now is not expected
        if now.shape[1] == spec.max_tokens:
            np.testing.assert_array_equal(now[:, 2:], before[:, 2:])
    assert (videos.tokens[:, :2] != then.tokens[:, :2]).any(), "the videos themselves are as they were"


def test_rows_are_encoded_apart(service: Snapshot, spec: FeatureSpec, videos: VideoInputs) -> None:
    counts = service.likes.counts(len(videos))
    one = encode_videos(spec, service.videos.slice(7, 1), counts[7:8])
    for alone, together in zip(one.arrays(), videos[7:8].arrays(), strict=True):
        np.testing.assert_array_equal(alone, together)


def test_a_spec_that_went_through_json_encodes_alike(service: Snapshot, spec: FeatureSpec, videos: VideoInputs) -> None:
    again = FeatureSpec.from_json(json.dumps(json.loads(spec.to_json())))
    inputs = encode_videos(again, service.videos, service.likes.counts(len(videos)))
    for first, second in zip(inputs.arrays(), videos.arrays(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_title_and_description_are_read_each_by_itself(spec: FeatureSpec) -> None:
    said = [("a film", "about it"), ("a film", None), (None, None)]
    rows = [{"title": title, "description": description} for title, description in said]
    first, second, none = encode_text(spec, rows)
    titles = spec.texts["title"].dimension
    np.testing.assert_array_equal(first[:titles], second[:titles])
    assert first[titles:].any()
    assert not second[titles:].any()
    assert not none.any()


def test_a_video_that_was_not_in_training_counts_as_popular_as_the_middle_like(spec: FeatureSpec) -> None:
    spec = replace(spec, new_video_likes=7.0)
    rows = [BLANK | {"id": spec.videos[0]}, BLANK, BLANK, BLANK]
    inputs = encode_videos(spec, pa.Table.from_pylist(rows, VIDEO_SCHEMA), np.array([2, 2, 0, 9]))
    places = slice(0, 2)  # Those of popularity.
    for counts in (inputs, inputs.at_popularity(spec, np.array([2, 2, 0, 9]))):
        for row, likes in enumerate((2, 7, 7, 9)):
            tokens, weights = scale_tokens(spec.scales["popularity"], np.log1p(np.array([likes])))
            assert counts.tokens[row, places].tolist() == tokens[0].tolist()
            np.testing.assert_allclose(counts.weights[row, places], weights[0])
