"""Train with the default settings on MovieLens with TMDB's metadata and print what the README says of quality.

The folder holds ml-latest-small with tmdb-movies.csv beside it. The split is the default one, the candidates are the
videos with a like. Usage: python benchmarks/movielens.py FOLDER [--set SECTION.KEY=VALUE] [--seed N]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from tfrs_pipeline.runs import open_run

TARGETS = {"recall@10": 0.11, "recall@100": 0.42, "ndcg@10": 0.055}
POPULARITY = {"recall@10": 0.038, "recall@50": 0.126, "recall@100": 0.209}
TARGET_SECONDS, TARGET_MIB = 600, 4096


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--set", "settings", multiple=True)
@click.option("--seed", default=0)
def main(folder: Path, settings: tuple[str, ...], seed: int) -> None:
    with tempfile.TemporaryDirectory() as project:
        pipeline = [sys.executable, "-m", "tfrs_pipeline"]
        environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
        environment["TFRS_HOME"] = project
        metadata = ["--metadata", str(folder / "tmdb-movies.csv")]
        subprocess.run([*pipeline, "import", "movielens", str(folder), *metadata], check=True, env=environment)
        options = ["--set", "evaluation.candidates=liked", "--seed", str(seed), "--runs", f"{project}/runs"]
        for setting in settings:
            options += ["--set", setting]
        subprocess.run([*pipeline, "train", *options], check=True, env=environment)
        metrics = open_run(Path(project) / "runs" / "latest").metrics
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
