"""The popularity row of the measured protocol, from files through Postgres to ranks. Needs the shared data set."""

from pathlib import Path

import numpy as np
import psycopg
import pytest

from tfrs_pipeline.data.loading import load
from tfrs_pipeline.data.movielens import read_movielens
from tfrs_pipeline.data.reading import read_snapshot
from tfrs_pipeline.data.split import TEST, last_like
from tfrs_pipeline.progress import Progress

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "movielens-tmdb"
QUIET = Progress(quiet=True)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the data set is not here")


def test_popularity_has_the_recall_that_was_measured(database: psycopg.Connection) -> None:
    load(database, read_movielens(FOLDER, FOLDER / "tmdb-movies.csv", 4, QUIET), QUIET, prune=True)
    snapshot = read_snapshot(database, QUIET)
    assert (len(snapshot.likes), len(snapshot.users), len(snapshot.videos)) == (48_580, 609, 9_742)

    split = last_like(snapshot.likes, min_likes=5)
    # The likes of the 6 users with fewer than 5 add no video to those that are ranked.
    liked = np.flatnonzero(snapshot.likes.counts(len(snapshot.videos)))
    np.testing.assert_array_equal(liked, np.flatnonzero(split.likes.counts(len(snapshot.videos))))
    targets, histories = split.targets(TEST), split.histories(TEST)
    assert (len(targets), len(liked)) == (603, 6_298)

    # Counted over all likes but the last of the users who take part.
    likes_before = split.known(TEST).counts(len(snapshot.videos))
    order = liked[np.argsort(-likes_before[liked], kind="stable")]
    place = np.full(len(snapshot.videos), len(order))
    place[order] = np.arange(len(order))
    own = np.searchsorted(histories.user, np.stack([targets.user, targets.user + 1]))
    rank = np.array(
        [
            place[target] - np.sum(place[histories.video[first:last]] < place[target])
            for target, first, last in zip(targets.video, *own, strict=True)
        ]
    )
    recall = [round(float(np.mean(rank < k)), 3) for k in (10, 50, 100)]
    ndcg = round(float(np.mean(np.where(rank < 10, 1 / np.log2(rank + 2), 0))), 3)
    assert (recall, ndcg) == ([0.038, 0.126, 0.209], 0.020)
