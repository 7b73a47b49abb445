"""The course of a search, with a training that takes no time: its figures follow from its settings."""

from pathlib import Path
from typing import Any

import pytest

from tfrs_pipeline.config import Config, load_config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.progress import Progress

pytest.importorskip("optuna")


class Said(Progress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """The settings that were trained with; the temperature decides, and a high learning rate diverges."""
    from tfrs_pipeline import tuning
    from tfrs_pipeline.evaluation.ranking import NotFiniteError

    configs: list[Config] = []

    def select(snapshot: Any, split: Any, config: Config, folder: Path, progress: Any, hear: Any) -> Any:
        configs.append(config)
        if config.training.learning_rate > 0.004:
            raise NotFiniteError("diverged")
        history = [
            {"epoch": epoch, "ndcg@100": epoch / 100 - abs(config.training.temperature - 0.05)} for epoch in (1, 2, 3)
        ]
        for entry in history:
            hear(entry)
        return None, history

    monkeypatch.setattr(tuning, "select", select)
    return configs


def test_a_search_finds_better_settings_gives_up_bad_ones_and_says_what_matters(
    service: Snapshot, small: Config, tmp_path: Path, trained: list[Config]
) -> None:
    from tfrs_pipeline.tuning import tune

    said = Said()
    found = tune(service, small, 24, tmp_path, None, said)
    assert trained[0] == small, "it starts from the settings that are given"
    assert (found.trials, len(trained)) == (24, 24)
    assert found.start == pytest.approx(0.03 - 0.05)
    assert found.score > found.start
    assert abs(found.settings["training.temperature"] - 0.05) < 0.01
    assert load_config(found.output) == trained[found.best_trial - 1]
    assert found.pruned == sum(line.startswith("Given up") for line in said.lines) > 0
    assert any("it diverged" in line for line in said.lines)
    assert any("it is behind the others" in line for line in said.lines)
    assert sum(found.importance.values()) == pytest.approx(1)
    assert max(found.importance, key=lambda name: found.importance[name]) == "training.temperature"
    page = (found.folder / "report.html").read_text(encoding="utf-8")
    assert "Which settings matter" in page
    assert "1 (start)" in page
    assert not list(found.folder.glob("trial-*"))

    further = tune(service, small, 26, tmp_path, None, said)
    assert (further.folder, further.trials, len(trained)) == (found.folder, 26, 26)
    assert further.score >= found.score
    assert len(set(map(repr, trained))) == 26, "what goes on does not draw again what it drew"


def test_other_settings_to_start_from_are_another_study(
    service: Snapshot, small: Config, tmp_path: Path, trained: list[Config]
) -> None:
    from dataclasses import replace

    from tfrs_pipeline.tuning import tune

    first = tune(service, small, 1, tmp_path, None, Said())
    second = tune(service, replace(small, training=replace(small.training, epochs=9)), 1, tmp_path, None, Said())
    assert first.folder != second.folder
    assert first.importance == {}, "of one trial nothing can be said"


def test_a_search_in_which_everything_diverges_is_one_sentence(
    service: Snapshot, small: Config, tmp_path: Path, trained: list[Config]
) -> None:
    from dataclasses import replace

    from tfrs_pipeline.errors import InputError
    from tfrs_pipeline.tuning import tune

    hot = replace(small, training=replace(small.training, learning_rate=1.0))
    with pytest.raises(InputError, match="all diverged"):
        tune(service, hot, 1, tmp_path, None, Said())
