"""TensorFlow Recommenders' tutorial "Building deep retrieval models": dense layers over ids, time and title."""

from quality.epochs import learn
from quality.peer import Fitted, Peer, Training, Watch
from quality.space import LogUniform, OneOf, Settings, Space

_PATIENCE = 10


def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Learn in epochs."""
    from quality.deep_retrieval_model import DeepRetrievalLearner

    return learn(DeepRetrievalLearner(training, settings, seed), settings, _PATIENCE, watch)


PEER = Peer(
    "tfrs-deep-retrieval",
    "Deep retrieval (TFRS)",
    ("tensorflow_recommenders",),
    Space(
        # The tutorial builds the three depths below; the epochs, of which it takes 300, are chosen by validation.
        {"dimension": 32, "layers": [64, 32], "batch": 2048, "learning_rate": 0.1, "epochs": 100},
        {
            "dimension": OneOf((32, 64)),
            "layers": OneOf(([32], [64, 32], [128, 64, 32], [64], [128, 64])),
            "batch": OneOf((512, 1024, 2048)),
            "learning_rate": LogUniform(0.03, 0.5),
        },
    ),
    fit,
)
