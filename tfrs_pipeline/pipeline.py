"""From a snapshot to a finished run: choose on validation, learn again from all but the test likes, measure once."""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.data.split import TEST, VALIDATION, Split
from tfrs_pipeline.evaluation.validation import Validation
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.measuring import measure, measure_importance, prepare, read_importance, split_likes
from tfrs_pipeline.models.two_tower import TwoTower
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import (
    FIRST_PHASE,
    Run,
    begin_run,
    drop_checkpoints,
    only_training,
    open_run,
    point_latest_at,
    save_towers,
    write_json,
)
from tfrs_pipeline.training.batches import Batches
from tfrs_pipeline.training.blocks import check_examples
from tfrs_pipeline.training.fitting import Hear, best_epoch, fit, make_deterministic


def train(snapshot: Snapshot, config: Config, runs: Path, progress: Progress, importance: bool = False) -> Run:
    """Train both towers and measure them; goes on where the same call was cut off.

    The number of epochs is chosen on the validation likes. Then the towers learn anew, for as many epochs, from the
    validation likes too, and these are the towers that are measured on the test likes and handed on.

    Args:
        importance: measure what each feature brings, too.

    Raises:
        InputError: another training holds the folder, or the data gives nothing to learn.
    """
    with only_training(runs):
        split = split_likes(snapshot, config.evaluation)
        check_examples(split.known(VALIDATION))
        folder = begin_run(runs, snapshot, config)
        progress.say(f"Run {folder.name}: {len(split.likes):,} likes of {len(np.unique(split.likes.user)):,} users.")
        _, selection = select(snapshot, split, config, folder / FIRST_PHASE, progress)
        epochs = best_epoch(selection)
        progress.say(f"Epoch {epochs} was the best on validation. Learning from the validation likes too.")
        final = _learn(snapshot, split, config, folder, epochs, progress)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        write_json(folder / "history.json", {"selection": selection, "final": final, "peak_memory_mib": peak})
        if importance and not read_importance(Run(folder)):
            measure_importance(Run(folder), progress)
        measure(Run(folder), progress)
        point_latest_at(folder)
        drop_checkpoints(folder)
    return open_run(folder)


def select(
    snapshot: Snapshot, split: Split, config: Config, folder: Path, progress: Progress, hear: Hear | None = None
) -> tuple[TwoTower, list[dict[str, Any]]]:
    """Train until validation stops improving; goes on where the same call was cut off.

    Args:
        folder: of this phase alone.
        hear: see `fit`.

    Returns:
        The towers of the best epoch, which are also saved in the folder, and a record of each epoch.
    """
    task = prepare(snapshot, split, VALIDATION, config)
    model = _new_model(task.spec, config)
    batches = Batches(task.spec, task.videos, split.known(VALIDATION), config.training)
    validate = Validation(task.problem, task.states, task.videos)
    history = fit(model, batches, config.training, folder, progress, config.training.epochs, validate, hear)
    save_towers(model, folder)
    return model, history


def _learn(
    snapshot: Snapshot, split: Split, config: Config, folder: Path, epochs: int, progress: Progress
) -> list[dict[str, Any]]:
    """Train the towers that are kept."""
    task = prepare(snapshot, split, TEST, config)
    model = _new_model(task.spec, config)
    batches = Batches(task.spec, task.videos, split.known(TEST), config.training)
    history = fit(model, batches, config.training, folder / "final", progress, epochs)
    save_towers(model, folder)
    return history


def _new_model(spec: FeatureSpec, config: Config) -> TwoTower:
    make_deterministic(config.training.seed)
    half = config.training.mixed_precision
    on_gpu = bool(tf.config.list_physical_devices("GPU"))
    return TwoTower(spec, config.model, config.training.temperature, half == "on" or (half == "auto" and on_gpu))
