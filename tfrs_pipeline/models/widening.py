"""From the numbers that the towers compute with to the numbers that are stored, and back, without a loss."""

import numpy as np
from numpy.typing import NDArray
from tf_keras import layers


def cosines(width: int, dimension: int) -> NDArray[np.float32]:
    """Orthonormal rows [width, dimension]: the first `width` of the discrete cosine transform of type IV.

    Lengths and cosines of vectors stay what they are when they are multiplied by it, so that towers can learn with
    fewer numbers than are stored; its transpose leads back (Rao and Yip 1990, "Discrete Cosine Transform").
    """
    frequency, place = np.arange(width)[:, None] + 0.5, np.arange(dimension) + 0.5
    return (np.sqrt(2 / dimension) * np.cos(np.pi / dimension * frequency * place)).astype(np.float32)


def widen(width: int, dimension: int) -> layers.Dense:
    """A layer from `width` numbers to `dimension`, which learns nothing."""
    return _fixed(cosines(width, dimension), "widen")


def narrow(width: int, dimension: int) -> layers.Dense:
    """A layer back from `dimension` numbers to `width`."""
    return _fixed(cosines(width, dimension).T, "narrow")


def _fixed(kernel: NDArray[np.float32], name: str) -> layers.Dense:
    layer = layers.Dense(kernel.shape[1], use_bias=False, kernel_initializer="zeros", trainable=False, name=name)
    layer(kernel.T[:1])  # Makes its weights.
    layer.set_weights([kernel])  # By an initializer it would stand in the topology, number by number.
    return layer
