"""How soon our towers pass TFRS's quickstart model, both trained in this process on the same likes.

The quickstart is that of the TFRS documentation: id embeddings on both sides, in-batch softmax, Adagrad; its embeddings
have 64 numbers, its batches 4,096 examples and its learning rate is 0.5, as there. Both are asked for the validation
likes after each epoch. Only training counts towards the time, not the asking. Usage:
python benchmarks/quickstart.py SNAPSHOT_FOLDER   (of `tfrs-pipeline snapshot --output SNAPSHOT_FOLDER`)
"""

import os
import tempfile
import time
from pathlib import Path

import click

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
import tf_keras
from quality.quickstart_model import Quickstart

from tfrs_pipeline.config import Config, load_config
from tfrs_pipeline.data.snapshot import Snapshot, load_snapshot
from tfrs_pipeline.data.split import VALIDATION, Split
from tfrs_pipeline.evaluation import metrics
from tfrs_pipeline.evaluation.ranking import VectorScorer, rank_targets
from tfrs_pipeline.evaluation.validation import Validation
from tfrs_pipeline.measuring import Task, prepare, split_likes
from tfrs_pipeline.models.two_tower import TwoTower
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.training.batches import Batches
from tfrs_pipeline.training.fitting import fit, make_deterministic

QUICKSTART_EPOCHS = 20
EMBEDDING, BATCH, LEARNING_RATE = 64, 4096, 0.5

Curve = list[tuple[float, float]]


def quickstart(snapshot: Snapshot, split: Split, task: Task) -> tuple[Curve, float]:
    """(training seconds, Recall@100) after each epoch, and examples per second."""
    make_deterministic(0)
    likes = split.known(VALIDATION)
    model = Quickstart(len(snapshot.users), snapshot.videos.num_rows, EMBEDDING)
    model.compile(optimizer=tf_keras.optimizers.Adagrad(LEARNING_RATE))
    data = tf.data.Dataset.from_tensor_slices({"user": likes.user, "video": likes.video})
    data = data.shuffle(100_000, seed=0).batch(BATCH).cache()
    curve, seconds = [], 0.0
    for _ in range(QUICKSTART_EPOCHS):
        begin = time.perf_counter()
        model.fit(data, epochs=1, verbose=0)
        seconds += time.perf_counter() - begin
        users = model.users(task.problem.users).numpy()
        scorer = VectorScorer(users, model.videos(np.arange(snapshot.videos.num_rows)).numpy())
        ranks = rank_targets(scorer, task.problem.seen, task.problem.targets, task.problem.candidates).target_rank
        curve.append((seconds, float(metrics.recall(ranks, 100).mean())))
    return curve, QUICKSTART_EPOCHS * len(likes) / seconds


def ours(split: Split, task: Task, config: Config) -> tuple[Curve, float]:
    """The same of the two towers."""
    make_deterministic(config.training.seed)
    model = TwoTower(task.spec, config.model, config.training.temperature)
    batches = Batches(task.spec, task.videos, split.known(VALIDATION), config.training)
    with tempfile.TemporaryDirectory() as folder:
        validate = Validation(task.problem, task.states, task.videos)
        history = fit(model, batches, config.training, Path(folder), Progress(quiet=True), 3, validate)
    seconds = np.cumsum([entry["seconds"] for entry in history])
    recalls = [entry["recall@100"] for entry in history]
    return list(zip(seconds.tolist(), recalls, strict=True)), len(history) * batches.examples / float(seconds[-1])


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
def main(folder: Path) -> None:
    config = load_config(None, {"evaluation": {"candidates": "liked"}})
    snapshot = load_snapshot(folder)
    split = split_likes(snapshot, config.evaluation)
    task = prepare(snapshot, split, VALIDATION, config)
    curves = {"quickstart": quickstart(snapshot, split, task), "two towers": ours(split, task, config)}
    for name, (curve, speed) in curves.items():
        click.echo(f"{name}: {speed:,.0f} examples/s; Recall@100 on validation by training seconds:")
        click.echo("  " + "  ".join(f"{seconds:.1f} s {recall:.3f}" for seconds, recall in curve))
    best = max(recall for _, recall in curves["quickstart"][0])
    reached = next(seconds for seconds, recall in curves["quickstart"][0] if recall == best)
    passed = next((seconds for seconds, recall in curves["two towers"][0] if recall > best), None)
    click.echo(f"The quickstart's best Recall@100, {best:.3f}, came after {reached:.1f} s of training;")
    click.echo(
        "the two towers did not pass it." if passed is None else f"the two towers had passed it after {passed:.1f} s."
    )


if __name__ == "__main__":
    main()
