"""`tfrs-pipeline versions`: the finished runs."""

import json
from pathlib import Path

import click

from tfrs_pipeline.commands.options import json_option, quiet_option, runs_option
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress


@click.command("versions")
@runs_option
@json_option
@quiet_option
def command(runs: Path, as_json: bool, progress: Progress) -> None:
    """List the finished runs, oldest first, with their figures on the test likes.

    Example: tfrs-pipeline versions --json | jq -r '.[-1].version'
    """
    from tfrs_pipeline.runs import LATEST, finished_runs

    latest = (runs / LATEST).resolve().name
    rows = []
    for run in finished_runs(runs):
        try:
            measured = run.metrics["systems"]["two_tower"]["all"]
            likes = int(run.metrics["snapshot"]["likes"])
            names = ("recall@10", "recall@100", "ndcg@10")
            figures = {name: float(measured[name]) for name in names if name in measured}
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{run.folder / 'metrics.json'} does not hold metrics. `tfrs-pipeline evaluate` writes it anew."
            ) from error
        rows.append(
            {
                "version": run.version,
                "latest": run.version == latest,
                "likes": likes,
                **figures,
                "bundle": (run.folder / "bundle" / "manifest.json").exists(),
            }
        )
    if as_json:
        click.echo(json.dumps(rows))
        return
    if not rows:
        progress.say(f"No finished run in {runs}. Train one with `tfrs-pipeline train`.")
    for row in rows:
        numbers = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if "@" in name)
        marks = f"{'  latest' if row['latest'] else ''}{'  exported' if row['bundle'] else ''}"
        click.echo(f"{row['version']}  {row['likes']:>9,} likes  {numbers}{marks}")
