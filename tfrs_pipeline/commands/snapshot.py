"""`tfrs-pipeline snapshot`: what the database holds now, as files that everything later is reproducible from."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from tfrs_pipeline.commands.options import json_option, quiet_option
from tfrs_pipeline.progress import Progress


@click.command("snapshot")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Folder to write; .local/snapshots/<content hash> by default, where equal rows are stored once.",
)
@click.option("--strict", is_flag=True, help="Stop at likes that cannot be right, rather than leave them out.")
@json_option
@quiet_option
def command(output: Path | None, strict: bool, as_json: bool, progress: Progress) -> None:
    """Write one consistent read of videos and likes to a folder of Parquet files.

    Example: tfrs-pipeline snapshot --output march --strict
    """
    from tfrs_pipeline.data.opening import open_database
    from tfrs_pipeline.data.reading import read_snapshot
    from tfrs_pipeline.data.storing import store

    with open_database(progress) as connection:
        snapshot = read_snapshot(connection, progress, strict=strict)
    folder, reused = store(snapshot, output)
    info = snapshot.info
    if as_json:
        click.echo(json.dumps({"folder": str(folder), "reused": reused, **asdict(info)}))
        return
    click.echo(f"{info.videos:,} videos, {info.likes:,} likes of {info.users:,} users")
    click.echo(f"{folder}{' (was there already)' if reused else ''}")
