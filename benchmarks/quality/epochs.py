"""Learning in epochs: how many is chosen by the watch, and the weights of the best epoch are kept."""

import dataclasses
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from quality.peer import Asked, Fitted, Watch
from quality.space import Settings
from tfrs_pipeline.evaluation.ranking import Scorer


class Learner(Protocol):
    """A model that learns one pass at a time."""

    def epoch(self) -> None:
        """One pass over the likes."""

    def scorer(self, asked: Asked) -> Scorer:
        """The model as it stands."""

    def weights(self) -> list[NDArray[np.float32]]:
        """Copies of all that is learned."""

    def restore(self, weights: list[NDArray[np.float32]]) -> None:
        """Put weights back."""


def learn(learner: Learner, settings: Settings, patience: int, watch: Watch | None) -> Fitted:
    """Train for settings["epochs"]; with a watch, at most so many, until `patience` epochs brought nothing better."""
    size = sum(array.nbytes for array in learner.weights())
    fitted = Fitted(learner.scorer, size, settings)
    if watch is None:
        for _ in range(settings["epochs"]):
            learner.epoch()
        return fitted
    return dataclasses.replace(fitted, settings=settings | {"epochs": _best(learner, fitted, patience, watch)})


def _best(learner: Learner, fitted: Fitted, patience: int, watch: Callable[[Fitted], float]) -> int:
    best, best_figure, weights = 0, -np.inf, learner.weights()
    for epoch in range(1, fitted.settings["epochs"] + 1):
        learner.epoch()
        figure = watch(fitted)
        if figure > best_figure:
            best, best_figure, weights = epoch, figure, learner.weights()
        elif epoch - best >= patience:
            break
    learner.restore(weights)
    return best
