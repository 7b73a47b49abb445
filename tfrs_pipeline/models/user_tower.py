"""The user tower: the item tower's vectors of a user's last likes, and the user's profile, to a unit vector."""

import tensorflow as tf
from tf_keras import Model, initializers, layers

from tfrs_pipeline.config import ModelConfig
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.models.unit_length import unit_length

PLACES = 16
"""Places that share a row of likes in training: the more, the less is read twice; short histories fill fewer."""


class UserTower(tf.Module):
    """Layers of the user tower, connected twice: to learn from every place of a history, and to serve its end.

    The history is read in three ways: averaged at several rates of decay; averaged as attention chooses, with a query
    made of what is known and a learned bias for how many likes ago; and as a profile of shares and counts. The answer
    is a linear map of the slowest average that starts as the identity, one of the fastest (what follows upon the last
    like), and a correction by all of it.

    Keys and values of the attention are the vectors themselves: a query of `dimension` numbers, and a projection after
    the average, are the same function as projecting every like, at a fiftieth of the cost.
    """

    def __init__(self, spec: FeatureSpec, config: ModelConfig) -> None:
        super().__init__()
        self.spec = spec
        self.heads = config.heads
        dimension = spec.dimension
        self.slow = layers.Dense(
            dimension, use_bias=False, kernel_initializer=initializers.Identity(), name="slow_average"
        )
        self.fast = layers.Dense(dimension, use_bias=False, kernel_initializer="zeros", name="fast_average")
        self.hidden = layers.Dense(config.user_width, activation="gelu", name="hidden")
        self.correction = layers.Dense(dimension, kernel_initializer="zeros", name="correction")
        self.query = [layers.Dense(config.head_width, name=f"query_{i}") for i in range(self.heads)]
        self.key = [layers.Dense(dimension, use_bias=False, name=f"key_{i}") for i in range(self.heads)]
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
        self.model = self._serving_model()
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
            likes: vectors of the likes, [rows, length, dimension].
            weights: of the likes as seen from each place, [rows, places, rates, length].
            ages: how many likes ago, int32 [rows, places, length].
            mask: added to the attention, [rows, places, length].
            profile: at each place, [rows, places, profile_size].

        Returns:
            Vectors [rows, places, dimension], not yet of unit length.
        """
        flat = tf.reshape(weights, (tf.shape(weights)[0], PLACES * len(self.spec.decay_rates), -1))
        vectors = self.training_model([likes, flat, ages, mask, profile], training=training)
        return tf.cast(vectors, tf.float32)

    def _training_model(self) -> Model:
        """PLACES answers for a row of likes, each with weights, ages, mask and profile of its own."""
        spec, length = self.spec, self.spec.window + PLACES - 1
        inputs = [
            layers.Input((length, spec.dimension)),
            layers.Input((PLACES * len(spec.decay_rates), length)),
            layers.Input((PLACES, length), dtype="int32"),
            layers.Input((PLACES, length)),
            layers.Input((PLACES, spec.profile_size)),
        ]
        return Model(inputs, self._connect(PLACES, *inputs))

    def _serving_model(self) -> Model:
        """One answer, of unit length."""
        spec, length = self.spec, self.spec.window
        window = layers.Input((length, spec.dimension), name="window")
        weights = layers.Input((len(spec.decay_rates), length), name="weights")
        ages = layers.Input((length,), dtype="int32", name="ages")
        mask = layers.Input((length,), name="mask")
        profile = layers.Input((spec.profile_size,), name="profile")
        one_place = [layers.Reshape((1, *tensor.shape[1:]))(tensor) for tensor in (ages, mask, profile)]
        vector = layers.Flatten()(self._connect(1, window, weights, *one_place))
        inputs = [window, weights, ages, mask, profile]
        return Model(inputs, unit_length(vector, spec.dimension, "user_vector"), name="user_tower")

    def _connect(
        self, places: int, window: tf.Tensor, weights: tf.Tensor, ages: tf.Tensor, mask: tf.Tensor, profile: tf.Tensor
    ) -> tf.Tensor:
        """Vectors [batch, places, dimension] from one window and, for each place, what it sees of it."""
        spec, rates = self.spec, len(self.spec.decay_rates)
        averages = layers.Dot(axes=(2, 1))([weights, window])
        averages = layers.Reshape((places, rates, spec.dimension))(averages)
        by_rate = [
            layers.Reshape((places, spec.dimension))(layers.Cropping2D(((0, 0), (rate, rates - 1 - rate)))(averages))
            for rate in range(rates)
        ]
        known = self.read_dropout(layers.Concatenate()([*by_rate, profile]))
        hidden = _each(self.hidden, known)
        attended = [
            _each(self.value[i], self._attend(i, hidden, window, ages, mask, places)) for i in range(self.heads)
        ]
        correction = _each(self.correction, self.dropout(layers.Concatenate()([hidden, *attended])))
        return layers.Add()([_each(self.slow, by_rate[0]), _each(self.fast, by_rate[-1]), correction])

    def _attend(
        self, head: int, hidden: tf.Tensor, window: tf.Tensor, ages: tf.Tensor, mask: tf.Tensor, places: int
    ) -> tf.Tensor:
        keys = _each(self.key[head], _each(self.query[head], hidden))
        fit = layers.Dot(axes=2)([keys, window])
        bias = layers.Reshape((places, window.shape[1]))(self.age[head](ages))
        return layers.Dot(axes=(2, 1))([layers.Softmax()(layers.Add()([fit, bias, mask])), window])


def _each(dense: layers.Dense, places: tf.Tensor) -> tf.Tensor:
    """Apply a layer to [batch, places, n]. For one place the tensor is made flat first: given three dimensions, TF.js
    transposes the whole kernel at every call, which takes seven times as long as all the rest."""
    if places.shape[1] > 1:
        return dense(places)
    return layers.Reshape((1, dense.units))(dense(layers.Flatten()(places)))
