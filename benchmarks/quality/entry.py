"""What is known of one system when it is done: the record that the tables are made of, and that is kept on disk."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from quality.space import Settings
from tfrs_pipeline.evaluation.evaluate import Measures
from tfrs_pipeline.evaluation.ranking import Ranking
from tfrs_pipeline.runs import read_json, write_json


@dataclass(frozen=True)
class Trial:
    """One try of settings on validation.

    Attributes:
        settings: as they were tried.
        figure: the criterion; None where the fit failed.
        chosen: the settings with the number of epochs that validation chose.
        seconds: that it took.
        fault: why it failed.
    """

    settings: Settings
    figure: float | None
    chosen: Settings | None
    seconds: float
    fault: str | None = None


@dataclass(frozen=True)
class Entry:
    """A row of the table.

    Attributes:
        name: of the system, for files and commands.
        label: as people write it.
        fingerprint: of the data, the question and the search; another one means that this record is out of date.
        settings: those that validation chose.
        validation: the criterion with them; None where nothing was validated here.
        trials: all that were tried.
        seconds: of one training with these settings on all but the test part.
        tuning_seconds: of everything before that.
        size_bytes: of what was learned and has to be kept.
        measures: on test, by segment, as `evaluation.evaluate.measure` has them.
        target_rank: each user's target's place on test, for paired differences.
    """

    name: str
    label: str
    fingerprint: str
    settings: Settings
    validation: float | None
    trials: list[Trial]
    seconds: float
    tuning_seconds: float
    size_bytes: int
    measures: Measures
    target_rank: list[int] = field(repr=False)

    @property
    def ranking(self) -> Ranking:
        """The places, without the lists."""
        return Ranking(np.array(self.target_rank, np.int64), np.empty((len(self.target_rank), 0), np.int32))


def save_entry(entry: Entry, path: Path) -> None:
    """Write it, whole or not at all."""
    write_json(path, asdict(entry))


def load_entry(path: Path, fingerprint: str) -> Entry | None:
    """What was kept, if it is of the same question."""
    kept = _kept(path, fingerprint)
    return kept and Entry(**{**kept, "trials": [Trial(**trial) for trial in kept["trials"]]})


def save_trials(trials: list[Trial], fingerprint: str, path: Path) -> None:
    """Write what has been tried so far."""
    write_json(path, {"fingerprint": fingerprint, "trials": [asdict(trial) for trial in trials]})


def load_trials(path: Path, fingerprint: str) -> list[Trial]:
    """What was tried before, if it is of the same question."""
    kept = _kept(path, fingerprint)
    return [Trial(**trial) for trial in kept["trials"]] if kept else []


def _kept(path: Path, fingerprint: str) -> Any:
    kept = read_json(path) if path.exists() else None
    return kept if kept and kept.get("fingerprint") == fingerprint else None
