"""Every setting with its default. A TOML file and flags override them, section by section."""

import dataclasses
import json
import sys
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfrs_pipeline.errors import InputError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class FeatureConfig:
    """What the features look like; fitted into the feature spec."""

    window: int = 50
    """The last likes of a user that the user tower reads."""
    decay_rates: tuple[float, ...] = (0.05, 0.3, 1.5)
    """History is weighted by exp(-rate * how many likes ago), once for each rate, the slowest first."""
    max_videos: int = 100_000
    """At most so many videos, the most liked, have an embedding of their own; the others live by their metadata."""
    min_videos: int = 2
    """A genre, maker, performer or tag is known by name when it stands at so many videos."""
    max_values: int = 20_000
    """At most so many values of each of them are known by name, the most frequent."""
    max_tokens: int = 48
    """Genres, maker, performers, tags and numbers of a video come to at most so many tokens."""
    knots: int = 17
    """Knots of the scales that price, duration, date and popularity are measured on."""
    new_video_popularity: float = 0.5
    """A video that was not in training counts as popular as the one at this quantile of all likes."""
    moments: int = 16
    """Knots of the time at which a user is asked for: that of the last like."""
    profile_tokens: int = 512
    """How many genres, makers, performers, tags and price bands are counted over a user's likes."""
    text_encoder: str = "hashed-ngrams"
    """What reads title and description; packages can plug in others, see `features/text_encoders.py`."""
    title_dimension: int = 1_024
    """Numbers that a title is hashed into."""
    description_dimension: int = 256
    """Numbers that a description is hashed into."""
    ngram_sizes: tuple[int, ...] = (2, 3, 4)
    """Lengths of the character n-grams: two for Japanese, more for English."""
    max_characters: int = 2_000
    """Title and description are each read up to here."""


@dataclass(frozen=True)
class ModelConfig:
    """The shape of the towers."""

    width: int = 256
    """Numbers that both towers compute with, before they are widened to the 768 that are stored."""
    user_width: int = 512
    """Hidden units that read averages and profile."""
    heads: int = 2
    """Attention heads over the last likes."""
    head_width: int = 64
    """Rank of a head's query."""
    value_width: int = 128
    """What a head hands on."""
    read_dropout: float = 0.3
    """Share of the averages and the profile that is dropped in training."""
    dropout: float = 0.5
    """Share of what hidden units and heads hand on that is dropped in training."""


@dataclass(frozen=True)
class TrainingConfig:
    """How the towers are trained."""

    epochs: int = 20
    """At most so many passes; validation stops earlier."""
    patience: int = 3
    """Stop when validation has not improved for so many epochs."""
    batch_blocks: int = 32
    """Blocks in a batch; a block holds up to 16 neighbouring likes of one user, each an example."""
    negatives: int = 2_048
    """Draws of videos, by the square root of their likes, as candidates beside those in the batch; the whole catalogue
    when it is not larger."""
    temperature: float = 0.1
    """Cosines are divided by it before the softmax."""
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    averaging: float = 0.99
    """Momentum of the average over steps that is kept of the weights, and used."""
    own_dropout: float = 0.3
    """Share of videos that do without their own embedding in a batch, so that metadata learns to stand alone."""
    popularity_eras: int = 8
    """Popularity is counted up to the start of the era that a batch is drawn from, so that nothing later is seen."""
    validation_users: int = 5_000
    """Users, drawn once, whose targets are ranked after each epoch."""
    mixed_precision: str = "auto"
    """`on`, `off`, or `auto`: on a GPU only."""
    seed: int = 0


@dataclass(frozen=True)
class EvaluationConfig:
    """What is measured, on which split."""

    split: str = "last-like"
    """`last-like`, `by-time`, or `cold`, which holds out whole users and whole videos."""
    min_likes: int = 5
    """Users with fewer likes take no part in the split."""
    candidates: str = "all"
    """`all` videos are ranked, or only those that are `liked` by somebody in the snapshot."""
    users: int = 20_000
    """At most so many users, drawn once, are asked for."""


@dataclass(frozen=True)
class Config:
    """All settings of a run."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Sections of plain values."""
        return dataclasses.asdict(self)


