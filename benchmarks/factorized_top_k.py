"""Recall of 100,000 candidates x 768: TFRS's FactorizedTopK beside ours, values and times.

    python benchmarks/factorized_top_k.py [--candidates 100000] [--queries 1000] [--noise 2.5]

FactorizedTopK is measured in four settings, from the one that TFRS's tutorials build to its best:
a dataset of video names in batches of 128 through the tower (here: a lookup and an embedding, as in the tutorial), the
same with vectors that are there already, with large batches, and with BruteForce instead of a dataset. Ours is measured
as `factorized_top_k`, which gives those same numbers alone, and as `rank_targets`, which also gives every user's
100 best videos. All see the same vectors and one batch of queries; each time is the best of the given repeats, taken in
turns, because other work on the machine would favour whichever came at a quiet moment.
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


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def metric(candidates: object, queries: np.ndarray, of_targets: np.ndarray) -> list[float]:
    top = tfrs.metrics.FactorizedTopK(candidates, ks=KS)
    top.update_state(queries, of_targets)
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
@click.option("--repeats", default=3, show_default=True)
def main(candidates: int, queries: int, dimensions: int, noise: float, repeats: int) -> None:
    """Print the table."""
    random = np.random.default_rng(0)
    vectors = unit(random.standard_normal((candidates, dimensions), np.float32))
    targets = random.integers(candidates, size=queries).astype(np.int32)
    of_targets = vectors[targets]
    asked = unit(of_targets + noise * unit(random.standard_normal((queries, dimensions), np.float32)))
    names = np.array([f"video {number}" for number in range(candidates)])
    tower = tower_of(names, vectors)
    stored = tf.data.Dataset.from_tensor_slices(vectors)
    brute_force = tfrs.layers.factorized_top_k.BruteForce(k=max(KS)).index(tf.constant(vectors))

    def ranked() -> list[float]:
        none_seen = Seen(np.zeros(queries + 1, np.int64), np.empty(0, np.int32))
        ranking = rank_targets(VectorScorer(asked, vectors), none_seen, targets, np.ones(candidates, bool), max(KS))
        return [float(np.mean(ranking.target_rank <= k)) for k in KS]

    names_in_batches = tf.data.Dataset.from_tensor_slices(names).batch(128).map(tower)
    systems: dict[str, Callable[[], list[float]]] = {
        "FactorizedTopK, batches of 128 through the tower": lambda: metric(names_in_batches, asked, of_targets),
        "FactorizedTopK, batches of 128 vectors": lambda: metric(stored.batch(128), asked, of_targets),
        "FactorizedTopK, batches of 4096 vectors": lambda: metric(stored.batch(4096), asked, of_targets),
        "FactorizedTopK, BruteForce": lambda: metric(brute_force, asked, of_targets),
        "ours, factorized_top_k": lambda: list(factorized_top_k(asked, vectors, targets, KS).values()),
        "ours, rank_targets (with the 100 best of each)": ranked,
    }
    values: dict[str, list[float]] = {}
    seconds = dict.fromkeys(systems, np.inf)
    for _ in range(repeats):
        for name, system in systems.items():
            started = time.perf_counter()
            values[name] = system()
            seconds[name] = min(seconds[name], time.perf_counter() - started)

    ours = "ours, factorized_top_k"
    print(f"{candidates:,} candidates x {dimensions}, {queries:,} queries, {os.cpu_count()} cores, best of {repeats}\n")
    print(f"| {'':50} | " + " | ".join(f"recall@{k}" for k in KS) + " | seconds | to ours |")
    print("| --- |" + " ---: |" * (len(KS) + 2))
    for name in systems:
        shares = " | ".join(f"{value:.6f}" for value in values[name])
        print(f"| {name:50} | {shares} | {seconds[name]:7.2f} | {seconds[name] / seconds[ours]:6.1f}x |")
    worst = max(abs(a - b) for each in values.values() for a, b in zip(each, values[ours], strict=True))
    print(f"\nLargest difference between two values: {worst:.1e}")


if __name__ == "__main__":
    main()
