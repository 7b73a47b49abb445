"""Likes as a sparse matrix, and scores that are made from a user's row of it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quality.peer import Asked, Training
from tfrs_pipeline.evaluation.ranking import Seen

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def likes_matrix(training: Training) -> "csr_matrix":
    """1 where a user likes a video, float32 [users, videos]."""
    return _matrix(training.likes.user, training.likes.video, training.users, training.videos.num_rows)


def seen_matrix(seen: Seen, videos: int) -> "csr_matrix":
    """The same of those who are asked for, [rows of `seen`, videos]."""
    rows, columns = seen.pairs(0, len(seen.start) - 1)
    return _matrix(rows, columns, len(seen.start) - 1, videos)


class HistoryScorer:
    """Sums, over what a user has liked, a row of a matrix of likeness for each.

    Args:
        likeness: [videos, videos], sparse, or dense with its own subset of videos in `known`.
        asked: who is asked for.
        videos: how many videos are scored.
        known: numbers of the videos that the matrix is about; all of them without it. The others score 0.
    """

    def __init__(self, likeness: Any, asked: Asked, videos: int, known: NDArray[np.int64] | None = None) -> None:
        self._likeness = likeness
        self._known = np.arange(videos) if known is None else known
        self._likes = seen_matrix(asked.seen, videos)[:, self._known]
        self._videos = videos

    def scores(self, users: slice) -> NDArray[np.float32]:
        """[users of the slice, videos]."""
        product = self._likes[users] @ self._likeness
        result = np.zeros((product.shape[0], self._videos), np.float32)
        result[:, self._known] = product if isinstance(product, np.ndarray) else product.toarray()
        return result


def _matrix(rows: NDArray, columns: NDArray, height: int, width: int) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    return csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(height, width))
