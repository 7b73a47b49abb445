import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.data.split import VALIDATION
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.training.fitting import CRITERION, best_epoch

if TYPE_CHECKING:
    from tfrs_pipeline.models.two_tower import TwoTower

QUIET = Progress(quiet=True)


@dataclass(frozen=True)
class Trained:
    """What came of a training; `validated` are the weights that validation saw after each epoch."""

    folder: Path
    history: list[dict[str, Any]]
    weights: list[np.ndarray]
    validated: list[list[np.ndarray]]

    @property
    def figures(self) -> list[dict[str, float]]:
        """The history without how long it took."""
        return [
            {name: value for name, value in entry.items() if name not in ("seconds", "examples_per_second")}
            for entry in self.history
        ]


Fit = Callable[..., Trained]


@pytest.fixture(scope="module")
def fit(service: Snapshot, small: Config) -> Fit:
    """Trains a new model as the pipeline does, in a folder."""
    from tfrs_pipeline.evaluation.validation import Validation
    from tfrs_pipeline.measuring import prepare, split_likes
    from tfrs_pipeline.models.two_tower import TwoTower
    from tfrs_pipeline.training.batches import Batches
    from tfrs_pipeline.training.fitting import fit, make_deterministic

    split = split_likes(service, small.evaluation)
    task = prepare(service, split, VALIDATION, small)
    standard = Validation(task.problem, task.states, task.videos)

    def train(
        folder: Path, epochs: int, validate: Any = standard, progress: Progress = QUIET, **settings: Any
    ) -> Trained:
        validated = []

        def watched(model: TwoTower) -> dict[str, float]:
            validated.append(weights_of(model))
            return validate(model)

        training = replace(small.training, **settings)
        make_deterministic(training.seed)
        model = TwoTower(task.spec, small.model, training.temperature)
        batches = Batches(task.spec, task.videos, split.known(VALIDATION), training)
        history = fit(model, batches, training, folder, progress, epochs, watched if validate else None)
        return Trained(folder, history, weights_of(model), validated)

    return train


@pytest.fixture(scope="module")
def undisturbed(fit: Fit, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return fit(tmp_path_factory.mktemp("undisturbed"), 4)


def weights_of(model: "TwoTower") -> list[np.ndarray]:
    return [variable.numpy() for variable in model.tower_weights]


def assert_same(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


class Interrupted(Progress):
    """Ctrl-C in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        super().__init__(quiet=True)
        self.epoch = f"Epoch {epoch}"

    @contextlib.contextmanager
    def steps(self, total: int, label: str) -> Iterator[Callable[[int], None]]:
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            if label == self.epoch and done > total // 2:
                raise KeyboardInterrupt

        yield advance


def scripted(*values: float) -> "Callable[[TwoTower], dict[str, float]]":
    """A validation that gives these values in turn."""
    remaining = iter(values)
    return lambda model: {CRITERION: next(remaining)}


def test_the_loss_falls_and_the_figures_are_all_there(undisturbed: Trained) -> None:
    losses = [entry["loss"] for entry in undisturbed.history]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.3
    assert [entry["epoch"] for entry in undisturbed.history] == [1, 2, 3, 4]
    assert set(undisturbed.history[0]) == {
        *("epoch", "loss", "seconds", "examples_per_second"),
        *(f"{name}@{k}" for name in ("recall", "ndcg") for k in (10, 50, 100)),
        *(f"factorized_top_k/{k}" for k in (10, 50)),
    }, "without factorized_top_k/100, for which there are too few videos"
    assert all(entry["seconds"] > 0 for entry in undisturbed.history)


def test_a_training_that_was_cut_off_ends_as_an_undisturbed_one(fit: Fit, undisturbed: Trained, tmp_path: Path) -> None:
    for epoch in (3, 4):
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path, 4, progress=Interrupted(epoch))
    resumed = fit(tmp_path, 4)
    assert resumed.figures == undisturbed.figures
    assert_same(resumed.weights, undisturbed.weights)
    assert resumed.history[:2] != undisturbed.history[:2], "what was done is not done again, so it took other times"
    finished = fit(tmp_path, 4)
    assert finished.history == resumed.history
    assert_same(finished.weights, undisturbed.weights)


def test_it_stops_when_validation_no_longer_improves_and_keeps_the_best(fit: Fit, tmp_path: Path) -> None:
    trained = fit(tmp_path, 9, scripted(0.1, 0.3, 0.2, 0.3, 0.9), patience=2)
    assert [entry[CRITERION] for entry in trained.history] == [0.1, 0.3, 0.2, 0.3]
    assert_same(trained.weights, trained.validated[1])
    assert np.abs(trained.weights[0] - trained.validated[3][0]).max() > 1e-4


def test_without_validation_all_epochs_are_trained_and_the_average_is_kept(
    fit: Fit, undisturbed: Trained, tmp_path: Path
) -> None:
    averaged, raw = (fit(tmp_path / str(averaging), 2, None, averaging=averaging) for averaging in (0.99, 0.0))
    losses = [entry["loss"] for entry in undisturbed.history[:2]]
    for trained in (averaged, raw):
        assert [entry["loss"] for entry in trained.history] == losses, "the average takes no part in learning"
    assert_same(averaged.weights, undisturbed.validated[1])
    assert np.abs(raw.weights[0] - averaged.weights[0]).max() > 1e-4


def test_the_seed_decides_where_a_model_begins(spec: FeatureSpec, small: Config) -> None:
    from tfrs_pipeline.models.two_tower import TwoTower
    from tfrs_pipeline.training.fitting import make_deterministic

    def begin(seed: int) -> list[np.ndarray]:
        make_deterministic(seed)
        return weights_of(TwoTower(spec, small.model, 0.1))

    assert_same(begin(5), begin(5))
    assert np.abs(begin(5)[0] - begin(6)[0]).max() > 1e-4


def test_tensorboard_finds_the_figures(undisturbed: Trained) -> None:
    from tensorflow.python.summary.summary_iterator import summary_iterator

    (events,) = (undisturbed.folder / "tensorboard").iterdir()
    tags = {value.tag for event in summary_iterator(str(events)) for value in event.summary.value}
    assert {"loss", CRITERION, "examples_per_second"} <= tags


def test_the_best_epoch_is_the_earliest_among_equals() -> None:
    history = [{"epoch": epoch, CRITERION: value} for epoch, value in enumerate([0.2, 0.5, 0.5, 0.1], start=1)]
    assert best_epoch(history) == 2
