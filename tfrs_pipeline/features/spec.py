"""The feature specification: everything that turns rows into model inputs, as one JSON file.

`fitting` makes one from training data, `videos` and `users` apply it, and so does the TypeScript beside the Edge
Functions. Nothing else about features crosses from Python to TypeScript.
"""

import dataclasses
import json
import math
import typing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfrs_pipeline.errors import InputError

FORMAT = 1
DIMENSION = 768

PADDING = 0
"""The token that stands where a video has no further token; its weight is 0."""

LIST_FIELDS = {"genre": "genres", "maker": "maker", "performer": "performers", "tag": "tags"}
"""The categorical fields and the columns they come from."""

TEXT_FIELDS = ("title", "description")
"""The texts of a video, each read by itself: in one bag, a title would drown in its description."""

SCALES = ("popularity", "price", "duration", "published")
"""The numbers of a video, in the order in which its row of tokens holds them."""


@dataclass(frozen=True)
class Vocabulary:
    """The known values of a categorical field.

    Token `offset` stands for a value that is not among them, `offset + 1` for a field without any value, and
    `offset + 2 + i` for `values[i]`.
    """

    offset: int
    values: list[str]

    @property
    def unknown(self) -> int:
        """Token of a value outside the vocabulary."""
        return self.offset

    @property
    def missing(self) -> int:
        """Token of a field that says nothing."""
        return self.offset + 1

    @property
    def size(self) -> int:
        """How many tokens the field takes."""
        return len(self.values) + 2


@dataclass(frozen=True)
class Scale:
    """A number as a place between knots.

    Token `offset` stands for a missing number and `offset + 1 + i` for `knots[i]`. A number between two knots is shared
    between their tokens linearly; one beyond the ends belongs to the end.
    """

    offset: int
    knots: list[float]

    @property
    def missing(self) -> int:
        """Token of a number that is not known."""
        return self.offset

    @property
    def size(self) -> int:
        """How many tokens the number takes."""
        return len(self.knots) + 1


@dataclass(frozen=True)
class TextSpec:
    """How a text becomes numbers; see `text`.

    Attributes:
        encoder: name of the encoder, `hashed-ngrams` unless another was plugged in.
        dimension: numbers that come out.
        ngram_sizes: lengths of the character n-grams.
        max_characters: what lies beyond is not read.
        idf: inverse document frequency of each hash bucket.
    """

    encoder: str
    dimension: int
    ngram_sizes: list[int]
    max_characters: int
    idf: list[float]


@dataclass(frozen=True)
class FeatureSpec:
    """The whole specification.

    Attributes:
        dimension: length of user and video vectors.
        videos: ids of the videos with an embedding of their own; index 0 is every other video, `1 + i` is `videos[i]`.
        vocabularies: by the fields of LIST_FIELDS.
        scales: by SCALES.
        new_video_likes: a video without an embedding of its own counts as having at least so many likes: that nobody
            has liked it yet says that it is new, not that nobody will.
        thumbnail: token of a video with a thumbnail; the one after it is for those without.
        tokens: size of the token table.
        max_tokens: tokens a video may have; those past it are dropped.
        texts: by TEXT_FIELDS; what comes out stands one after the other.
        window: the last likes that describe a user.
        decay_rates: history is weighted by exp(-rate * likes ago); the first rate also weights the profile.
        profile_tokens: the tokens whose share among a user's likes is a user feature.
        moments: knots of the time of a user's last like, in days since 1970-01-01 UTC.
    """

    dimension: int
    videos: list[str]
    vocabularies: dict[str, Vocabulary]
    scales: dict[str, Scale]
    new_video_likes: float
    thumbnail: int
    tokens: int
    max_tokens: int
    texts: dict[str, TextSpec]
    window: int
    decay_rates: list[float]
    profile_tokens: list[int]
    moments: list[float]
    format: int = FORMAT

    @property
    def text_size(self) -> int:
        """Length of a video's text vector."""
        return sum(text.dimension for text in self.texts.values())

    @property
    def profile_size(self) -> int:
        """Length of a user's profile: shares of tokens, hours, weekdays, activity, and moments (see `users`)."""
        return len(self.profile_tokens) + HOUR_BANDS + WEEKDAYS + ACTIVITY + len(self.moments)

    def to_json(self) -> str:
        """One JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")) + "\n"

    @staticmethod
    def from_json(text: str, source: Path | str = "features.json") -> "FeatureSpec":
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a file, or of another format.
        """
        try:
            raw = json.loads(text)
            if isinstance(raw, dict) and raw.get("format", FORMAT) != FORMAT:
                raise InputError(f"{source} has feature format {raw['format']}; this version reads {FORMAT}.")
            spec = _read(FeatureSpec, raw, "it")
            _check_consistent(spec)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{source} is not a feature specification: {error}. Train again.") from error
        return spec


def _read(kind: Any, value: Any, place: str) -> Any:
    """A value from JSON as a dataclass, list, dictionary or plain value of a type.

    Raises:
        ValueError: it is of another, naming the place.
    """
    parts = typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        fields = typing.get_type_hints(kind)
        if not isinstance(value, dict) or set(value) != set(fields):
            raise ValueError(f"{place} has to hold {', '.join(fields)}")
        made: Any = kind
        return made(**{name: _read(fields[name], value[name], f"{place}.{name}") for name in fields})
    if typing.get_origin(kind) is list and isinstance(value, list):
        return [_read(parts[0], item, f"{place}[{i}]") for i, item in enumerate(value)]
    if typing.get_origin(kind) is dict and isinstance(value, dict):
        return {name: _read(parts[1], item, f"{place}.{name}") for name, item in value.items()}
    if kind in (int, str) and type(value) is kind:
        return value
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return value
    raise ValueError(f"{place} is {json.dumps(value)[:60]}")


def _check_consistent(spec: FeatureSpec) -> None:
    """See that no token, knot or window leads out of its table.

    Raises:
        ValueError: naming the part that does.
    """
    fields = (list(spec.vocabularies), list(spec.scales), list(spec.texts))
    if fields != (list(LIST_FIELDS), list(SCALES), list(TEXT_FIELDS)):
        raise ValueError("its fields are others")
    offset = PADDING + 1
    for name, field in (spec.vocabularies | spec.scales).items():
        if field.offset != offset:
            raise ValueError(f"the tokens of {name} do not begin at {offset}")
        offset += field.size
    if (spec.thumbnail, spec.tokens) != (offset, offset + 2):
        raise ValueError(f"it does not have {offset + 2} tokens")
    for name, knots in ({name: scale.knots for name, scale in spec.scales.items()} | {"time": spec.moments}).items():
        if not knots or knots != sorted(set(knots)):
            raise ValueError(f"the knots of {name} do not ascend")
    if not all(PADDING < token < spec.tokens for token in spec.profile_tokens):
        raise ValueError("a profile token is none of its tokens")
    if spec.new_video_likes < 0:
        raise ValueError("a new video has fewer likes than none")
    sizes = [spec.dimension, spec.window]
    for text in spec.texts.values():
        sizes += [text.dimension, text.max_characters, *text.ngram_sizes]
    if min(sizes) < 1 or spec.max_tokens <= 2 * len(SCALES) or not spec.decay_rates:
        raise ValueError("a size is too small")


HOUR_BANDS = 8
"""Bands of three hours, UTC."""
WEEKDAYS = 7
ACTIVITY = 4
