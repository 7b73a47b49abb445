"""The question that every system is asked: which video does this user like next?"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.data.split import Split
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.ranking import Seen

CANDIDATES = ("all", "liked")


@dataclass(frozen=True)
class RankingProblem:
    """One target for each user, what the user had liked by then, and what may be shown.

    Attributes:
        users: numbers of the users in the snapshot, ascending, int32 [users]. A scorer's rows follow them.
        seen: what each of them liked before the target, oldest first.
        targets: the video to foretell, int32 [users].
        candidates: the videos that are ranked, bool [videos].
        training_counts: likes of each video that a model could learn from, int64 [videos].
    """

    users: NDArray[np.int32]
    seen: Seen
    targets: NDArray[np.int32]
    candidates: NDArray[np.bool_]
    training_counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    def sample(self, most: int, seed: int = 0) -> "RankingProblem":
        """The same problem for at most so many users, drawn at random but always alike."""
        if len(self) <= most:
            return self
        rows = np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False))
        pairs = [self.seen.of(row) for row in rows]
        seen = Seen.of_pairs(np.repeat(np.arange(most), [len(pair) for pair in pairs]), np.concatenate(pairs), most)
        return replace(self, users=self.users[rows], seen=seen, targets=self.targets[rows])


def ranking_problem(split: Split, part: int, likes: Likes, videos: int, candidates: str = "all") -> RankingProblem:
    """The problem that one part of a split poses.

    Args:
        split: how the likes are divided.
        part: `VALIDATION` or `TEST`.
        likes: all likes of the snapshot; only which videos they name is read, and only for `liked`.
        videos: how many videos the snapshot holds.
        candidates: `all` videos are ranked, or those that are `liked` by somebody in the snapshot.

    Raises:
        InputError: `candidates` is neither, or nobody has a target in this part.
    """
    if candidates not in CANDIDATES:
        raise InputError(f"evaluation.candidates is {candidates!r}; it has to be one of {', '.join(CANDIDATES)}.")
    targets = split.targets(part)
    if len(targets) == 0:
        raise InputError("No user has a like to foretell, so nothing can be measured. Gather more likes.")
    histories = split.histories(part)
    return RankingProblem(
        users=targets.user,
        seen=Seen.of_pairs(np.searchsorted(targets.user, histories.user), histories.video, len(targets)),
        targets=targets.video,
        candidates=np.ones(videos, bool) if candidates == "all" else likes.counts(videos) > 0,
        training_counts=split.known(part).counts(videos),
    )
