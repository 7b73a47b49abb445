"""Which likes a model may learn from, and which it is asked to foretell."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.errors import InputError

TRAIN, VALIDATION, TEST = 0, 1, 2
COLD_LIKES = 5
"""A user who liked no more than this is cold."""


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


def cold(likes: Likes, min_likes: int = 5, share: float = 0.1, seed: int = 0) -> Split:
    """Whole users and whole videos are held out: a `share` of each for validation, and as many for the test.

    Of a user who was held out, one to five likes are known when the next one is asked for; they like no video that was
    held out. Of everybody else, the last like of a video that was held out is the target.

    Raises:
        InputError: no user has enough likes, or nothing that was held out can be foretold.
    """
    likes = _of_active_users(likes, min_likes)
    generator = np.random.default_rng(seed)
    user_part = _drawn(np.unique(likes.user), share, generator)[likes.user]
    video_part = _drawn(np.unique(likes.video), share, generator)[likes.video]
    likes, user_part, video_part = _without(likes, (user_part > TRAIN) & (video_part > TRAIN), user_part, video_part)
    _, start, count = np.unique(likes.user, return_index=True, return_counts=True)
    place = np.arange(len(likes)) - np.repeat(start, count)
    target_place = np.repeat(np.minimum(generator.integers(1, COLD_LIKES + 1, len(start)), count - 1), count)
    beyond = (user_part > TRAIN) & (place > target_place)
    is_target = (user_part > TRAIN) & (place == target_place) & (place > 0)
    for part in (VALIDATION, TEST):
        rows = np.flatnonzero((video_part == part) & (place > 0))
        last = np.append(np.diff(likes.user[rows]) != 0, True)[: len(rows)]
        is_target[rows[last]] = True
    likes, part, is_target = _without(likes, beyond, np.maximum(user_part, video_part), is_target)
    for held_out in (VALIDATION, TEST):
        if not (is_target & (part == held_out)).any():
            raise InputError("Too few users and videos were held out to foretell anything. Gather more likes.")
    return Split(likes, part, is_target)


def _drawn(members: NDArray[np.int32], share: float, generator: np.random.Generator) -> NDArray[np.int8]:
    """The part that each member belongs to, by number."""
    held_out = int(np.ceil(share * len(members)))
    part = np.full(int(members.max()) + 1, TRAIN, np.int8)
    order = generator.permutation(members)
    part[order[:held_out]], part[order[held_out : 2 * held_out]] = TEST, VALIDATION
    return part


def _without(likes: Likes, drop: NDArray[np.bool_], *columns: NDArray) -> tuple[Any, ...]:
    return likes.where(~drop), *(column[~drop] for column in columns)


def _of_active_users(likes: Likes, min_likes: int) -> Likes:
    active = likes.where(np.bincount(likes.user, minlength=1)[likes.user] >= min_likes)
    if len(active) == 0:
        raise InputError(
            f"No user has {min_likes} likes or more, so there is nothing to foretell. "
            "Gather more likes or lower evaluation.min_likes."
        )
    return active
