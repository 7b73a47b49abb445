"""Which likes a model may learn from, and which it is asked to foretell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.errors import InputError

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Split:
    """A division of likes into three parts; in the last two a user has at most one target.

    Attributes:
        likes: all likes of the users that take part, sorted.
        part: for each like TRAIN, VALIDATION or TEST.
        is_target: for each like, whether it is to be foretold.
    """

    likes: Likes
    part: NDArray[np.int8]
    is_target: NDArray[np.bool_]

    def known(self, part: int) -> Likes:
        """What a model that will be asked for the targets of `part` may learn from: the parts before it."""
        return self.likes.where(self.part < part)

    def targets(self, part: int) -> Likes:
        """One like for each user who has a target in `part`, sorted by user."""
        return self.likes.where(self._target_rows(part))

    def histories(self, part: int) -> Likes:
        """All likes that a user with a target in `part` gave before it: what a recommender knows when it is asked."""
        target_row = np.full(int(self.likes.user.max()) + 1, -1)
        rows = np.flatnonzero(self._target_rows(part))
        target_row[self.likes.user[rows]] = rows
        return self.likes.where(np.arange(len(self.likes)) < target_row[self.likes.user])

    def _target_rows(self, part: int) -> NDArray[np.bool_]:
        return (self.part == part) & self.is_target


def last_like(likes: Likes, min_likes: int = 5) -> Split:
    """A user's last like is the test target, the one before it the validation target.

    Users with fewer than `min_likes` likes (3 at least: one to learn from, two targets) take no part.

    Raises:
        InputError: no user has as many likes.
    """
    likes = _of_active_users(likes, max(min_likes, 3))
    _, start, count = np.unique(likes.user, return_index=True, return_counts=True)
    from_the_end = np.repeat(start + count - 1, count) - np.arange(len(likes))
    part = np.full(len(likes), TRAIN, np.int8)
    part[from_the_end == 1] = VALIDATION
    part[from_the_end == 0] = TEST
    return Split(likes, part, part > TRAIN)


def by_time(likes: Likes, min_likes: int = 5, validation_share: float = 0.1, test_share: float = 0.1) -> Split:
    """Two moments cut the likes; a user's first like after a cut is that user's target there.

    The last `test_share` of the likes are the test part, the `validation_share` before them the validation part.
    Nothing that anybody liked after a cut is known before it, so this is the sterner split. A user needs a like in
    training to have a target.

    Raises:
        InputError: no user has enough likes, or none has likes on both sides of a cut.
    """
    likes = _of_active_users(likes, min_likes)
    cuts = np.quantile(likes.at, [1 - validation_share - test_share, 1 - test_share], method="higher")
    part = np.searchsorted(cuts, likes.at, side="right").astype(np.int8)
    trained = np.zeros(int(likes.user.max()) + 1, bool)
    trained[likes.user[part == TRAIN]] = True
    is_target = np.zeros(len(likes), bool)
    for target_part in (VALIDATION, TEST):
        rows = np.flatnonzero((part == target_part) & trained[likes.user])
        _, first = np.unique(likes.user[rows], return_index=True)
        is_target[rows[first]] = True
        if len(first) == 0:
            raise InputError("No user has likes on both sides of a cut in time. Use the last-like split instead.")
    return Split(likes, part, is_target)


def _of_active_users(likes: Likes, min_likes: int) -> Likes:
    active = likes.where(np.bincount(likes.user, minlength=1)[likes.user] >= min_likes)
    if len(active) == 0:
        raise InputError(
            f"No user has {min_likes} likes or more, so there is nothing to foretell. "
            "Gather more likes or lower evaluation.min_likes."
        )
    return active
