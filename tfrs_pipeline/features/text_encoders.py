"""The text encoders that there are, by name: the one that comes with the project, and those that packages plug in.

A package that offers, say, a sentence encoder names its class in the entry points of the group ENTRY_POINTS; the
setting `features.text_encoder` chooses it. Deno knows the hashed n-grams alone, so videos are then embedded in Python.
"""

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.config import FeatureConfig
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import TextSpec
from tfrs_pipeline.features.text import HashedNgrams

ENTRY_POINTS = "tfrs_pipeline.text_encoders"
HASHED_NGRAMS = "hashed-ngrams"


class TextEncoder(Protocol):
    """Turns texts into vectors of length `spec.dimension`, each of length 1, or 0 where a text says nothing.

    Attributes:
        spec: all that has to be known to make the same encoder again; `spec.encoder` is its name.
    """

    spec: TextSpec

    def __init__(self, spec: TextSpec) -> None: ...

    @classmethod
    def fit(cls, texts: Sequence[str], dimension: int, config: FeatureConfig) -> "TextEncoder":
        """Make an encoder for texts like these; one that cannot choose its dimension says its own in its spec."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts → [number of texts, dimension]."""


def fit_text_encoder(texts: Sequence[str], dimension: int, config: FeatureConfig) -> TextEncoder:
    """Fit the encoder that the settings name.

    Raises:
        InputError: there is none of that name.
    """
    return _kind(config.text_encoder).fit(texts, dimension, config)


def text_encoder(spec: TextSpec) -> TextEncoder:
    """The encoder that a specification describes.

    Raises:
        InputError: there is none of that name, or it is not fitted.
    """
    return _kind(spec.encoder)(spec)


def _kind(name: str) -> type[TextEncoder]:
    if name == HASHED_NGRAMS:
        return HashedNgrams
    plugged_in = entry_points(group=ENTRY_POINTS)
    if name not in plugged_in.names:
        known = ", ".join([HASHED_NGRAMS, *sorted(plugged_in.names)])
        raise InputError(f"The text encoder {name!r} is not installed. Known: {known}.")
    return plugged_in[name].load()
