"""Load TensorFlow without what its libraries write past every setting about graphics cards that are not there."""

import os
import sys


def load_tensorflow() -> None:
    """Import TensorFlow; to be called by a command that is about to use it.

    The lines come from C++ before logging is set up, so nothing but the file descriptor itself keeps them away. What
    goes wrong is an exception, and that is seen.
    """
    sys.stderr.flush()
    standard_error = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)
        os.close(nowhere)
