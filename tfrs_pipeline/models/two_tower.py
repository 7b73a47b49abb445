"""Both towers under one retrieval task, as TensorFlow Recommenders trains them."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from numpy.typing import NDArray

from tfrs_pipeline.config import ModelConfig
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import UserState, encode_users
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.models.item_tower import ItemTower
from tfrs_pipeline.models.user_tower import UserTower

_ROWS_AT_ONCE = 512


class Batch(NamedTuple):
    """Blocks of history, and the candidates among which each next like is to be found.

    Attributes:
        video: int32 [U], `tokens` [U, spec.tokens], `text` [U, spec.text_size]: the candidates, as the item tower reads
            them.
        sampling_probability: float32 [U], how likely each candidate was to be in the batch; 1 for a whole catalogue.
        likes: int32 [B, length], candidates that were liked, oldest first; length is window + PLACES - 1.
        target: int32 [B, PLACES], the candidate that was liked next after each place.
        is_example: bool [B, PLACES], whether the place is to be learned from.
        weights, ages, mask, profile: what the user tower sees from each place.
    """

    video: tf.Tensor
    tokens: tf.SparseTensor
    text: tf.Tensor
    sampling_probability: tf.Tensor
    likes: tf.Tensor
    target: tf.Tensor
    is_example: tf.Tensor
    weights: tf.Tensor
    ages: tf.Tensor
    mask: tf.Tensor
    profile: tf.Tensor


class TwoTower(tfrs.Model):
    """A user tower and an item tower whose cosine foretells the next like.

    Args:
        half: let the layers compute in bfloat16, for training; weights stay float32. What is exported is never half.
    """

    def __init__(self, spec: FeatureSpec, config: ModelConfig, temperature: float, half: bool = False) -> None:
        super().__init__()
        self.spec = spec
        policy = tf_keras.mixed_precision.global_policy()
        tf_keras.mixed_precision.set_global_policy("mixed_bfloat16" if half else "float32")
        try:
            self.item_tower = ItemTower(spec, config)
            self.user_tower = UserTower(spec, config)
        finally:
            tf_keras.mixed_precision.set_global_policy(policy)
        self.task = tfrs.tasks.Retrieval(temperature=temperature, remove_accidental_hits=True)

    @property
    def tower_weights(self) -> list[tf.Variable]:
        """What is learned, in an order that a file of weights can rely on."""
        return self.item_tower.model.trainable_variables + self.user_tower.training_model.trainable_variables

    def compute_loss(self, inputs: Batch, training: bool = False) -> tf.Tensor:
        """Sampled softmax over the batch's candidates, summed over examples.

        The retrieval task takes the positive of query `i` from row `i` of the candidates, so the positives stand first
        and the candidates after them. Of the positives each query sees its own alone; among the candidates it does not
        see its own positive again (an accidental hit), nor what the user had liked before, which is never recommended.
        """
        candidates = self.item_tower(inputs.video, inputs.tokens, inputs.text)
        places = self.user_tower(
            tf.gather(candidates, inputs.likes), inputs.weights, inputs.ages, inputs.mask, inputs.profile, training
        )
        queries = tf.math.l2_normalize(tf.boolean_mask(places, inputs.is_example), axis=-1)
        positive = tf.boolean_mask(inputs.target, inputs.is_example)
        ids = tf.concat([positive, tf.range(tf.shape(candidates)[0])], axis=0)
        own = tf.cast(tf.eye(tf.shape(positive)[0]), tf.bool)
        mask = tf.concat([own, self._not_liked_before(inputs, tf.shape(candidates)[0])], axis=1)
        return self.task(
            queries,
            tf.gather(candidates, ids),
            candidate_sampling_probability=tf.gather(inputs.sampling_probability, ids),
            candidate_ids=ids,
            score_mask=mask,
            compute_metrics=False,
        )

    def _not_liked_before(self, batch: Batch, candidates: tf.Tensor) -> tf.Tensor:
        """[examples, candidates]: False where the candidate is among the likes that the example sees."""
        block = tf.cast(tf.where(batch.is_example)[:, 0], tf.int32)
        seen = tf.boolean_mask(batch.ages, batch.is_example) < self.spec.window
        example = tf.cast(tf.where(seen)[:, 0], tf.int32)
        liked = tf.boolean_mask(tf.gather(batch.likes, block), seen)
        shape = tf.stack([tf.shape(block)[0], candidates])
        return tf.scatter_nd(tf.stack([example, liked], axis=1), tf.ones_like(example), shape) == 0

    def video_vectors(self, videos: VideoInputs) -> NDArray[np.float32]:
        """Unit vectors [N, dimension]."""
        parts = [
            self.item_tower.model.predict_on_batch(videos[start : start + _ROWS_AT_ONCE].arrays())
            for start in range(0, len(videos), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts)

    def user_vectors(
        self, states: list[UserState], videos: VideoInputs, vectors: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Unit vectors [users, dimension] for what each user liked; `vectors` are those of `videos`."""
        parts = []
        for start in range(0, len(states), _ROWS_AT_ONCE):
            inputs = encode_users(self.spec, states[start : start + _ROWS_AT_ONCE], videos, vectors)
            parts.append(self.user_tower.model.predict_on_batch(inputs.arrays()))
        return np.concatenate(parts)
