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
