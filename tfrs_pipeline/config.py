"""Every setting with its default. A TOML file and flags override them, section by section."""

import dataclasses
import sys
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
    decay_rates: tuple[float, ...] = (0.05, 0.3)
    """History is weighted by exp(-rate * how many likes ago), once for each rate."""
    max_videos: int = 100_000
    """At most so many videos, the most liked, have an embedding of their own; the others live by their metadata."""
    min_videos: int = 2
    """A genre, maker, performer or tag is known by name when it stands at so many videos."""
    max_values: int = 20_000
    """At most so many values of each of them are known by name, the most frequent."""
    max_tokens: int = 48
    """Genres, maker, performers, tags and numbers of a video come to at most so many tokens."""
    knots: int = 9
    """Knots of the scales that price, duration, date and popularity are measured on."""
    profile_tokens: int = 512
    """How many genres, makers, performers, tags and price bands are counted over a user's likes."""
    text_dimension: int = 256
    """Numbers that title and description are hashed into."""
    ngram_sizes: tuple[int, ...] = (2, 3, 4)
    """Lengths of the character n-grams: two for Japanese, more for English."""
    max_characters: int = 2_000
    """Title and description are read up to here."""


@dataclass(frozen=True)
class ModelConfig:
    """The shape of the towers."""


@dataclass(frozen=True)
class TrainingConfig:
    """How the towers are trained."""

    epochs: int = 20
    seed: int = 0


@dataclass(frozen=True)
class EvaluationConfig:
    """What is measured, on which split."""

    split: str = "last-like"
    """`last-like` or `by-time`."""
    min_likes: int = 5
    """Users with fewer likes take no part in the split."""
    candidates: str = "all"
    """`all` videos are ranked, or only those that are `liked` by somebody in the snapshot."""


@dataclass(frozen=True)
class Config:
    """All settings of a run."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
