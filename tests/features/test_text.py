import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_pipeline.config import FeatureConfig
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import TextSpec
from tfrs_pipeline.features.text import BUCKETS, HashedNgrams, normalize

MOST = 2_000
CORPUS = [
    "A film about cats and dogs",
    "The cat who came to dinner",
    "Murder on the night train",
    "A detective on a train at night",
    "猫と犬の映画",
    "夕食に来た猫",
    "夜行列車の殺人事件",
    "列車に乗った探偵の夜",
    "",
]
STRANGE = {
    "Japanese": "東京の夜空に浮かぶ月",
    "English": "The moon above the city",
    "emoji": "😀🎬👩‍👩‍👧‍👦",
    "a single letter": "x",
    "NUL": "before\0after",
    "enormous": "long text " * 200_000,
    "one letter for ever": "a" * 1_000_000,
    "lone surrogate": "\ud800 and \udfff",
    "markup": "<b>&amp;</b>",
}
encoder = HashedNgrams.fit(CORPUS, 64, FeatureConfig())


def likeness(first: str, second: str) -> float:
    vectors = encoder.encode([first, second])
    return float(vectors[0] @ vectors[1])


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_what_says_something_has_length_1(text: str) -> None:
    (vector,) = encoder.encode([text])
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector.astype(np.float64)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("text", ["", " ", "\n", " \t\u3000\u00a0\n"])
def test_what_says_nothing_is_all_zeros(text: str) -> None:
    assert not encoder.encode([text]).any()


@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=40), min_size=1, max_size=5))
def test_any_text_has_length_1_or_0_whatever_stands_beside_it(texts: list[str]) -> None:
    together = encoder.encode(texts)
    lengths = np.linalg.norm(together, axis=1)
    assert np.all((lengths == 0) | (np.abs(lengths - 1) < 1e-6))
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_array_equal(encoder.encode([text])[0], vector)


def test_a_text_is_the_same_in_any_block_of_rows() -> None:
    vectors = encoder.encode(["filler"] * 600 + ["The cat"] + ["filler"] * 600)
    np.testing.assert_array_equal(vectors[600], encoder.encode(["The cat"])[0])
    np.testing.assert_array_equal(vectors[0], vectors[-1])


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("A film about cats", "Films about a cat", "Murder on the train"),
        ("night train", "the night trains", "dinner for cats"),
        ("猫の映画", "猫と犬の映画", "列車の殺人"),
        ("夜行列車の旅", "夜行列車", "猫の夕食"),
    ],
)
def test_likeness_of_words_is_likeness_of_vectors(text: str, near: str, far: str) -> None:
    assert likeness(text, near) > likeness(text, far) + 0.2


@pytest.mark.parametrize(
    ("first", "second"),
    [("THE CAT", "the cat"), ("ＣＡＴ", "cat"), ("ﾈｺ", "ネコ"), (" the\n cat ", "the cat")],
)
def test_ways_of_writing_the_same_are_the_same(first: str, second: str) -> None:
    np.testing.assert_array_equal(*encoder.encode([first, second]))


def test_characters_past_the_most_are_not_read() -> None:
    text = "abcd" * (MOST // 4)
    np.testing.assert_array_equal(*encoder.encode([text, text + "something else"]))
    assert likeness(text, text[:-10] + "else") < 1


def test_a_text_shorter_than_an_ngram_is_read_with_its_edges() -> None:
    assert normalize("犬", MOST).tolist() == [ord(" "), ord("犬"), ord(" ")]


def test_what_stands_in_every_text_says_nothing() -> None:
    common = HashedNgrams.fit(["the cat", "the dog", "the sea"], 64, FeatureConfig(ngram_sizes=(4,)))
    assert not common.encode(["the"]).any()
    assert common.encode(["cats"]).any()


def test_an_encoder_that_went_through_json_gives_the_same_numbers() -> None:
    again = HashedNgrams(TextSpec(**json.loads(json.dumps(dataclasses.asdict(encoder.spec)))))
    np.testing.assert_array_equal(again.encode(CORPUS), encoder.encode(CORPUS))


def test_an_encoder_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(InputError, match=f"5 hash buckets instead of {BUCKETS}"):
        HashedNgrams(dataclasses.replace(encoder.spec, idf=[1.0] * 5))
