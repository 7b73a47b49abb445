"""`tfrs-pipeline export-tfjs`: from a run to a bundle that Deno loads."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfrs_pipeline.commands.options import json_option, quiet_option, run_option
from tfrs_pipeline.progress import Progress

if TYPE_CHECKING:
    from export.bundle import ExportResult


@click.command("export-tfjs")
@run_option
@click.option(
    "--precision",
    type=click.Choice(["float16", "float32"]),
    default="float16",
    show_default=True,
    help="Of the weights as they are stored; float16 halves the files.",
)
@json_option
@quiet_option
def command(run_folder: Path, precision: str, as_json: bool, progress: Progress) -> None:
    """Turn a run into a bundle of TF.js models, and prove in Deno that it gives Python's vectors.

    The bundle goes to RUN/bundle. If the proof fails, nothing is written and an earlier bundle stays.

    Example: tfrs-pipeline export-tfjs --run runs/latest --precision float32
    """
    result = export_run(run_folder, precision, progress)
    if as_json:
        click.echo(json.dumps({**asdict(result), "folder": str(result.folder)}))
        return
    click.echo(f"Bundle of {result.version}, {result.precision}: {result.folder}")
    for file in result.files:
        click.echo(f"  {file.size:>13,} bytes  {file.path}")
    for name, compared in (("videos", result.check.videos), ("users", result.check.users)):
        click.echo(
            f"{compared.count} {name} computed again in Deno: smallest cosine to Python's {compared.min_cosine:.7f}, "
            f"length 1 within {compared.max_length_error:.1e}"
        )
    click.echo(f"One user takes the user tower {result.check.user_predict_ms:.1f} ms in Deno.")


def export_run(run_folder: Path, precision: str, progress: Progress) -> "ExportResult":
    """Write `bundle/` into the folder of a finished run.

    Raises:
        InputError: the run lacks a part, a tool is missing, or Deno's vectors are not Python's.
    """
    from export.bundle import check_tools, write_bundle
    from tfrs_pipeline.runs import open_run

    run = open_run(run_folder)
    check_tools()
    return write_bundle(
        run.folder / "bundle",
        version=run.version,
        spec=run.spec,
        item_tower=run.model.item_tower.model,
        user_tower=run.model.user_tower.model,
        snapshot=run.snapshot,
        like_counts=run.snapshot.likes.counts(run.snapshot.videos.num_rows),
        metrics=run.metrics,
        precision=precision,
        progress=progress,
    )
