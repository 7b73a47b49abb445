"""`tfrs-pipeline importance`: what each feature brings to a finished run."""

import json
from pathlib import Path
from typing import Any

import click

from tfrs_pipeline.commands.options import json_option, quiet_option, run_option
from tfrs_pipeline.commands.tensorflow_loading import load_tensorflow
from tfrs_pipeline.progress import Progress


@click.command("importance")
@run_option
@click.option(
    "--repeats",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    help="How often each group of features is exchanged.",
)
@json_option
@quiet_option
def command(run_folder: Path, repeats: int, as_json: bool, progress: Progress) -> None:
    """Measure what each group of features brings, and draw it in the report.

    Each group in turn is exchanged at random between videos, or between users; what is lost of Recall@100 on the
    validation likes is its importance. Written to RUN/importance.json, in rows for the table feature_importance.

    Example: tfrs-pipeline importance --repeats 10
    """
    from tfrs_pipeline.runs import only_training, open_run

    run = open_run(run_folder)
    load_tensorflow()
    from tfrs_pipeline.measuring import measure_importance

    with only_training(run.folder.parent):
        importance = measure_importance(run, progress, repeats)
    if as_json:
        click.echo(json.dumps(importance))
        return
    print_importance(importance)
    click.echo(f"\nReport: {run.folder / 'report.html'}")


def print_importance(importance: dict[str, Any]) -> None:
    """The answer as a table, a row for each group of features."""
    recall, ndcg = importance["recall@100"], importance["ndcg@100"]
    click.echo(f"\nOf Recall@100 {recall:.4f} and NDCG@100 {ndcg:.4f} on validation, so much is lost without:")
    tower = ""
    for row in importance["rows"]:
        if row["tower"] != tower:
            tower = row["tower"]
            click.echo(f"\n{tower.replace('_', ' '):24}{'recall@100':>12}{'95 % interval':>22}{'ndcg@100':>12}")
        interval = f"{row['low']:.4f} to {row['high']:.4f}"
        name = row["feature_name"].replace("_", " ")
        click.echo(f"  {name:22}{row['importance_score']:12.4f}{interval:>22}{row['ndcg@100']:12.4f}")
