"""Item kNN: a video is like those that the same users like, by cosine (Sarwar et al., WWW 2001)."""

from typing import TYPE_CHECKING

import numpy as np

from quality.matrices import HistoryScorer, likes_matrix
from quality.peer import Asked, Fitted, Peer, Training, Watch
from quality.space import LogUniform, OneOf, Settings, Space

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_ROWS_AT_ONCE = 1024


def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Keep each video's nearest neighbours."""
    likeness = cosines(likes_matrix(training), settings["neighbours"], settings["shrink"])
    videos = training.videos.num_rows

    def scorer(asked: Asked) -> HistoryScorer:
        return HistoryScorer(likeness, asked, videos)

    size = likeness.data.nbytes + likeness.indices.nbytes + likeness.indptr.nbytes
    return Fitted(scorer, size, settings)


def cosines(likes: "csr_matrix", neighbours: int, shrink: float) -> "csr_matrix":
    """Cosine of every two columns but a column with itself; of each row the highest are kept.

    Args:
        likes: 0 or 1, [users, videos].
        neighbours: how many are kept for a video.
        shrink: added to the denominator, so that what few users like does not look alike by chance.

    Returns:
        [videos, videos]; row i holds the neighbours of video i.
    """
    from scipy.sparse import csr_matrix, vstack

    columns = likes.T.tocsr()
    norms = np.sqrt(np.asarray(likes.sum(axis=0)).ravel())
    blocks = []
    for first in range(0, columns.shape[0], _ROWS_AT_ONCE):
        together = (columns[first : first + _ROWS_AT_ONCE] @ likes).tocsr()
        rows = np.repeat(np.arange(first, first + together.shape[0]), np.diff(together.indptr))
        together.data /= norms[rows] * norms[together.indices] + shrink
        together.data[rows == together.indices] = 0
        blocks.append(_highest(together, neighbours))
    return csr_matrix(vstack(blocks), dtype=np.float32)


def _highest(rows: "csr_matrix", most: int) -> "csr_matrix":
    """The same with all but the `most` highest of each row gone."""
    for row in range(rows.shape[0]):
        values = rows.data[rows.indptr[row] : rows.indptr[row + 1]]
        if len(values) > most:
            values[np.argsort(-values, kind="stable")[most:]] = 0
    rows.eliminate_zeros()
    return rows


PEER = Peer(
    "item-knn",
    "Item kNN (cosine)",
    ("scipy",),
    Space(
        {"neighbours": 100, "shrink": 0.0},
        {"neighbours": OneOf((20, 50, 100, 200, 400, 800)), "shrink": LogUniform(0.1, 100)},
    ),
    fit,
)
