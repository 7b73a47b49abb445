"""LightFM with WARP loss and metadata (Kula, CBRecSys 2015): a video's vector is the sum of its features' vectors.

The package lightfm itself no longer builds with the setuptools of today; lightfm-next is the same code kept up, under
the same module name.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from quality.epochs import learn
from quality.matrices import likes_matrix
from quality.peer import Asked, Fitted, Peer, Training, Watch
from quality.space import LogUniform, OneOf, Settings, Space
from tfrs_pipeline.evaluation.ranking import VectorScorer

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_LISTS = ("genres", "performers", "tags")
_MIN_VIDEOS = 2
"""A value that one video alone has tells no more than the video itself."""
_PATIENCE = 10
_LEARNED = ("user_embeddings", "user_biases", "item_embeddings", "item_biases")


def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Learn in epochs."""
    return learn(_Learner(training, settings, seed), settings, _PATIENCE, watch)


class _Learner:
    def __init__(self, training: Training, settings: Settings, seed: int) -> None:
        from lightfm import LightFM

        options = {key: value for key, value in settings.items() if key not in ("epochs", "normalize")}
        self._model = LightFM(loss="warp", random_state=seed, **options)
        self._likes = likes_matrix(training).tocoo()
        self._features = features_of(training.videos, settings["normalize"])
        self._model.fit_partial(self._likes, item_features=self._features, epochs=0)  # Makes the tables.

    def epoch(self) -> None:
        # On one thread: several write over each other, and no two fits would be alike.
        self._model.fit_partial(self._likes, item_features=self._features, epochs=1, num_threads=1)

    def scorer(self, asked: Asked) -> VectorScorer:
        biases, videos = self._model.get_item_representations(self._features)
        users = self._model.user_embeddings[asked.users]
        # The user's own bias is left out: it changes no order.
        return VectorScorer(
            np.column_stack([users, np.ones(len(users), np.float32)]), np.column_stack([videos, biases])
        )

    def weights(self) -> list[NDArray[np.float32]]:
        return [getattr(self._model, name).copy() for name in _LEARNED]

    def restore(self, weights: list[NDArray[np.float32]]) -> None:
        for name, array in zip(_LEARNED, weights, strict=True):
            setattr(self._model, name, array)


def features_of(videos: pa.Table, normalize: bool) -> "csr_matrix":
    """Each video itself, its genres, maker, performers and tags, [videos, videos + values].

    Args:
        normalize: whether the weights of a video come to 1, as LightFM's own Dataset has it; otherwise each is 1.
    """
    from scipy.sparse import csr_matrix

    values: list[set[Any]] = [set() for _ in range(videos.num_rows)]
    for column in _LISTS:
        for of_video, listed in zip(values, videos[column].to_pylist(), strict=True):
            of_video.update((column, value) for value in listed or ())
    for of_video, maker in zip(values, videos["maker"].to_pylist(), strict=True):
        of_video |= {("maker", maker)} if maker else set()
    counts = Counter(value for of_video in values for value in of_video)
    known = sorted(value for value, count in counts.items() if count >= _MIN_VIDEOS)
    column_of = {value: videos.num_rows + place for place, value in enumerate(known)}
    columns = [
        [row, *(column_of[v] for v in sorted(of_video) if v in column_of)] for row, of_video in enumerate(values)
    ]
    sizes = np.array([len(of_video) for of_video in columns])
    weights = np.repeat(1 / sizes if normalize else np.ones(len(sizes)), sizes).astype(np.float32)
    places = (np.repeat(np.arange(len(columns)), sizes), np.concatenate(columns))
    return csr_matrix((weights, places), shape=(videos.num_rows, videos.num_rows + len(known)))


PEER = Peer(
    "lightfm-warp",
    "LightFM WARP (with metadata)",
    ("lightfm",),
    Space(
        {
            "no_components": 10,
            "learning_rate": 0.05,
            "item_alpha": 0.0,
            "user_alpha": 0.0,
            "max_sampled": 10,
            "normalize": True,
            "epochs": 80,
        },
        {
            "no_components": OneOf((16, 32, 64, 128)),
            "learning_rate": LogUniform(0.01, 0.1),
            "item_alpha": LogUniform(1e-7, 1e-4),
            "user_alpha": LogUniform(1e-7, 1e-4),
            "max_sampled": OneOf((10, 30, 100)),
            "normalize": OneOf((True, False)),
        },
    ),
    fit,
)
