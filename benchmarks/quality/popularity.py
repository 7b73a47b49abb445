"""The most liked first, for everybody."""

from quality.peer import Asked, Fitted, Peer, Training, Watch
from quality.space import Settings, Space
from tfrs_pipeline.evaluation.ranking import PopularityScorer


def fit(training: Training, settings: Settings, seed: int, watch: Watch | None) -> Fitted:
    """Count."""
    counts = training.likes.counts(training.videos.num_rows)

    def scorer(asked: Asked) -> PopularityScorer:
        return PopularityScorer(counts, len(asked.users))

    return Fitted(scorer, counts.nbytes, settings)


PEER = Peer("popularity", "Popularity", (), Space({}, {}), fit)
