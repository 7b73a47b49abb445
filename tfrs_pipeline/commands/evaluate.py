"""`tfrs-pipeline evaluate`: measure a finished run again."""

from pathlib import Path

import click

from tfrs_pipeline.commands.options import json_option, quiet_option, run_option
from tfrs_pipeline.commands.tensorflow_loading import load_tensorflow
from tfrs_pipeline.commands.train import print_metrics
from tfrs_pipeline.progress import Progress


@click.command("evaluate")
@run_option
@click.option("--candidates", type=click.Choice(["all", "liked"]), help="Rank all videos, or those with a like.")
@json_option
@quiet_option
def command(run_folder: Path, candidates: str | None, as_json: bool, progress: Progress) -> None:
    """Measure a run on its own snapshot and write its metrics.json and report.html anew.

    Example: tfrs-pipeline evaluate --candidates liked
    """
    from dataclasses import replace

    from tfrs_pipeline.runs import only_training, open_run

    run = open_run(run_folder)
    load_tensorflow()
    from tfrs_pipeline.measuring import measure

    evaluation = run.config.evaluation
    if candidates:
        evaluation = replace(evaluation, candidates=candidates)
    with only_training(run.folder.parent):
        metrics = measure(run, progress, evaluation)
    print_metrics(run.folder, metrics, as_json)
