"""Load TensorFlow without what its libraries write past every setting about graphics cards that are not there."""

import os
import sys

from tfrs_pipeline.commands.stopping import leaving_at_once


def load_tensorflow() -> None:
    """Import TensorFlow; to be called by a command that is about to use it.

    The lines come from C++ before logging is set up, so nothing but the file descriptor itself keeps them away. What
    goes wrong is an exception, and that is seen. Nothing may be open: asked to stop, the process ends on the spot.
    """
    sys.stderr.flush()
    standard_error = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with leaving_at_once(standard_error):
            import tensorflow as tf
            import tensorflow_recommenders  # noqa: F401

        tf.get_logger().setLevel("ERROR")
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        os.close(nowhere)
