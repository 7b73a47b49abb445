"""ScaNN against exact search on 100,000 videos x 768: recall@100 and queries per second, in one run, taking turns.

    python benchmarks/scann_index.py [--vectors VIDEOS.npy --queries USERS.npy] [--videos 100000] [--recall 0.95]

Without files it makes vectors up that are like trained ones: videos in clusters of very unequal sizes, within 100
directions that matter less and less, plus noise in all 768; a user is a mixture of videos from one to three clusters,
plus as much noise. Trained vectors of MovieLens had 90 % of their length's square in 94 directions and those of a demo
service in 81, an effective rank of 17 and 42; these have 98 directions and 53, so they are somewhat harder to index.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import json
from pathlib import Path

import click
import numpy as np

from tfrs_pipeline.evaluation.index_sweep import sweep_index
from tfrs_pipeline.progress import Progress

DIMENSIONS, DIRECTIONS, CLUSTERS = 768, 100, 500
SPREAD, NOISE = 0.7, 0.35
"""Of a cluster beside the distance of their centres, and of all 768 numbers beside a length of 1."""


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def noisy(vectors: np.ndarray, random: np.random.Generator) -> np.ndarray:
    noise = random.standard_normal(vectors.shape, np.float32) * (NOISE / DIMENSIONS**0.5)
    return unit(unit(vectors) + noise)


def made_up(videos: int, users: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    directions = np.linalg.qr(random.standard_normal((DIMENSIONS, DIRECTIONS)))[0].T.astype(np.float32)
    matters = (np.arange(1, DIRECTIONS + 1) ** -0.3).astype(np.float32)
    centres = random.standard_normal((CLUSTERS, DIRECTIONS), np.float32) * matters
    share = np.arange(1, CLUSTERS + 1) ** -0.8
    cluster = np.sort(random.choice(CLUSTERS, videos, p=share / share.sum()))
    places = centres[cluster] + SPREAD * matters * random.standard_normal((videos, DIRECTIONS), np.float32)
    vectors = noisy(unit(places) @ directions, random)
    first, last = np.searchsorted(cluster, np.arange(CLUSTERS)), np.searchsorted(cluster, np.arange(CLUSTERS), "right")
    tastes = np.zeros((users, DIMENSIONS), np.float32)
    for taste in tastes:
        for liked in random.choice(cluster, random.integers(1, 4)):
            taste += random.random() * vectors[random.integers(first[liked], last[liked], 5)].sum(axis=0)
    return vectors, noisy(tastes, random)


@click.command()
@click.option(
    "--vectors", type=click.Path(exists=True, path_type=Path), help="Videos' vectors, .npy [videos, dimensions]."
)
@click.option(
    "--queries", type=click.Path(exists=True, path_type=Path), help="Users' vectors, .npy [users, dimensions]."
)
@click.option("--videos", default=100_000, show_default=True, help="How many to make up.")
@click.option("--users", default=1_000, show_default=True, help="How many to make up.")
@click.option("--recall", default=0.95, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print all of the result as JSON instead.")
def main(vectors: Path | None, queries: Path | None, videos: int, users: int, recall: float, as_json: bool) -> None:
    """Print the table."""
    if (vectors is None) != (queries is None):
        raise click.UsageError("--vectors and --queries go together.")
    of_videos, of_users = (np.load(vectors), np.load(queries)) if vectors and queries else made_up(videos, users)
    _, result = sweep_index(of_videos, of_users, Progress(), recall_target=recall)
    if as_json:
        print(json.dumps(result, indent=2))
        return
    curve = result.pop("curve", [])
    print(f"| leaves | searched | reordered | recall@100 | queries/s |  (choosing, {result['tuning_queries']} queries)")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for point in sorted(curve, key=lambda point: point["recall@100"]):
        print(
            f"| {point['leaves']} | {point['leaves_to_search']} | {point['reorder']} "
            f"| {point['recall@100']:.4f} | {point['queries_per_second']:,.0f} |"
        )
    print(f"\nChosen, on {result['report_queries']} other queries:")
    for name, value in result.items():
        print(f"  {name}: {value:,.4g}" if isinstance(value, float) else f"  {name}: {value}")


if __name__ == "__main__":
    main()
