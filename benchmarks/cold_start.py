"""How well videos and users who were not in training are served, beside a kNN on metadata alone.

The split holds out whole videos and whole users, with the default settings otherwise; all videos are ranked.
Usage: python benchmarks/cold_start.py SNAPSHOT_FOLDER   (of `tfrs-pipeline snapshot --output SNAPSHOT_FOLDER`)
"""

import os
import tempfile
from pathlib import Path

import click

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.config import load_config
from tfrs_pipeline.data.snapshot import load_snapshot
from tfrs_pipeline.data.split import TEST
from tfrs_pipeline.evaluation.bootstrap import paired_difference
from tfrs_pipeline.evaluation.evaluate import measure, rank
from tfrs_pipeline.evaluation.metrics import recall
from tfrs_pipeline.evaluation.ranking import PopularityScorer, Scorer, VectorScorer
from tfrs_pipeline.evaluation.segments import segments
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.measuring import Task, prepare, split_likes, vectors_of
from tfrs_pipeline.models.linear import LinearModel, unit
from tfrs_pipeline.pipeline import train
from tfrs_pipeline.progress import Progress

SEGMENTS = ("cold_videos", "cold_users")
FIGURES = ("recall@10", "recall@100", "ndcg@10")


def content_vectors(spec: FeatureSpec, videos: VideoInputs) -> NDArray[np.float32]:
    """Unit vectors of genres, makers, performers and tags (tf-idf) beside those of the texts, [videos, numbers]."""
    first = min(vocabulary.offset for vocabulary in spec.vocabularies.values())
    end = max(vocabulary.offset + vocabulary.size for vocabulary in spec.vocabularies.values())
    bags = np.zeros((len(videos), end - first), np.float32)
    row, place = np.nonzero((videos.tokens >= first) & (videos.tokens < end) & (videos.weights > 0))
    np.add.at(bags, (row, videos.tokens[row, place] - first), 1)
    says_nothing = [vocabulary.missing - first for vocabulary in spec.vocabularies.values()]
    says_nothing += [vocabulary.unknown - first for vocabulary in spec.vocabularies.values()]
    bags[:, says_nothing] = 0
    bags *= np.log((1 + len(videos)) / (1 + (bags > 0).sum(axis=0)))
    return np.concatenate([unit(bags), unit(videos.text)], axis=1) / np.sqrt(2).astype(np.float32)


def metadata_knn(task: Task) -> VectorScorer:
    """The mean cosine of a video with those that the user liked."""
    vectors = content_vectors(task.spec, task.videos)
    users = [vectors[task.problem.seen.of(row)].mean(axis=0) for row in range(len(task.problem))]
    return VectorScorer(np.stack(users), vectors)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--candidates", default="all", type=click.Choice(["all", "liked"]))
def main(folder: Path, candidates: str) -> None:
    config = load_config(None, {"evaluation": {"split": "cold", "candidates": candidates}})
    snapshot = load_snapshot(folder)
    with tempfile.TemporaryDirectory() as runs:
        run = train(snapshot, config, Path(runs), Progress())
        task = prepare(snapshot, split_likes(snapshot, config.evaluation), TEST, config, run.spec)
        scorers: dict[str, Scorer] = {
            "two towers": VectorScorer(*vectors_of(run.model, task)),
            "metadata kNN": metadata_knn(task),
            "linear": VectorScorer(*vectors_of(LinearModel(task.spec), task)),
            "popularity": PopularityScorer(task.problem.training_counts, len(task.problem)),
        }
    rankings = {name: rank(name, scorer, task.problem) for name, scorer in scorers.items()}
    inside = segments(task.problem)
    for segment in SEGMENTS:
        click.echo(f"{segment}: {int(inside[segment].sum())} users")
        for name, ranking in rankings.items():
            figures = measure(ranking, task.problem)[segment]
            shown = [f"{f} {figures[f]:.4f} ({figures[f'{f}_low']:.4f} to {figures[f'{f}_high']:.4f})" for f in FIGURES]
            click.echo(f"  {name:13} {', '.join(shown)}")
        ours, knn = (
            recall(rankings[name].target_rank[inside[segment]], 100) for name in ("two towers", "metadata kNN")
        )
        more = paired_difference(ours, knn)
        if more:
            click.echo(f"  Recall@100 beyond metadata kNN: {more.mean:.4f} ({more.low:.4f} to {more.high:.4f})")


if __name__ == "__main__":
    main()
