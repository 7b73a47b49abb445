"""TensorFlow Recommenders' quickstart: an embedding for each user and each video (its documentation, "Quickstart")."""

from quality.epochs import learn
from quality.peer import Fitted, Peer, Training, Watch
from quality.space import LogUniform, OneOf, Settings, Space

_PATIENCE = 5


def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Learn in epochs."""
    from quality.quickstart_model import QuickstartLearner

    return learn(QuickstartLearner(training, settings, seed), settings, _PATIENCE, watch)


PEER = Peer(
    "tfrs-quickstart",
    "Quickstart (TFRS)",
    ("tensorflow_recommenders",),
    Space(
        # As the quickstart has them but for the epochs, of which it takes three: here validation says how many.
        {"dimension": 64, "batch": 4096, "learning_rate": 0.5, "epochs": 30},
        {
            "dimension": OneOf((32, 64, 128)),
            "batch": OneOf((512, 1024, 2048, 4096)),
            "learning_rate": LogUniform(0.05, 1.0),
        },
    ),
    fit,
)
