"""Which likes can be right, and whether what is left can be learnt from."""

from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.data.copying import NO_TIME, RawLikes
from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.errors import InputError

_SENTENCES = {
    "no_user": "{likes} without a user",
    "unknown_video": "{likes} of videos that training_videos does not have",
    "no_time": "{likes} without a time",
    "in_the_future": "{likes} dated after now, which is {now}",
    "duplicate": "{likes} given again: of a user's likes of one video only the first counts",
}


def clean(raw: RawLikes, now: datetime) -> tuple[Likes, NDArray[np.bytes_], dict[str, int]]:
    """Leave out the likes that cannot be right, and number the users that remain by their sorted ids.

    Returns:
        The likes; the users' ids of 16 bytes, sorted; how many likes were left out, by reason.
    """
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    latest = (now - epoch) // datetime.resolution
    tests = {
        "no_user": raw.user < 0,
        "unknown_video": raw.video < 0,
        "no_time": raw.at == NO_TIME,
        "in_the_future": raw.at > latest,
    }
    left_out = {}
    right = np.ones(len(raw.user), bool)
    for reason, wrong in tests.items():
        count = int((right & wrong).sum())
        if count:
            left_out[reason] = count
        right &= ~wrong
    user, video, at = raw.user[right], raw.video[right], raw.at[right]
    remaining = np.flatnonzero(np.bincount(user, minlength=len(raw.users)))
    ids = raw.users[remaining]
    order = np.argsort(ids)
    rank = np.full(len(raw.users), -1, np.int32)
    rank[remaining[order]] = np.arange(len(ids), dtype=np.int32)
    likes = Likes.sort(rank[user], video, at)
    again = _given_again(likes)
    if again.any():
        left_out["duplicate"] = int(again.sum())
        likes = likes.where(~again)
    return likes, ids[order], left_out


def _given_again(likes: Likes) -> NDArray[np.bool_]:
    """For each like whether the same user has an earlier one of the same video."""
    pair = likes.user.astype(np.int64) << 32 | likes.video
    order = np.argsort(pair, kind="stable")  # Keeps a user's likes in the order of time.
    again = np.zeros(len(likes), bool)
    again[order[1:]] = np.diff(pair[order]) == 0
    return again


def describe(left_out: dict[str, int], now: datetime) -> list[str]:
    """Say what was left out, a phrase for each reason."""
    return [
        _SENTENCES[reason].format(
            likes=f"{count:,} like" + ("" if count == 1 else "s"), now=now.isoformat(sep=" ", timespec="seconds")
        )
        for reason, count in left_out.items()
    ]


def check_learnable(likes: Likes, users: int, videos: int) -> None:
    """See that the likes can tell something.

    Raises:
        InputError: there are none, or they are the same for everybody, or have no order.
    """
    if videos == 0:
        raise InputError("There are no videos: training_videos is empty. Fill it with `tfrs-pipeline import`.")
    if len(likes) == 0:
        raise InputError(
            "There are no likes: training_likes has none that can be used, or this database user may not see them. "
            "Fill it with `tfrs-pipeline import`."
        )
    if users == 1:
        raise InputError("All likes are of one user. Two users at least are needed to learn how tastes differ.")
    if len(likes) == users * videos:
        raise InputError(
            "Every video is liked by everyone, so there is nothing to tell apart. "
            "Videos that some users have not liked are needed."
        )
    if likes.at[0] == likes.at[-1] and likes.at.min() == likes.at.max():
        raise InputError(
            "All likes have the same time, so there is no order to learn from and no last like to foretell. "
            "training_likes.created_at has to be the time when the like was given."
        )
