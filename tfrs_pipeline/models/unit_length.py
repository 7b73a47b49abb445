"""Vectors of length 1 out of layers that TF.js knows."""

from tf_keras import initializers, layers


def unit_length(vector: "layers.KerasTensor", dimension: int, name: str) -> "layers.KerasTensor":
    """Divide [batch, dimension] by its length.

    TF.js has no UnitNormalization, and a Lambda does not load. The mean of [x, -x] is 0 and its variance |x|²/d, so
    LayerNormalization of it with a scale of d^-½ is [x, -x]/|x|; cropping leaves the first half.
    """
    full = {"dtype": "float32"}  # Whatever precision the layers before have: half a precision is no unit length.
    negative = layers.Rescaling(-1.0, name=f"{name}_negative", **full)(vector)
    both = layers.Concatenate(name=f"{name}_both", **full)([vector, negative])
    normalized = layers.LayerNormalization(
        center=False,
        epsilon=1e-12,
        gamma_initializer=initializers.Constant(dimension**-0.5),
        trainable=False,
        name=f"{name}_length",
        **full,
    )(both)
    halves = layers.Reshape((2, dimension, 1), name=f"{name}_halves", **full)(normalized)
    first = layers.Cropping2D(((0, 1), (0, 0)), name=f"{name}_first", **full)(halves)
    return layers.Flatten(name=name, **full)(first)
