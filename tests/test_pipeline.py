import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Likes, Snapshot, SnapshotInfo, content_hash
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.pipeline import train
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import only_training, open_run, read_json

QUIET = Progress(quiet=True)


def of_likes(videos: pa.Table, user: Any, video: Any, at: Any) -> Snapshot:
    likes = Likes.sort(user, video, at)
    ids = np.array([f"user {number}" for number in range(int(likes.user.max()) + 1)])
    info = SnapshotInfo(videos.num_rows, len(ids), len(likes), content_hash(videos, ids, likes), "now", {})
    return Snapshot(videos, ids, likes, info)


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_run_leaves_nothing_behind_that_was_only_needed_on_the_way(finished: Path) -> None:
    version = os.readlink(finished / "latest")
    assert visible(finished) == [version, "latest"]
    assert [path.name for path in finished.rglob(".*")] == [".lock"]
    assert not list(finished.rglob("checkpoints"))
    assert not list(finished.rglob("best.npz"))
    assert open_run(finished / "latest").version == version


def test_the_kept_towers_learned_for_as_many_epochs_as_validation_chose(finished: Path) -> None:
    history = read_json(finished / "latest" / "history.json")
    best = max(history["selection"], key=lambda entry: entry["ndcg@100"])["epoch"]
    assert len(history["final"]) == best
    assert all("ndcg@100" not in entry for entry in history["final"]), "the test likes choose nothing"


def test_likes_and_catalogues_of_odd_shapes_are_trained_on(service: Snapshot, small: Config, tmp_path: Path) -> None:
    # Nine videos, some without a like: fewer than the shortest list. Two moments. A user with very many likes.
    generator = np.random.default_rng(0)
    pairs = [(user, video) for user in range(30) for video in generator.permutation(7)[: 2 + user % 6]]
    user, video = np.array(pairs).T
    snapshot = of_likes(service.videos.slice(0, 9), user, video, 10**15 + generator.integers(0, 2, len(pairs)))
    config = replace(
        small,
        model=replace(small.model, heads=0),
        training=replace(small.training, epochs=1, negatives=0, patience=0, batch_blocks=3, popularity_eras=50),
        evaluation=replace(small.evaluation, min_likes=3, candidates="liked"),
    )
    run = train(snapshot, config, tmp_path, QUIET)
    assert run.metrics["split"]["candidates"] == 7
    assert run.metrics["systems"]["two_tower"]["all"]["recall@10"] == 1


def test_the_split_by_time_is_trained_on(service: Snapshot, small: Config, tmp_path: Path) -> None:
    config = replace(
        small,
        training=replace(small.training, epochs=1),
        evaluation=replace(small.evaluation, split="by-time", min_likes=1),
    )
    run = train(service, config, tmp_path, QUIET)
    assert run.metrics["split"]["name"] == "by-time"
    assert 0 < run.metrics["split"]["users"] <= 61


def test_two_trainings_at_once_are_one_sentence(service: Snapshot, small: Config, runs: Path) -> None:
    before = visible(runs)
    with only_training(runs), pytest.raises(InputError, match="Another training"):
        train(service, small, runs, QUIET)
    assert visible(runs) == before


@pytest.mark.parametrize(
    ("likes_each", "min_likes", "said"),
    [(4, 5, "No user has 5 likes or more"), (3, 3, "No user has two likes to learn from")],
)
def test_too_few_likes_are_one_sentence_and_begin_no_run(
    service: Snapshot, small: Config, runs: Path, likes_each: int, min_likes: int, said: str
) -> None:
    users = np.repeat(np.arange(10), likes_each)
    snapshot = of_likes(service.videos, users, np.arange(len(users)), np.arange(len(users)))
    config = replace(small, evaluation=replace(small.evaluation, min_likes=min_likes))
    before = visible(runs)
    with pytest.raises(InputError, match=said):
        train(snapshot, config, runs, QUIET)
    assert visible(runs) == before


def test_a_training_that_diverges_is_one_sentence_and_latest_stays(
    service: Snapshot, small: Config, runs: Path
) -> None:
    latest = os.readlink(runs / "latest")
    with pytest.raises(InputError, match=r"not finite.*lower learning rate"):
        train(service, replace(small, training=replace(small.training, learning_rate=1e38)), runs, QUIET)
    assert os.readlink(runs / "latest") == latest
    assert open_run(runs / "latest").metrics
