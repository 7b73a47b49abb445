"""SASRec: causal self-attention over a user's last likes (Kang and McAuley, ICDM 2018), with softmax over all videos.

The loss is the full softmax instead of the paper's one negative for each like, because with it SASRec is as good as
anything that reads sequences (Klenitskiy and Vasilev, RecSys 2023; Petrov and Macdonald, RecSys 2023).
"""

import numpy as np
from numpy.typing import NDArray

from quality.epochs import learn
from quality.peer import Asked, Fitted, Peer, Training, Watch
from quality.space import LogUniform, OneOf, Settings, Space
from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.evaluation.ranking import Scorer, Seen

_PATIENCE = 20
"""For its first epochs it stands where popularity does, and only then begins to tell users apart."""
_USERS_AT_ONCE = 256


def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Learn in epochs."""
    return learn(_Learner(training, settings, seed), settings, _PATIENCE, watch)


class _Learner:
    def __init__(self, training: Training, settings: Settings, seed: int) -> None:
        import tf_keras

        from quality.sasrec_model import Sasrec
        from tfrs_pipeline.training.fitting import make_deterministic

        tf_keras.backend.clear_session()
        make_deterministic(seed)
        counts = training.likes.counts(training.videos.num_rows)
        # 0 stands for no video, and for one that nobody had liked yet: the model has nothing to say of it.
        self._number = np.where(counts > 0, np.cumsum(counts > 0), 0).astype(np.int32)
        self._length = settings["length"]
        self._batch = settings["batch"]
        self._random = np.random.default_rng(seed)
        self._windows = windows(training.likes, self._number, training.users, self._length + 1)
        self._model = Sasrec(
            int(self._number.max()), *(settings[key] for key in ("width", "layers", "heads", "length", "dropout"))
        )
        self._model.compile_step(settings["learning_rate"], settings["weight_decay"])

    def epoch(self) -> None:
        order = self._random.permutation(len(self._windows))
        for first in range(0, len(order), self._batch):
            rows = self._windows[order[first : first + self._batch]]
            self._model.step(rows[:, :-1], rows[:, 1:])

    def scorer(self, asked: Asked) -> Scorer:
        sequences = last_likes(asked.seen, self._number, self._length)
        states = [
            self._model.last_state(sequences[first : first + _USERS_AT_ONCE]).numpy()
            for first in range(0, len(sequences), _USERS_AT_ONCE)
        ]
        return _Scores(np.concatenate(states), self._model.table()[1:], self._number)

    def weights(self) -> list[NDArray[np.float32]]:
        return self._model.get_weights()

    def restore(self, weights: list[NDArray[np.float32]]) -> None:
        self._model.set_weights(weights)


class _Scores:
    """Products of states and embeddings; a video without an embedding comes after all that have one."""

    def __init__(self, states: NDArray[np.float32], table: NDArray[np.float32], number: NDArray[np.int32]) -> None:
        self._states = states
        self._table = table
        self._known = np.flatnonzero(number)
        self._videos = len(number)

    def scores(self, users: slice) -> NDArray[np.float32]:
        of_known = self._states[users] @ self._table.T
        result = np.repeat(of_known.min(axis=1, keepdims=True) - 1, self._videos, axis=1)
        result[:, self._known] = of_known
        return result


def windows(likes: Likes, number: NDArray[np.int32], users: int, length: int) -> NDArray[np.int32]:
    """Each user's last `length` likes by the videos' numbers, 0 before the first; users with two likes at least."""
    start = np.searchsorted(likes.user, np.arange(users + 1))
    sequences = last_likes(Seen(start, likes.video), number, length)
    return sequences[(sequences > 0).sum(axis=1) > 1]


def last_likes(seen: Seen, number: NDArray[np.int32], length: int) -> NDArray[np.int32]:
    """The last `length` videos of each row by their numbers, the newest at the end, int32 [rows, length]."""
    result = np.zeros((len(seen.start) - 1, length), np.int32)
    for row in range(len(result)):
        latest = number[seen.of(row)[-length:]]
        result[row, length - len(latest) :] = latest
    return result


PEER = Peer(
    "sasrec",
    "SASRec (full softmax)",
    ("tensorflow",),
    Space(
        {
            "width": 64,
            "layers": 2,
            "heads": 2,
            "length": 100,
            "dropout": 0.3,
            "learning_rate": 1e-3,
            "weight_decay": 0.01,
            "batch": 32,
            "epochs": 150,
        },
        {
            "width": OneOf((64, 128)),
            "layers": OneOf((1, 2)),
            "heads": OneOf((1, 2)),
            "length": OneOf((50, 100)),
            "dropout": OneOf((0.2, 0.3, 0.4, 0.5)),
            "learning_rate": LogUniform(5e-4, 3e-3),
            "batch": OneOf((16, 32, 64)),
        },
    ),
    fit,
)
