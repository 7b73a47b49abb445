"""Settings that are tried: the peer's usual ones first, then random ones, the same for the same seed.

Random search, because it treats every peer alike and needs no settings of its own (Bergstra and Bengio, JMLR 13, 2012).
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Settings = dict[str, Any]

_DRAWS_WITHOUT_NEWS = 100


@dataclass(frozen=True)
class LogUniform:
    """A number whose logarithm is drawn evenly between two ends; rounded to three digits, so that it can be typed."""

    low: float
    high: float

    def draw(self, random: np.random.Generator) -> float:
        """One number."""
        return float(f"{math.exp(random.uniform(math.log(self.low), math.log(self.high))):.3g}")


@dataclass(frozen=True)
class OneOf:
    """One of a few values, all as likely."""

    values: Sequence[Any]

    def draw(self, random: np.random.Generator) -> Any:
        """One value."""
        return self.values[int(random.integers(len(self.values)))]


@dataclass(frozen=True)
class Space:
    """Where a peer's settings lie.

    Attributes:
        usual: every setting with the value that the peer's makers start from.
        choices: where other values of some of them come from.
    """

    usual: Mapping[str, Any]
    choices: Mapping[str, LogUniform | OneOf]


def settings_to_try(space: Space, name: str, trials: int, seed: int) -> list[Settings]:
    """`trials` different settings, the usual ones first; fewer where the space has no more.

    More trials begin with the same settings as fewer.

    Args:
        name: of the peer; peers draw apart from each other.
    """
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    tried = [dict(space.usual)]
    without_news = 0
    while len(tried) < trials and without_news < _DRAWS_WITHOUT_NEWS:
        drawn = dict(space.usual) | {key: choice.draw(random) for key, choice in space.choices.items()}
        without_news = without_news + 1 if drawn in tried else 0
        if not without_news:
            tried.append(drawn)
    return tried
