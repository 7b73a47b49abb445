"""The tutorial's two towers and their training.

As there: a user is an embedding of the id, one of the like's time in a thousand buckets, and the time itself; a video
is an embedding of the id and the mean embedding of its title's words; dense layers follow, the last without ReLU.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras
from numpy.typing import NDArray

from quality.peer import Asked, Training
from quality.space import Settings
from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.evaluation.ranking import VectorScorer
from tfrs_pipeline.training.fitting import make_deterministic

_SHUFFLED = 100_000
_BUCKETS = 1_000
_WORDS = 10_000
_ROWS_AT_ONCE = 4_096


class DeepRetrieval(tfrs.Model):
    """Both towers.

    Args:
        users: how many there are.
        titles: numbers of the words of each video's title, 0 after the last, int [videos, words].
        dimension: of every embedding.
        layers: sizes of the dense layers on top of them.
    """

    def __init__(self, users: int, titles: NDArray[np.int32], dimension: int, layers: Sequence[int]) -> None:
        super().__init__()
        self._titles = tf.constant(titles)
        self._users = tf_keras.layers.Embedding(users, dimension)
        self._times = tf_keras.layers.Embedding(_BUCKETS + 1, dimension)
        self._videos = tf_keras.layers.Embedding(len(titles), dimension)
        self._words = tf_keras.layers.Embedding(_WORDS, dimension, mask_zero=True)
        self._mean = tf_keras.layers.GlobalAveragePooling1D()
        self._user_layers = _dense(layers)
        self._video_layers = _dense(layers)
        self.task = tfrs.tasks.Retrieval()

    def user_vectors(self, user: tf.Tensor, bucket: tf.Tensor, time: tf.Tensor) -> tf.Tensor:
        """Of users who are asked for at a time, [users, last layer]."""
        return self._user_layers(tf.concat([self._users(user), self._times(bucket), time[:, None]], axis=1))

    def video_vectors(self, video: tf.Tensor) -> tf.Tensor:
        """Of videos, [videos, last layer]."""
        words = self._mean(self._words(tf.gather(self._titles, video)))
        return self._video_layers(tf.concat([self._videos(video), words], axis=1))

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Of a batch of `user`, `video`, `bucket` and `time`, [batch] each."""
        users = self.user_vectors(inputs["user"], inputs["bucket"], inputs["time"])
        return self.task(users, self.video_vectors(inputs["video"]), compute_metrics=False)


class DeepRetrievalLearner:
    """The towers with their likes, which learn one pass at a time."""

    def __init__(self, training: Training, settings: Settings, seed: int) -> None:
        tf_keras.backend.clear_session()
        make_deterministic(seed)
        likes = training.likes
        self._clock = _Clock(likes.at)
        self._last_at = _last_moments(likes, training.users)
        self._videos = training.videos.num_rows
        titles = _words_of_titles(training.videos)
        self._model = DeepRetrieval(training.users, titles, settings["dimension"], settings["layers"])
        self._model.compile(optimizer=tf_keras.optimizers.Adagrad(settings["learning_rate"]))
        bucket, time = self._clock.read(likes.at)
        columns = {"user": likes.user, "video": likes.video, "bucket": bucket, "time": time}
        data = tf.data.Dataset.from_tensor_slices(columns).shuffle(_SHUFFLED, seed=seed)
        self._data = data.batch(settings["batch"]).cache()
        self._model.compute_loss({name: column[:2] for name, column in columns.items()})  # Makes the weights.

    def epoch(self) -> None:
        """One pass over the likes."""
        self._model.fit(self._data, epochs=1, verbose=0)

    def scorer(self, asked: Asked) -> VectorScorer:
        """The model as it stands; a user is asked for at the time of the last like, as our towers are."""
        bucket, time = self._clock.read(self._last_at[asked.users])
        videos = [
            self._model.video_vectors(np.arange(first, min(first + _ROWS_AT_ONCE, self._videos))).numpy()
            for first in range(0, self._videos, _ROWS_AT_ONCE)
        ]
        return VectorScorer(self._model.user_vectors(asked.users, bucket, time).numpy(), np.concatenate(videos))

    def weights(self) -> list[NDArray[np.float32]]:
        """All tables and layers."""
        return self._model.get_weights()

    def restore(self, weights: list[NDArray[np.float32]]) -> None:
        """Put them back."""
        self._model.set_weights(weights)


class _Clock:
    """A moment as the tutorial has it: a bucket, and a number of mean 0 and variance 1."""

    def __init__(self, at: NDArray[np.int64]) -> None:
        self._edges = np.linspace(at.min(), at.max(), _BUCKETS)
        self._mean, self._deviation = at.mean(), at.std() or 1.0

    def read(self, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Bucket and number of each moment."""
        return np.searchsorted(self._edges, at, side="right"), ((at - self._mean) / self._deviation).astype(np.float32)


def _last_moments(likes: Likes, users: int) -> NDArray[np.int64]:
    """When each user liked something for the last time; the earliest of all moments for those who have not."""
    last = np.full(users, likes.at.min())
    np.maximum.at(last, likes.user, likes.at)
    return last


def _words_of_titles(videos: pa.Table) -> NDArray[np.int32]:
    """Numbers of the words of each title, int32 [videos, words]."""
    titles = [title or "" for title in videos["title"].to_pylist()]
    reader = tf_keras.layers.TextVectorization(max_tokens=_WORDS)
    reader.adapt(titles)
    return reader(titles).numpy().astype(np.int32)


def _dense(sizes: Sequence[int]) -> tf_keras.Sequential:
    layers = [tf_keras.layers.Dense(size, "relu") for size in sizes[:-1]]
    return tf_keras.Sequential([*layers, tf_keras.layers.Dense(sizes[-1])])
