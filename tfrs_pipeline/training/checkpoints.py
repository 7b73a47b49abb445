"""Where a training stands, on disk: all that it takes to go on as if it had not been cut off."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.files import disk_errors
from tfrs_pipeline.models.two_tower import TwoTower


class Checkpoints:
    """The newest state of a model and its optimizer, of its random numbers, and the history that led there.

    Args:
        folder: of one training; the checkpoint goes to `checkpoints` in it.
        model: the model.
        optimizer: built for the model's weights.
    """

    def __init__(self, folder: Path, model: TwoTower, optimizer: tf_keras.optimizers.Optimizer) -> None:
        self._folder = folder / "checkpoints"
        # The history is part of the checkpoint, so that both always speak of the same epoch.
        self._history = tf.Variable("[]", dtype=tf.string)
        self._checkpoint = tf.train.Checkpoint(
            model=model, optimizer=optimizer, random=model.user_tower.random_generators, history=self._history
        )
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(self._folder), max_to_keep=1)

    def restore(self) -> list[dict[str, Any]]:
        """Bring everything to where it stood, and give the history up to there; empty if nothing was saved.

        Raises:
            InputError: what was saved is damaged.
        """
        self._sweep()
        if not self._manager.latest_checkpoint:
            return []
        try:
            self._checkpoint.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
            return json.loads(self._history.numpy())
        except (tf.errors.OpError, IndexError, ValueError, AssertionError) as error:
            raise InputError(
                f"The checkpoint in {self._folder} cannot be read. Remove {self._folder.parent} and run again."
            ) from error

    def save(self, history: list[dict[str, Any]]) -> None:
        """Put the state of now in the place of the one before.

        Raises:
            InputError: the disk is full, or may not be written; the one before is still there.
        """
        self._history.assign(json.dumps(history))
        try:
            with tensorflow_disk_errors(self._folder):
                self._manager.save()
        except InputError:
            self._sweep()
            raise

    def _sweep(self) -> None:
        """Remove what was being written when a training was cut off."""
        for partial in self._folder.glob("*_temp"):
            shutil.rmtree(partial, ignore_errors=True)


@contextlib.contextmanager
def tensorflow_disk_errors(path: Path) -> Iterator[None]:
    """Turn a disk that TensorFlow cannot write to into a sentence."""
    try:
        with disk_errors(path):
            yield
    # TensorFlow's names for a full disk, and for a file that may grow no further.
    except (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError) as error:
        raise InputError(f"The disk is full: {path} could not be written. Free some space and run again.") from error
    except tf.errors.PermissionDeniedError as error:
        raise InputError(f"{path} may not be written. Choose a folder that this user can write to.") from error
