"""A tower as a TF.js layers model: `model.json` and shards of weights."""

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
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
    """
    if precision not in PRECISIONS:
        raise InputError(f"The precision {precision!r} is not known. Known: {', '.join(PRECISIONS)}.")
    if not any(kind.__module__.startswith("tf_keras.") for kind in type(tower).__mro__):
        raise TypeError(f"{type(tower)} is not of tf_keras. Set TF_USE_LEGACY_KERAS=1 before TensorFlow is imported.")
    save_keras_model = converter()
    # Only what was learned may be rounded: the constants that make a vector's length 1 have to stay exact.
    learned = [weight.name.removesuffix(":0") for weight in tower.trainable_weights]
    rounded = {"float16": learned} if precision == "float16" else None
    with _silence():
        save_keras_model(tower, str(folder), quantization_dtype_map=rounded)


def converter() -> Callable[..., None]:
    """`save_keras_model` of tensorflowjs.

    Raises:
        InputError: it is not installed.
    """
    # Without it, decision forests looks for a notebook wherever standard output is not a terminal, and fails.
    os.environ.setdefault("TFDF_DISABLE_WELCOME_MESSAGE", "1")
    try:
        with _silence():
            from tensorflowjs.converters import save_keras_model
    except ImportError as error:
        raise InputError(
            f"The export needs tensorflowjs, which cannot be imported ({error}). `make export-tfjs` installs it, "
            "and so does `pip install 'tfrs-pipeline[export]'`."
        ) from error
    return save_keras_model


@contextlib.contextmanager
def _silence() -> Any:
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
