"""Which settings a search tries, and within which bounds; those that it is started from lie within them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfrs_pipeline.config import Config, config_from_dict

if TYPE_CHECKING:
    import optuna

_RANGES = {
    "training.temperature": (0.03, 0.3, True),
    "training.learning_rate": (2e-4, 5e-3, True),
    "training.own_dropout": (0.0, 0.5, False),
    "model.dropout": (0.0, 0.7, False),
    "model.read_dropout": (0.0, 0.6, False),
    "features.decay_rates": (0.01, 0.2, True),
}
"""From, to, and whether by orders of magnitude. Of several decay rates the first is sought, and the others are kept."""
_CHOICES = {
    "training.batch_blocks": (8, 16, 32, 64, 128),
    "training.negatives": (512, 1024, 2048, 4096, 8192),
    "training.averaging": (0.9, 0.97, 0.99, 0.995, 0.999),
    "features.window": (20, 50, 100),
    "model.width": (128, 256, 512),
}
_DIGITS = 3
"""More digits than that make no difference to a training, only to whoever reads the settings."""


@dataclass(frozen=True)
class Setting:
    """One setting: one of `choices`, or a number from `low` to `high`."""

    name: str
    choices: tuple[float, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    def suggest(self, trial: "optuna.Trial") -> float:
        """A value for a trial; the one that it has, if it has one."""
        if self.choices:
            return trial.suggest_categorical(self.name, self.choices)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)


def search_space(base: Config, videos: int) -> list[Setting]:
    """What to seek, around the settings `base`, for a catalogue of so many videos."""
    settings = []
    for name, (low, high, log) in _RANGES.items():
        value = sampled(base, name)
        if name == "features.decay_rates":
            high = min([high, *base.features.decay_rates[1:]])  # The slowest stays the first.
        settings.append(Setting(name, low=min(low, value), high=max(high, value), log=log))
    for name, choices in _CHOICES.items():
        # From the size of the catalogue on, all of it are candidates, however many are asked for.
        different = [choice for choice in choices if name != "training.negatives" or choice < videos]
        tried = tuple(sorted({*different, sampled(base, name)}))
        if len(tried) > 1:
            settings.append(Setting(name, choices=tried))
    return settings


def sampled(config: Config, name: str) -> float:
    """The value that a search would have had to draw to come upon `config`."""
    section, key = name.split(".")
    value = getattr(getattr(config, section), key)
    return value[0] if isinstance(value, tuple) else value


def config_of(base: Config, values: Mapping[str, float]) -> Config:
    """`base` with the values that a search has drawn."""
    sections: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, key = name.split(".")
        before = getattr(getattr(base, section), key)
        short = float(f"{value:.{_DIGITS}g}") if isinstance(value, float) and value != sampled(base, name) else value
        sections.setdefault(section, {})[key] = (short, *before[1:]) if isinstance(before, tuple) else short
    return config_from_dict(sections, "the search", base)
