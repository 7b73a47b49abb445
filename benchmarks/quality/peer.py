"""What a peer is: a name, the settings worth trying, and a function that learns and then scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from quality.space import Settings, Space
from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.evaluation.ranking import Scorer, Seen


@dataclass(frozen=True)
class Training:
    """All that a peer may learn from.

    Attributes:
        videos: the catalogue, a table of `VIDEO_SCHEMA`.
        users: how many users there are; likes name them by number.
        likes: those before the part that is asked for.
    """

    videos: pa.Table
    users: int
    likes: Likes


@dataclass(frozen=True)
class Asked:
    """Who is asked for: the question without its answer.

    Attributes:
        users: numbers of the users, int32 [users]. A scorer's rows follow them.
        seen: what each of them has liked so far, oldest first.
    """

    users: NDArray[np.int32]
    seen: Seen


@dataclass(frozen=True)
class Fitted:
    """A peer that has learned.

    Attributes:
        scorer: answers for users.
        size_bytes: of what it learned and has to keep, as it is held in memory.
        settings: those it was fitted with; where the watch chose the number of epochs, with that number.
    """

    scorer: Callable[[Asked], Scorer]
    size_bytes: int
    settings: Settings


Watch = Callable[[Fitted], float]
"""The validation figure, higher is better, for peers that learn in epochs and choose their number by it."""

Fit = Callable[[Training, Settings, int, Watch | None], Fitted]
"""Learn with these settings and this seed. With a watch, settings["epochs"] is the most; without, the number."""


@dataclass(frozen=True)
class Peer:
    """One row of the table.

    Attributes:
        name: as the command line and the files have it.
        label: as people write it.
        packages: modules that it needs beside ours.
        space: its settings and what else is tried.
        fit: how it learns.
    """

    name: str
    label: str
    packages: tuple[str, ...]
    space: Space
    fit: Fit
