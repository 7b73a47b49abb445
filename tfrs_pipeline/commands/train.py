"""`tfrs-pipeline train`: from the database to a measured run."""

import json
from pathlib import Path
from typing import Any

import click

from tfrs_pipeline.commands.importance import print_importance
from tfrs_pipeline.commands.options import (
    config_options,
    given_snapshot,
    json_option,
    quiet_option,
    runs_option,
    snapshot_option,
)
from tfrs_pipeline.commands.tensorflow_loading import load_tensorflow
from tfrs_pipeline.config import Config
from tfrs_pipeline.progress import Progress


@click.command("train")
@config_options
@snapshot_option
@click.option("--importance", is_flag=True, help="Measure in the end what each feature brings.")
@runs_option
@json_option
@quiet_option
def command(
    config: Config, snapshot_folder: Path | None, importance: bool, runs: Path, as_json: bool, progress: Progress
) -> None:
    """Train both towers, measure them, and write runs/VERSION with metrics.json and report.html.

    Cut off, the same command goes on from the last finished epoch.

    Example: tfrs-pipeline train --epochs 10 --set evaluation.candidates=liked
    """
    snapshot = given_snapshot(snapshot_folder, progress)
    load_tensorflow()
    from tfrs_pipeline.measuring import read_importance
    from tfrs_pipeline.pipeline import train

    run = train(snapshot, config, runs, progress, importance)
    if not as_json and (measured := read_importance(run)):
        print_importance(measured)
    print_metrics(run.folder, run.metrics, as_json)


def print_metrics(folder: Path, metrics: dict[str, Any], as_json: bool) -> None:
    """The answer of `train` and `evaluate`: a table, and where the report is."""
    if as_json:
        click.echo(json.dumps(metrics))
        return
    columns = ("recall@10", "recall@50", "recall@100", "ndcg@10", "mrr@10", "coverage@10")
    click.echo(f"\n{'':24}{'users':>8}" + "".join(f"{column:>13}" for column in columns))
    for system, segments in metrics["systems"].items():
        for segment, values in segments.items():
            name = system if segment == "all" else f"  {segment.replace('_', ' ')}"
            numbers = "".join(f"{values[column]:13.4f}" if column in values else f"{'–':>13}" for column in columns)
            click.echo(f"{name:24}{values['users']:>8,}{numbers}")
    index = metrics["index"]
    if "recall@100" in index and not index["stand_in"]:
        faster = index["queries_per_second"] / index["exact_queries_per_second"]
        click.echo(f"\nScaNN finds {index['recall@100']:.1%} of the exact top 100 at {faster:.1f} times its speed.")
    training = metrics["training"]
    click.echo(
        f"\nTrained in {training['seconds']:.0f} s ({training['examples_per_second']:,.0f} examples/s, "
        f"{training['peak_memory_mib']:,} MiB at most), best epoch {training['best_epoch']}."
    )
    click.echo(f"Report: {folder / 'report.html'}")
