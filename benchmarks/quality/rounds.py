"""The two questions of a split as peers are put them: tune on validation, measure on test."""

from dataclasses import dataclass

from quality.peer import Asked, Training
from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.data.split import TEST, VALIDATION, Split
from tfrs_pipeline.evaluation import metrics
from tfrs_pipeline.evaluation.problem import RankingProblem, ranking_problem
from tfrs_pipeline.evaluation.ranking import Scorer, rank_targets

CRITERION = "ndcg@100"
"""The validation figure that settings are chosen by, ours and all peers'."""


@dataclass(frozen=True)
class Round:
    """What may be learned from when one part is asked for, and the problem that the part poses."""

    training: Training
    problem: RankingProblem

    @property
    def asked(self) -> Asked:
        """The problem without its targets."""
        return Asked(self.problem.users, self.problem.seen)

    def figure(self, scorer: Scorer) -> float:
        """The criterion, as a mean over the users."""
        problem = self.problem
        ranks = rank_targets(scorer, problem.seen, problem.targets, problem.candidates, depth=1).target_rank
        return float(metrics.ndcg(ranks, 100).mean())


def validation_round(snapshot: Snapshot, split: Split, config: Config) -> Round:
    """Learn from the training part, foretell the validation targets; as `measuring.prepare` has it."""
    return _round(snapshot, split, VALIDATION, config, config.training.validation_users)


def final_round(snapshot: Snapshot, split: Split, config: Config) -> Round:
    """Learn from all but the test part, foretell the test targets; as `measuring.prepare` has it."""
    return _round(snapshot, split, TEST, config, config.evaluation.users)


def _round(snapshot: Snapshot, split: Split, part: int, config: Config, most_users: int) -> Round:
    videos = snapshot.videos.num_rows
    problem = ranking_problem(split, part, snapshot.likes, videos, config.evaluation.candidates)
    return Round(Training(snapshot.videos, len(snapshot.users), split.known(part)), problem.sample(most_users))
