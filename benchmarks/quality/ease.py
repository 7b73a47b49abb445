"""EASE: a linear model from all videos to all videos, solved at once (Steck, WWW 2019, equation 8)."""

import numpy as np
from numpy.typing import NDArray

from quality.matrices import HistoryScorer, likes_matrix
from quality.peer import Asked, Fitted, Peer, Training, Watch
from quality.space import LogUniform, Settings, Space
from tfrs_pipeline.errors import InputError

_MOST_VIDEOS = 25_000
"""Past this the matrix alone takes more than 2.5 GB, and its inversion as much again."""


def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Solve for the weights of the videos that have likes; the others would have weights of 0."""
    likes = likes_matrix(training)
    known = np.flatnonzero(training.likes.counts(training.videos.num_rows))
    if len(known) > _MOST_VIDEOS:
        raise InputError(
            f"EASE inverts a matrix of {len(known):,} x {len(known):,} videos, which takes "
            f"{8 * len(known) ** 2 / 1e9:.0f} GB. It is meant for catalogues of up to {_MOST_VIDEOS:,} videos."
        )
    weights = solve((likes[:, known].T @ likes[:, known]).toarray(), settings["regularization"])
    videos = training.videos.num_rows

    def scorer(asked: Asked) -> HistoryScorer:
        return HistoryScorer(weights, asked, videos, known)

    return Fitted(scorer, weights.nbytes, settings)


def solve(together: NDArray[np.float32], regularization: float) -> NDArray[np.float32]:
    """The weights B: P = (G + λI)⁻¹, B = -P / diag(P) column by column, with a diagonal of 0.

    Args:
        together: how many users like both of two videos, G = XᵀX; it is written over, [videos, videos].
        regularization: λ.
    """
    from scipy.linalg import lapack

    together[np.diag_indices_from(together)] += regularization
    # By Cholesky, a third of the work of a general inversion; LAPACK fills one triangle.
    factor, fault = lapack.spotrf(together, overwrite_a=True)
    if fault:
        raise InputError(f"EASE cannot be solved with a regularization of {regularization:g}; a larger one would do.")
    inverse, _ = lapack.spotri(factor, overwrite_c=True)
    inverse = np.triu(inverse) + np.triu(inverse, 1).T
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


PEER = Peer(
    "ease",
    "EASE",
    ("scipy",),
    Space({"regularization": 200.0}, {"regularization": LogUniform(20, 2000)}),
    fit,
)
