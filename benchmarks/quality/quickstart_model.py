"""The quickstart's model and its training, as in the documentation of TensorFlow Recommenders."""

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from numpy.typing import NDArray

from quality.peer import Asked, Training
from quality.space import Settings
from tfrs_pipeline.evaluation.ranking import VectorScorer
from tfrs_pipeline.training.fitting import make_deterministic

_SHUFFLED = 100_000


class Quickstart(tfrs.Model):
    """User and video ids, each with an embedding; softmax within the batch."""

    def __init__(self, users: int, videos: int, dimension: int) -> None:
        super().__init__()
        self.users = tf_keras.layers.Embedding(users, dimension)
        self.videos = tf_keras.layers.Embedding(videos, dimension)
        self.task = tfrs.tasks.Retrieval()

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Of a batch of `user` and `video`, int32 [batch] each."""
        return self.task(self.users(inputs["user"]), self.videos(inputs["video"]), compute_metrics=False)


class QuickstartLearner:
    """A Quickstart with its likes, which learns one pass at a time."""

    def __init__(self, training: Training, settings: Settings, seed: int) -> None:
        tf_keras.backend.clear_session()
        make_deterministic(seed)
        self._videos = training.videos.num_rows
        self._model = Quickstart(training.users, self._videos, settings["dimension"])
        self._model.compile(optimizer=tf_keras.optimizers.Adagrad(settings["learning_rate"]))
        likes = {"user": training.likes.user, "video": training.likes.video}
        data = tf.data.Dataset.from_tensor_slices(likes).shuffle(_SHUFFLED, seed=seed)
        self._data = data.batch(settings["batch"]).cache()
        self._model.compute_loss({name: column[:2] for name, column in likes.items()})  # Makes the weights.

    def epoch(self) -> None:
        """One pass over the likes."""
        self._model.fit(self._data, epochs=1, verbose=0)

    def scorer(self, asked: Asked) -> VectorScorer:
        """The model as it stands."""
        return VectorScorer(self._model.users(asked.users).numpy(), self._model.videos(np.arange(self._videos)).numpy())

    def weights(self) -> list[NDArray[np.float32]]:
        """Both tables."""
        return self._model.get_weights()

    def restore(self, weights: list[NDArray[np.float32]]) -> None:
        """Put both tables back."""
        self._model.set_weights(weights)
