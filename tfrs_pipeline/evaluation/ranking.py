"""Where a user's target stands among all videos that could be shown, and what would be shown instead.

Exact, and in blocks of users, so that memory stays bounded whatever the size of the catalogue.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.top_k import top_k

NEVER = np.iinfo(np.int64).max
"""The rank of a target that no list can hold: a miss at every k, whichever the system."""

# 128 MiB of float32 scores at a time. A product of matrices is fast from a few dozen rows and no faster past 256.
_SCORES_PER_BLOCK = 32 * 1024 * 1024
_USERS_PER_BLOCK = 256


class NotFiniteError(InputError):
    """A vector holds a number that is not finite: the training diverged."""


class Scorer(Protocol):
    """A system that is compared: it gives every video a score for every user."""

    def scores(self, users: slice) -> NDArray[np.float32]:
        """Scores [users of the slice, videos], higher is better, finite, in an array that the caller may change."""


class VectorScorer:
    """The dot product of a user's vector and a video's.

    Args:
        user_vectors: [users, dimensions].
        video_vectors: [videos, dimensions].

    Raises:
        InputError: the dimensions differ.
        NotFiniteError: a number is not finite.
    """

    def __init__(self, user_vectors: NDArray[np.float32], video_vectors: NDArray[np.float32]) -> None:
        if user_vectors.ndim != 2 or video_vectors.ndim != 2 or user_vectors.shape[1] != video_vectors.shape[1]:
            raise InputError(
                f"User vectors of shape {user_vectors.shape} and video vectors of shape {video_vectors.shape} cannot "
                "be multiplied. Both have to be [rows, dimensions] with the same dimensions."
            )
        for name, vectors in (("user", user_vectors), ("video", video_vectors)):
            if not np.isfinite(vectors).all():
                raise NotFiniteError(
                    f"A {name} vector holds a number that is not finite, so it cannot be ranked. "
                    "Did the training diverge? A lower learning rate helps."
                )
        self._users = np.ascontiguousarray(user_vectors, np.float32)
        self._videos = np.ascontiguousarray(video_vectors, np.float32)

    def scores(self, users: slice) -> NDArray[np.float32]:
        """Dot products [users of the slice, videos]."""
        return self._users[users] @ self._videos.T


class PopularityScorer:
    """The same list for everybody: the most liked first.

    Args:
        counts: likes of each video in training, [videos].
        users: how many users are asked for.
    """

    def __init__(self, counts: NDArray[np.int64], users: int) -> None:
        # Places in the order of counts, not the counts: float32 tells numbers apart only up to 16 million.
        self._scores = np.unique(counts, return_inverse=True)[1].astype(np.float32)
        self._users = users

    def scores(self, users: slice) -> NDArray[np.float32]:
        """Repeated rows [users of the slice, videos]; they order the videos and mean nothing else."""
        return np.tile(self._scores, (len(range(self._users)[users]), 1))


@dataclass(frozen=True)
class Seen:
    """The videos that each user has liked already and is not to be shown again.

    Attributes:
        start: int64 [users + 1]; the videos of row `u` are `video[start[u]:start[u + 1]]`.
        video: int32 [pairs].
    """

    start: NDArray[np.int64]
    video: NDArray[np.int32]

    @staticmethod
    def of_pairs(row: NDArray, video: NDArray, users: int) -> "Seen":
        """From pairs (row of the user, video) in any order; within a row their order is kept."""
        start = np.zeros(users + 1, np.int64)
        np.cumsum(np.bincount(row, minlength=users), out=start[1:])
        return Seen(start, np.asarray(video, np.int32)[np.argsort(row, kind="stable")])

    def counts(self) -> NDArray[np.int64]:
        """How many videos each user has seen, [users]."""
        return np.diff(self.start)

    def of(self, row: int) -> NDArray[np.int32]:
        """The videos of one user, in the order that they were given."""
        return self.video[self.start[row] : self.start[row + 1]]

    def pairs(self, first: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Pairs of the rows `first` to `last` (not included), rows counted from `first`."""
        rows = np.repeat(np.arange(last - first), self.counts()[first:last])
        return rows, self.video[self.start[first] : self.start[last]]


@dataclass(frozen=True)
class Ranking:
    """What one system made of one question for each user.

    Attributes:
        target_rank: int64 [users]; 1 is the first place among all candidates that the user has not seen. `NEVER` where
            the target is itself seen, or no candidate: nothing could have foretold it, and it counts as a miss.
        top: int32 [users, depth]; the list that the user would get, padded with -1.
    """

    target_rank: NDArray[np.int64]
    top: NDArray[np.int32]


def rank_targets(
    scorer: Scorer, seen: Seen, targets: NDArray[np.int32], candidates: NDArray[np.bool_], depth: int = 100
) -> Ranking:
    """Rank every user's target among the candidates that the user has not seen.

    Equal scores stand in the order of the videos' numbers, the lower first, for all systems alike.

    Args:
        scorer: the system; its row `u` is the user of `targets[u]`.
        seen: what each user liked before.
        targets: the video to foretell, [users].
        candidates: which videos may be shown at all, [videos].
        depth: length of the lists that are kept.
    """
    users, videos = len(targets), len(candidates)
    target_rank = np.empty(users, np.int64)
    top = np.empty((users, depth), np.int32)
    barred = np.flatnonzero(~candidates)
    for first in range(0, users, block := _users_per_block(videos)):
        last = min(first + block, users)
        scores = scorer.scores(slice(first, last))
        if scores.shape != (last - first, videos):
            raise ValueError(f"scores of shape {scores.shape} came for {last - first} users and {videos} videos")
        scores[:, barred] = -np.inf
        scores[seen.pairs(first, last)] = -np.inf
        target_rank[first:last] = _ranks(scores, targets[first:last])
        top[first:last] = top_k(scores, depth)
    return Ranking(target_rank, top)


def _users_per_block(videos: int) -> int:
    return max(1, min(_USERS_PER_BLOCK, _SCORES_PER_BLOCK // max(videos, 1)))


def _ranks(scores: NDArray[np.float32], targets: NDArray[np.int32]) -> NDArray[np.int64]:
    ranks = np.full(len(targets), NEVER, np.int64)
    for row, (of_row, target) in enumerate(zip(scores, targets, strict=True)):
        if of_row[target] > -np.inf:
            ahead = np.count_nonzero(of_row > of_row[target]) + np.count_nonzero(of_row[:target] == of_row[target])
            ranks[row] = 1 + ahead
    return ranks
