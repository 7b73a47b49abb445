"""SASRec's network (Kang and McAuley, ICDM 2018, section III), out of Keras layers."""

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

_NORM_EPSILON = 1e-8
_SPREAD = 0.02


class Sasrec(tf_keras.Model):
    """Video embeddings, also the softmax's weights, places, and blocks of attention and a position-wise network.

    Sequences are int32 [users, length], the newest like at the end, 0 before the first.

    Args:
        videos: how many there are, numbered from 1.
        width: of an embedding.
        layers: how many blocks.
        heads: of attention; they share the width.
        length: the most likes that are read.
        dropout: in embeddings, attention and networks.
    """

    def __init__(self, videos: int, width: int, layers: int, heads: int, length: int, dropout: float) -> None:
        super().__init__()
        self._scale = width**0.5
        self._videos = tf_keras.layers.Embedding(videos + 1, width, _spread())
        self._places = tf_keras.layers.Embedding(length, width, _spread())
        self._dropout = tf_keras.layers.Dropout(dropout)
        self._blocks = [_Block(width, heads, dropout) for _ in range(layers)]
        self._norm = tf_keras.layers.LayerNormalization(epsilon=_NORM_EPSILON)
        self(tf.zeros((1, length), tf.int32))  # Makes the weights.

    def call(self, sequences: tf.Tensor, training: bool = False) -> tf.Tensor:
        """What comes next, at every place, [users, length, width]."""
        there = sequences > 0
        states = self._videos(sequences) * self._scale + self._places(tf.range(sequences.shape[1]))
        # An empty place has to stay at zero, or its place alone would be attended to.
        states = self._dropout(states, training=training) * tf.cast(there, tf.float32)[..., None]
        for block in self._blocks:
            states = block(states, there, training=training)
        return self._norm(states)

    def compile_step(self, learning_rate: float, weight_decay: float) -> None:
        """Make `step(sequences, next likes)`, one step of AdamW that returns the mean loss over all places."""
        optimizer = tf_keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay, beta_2=0.98)
        rows = tf.TensorSpec((None, self._places.input_dim), tf.int32)

        @tf.function(input_signature=[rows, rows])
        def step(sequences: tf.Tensor, following: tf.Tensor) -> tf.Tensor:
            with tf.GradientTape() as tape:
                # Only where there is something to foretell: the softmax is what takes the time.
                places = tf.where(following * sequences > 0)
                states = tf.gather_nd(self(sequences, training=True), places)
                logits = tf.matmul(states, self._videos.embeddings[1:], transpose_b=True)
                targets = tf.gather_nd(following, places) - 1
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
            gradients = tape.gradient(loss, self.trainable_variables)
            optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return loss

        self.step = step

    @tf.function(reduce_retracing=True)
    def last_state(self, sequences: tf.Tensor) -> tf.Tensor:
        """What comes after the newest like, [users, width]."""
        return self(sequences)[:, -1]

    def table(self) -> NDArray[np.float32]:
        """The embeddings of no video and all videos, [videos + 1, width]."""
        return self._videos.embeddings.numpy()


def _spread() -> tf_keras.initializers.Initializer:
    return tf_keras.initializers.RandomNormal(stddev=_SPREAD)


class _Block(tf_keras.layers.Layer):
    """x + Dropout(g(LayerNorm(x))), first with attention, then with two dense layers (sections III-B and III-C)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self._before_attention = tf_keras.layers.LayerNormalization(epsilon=_NORM_EPSILON)
        self._attention = tf_keras.layers.MultiHeadAttention(heads, width // heads, dropout=dropout)
        self._before_network = tf_keras.layers.LayerNormalization(epsilon=_NORM_EPSILON)
        self._hidden = tf_keras.layers.Dense(width, "relu")
        self._out = tf_keras.layers.Dense(width)
        self._dropout = tf_keras.layers.Dropout(dropout)

    def call(self, states: tf.Tensor, there: tf.Tensor, training: bool = False) -> tf.Tensor:
        normed = self._before_attention(states)
        read = self._attention(
            normed, normed, attention_mask=there[:, None, :], use_causal_mask=True, training=training
        )
        states += self._dropout(read, training=training)
        hidden = self._dropout(self._hidden(self._before_network(states)), training=training)
        states += self._dropout(self._out(hidden), training=training)
        return states * tf.cast(there, tf.float32)[..., None]
