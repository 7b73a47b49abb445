"""Recall of 100,000 candidates x 768: TFRS's FactorizedTopK beside ours, values and times.

    python benchmarks/factorized_top_k.py [--candidates 100000] [--queries 1000] [--noise 2.5]

FactorizedTopK is measured in four settings, from the one that TFRS's tutorials build to its best: a dataset of video
names in batches of 128 through the tower (here a lookup and an embedding, as there), the same with vectors that are
there already, with large batches, and with BruteForce instead of a dataset. Ours is measured as `factorized_top_k`,
which gives those numbers alone, and as `rank_targets`, which also gives every user's 100 best videos. All see the same
vectors and one batch of queries. Ours leaves a query alone once 100 candidates stand before its target, so its time
depends on how many targets are found: with --noise 0 all are, and it takes as long as all products do. Each time is the
best of the repeats, which are taken in turns, because other work on the machine would favour whichever came at a quiet
moment.

FactorizedTopK compares by scores unless it is given ids. By scores it computes a target's score in two ways, which
differ in the last bit, and then may count a target as its own rival or let it pass one: on real numbers a query or two
at the edge of a list fall on the other side. So the agreement is told for ids; by scores the difference is shown too.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import time
from collections.abc import Callable

import click
import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from tfrs_pipeline.evaluation.factorized import factorized_top_k
from tfrs_pipeline.evaluation.ranking import Seen, VectorScorer, rank_targets

KS = (10, 50, 100)
OURS = "ours, factorized_top_k"


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def metric(
    candidates: object, queries: np.ndarray, of_targets: np.ndarray, ids: np.ndarray | None = None
) -> list[float]:
    top = tfrs.metrics.FactorizedTopK(candidates, ks=KS)
    top.update_state(queries, of_targets, true_candidate_ids=ids)
    return [float(value) for value in top.result()]


def tower_of(names: np.ndarray, vectors: np.ndarray) -> tf.keras.Model:
    lookup = tf.keras.layers.StringLookup(vocabulary=names.tolist(), mask_token=None)
    embedding = tf.keras.layers.Embedding(len(names) + 1, vectors.shape[1])
    tower = tf.keras.Sequential([lookup, embedding])
    tower(tf.constant(["any"]))
    embedding.set_weights([np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), vectors])])
    return tower


@click.command()
@click.option("--candidates", default=100_000, show_default=True)
@click.option("--queries", default=1000, show_default=True)
@click.option("--dimensions", default=768, show_default=True)
@click.option("--noise", default=10.0, show_default=True, help="Length of the noise in a query beside its target's 1.")
@click.option("--repeats", default=4, show_default=True)
def main(candidates: int, queries: int, dimensions: int, noise: float, repeats: int) -> None:
    """Print the table."""
    random = np.random.default_rng(0)
    vectors = unit(random.standard_normal((candidates, dimensions), np.float32))
    targets = random.integers(candidates, size=queries).astype(np.int32)
    of_targets = vectors[targets]
    asked = unit(of_targets + noise * unit(random.standard_normal((queries, dimensions), np.float32)))
    names = np.array([f"video {number}" for number in range(candidates)])
    tower = tower_of(names, vectors)
    numbers = np.arange(candidates, dtype=np.int32)
    by_names = tf.data.Dataset.from_tensor_slices(names).batch(128).map(tower)
    stored = tf.data.Dataset.from_tensor_slices((numbers, vectors))
    brute_force = tfrs.layers.factorized_top_k.BruteForce(k=max(KS)).index(tf.constant(vectors), tf.constant(numbers))

    def ranked() -> list[float]:
        none_seen = Seen(np.zeros(queries + 1, np.int64), np.empty(0, np.int32))
        ranking = rank_targets(VectorScorer(asked, vectors), none_seen, targets, np.ones(candidates, bool), max(KS))
        return [float(np.mean(ranking.target_rank <= k)) for k in KS]

    systems: dict[str, Callable[[], list[float]]] = {
        "FactorizedTopK as in the tutorial, by scores": lambda: metric(by_names, asked, of_targets),
        "FactorizedTopK, batches of 128 vectors, by ids": lambda: metric(stored.batch(128), asked, of_targets, targets),
        "FactorizedTopK, batches of 4096 vectors, by ids": lambda: metric(
            stored.batch(4096), asked, of_targets, targets
        ),
        "FactorizedTopK, BruteForce, by ids": lambda: metric(brute_force, asked, of_targets, targets),
        OURS: lambda: list(factorized_top_k(asked, vectors, targets, KS, ties="ids").values()),
        "ours, rank_targets, with the 100 best": ranked,
    }
    values: dict[str, list[float]] = {}
    seconds = dict.fromkeys(systems, np.inf)
    for _ in range(repeats):
        for name, system in systems.items():
            started = time.perf_counter()
            values[name] = system()
            seconds[name] = min(seconds[name], time.perf_counter() - started)

    print(f"{candidates:,} candidates x {dimensions}, {queries:,} queries, {os.cpu_count()} cores, best of {repeats}\n")
    print(f"| {'':48} | " + " | ".join(f"recall@{k}" for k in KS) + " | seconds | to ours |")
    print("| --- |" + " ---: |" * (len(KS) + 2))
    for name in systems:
        shares = " | ".join(f"{value:.6f}" for value in values[name])
        print(f"| {name:48} | {shares} | {seconds[name]:7.2f} | {seconds[name] / seconds[OURS]:6.1f}x |")
    for how in ("by ids", "by scores"):
        apart = [abs(a - b) for name in systems if how in name for a, b in zip(values[name], values[OURS], strict=True)]
        print(f"\nLargest difference from ours, FactorizedTopK {how}: {max(apart):.1e}", end="")
    print()


if __name__ == "__main__":
    main()