_CHOICES = {
    ("evaluation", "split"): ("last-like", "by-time", "cold"),
    ("evaluation", "candidates"): ("all", "liked"),
    ("training", "mixed_precision"): ("auto", "on", "off"),
}
_SHARES = ("new_video_popularity", "read_dropout", "dropout", "own_dropout", "averaging", "weight_decay")
_AT_LEAST = {"max_tokens": 13}
"""Four numbers take two tokens each; thumbnail, genres, maker, performers and tags one at least."""
_AT_MOST = {"width": 768}
"""More cannot be stored, which is 768 numbers a vector, without a loss."""
_LARGEST = 2**31 - 1
"""What a number of TensorFlow's is sure to hold."""
_FROM_ZERO = ("seed", "heads", "patience", "negatives", "profile_tokens")


def load_config(path: Path | None = None, overrides: dict[str, dict[str, Any]] | None = None) -> Config:
    """Defaults, then the TOML file, then the overrides.

    Raises:
        InputError: the file cannot be read, or names a setting that does not exist, or gives it a value out of range.
    """
    sections: dict[str, Any] = {}
    if path is not None:
        try:
            sections = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"The config file {path} cannot be read as TOML: {error}.") from error
    config = config_from_dict(sections, str(path))
    return config_from_dict(overrides or {}, "the command line", config)


def to_toml(config: Config) -> str:
    """All settings as a TOML file that `load_config` reads."""
    sections = []
    for section, values in config.to_dict().items():
        # Numbers, texts and lists are written in TOML as in JSON.
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
        sections.append("\n".join([f"[{section}]", *lines]))
    return "\n\n".join(sections) + "\n"


def config_from_dict(sections: dict[str, Any], source: str, base: Config | None = None) -> Config:
    """Put settings over those of `base`, checking each.

    Raises:
        InputError: as `load_config`.
    """
    if not isinstance(sections, dict):
        raise InputError(f"{source} does not hold sections of settings.")
    config = base or Config()
    known_sections = [section.name for section in dataclasses.fields(Config)]
    for name, values in sections.items():
        if name not in known_sections or not isinstance(values, dict):
            raise InputError(f"{source} has a section {name!r}; the sections are {', '.join(known_sections)}.")
        section = getattr(config, name)
        types = typing.get_type_hints(type(section))
        for key in values:
            if key not in types:
                raise InputError(f"{source} sets {name}.{key}, which does not exist; there are {', '.join(types)}.")
        checked = {key: _checked(name, key, value, types[key], source) for key, value in values.items()}
        config = dataclasses.replace(config, **{name: dataclasses.replace(section, **checked)})
    return config


def _checked(section: str, key: str, value: Any, kind: Any, source: str) -> Any:
    place = f"{source} sets {section}.{key} to {value!r}"
    if typing.get_origin(kind) is tuple:
        element = typing.get_args(kind)[0]
        if not isinstance(value, list | tuple) or not value:
            raise InputError(f"{place}; it takes a list of numbers.")
        return tuple(_checked(section, key, item, element, source) for item in value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        wanted = {int: "a whole number", float: "a number", str: "a text"}[kind]
        raise InputError(f"{place}; it takes {wanted}.")
    if kind is str:
        choices = _CHOICES.get((section, key))
        if choices and value not in choices:
            raise InputError(f"{place}; it takes one of {', '.join(choices)}.")
    elif not abs(value) <= _LARGEST:  # NaN is not, either.
        raise InputError(f"{place}; it takes a number up to {_LARGEST:,}.")
    elif key in _SHARES:
        if not 0 <= value < 1:
            raise InputError(f"{place}; it takes a number from 0 up to, not including, 1.")
    elif value < 0 or (value == 0 and key not in _FROM_ZERO):
        raise InputError(f"{place}; it takes {'0 or ' if key in _FROM_ZERO else ''}a number above 0.")
    elif value < _AT_LEAST.get(key, 0):
        raise InputError(f"{place}; it takes {_AT_LEAST[key]} or more.")
    elif value > _AT_MOST.get(key, _LARGEST):
        raise InputError(f"{place}; it takes {_AT_MOST[key]} or less.")
    return value
