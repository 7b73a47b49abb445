"""A tower as a TF.js layers model: `model.json` and shards of weights."""

import contextlib
import errno
import io
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from tfrs_pipeline.errors import InputError

PRECISIONS = ("float16", "float32")


def convert_tower(tower: Any, folder: Path, precision: str) -> None:
    """Write the tower as stock `tf.loadLayersModel` loads it.

    Args:
        tower: a tf_keras Model; one of Keras 3 would convert without an error and then not load.
        precision: `float16` halves the files; TF.js makes float32 of it when it loads.

    Raises:
        InputError: tensorflowjs is not installed.
        OSError: the disk is full.
    """
    if precision not in PRECISIONS:
        raise InputError(f"The precision {precision!r} is not known. Known: {', '.join(PRECISIONS)}.")
    if not any(kind.__module__.startswith("tf_keras.") for kind in type(tower).__mro__):
        raise TypeError(f"{type(tower)} is not of tf_keras. Set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported.")
    import h5py  # type: ignore[import-untyped]
    import tensorflow as tf

    convert = converter()
    # Matrices alone are rounded: they are nearly all of it, and the constants of a vector's length have to stay exact.
    matrices = [weight.name.removesuffix(":0") for weight in tower.weights if len(weight.shape) > 1]
    rounded = {"float16": matrices} if precision == "float16" else None
    # What `save_keras_model` does, but in memory: its file stays behind when it is interrupted.
    with h5py.File(folder.name, "w", driver="core", backing_store=False) as file, _silence():
        tower.save(file)
        topology, weights = convert.h5_merged_saved_model_to_tfjs_format(file)
    folder.mkdir()
    try:
        convert.write_artifacts(topology, weights, str(folder), quantization_dtype_map=rounded)
    except (tf.errors.ResourceExhaustedError, tf.errors.OutOfRangeError) as error:
        # So TensorFlow calls a full disk, and a file that is larger than files may be.
        raise OSError(errno.ENOSPC, error.message) from error


def converter() -> ModuleType:
    """The part of tensorflowjs that converts Keras models.

    Raises:
        InputError: it is not installed.
    """
    # Without it, decision forests looks for a notebook wherever standard output is not a terminal, and fails.
    os.environ.setdefault("TFDF_DISABLE_WELCOME_MESSAGE", "1")
    try:
        with _silence():
            from tensorflowjs.converters import keras_h5_conversion
    except ImportError as error:
        raise InputError(
            f"The export needs tensorflowjs, which cannot be imported ({error}). `make export-tfjs` installs it, "
            "and so does `pip install 'tfrs-pipeline[export]'`."
        ) from error
    return keras_h5_conversion


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep to ourselves what TensorFlow, decision forests and hub print about themselves."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)
