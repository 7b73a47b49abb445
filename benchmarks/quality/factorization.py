"""Matrix factorization by the package implicit: iALS (Hu, Koren, Volinsky, ICDM 2008), BPR (Rendle et al., UAI 2009).

Both run on one BLAS thread, as the package asks for, and BPR on one thread altogether: several would write over each
other, and no two fits would be alike.
"""

import numpy as np
from numpy.typing import NDArray

from quality.matrices import likes_matrix
from quality.peer import Asked, Fitted, Peer, Training, Watch
from quality.space import LogUniform, OneOf, Settings, Space
from tfrs_pipeline.evaluation.ranking import VectorScorer


def fit_als(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Alternating least squares over all pairs, likes weighing `alpha`."""
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(**settings, random_state=seed)
        model.fit(likes_matrix(training), show_progress=False)
    return vectors_fitted(model.user_factors, model.item_factors, settings)


def fit_bpr(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Gradient steps on pairs of a liked video and another."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        model = BayesianPersonalizedRanking(**settings, random_state=seed, num_threads=1)
        model.fit(likes_matrix(training), show_progress=False)
    return vectors_fitted(model.user_factors, model.item_factors, settings)


def vectors_fitted(users: NDArray[np.float32], videos: NDArray[np.float32], settings: Settings) -> Fitted:
    """A table of users' vectors and one of videos', compared by their product."""

    def scorer(asked: Asked) -> VectorScorer:
        return VectorScorer(users[asked.users], videos)

    return Fitted(scorer, users.nbytes + videos.nbytes, settings)


ALS = Peer(
    "ials",
    "iALS (implicit)",
    ("implicit", "threadpoolctl"),
    Space(
        {"factors": 100, "regularization": 0.01, "alpha": 1.0, "iterations": 15},
        {
            "factors": OneOf((16, 32, 64, 128)),
            "regularization": LogUniform(0.01, 30),
            "alpha": LogUniform(0.5, 40),
            "iterations": OneOf((10, 15, 30)),
        },
    ),
    fit_als,
)

BPR = Peer(
    "bpr",
    "BPR (implicit)",
    ("implicit", "threadpoolctl"),
    Space(
        {"factors": 100, "learning_rate": 0.01, "regularization": 0.01, "iterations": 100},
        {
            "factors": OneOf((32, 64, 128)),
            "learning_rate": LogUniform(0.005, 0.1),
            "regularization": LogUniform(0.001, 0.1),
            "iterations": OneOf((50, 100, 200, 400)),
        },
    ),
    fit_bpr,
)
