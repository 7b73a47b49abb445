"""`tfrs-pipeline tune`: search for better settings."""

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path

import click

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
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress


@click.command("tune")
@config_options
@snapshot_option
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Settings to try, those of earlier calls included.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The config file to write; best.toml in the study's folder if not given.",
)
@runs_option
@json_option
@quiet_option
def command(
    config: Config,
    snapshot_folder: Path | None,
    trials: int,
    output: Path | None,
    runs: Path,
    as_json: bool,
    progress: Progress,
) -> None:
    """Search for better settings, and write them as a config file that train takes.

    Only the validation likes are looked at, never the test likes. The search starts from the settings that are given;
    trials that fall behind are given up early. The study is kept in runs/tune-FINGERPRINT: cut off, or with more
    --trials, the same command on the same data goes on. On a database that grows, name its snapshot to go on.

    Example: tfrs-pipeline tune --trials 40 --output best.toml && tfrs-pipeline train --config best.toml
    """
    if importlib.util.find_spec("optuna") is None:
        raise InputError(
            "Tuning needs optuna, which is not installed. `pip install 'tfrs-pipeline[tune]'` installs it."
        )
    snapshot = given_snapshot(snapshot_folder, progress)
    load_tensorflow()
    from tfrs_pipeline.tuning import tune

    tuning = tune(snapshot, config, trials, runs, output, progress)
    if as_json:
        click.echo(json.dumps({**asdict(tuning), "folder": str(tuning.folder), "output": str(tuning.output)}))
        return
    against = "" if tuning.start is None else f", against {tuning.start:.4f} at the start"
    click.echo(f"\nBest of {tuning.trials} trials ({tuning.pruned} given up early): {tuning.score:.4f}{against}.")
    for name, value in tuning.settings.items():
        share = f"{tuning.importance[name]:10.0%} of the differences" if name in tuning.importance else ""
        click.echo(f"  {name:24}{value:>10g}{share}")
    click.echo(f"\nReport: {tuning.folder / 'report.html'}")
    click.echo(f"Settings: {tuning.output}; train with `tfrs-pipeline train --config {tuning.output}`.")
