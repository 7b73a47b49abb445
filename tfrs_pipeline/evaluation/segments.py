"""The groups of users for which a system is measured apart."""

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.split import COLD_LIKES
from tfrs_pipeline.evaluation.problem import RankingProblem

COLD_VIDEO_LIKES = 5
"""A video that got no more likes than this in training is cold."""


def segments(problem: RankingProblem) -> dict[str, NDArray[np.bool_]]:
    """Which users belong to which segment, [users] each.

    `all`; `cold_users`, who had liked little when they were asked; `cold_videos`, the users whose target is a video
    that had been liked little in training.
    """
    return {
        "all": np.ones(len(problem), bool),
        "cold_users": problem.seen.counts() <= COLD_LIKES,
        "cold_videos": problem.training_counts[problem.targets] <= COLD_VIDEO_LIKES,
    }
