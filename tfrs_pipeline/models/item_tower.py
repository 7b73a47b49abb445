"""The item tower: a video's tokens, text and, where it was in training, its own embedding, to a unit vector."""

import numpy as np
import tensorflow as tf
from tf_keras import Model, initializers, layers

from tfrs_pipeline.config import ModelConfig
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.models.unit_length import unit_length
from tfrs_pipeline.models.widening import widen

_INITIAL_SPREAD = 0.05
"""Standard deviation of the first embeddings: small beside what training makes of them."""


class ItemTower(tf.Module):
    """Layers of the item tower, and the two ways to run them.

    A video is the sum of three vectors of `config.width` numbers, brought to length 1: an embedding of its own (a
    shared one for videos that were not in training, learned by dropping embeddings at random), the weighted sum of its
    tokens' embeddings, and a projection of its text. What is stored of it is widened to `spec.dimension`.
    """

    def __init__(self, spec: FeatureSpec, config: ModelConfig) -> None:
        super().__init__()
        self.spec = spec
        self.width = width = config.width
        self.own = layers.Embedding(len(spec.videos) + 1, width, embeddings_initializer=_spread(), name="own_embedding")
        self.tokens = layers.Embedding(spec.tokens, width, embeddings_initializer=_spread(), name="token_embedding")
        self.text = layers.Dense(width, use_bias=False, kernel_initializer=_spread(), name="text_projection")
        self.model = self._layers_model()
        """What is exported: inputs `video` [1], `tokens` and `weights` [max_tokens], `text`; output [dimension]."""

    def __call__(self, video: tf.Tensor, tokens: tf.SparseTensor, text: tf.Tensor) -> tf.Tensor:
        """The function of `model` for training, before it is widened: most of a padded row of tokens would be wasted.

        Args:
            video: int32 [N].
            tokens: the weights of each video's tokens, [N, spec.tokens].
            text: [N, spec.text_size].

        Returns:
            Unit vectors [N, width].
        """
        summed = (
            tf.gather(self.own.embeddings, video)
            + tf.sparse.sparse_dense_matmul(tokens, self.tokens.embeddings)
            + tf.cast(self.text(text), tf.float32)
        )
        return tf.math.l2_normalize(summed, axis=-1)

    def _layers_model(self) -> Model:
        video = layers.Input((1,), dtype="int32", name="video")
        tokens = layers.Input((self.spec.max_tokens,), dtype="int32", name="tokens")
        weights = layers.Input((self.spec.max_tokens,), name="weights")
        text = layers.Input((self.spec.text_size,), name="text")
        summed = layers.Add(name="item_sum")(
            [
                layers.Flatten(name="own")(self.own(video)),
                layers.Dot(axes=1, name="token_sum")([weights, self.tokens(tokens)]),
                self.text(text),
            ]
        )
        vector = unit_length(widen(self.width, self.spec.dimension)(summed), self.spec.dimension, "item_vector")
        return Model([video, tokens, weights, text], vector, name="item_tower")


def sparse_tokens(spec: FeatureSpec, videos: VideoInputs) -> tf.SparseTensor:
    """The weights of each video's tokens, [videos, spec.tokens], as the item tower reads them in training."""
    row, place = np.nonzero(videos.weights)
    indices = np.stack([row, videos.tokens[row, place]], axis=1).astype(np.int64)
    return tf.SparseTensor(indices, videos.weights[row, place], (len(videos), spec.tokens))


def _spread() -> initializers.Initializer:
    """A new one for each layer: an initializer that is used twice gives the same numbers twice."""
    return initializers.RandomNormal(stddev=_INITIAL_SPREAD)
