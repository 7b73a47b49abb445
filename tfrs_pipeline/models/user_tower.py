"""The user tower: the item tower's vectors of a user's last likes, and the user's profile, to a unit vector."""

from collections.abc import Callable

import tensorflow as tf
from tf_keras import Model, initializers, layers

from tfrs_pipeline.config import ModelConfig
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.models.unit_length import unit_length
from tfrs_pipeline.models.widening import narrow, widen

_Layer = Callable[[tf.Tensor], tf.Tensor]
PLACES = 16
"""Places that share a row of likes in training: the more, the less is read twice; short histories fill fewer."""


class UserTower(tf.Module):
    """Layers of the user tower, connected twice: to learn from every place of a history, and to serve its end.

    The history is read in three ways: averaged at several rates of decay; averaged as attention chooses, with a query
    made of what is known and a learned bias for how many likes ago; and as a profile of shares, counts and the date.
    The answer is a linear map of the slowest average that starts as the identity, one of the fastest (what follows upon
    the last like), one of the date, and a correction by all of it.

    Keys and values of the attention are the vectors themselves: a query of `width` numbers, and a projection after the
    average, are the same function as projecting every like, at a fiftieth of the cost.

    In training the vectors of likes have `config.width` numbers. Those that are stored are widened, so the serving
    model brings averages of them back to `width`, and its queries and answers to `dimension`.
    """

    def __init__(self, spec: FeatureSpec, config: ModelConfig) -> None:
        super().__init__()
        self.spec = spec
        self.heads = config.heads
        self.width = width = config.width
        self.slow = layers.Dense(width, use_bias=False, kernel_initializer=initializers.Identity(), name="slow_average")
        self.fast = layers.Dense(width, use_bias=False, kernel_initializer="zeros", name="fast_average")
        self.moment = layers.Dense(width, use_bias=False, kernel_initializer="zeros", name="moment")
        self.hidden = layers.Dense(config.user_width, activation="gelu", name="hidden")
        self.correction = layers.Dense(width, kernel_initializer="zeros", name="correction")
        self.query = [layers.Dense(config.head_width, name=f"query_{i}") for i in range(self.heads)]
        self.key = [layers.Dense(width, use_bias=False, name=f"key_{i}") for i in range(self.heads)]
        self.value = [layers.Dense(config.value_width, name=f"value_{i}") for i in range(self.heads)]
        self.age = [
            layers.Embedding(spec.window + 1, 1, embeddings_initializer="zeros", name=f"age_{i}")
            for i in range(self.heads)
        ]
        # Their own generators live in variables, see `random_generators`.
        self.read_dropout = layers.Dropout(config.read_dropout, rng_type="stateful", name="read_dropout")
        self.dropout = layers.Dropout(config.dropout, rng_type="stateful", name="dropout")
        self.training_model = self._training_model()
        """For many places in each row of likes: see `__call__`."""
        self.model = self.serving_model(spec.window, spec.dimension)
        """What is exported: inputs `window` [window, dimension], `weights` [rates, window], `ages` and `mask` [window],
        `profile`; output [dimension]."""

    @property
    def random_generators(self) -> list[tf.random.Generator]:
        """What dropout draws from. Keras keeps it out of checkpoints, so whoever writes one has to add it."""
        return [layer._random_generator._generator for layer in (self.read_dropout, self.dropout)]

    def __call__(
        self,
        likes: tf.Tensor,
        weights: tf.Tensor,
        ages: tf.Tensor,
        mask: tf.Tensor,
        profile: tf.Tensor,
        training: bool,
    ) -> tf.Tensor:
        """The vectors of users at several places of their likes.

        Args:
            likes: vectors of the likes, [rows, length, width].
            weights: of the likes as seen from each place, [rows, places, rates, length].
            ages: how many likes ago, int32 [rows, places, length].
            mask: added to the attention, [rows, places, length].
            profile: at each place, [rows, places, profile_size].

        Returns:
            Vectors [rows, places, width], not yet of unit length.
        """
        flat = tf.reshape(weights, (tf.shape(weights)[0], PLACES * len(self.spec.decay_rates), -1))
        vectors = self.training_model([likes, flat, ages, mask, profile], training=training)
        return tf.cast(vectors, tf.float32)

    def _training_model(self) -> Model:
        """PLACES answers for a row of likes, each with weights, ages, mask and profile of its own."""
        spec, length = self.spec, self.spec.window + PLACES - 1
        inputs = [
            layers.Input((length, self.width)),
            layers.Input((PLACES * len(spec.decay_rates), length)),
            layers.Input((PLACES, length), dtype="int32"),
            layers.Input((PLACES, length)),
            layers.Input((PLACES, spec.profile_size)),
        ]
        return Model(inputs, self._connect(PLACES, *inputs))

    def serving_model(self, length: int, dimension: int) -> Model:
        """One answer, of unit length, to `length` likes of `dimension` numbers: those stored, or `width`."""
        spec = self.spec
        window = layers.Input((length, dimension), name="window")
        weights = layers.Input((len(spec.decay_rates), length), name="weights")
        ages = layers.Input((length,), dtype="int32", name="ages")
        mask = layers.Input((length,), name="mask")
        profile = layers.Input((spec.profile_size,), name="profile")
        one_place = [layers.Reshape((1, *tensor.shape[1:]))(tensor) for tensor in (ages, mask, profile)]
        vector = layers.Flatten()(self._connect(1, window, weights, *one_place))
        inputs = [window, weights, ages, mask, profile]
        return Model(inputs, unit_length(vector, dimension, "user_vector"), name="user_tower")

    def _connect(
        self, places: int, window: tf.Tensor, weights: tf.Tensor, ages: tf.Tensor, mask: tf.Tensor, profile: tf.Tensor
    ) -> tf.Tensor:
        """Vectors [batch, places, n] from one window of vectors of n numbers and, for each place, what it sees."""
        dimension, rates = window.shape[2], len(self.spec.decay_rates)
        into, out = self._basis(dimension)
        averages = layers.Dot(axes=(2, 1))([weights, window])
        averages = layers.Reshape((places, rates, dimension))(averages)
        by_rate = [
            into(layers.Reshape((places, dimension))(layers.Cropping2D(((0, 0), (rate, rates - 1 - rate)))(averages)))
            for rate in range(rates)
        ]
        hidden = _each(self.hidden, self.read_dropout(layers.Concatenate()([*by_rate, profile])))
        attended = []
        for i in range(self.heads):
            keys = out(_each(self.key[i], _each(self.query[i], hidden)))
            attended.append(_each(self.value[i], into(self._attend(i, keys, window, ages, mask))))
        correction = _each(self.correction, self.dropout(layers.Concatenate()([hidden, *attended])))
        linear = [_each(self.slow, by_rate[0]), _each(self.fast, by_rate[-1]), _each(self.moment, self._date(profile))]
        return out(layers.Add()([*linear, correction]))

    def _date(self, profile: tf.Tensor) -> tf.Tensor:
        """The moments, which stand last in the profile."""
        places, size = profile.shape[1:]
        moments = len(self.spec.moments)
        cropped = layers.Cropping2D(((0, 0), (size - moments, 0)))(layers.Reshape((places, size, 1))(profile))
        return layers.Reshape((places, moments))(cropped)

    def _attend(self, head: int, keys: tf.Tensor, window: tf.Tensor, ages: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """The average of the window that a head chooses for each place."""
        fit = layers.Dot(axes=2)([keys, window])
        bias = layers.Reshape(fit.shape[1:])(self.age[head](ages))
        return layers.Dot(axes=(2, 1))([layers.Softmax()(layers.Add()([fit, bias, mask])), window])

    def _basis(self, dimension: int) -> tuple[_Layer, _Layer]:
        """What brings vectors of a window to `width` numbers, and back."""
        if dimension == self.width:
            return (lambda vector: vector), (lambda vector: vector)
        narrower, wider = narrow(self.width, dimension), widen(self.width, dimension)
        return (lambda vector: _each(narrower, vector)), (lambda vector: _each(wider, vector))


def _each(dense: layers.Dense, places: tf.Tensor) -> tf.Tensor:
    """Apply a layer to [batch, places, n]. For one place the tensor is made flat first: given three dimensions, TF.js
    transposes the whole kernel at every call, which takes seven times as long as all the rest."""
    if places.shape[1] > 1:
        return dense(places)
    return layers.Reshape((1, dense.units))(dense(layers.Flatten()(places)))
