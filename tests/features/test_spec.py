import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import DIMENSION, LIST_FIELDS, SCALES, FeatureSpec

Change = Callable[[dict[str, Any]], Any]


def put(*path: Any) -> Change:
    """Sets the value at a path; the last two arguments are its name and what it becomes."""
    *outer, name, value = path

    def change(raw: dict[str, Any]) -> None:
        place: Any = raw
        for part in outer:
            place = place[part]
        place[name] = value

    return change


DAMAGES: dict[str, Change] = {
    "a part is missing": lambda raw: raw.pop("scales"),
    "a part too much": put("surprise", 1),
    "another format": put("format", 99),
    "no format": lambda raw: raw.pop("format"),
    "a dimension of text": put("dimension", "768"),
    "a dimension of truth": put("dimension", True),
    "no window": put("window", 0),
    "a broken window": put("window", 8.5),
    "too few tokens for the numbers": put("max_tokens", 8),
    "rates that are no list": put("decay_rates", 0.05),
    "no rates": put("decay_rates", []),
    "an infinite rate": put("decay_rates", [float("inf")]),
    "a rate that is no number": put("decay_rates", [float("nan")]),
    "video ids that are numbers": put("videos", [1, 2]),
    "vocabularies that are a list": put("vocabularies", []),
    "a vocabulary that is missing": lambda raw: raw["vocabularies"].pop("maker"),
    "a vocabulary without values": lambda raw: raw["vocabularies"]["maker"].pop("values"),
    "a vocabulary of null": put("vocabularies", "maker", None),
    "a value that is null": put("vocabularies", "maker", "values", [None]),
    "a vocabulary longer than its place": lambda raw: raw["vocabularies"]["genre"]["values"].append("one more"),
    "an offset that leads elsewhere": put("scales", "price", "offset", 1),
    "a scale that is missing": lambda raw: raw["scales"].pop("price"),
    "a scale without knots": put("scales", "price", "knots", []),
    "knots out of order": lambda raw: raw["scales"]["price"]["knots"].reverse(),
    "a doubled knot": lambda raw: put("scales", "price", "knots", 0, raw["scales"]["price"]["knots"][1])(raw),
    "a knot of text": put("scales", "price", "knots", 0, "cheap"),
    "a thumbnail among the scales": put("thumbnail", 5),
    "too small a table": put("tokens", 10),
    "moments that do not ascend": put("moments", [2.0, 1.0]),
    "likes of a new video below 0": put("new_video_likes", -1.0),
    "no moments": put("moments", []),
    "a profile token outside the table": put("profile_tokens", [10**6]),
    "a profile token below it": put("profile_tokens", [0]),
    "text that is a number": put("texts", 3),
    "a text that is missing": lambda raw: raw["texts"].pop("description"),
    "a text dimension of 0": put("texts", "title", "dimension", 0),
    "n-grams of length 0": put("texts", "title", "ngram_sizes", [0]),
    "an idf of text": put("texts", "description", "idf", ["high"]),
}


def test_a_spec_comes_back_from_json_as_it_was(spec: FeatureSpec) -> None:
    again = FeatureSpec.from_json(spec.to_json())
    assert again == spec
    assert again.to_json() == spec.to_json()
    assert spec.dimension == DIMENSION == 768


def test_json_holds_every_field_under_its_name(spec: FeatureSpec) -> None:
    raw = json.loads(spec.to_json())
    assert list(raw["vocabularies"]) == list(LIST_FIELDS)
    assert list(raw["scales"]) == list(SCALES)
    assert raw["window"] == 8


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_spec_is_one_sentence_that_names_the_file(spec: FeatureSpec, damage: Change) -> None:
    raw = json.loads(spec.to_json())
    damage(raw)
    with pytest.raises(InputError, match=r"^runs/7/features\.json ") as caught:
        FeatureSpec.from_json(json.dumps(raw), Path("runs/7/features.json"))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "3", '"spec"', "{}", "[" * 100_000, '{"format": 1}', "\0"])
def test_what_is_no_spec_at_all_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"^features\.json is not a feature specification: "):
        FeatureSpec.from_json(text)


def test_a_truncated_spec_is_one_sentence(spec: FeatureSpec) -> None:
    text = spec.to_json()
    for length in range(0, len(text) - 1, len(text) // 50):
        with pytest.raises(InputError):
            FeatureSpec.from_json(text[:length])
