"""Histories cut into blocks: neighbouring examples of one user, who see almost the same likes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.errors import InputError


@dataclass(frozen=True)
class Blocks:
    """Up to so many examples each; the example at like `i` foretells like `i + 1`.

    Attributes:
        start: the first like that an example of the block sees, int64 [blocks].
        first: the like that its first example stands at, int64 [blocks].
        examples: how many there are, int64 [blocks].
    """

    start: NDArray[np.int64]
    first: NDArray[np.int64]
    examples: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)


def cut_blocks(likes: Likes, window: int, places: int) -> Blocks:
    """Cut so that each like but a user's first is foretold once, from up to `window` likes before it."""
    _, begin, count = np.unique(likes.user, return_index=True, return_counts=True)
    blocks_of_user = -(-(count - 1) // places)
    user = np.repeat(np.arange(len(begin)), blocks_of_user)
    number = np.arange(len(user)) - np.repeat(np.cumsum(blocks_of_user) - blocks_of_user, blocks_of_user)
    first = begin[user] + number * places
    return Blocks(
        start=np.maximum(begin[user], first - window + 1),
        first=first,
        examples=np.minimum(places, count[user] - 1 - number * places),
    )


def check_examples(likes: Likes) -> None:
    """See that there is something to cut.

    Raises:
        InputError: no user has two likes, so no like follows upon another.
    """
    if len(likes) == 0 or np.bincount(likes.user).max() < 2:
        raise InputError("No user has two likes to learn from beside those that are foretold. Gather more likes.")
