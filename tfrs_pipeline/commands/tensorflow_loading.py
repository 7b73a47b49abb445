"""Load TensorFlow without what its libraries write past every setting: about graphics cards, and about compiling."""

import functools
import os
import sys

from tfrs_pipeline.commands.stopping import leaving_at_once


@functools.cache
def load_tensorflow() -> None:
    """Import TensorFlow and start its compiler; to be called by a command that is about to use them.

    Their lines come from C++, each once, past the logging that could be set; so nothing but the file descriptor itself
    keeps them away. What goes wrong is an exception, and that is seen. Nothing may be open: asked to stop, the process
    ends on the spot.
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
            tf.function(lambda: tf.zeros(()) + 1, jit_compile=True)()
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        os.close(nowhere)
