"""Histories cut into blocks, so that every like of a block is an example and the block is read once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.snapshot import Likes


@dataclass(frozen=True)
class Blocks:
    """Stretches of the likes of one user each.

    In block `i` the likes `start[i] … start[i] + length[i] - 1` are history, and the like after each of them is what
    it foretells; the first `skip[i]` of these were targets in the block before.

    Attributes:
        start, length, skip: int64 [blocks].
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    skip: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.start)


def cut_blocks(likes: Likes, window: int) -> Blocks:
    """Cut so that each like but a user's first is a target once.

    A block after the first begins half a window early: its first target sees at least half a window of history.
    """
    _, first, count = np.unique(likes.user, return_index=True, return_counts=True)
    blocks = []
    for begin, inputs in zip(first.tolist(), (count - 1).tolist(), strict=True):
        done = 0
        while done < inputs:
            start = max(0, done - window // 2)
            end = min(start + window, inputs)
            blocks.append((begin + start, end - start, done - start))
            done = end
    return Blocks(*np.array(blocks, np.int64).reshape(-1, 3).T)
