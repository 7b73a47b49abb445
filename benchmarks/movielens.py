"""Train with the default settings on MovieLens with TMDB's metadata and print what the README says of quality.

The folder holds ml-latest-small with tmdb-movies.csv beside it. The split is the default one, the candidates are the
videos with a like. Usage: python benchmarks/movielens.py FOLDER [--set SECTION.KEY=VALUE] [--seeds N]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from tfrs_pipeline.runs import open_run

TARGETS = {"recall@10": 0.11, "recall@100": 0.42, "ndcg@10": 0.055}
POPULARITY = {"recall@10": 0.038, "recall@50": 0.126, "recall@100": 0.209}
SPREAD = ("recall@10", "recall@50", "recall@100", "ndcg@10")
TARGET_SECONDS, TARGET_MIB = 600, 4096


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--set", "settings", multiple=True)
@click.option(
    "--seeds", default=1, help="Train so often, with seeds 0, 1, …; more than one gives a mean and its spread."
)
def main(folder: Path, settings: tuple[str, ...], seeds: int) -> None:
    with tempfile.TemporaryDirectory() as project:
        pipeline = [sys.executable, "-m", "tfrs_pipeline"]
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment["TFRS_HOME"] = project
        metadata = ["--metadata", str(folder / "tmdb-movies.csv")]
        subprocess.run([*pipeline, "import", "movielens", str(folder), *metadata], check=True, env=environment)
        options = ["--set", "evaluation.candidates=liked", "--runs", f"{project}/runs"]
        for setting in settings:
            options += ["--set", setting]
        runs = []
        for seed in range(seeds):
            subprocess.run([*pipeline, "train", *options, "--seed", str(seed)], check=True, env=environment)
            runs.append(open_run(Path(project) / "runs" / "latest").metrics)
            report(runs[-1])
    for name in SPREAD if seeds > 1 else ():
        values = [metrics["systems"]["two_tower"]["all"][name] for metrics in runs]
        spread = np.std(values, ddof=1)
        click.echo(f"{seeds} seeds    {name:10} mean {np.mean(values):.4f}, standard deviation {spread:.4f}")


def report(metrics: dict[str, Any]) -> None:
    """Print what one run reached beside what it should."""
    popularity = metrics["systems"]["popularity"]["all"]
    for name, expected in POPULARITY.items():
        click.echo(f"popularity {name:10} {popularity[name]:.3f}  expected {expected:.3f}")
    ours = metrics["systems"]["two_tower"]["all"]
    for name, target in TARGETS.items():
        interval = f"{ours[f'{name}_low']:.4f} to {ours[f'{name}_high']:.4f}"
        click.echo(f"two_tower  {name:10} {ours[name]:.4f} ({interval})  target {target}")
    training = metrics["training"]
    click.echo(f"training   {training['seconds']:.0f} s  target {TARGET_SECONDS}")
    click.echo(f"memory     {training['peak_memory_mib']} MiB  target {TARGET_MIB}")


if __name__ == "__main__":
    main()
