"""`tfrs-pipeline import`: fill the database from a public data set, or with a made-up service."""

import json
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfrs_pipeline.commands.options import json_option, quiet_option
from tfrs_pipeline.progress import Progress

if TYPE_CHECKING:
    from tfrs_pipeline.data.loading import Loaded


@click.group("import")
def command() -> None:
    """Bring videos and likes into the database.

    Example: tfrs-pipeline import demo
    """


@command.command("movielens")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--metadata", type=click.Path(path_type=Path), help="A CSV of TMDB metadata, joined by links.csv.")
@click.option("--likes-from", default=4.0, show_default=True, help="The lowest rating that is a like, 0.5 to 5.")
@json_option
@quiet_option
def movielens(folder: Path, metadata: Path | None, likes_from: float, as_json: bool, progress: Progress) -> None:
    """Import a MovieLens data set.

    DIR is a folder or a zip as MovieLens gives it out: ml-latest (with ml-latest-small, ml-20m, ml-25m and ml-32m),
    ml-1m (with ml-10m) or ml-100k. Importing it again brings its rows up to date and adds nothing twice.

    Example: tfrs-pipeline import movielens ml-latest-small.zip --metadata tmdb-movies.csv --likes-from 4
    """
    from tfrs_pipeline.data.loading import load, others_rows
    from tfrs_pipeline.data.movielens import read_movielens
    from tfrs_pipeline.data.opening import open_database

    catalogue = read_movielens(folder, metadata, likes_from, progress)
    with open_database(progress) as connection:
        _, others_likes = others_rows(connection, catalogue.source)
        if others_likes:
            progress.warn(
                f"The database also holds {others_likes:,} likes of other sources; a model learns from all of them."
            )
        loaded = load(connection, catalogue, progress, prune=True)
    if loaded.removed_likes:
        progress.warn(f"Removed {loaded.removed_likes:,} likes of an earlier import that are no likes now.")
    _print(loaded, as_json)


@command.command("demo")
@click.option("--videos", default=2_000, show_default=True, help="How many videos.")
@click.option("--users", default=1_000, show_default=True, help="How many users, each with a like at least.")
@click.option("--likes", default=30_000, show_default=True, help="How many likes.")
@click.option("--seed", default=0, show_default=True, help="Another seed makes another service.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2025-07-01",
    show_default=True,
    help="The day its two years end. Fixed by default, so that the same rows come out at any time.",
)
@click.option("--add", is_flag=True, help="Put the demo beside the videos and likes that are there already.")
@click.option("--if-empty", is_flag=True, help="Do nothing where there are likes already.")
@json_option
@quiet_option
def demo(
    videos: int,
    users: int,
    likes: int,
    seed: int,
    until: datetime,
    add: bool,
    if_empty: bool,
    as_json: bool,
    progress: Progress,
) -> None:
    """Import a made-up video service.

    It has what a real one has: a few hits and a long tail, makers and performers with followings, tastes that drift,
    evenings with many likes at once, new videos that nobody has liked yet, and missing metadata. The same numbers
    and seed give the same rows, everywhere; importing them again adds nothing.

    Example: tfrs-pipeline import demo --videos 50000 --users 100000 --likes 1000000 --seed 7
    """
    from tfrs_pipeline.data.demo import Demo, make_demo
    from tfrs_pipeline.data.loading import has_likes, load, others_rows
    from tfrs_pipeline.data.opening import open_database

    plan = Demo(videos, users, likes, seed, until.replace(tzinfo=timezone.utc))
    plan.check()
    with open_database(progress) as connection:
        if if_empty and has_likes(connection):
            progress.say("The database has likes already; nothing was imported.")
            return
        if not add:
            plan.refuse_beside(*others_rows(connection, plan.source))
        loaded = load(connection, make_demo(plan, progress), progress, prune=False)
    _print(loaded, as_json)


def _print(loaded: "Loaded", as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(loaded)))
    else:
        click.echo(
            f"{loaded.videos:,} videos and {loaded.likes:,} likes of {loaded.users:,} users are in the database."
        )
