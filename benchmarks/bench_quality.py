"""Our towers beside the systems that a user would otherwise pick: one table, one plot, one command.

    python benchmarks/bench_quality.py SNAPSHOT_FOLDER [--trials 8] [--candidates liked|all] [--output FOLDER]
        [--only NAME ...] [--seed 0] [--run FOLDER] [--again]

SNAPSHOT_FOLDER is what `tfrs-pipeline snapshot --output` writes. All systems learn from the same likes, rank the same
videos for the same users and are measured alike. Each peer gets the same number of trials: its usual settings, then
random ones out of a space of its own, the best by NDCG@100 on the validation likes. It is then fitted once on all but
the test likes and measured on these once. Ours has its default settings and no trials; like the peers that learn in
epochs, it chooses their number on validation. Size is what was learned, as it is held in memory; everybody's likes,
which most systems read as well, are not counted.

The folder gets quality.json, quality.md and quality.svg; what is done is kept there, so that a call that was cut off
goes on and only --again starts anew.
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sys
from dataclasses import replace
from pathlib import Path

import click
from quality.comparison import compare, tables
from quality.entry import Entry
from quality.ours import NAME, find_or_train, run_ours
from quality.plot import plot
from quality.registry import PEERS
from quality.rounds import CRITERION, final_round, validation_round
from quality.tuning import PeerFailure, run_peer

from tfrs_pipeline.commands.options import quiet_option
from tfrs_pipeline.config import load_config
from tfrs_pipeline.data.snapshot import load_snapshot
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.files import whole_file
from tfrs_pipeline.measuring import split_likes
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import write_json

_NAMES = [NAME, *(peer.name for peer in PEERS)]


@click.command(help=__doc__.split("\n")[0])
@click.argument("folder", metavar="SNAPSHOT_FOLDER", type=click.Path(path_type=Path))
@click.option("--trials", type=click.IntRange(min=1), default=8, show_default=True, help="Settings that a peer tries.")
@click.option("--candidates", type=click.Choice(["liked", "all"]), default="liked", show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("benchmarks/results/quality"), show_default=True
)
@click.option("--only", multiple=True, type=click.Choice(_NAMES), metavar="NAME", help="May be repeated.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the search and of all fits.")
@click.option("--run", "run_folder", type=click.Path(path_type=Path), help="A finished run instead of a new training.")
@click.option("--again", is_flag=True, help="Do again what the output folder holds already.")
@quiet_option
def main(
    folder: Path,
    trials: int,
    candidates: str,
    output: Path,
    only: tuple[str, ...],
    seed: int,
    run_folder: Path | None,
    again: bool,
    progress: Progress,
) -> None:
    config = load_config(None, {"evaluation": {"candidates": candidates}, "training": {"seed": seed}})
    snapshot = load_snapshot(folder)
    split = split_likes(snapshot, config.evaluation)
    validation, final = validation_round(snapshot, split, config), final_round(snapshot, split, config)
    question = f"{snapshot.info.content_hash} {config.evaluation}"
    wanted = only or tuple(_NAMES)
    records = output / "systems"
    for name in wanted if again else ():
        for path in (records / f"{name}.json", records / f"{name}.trials.json"):
            path.unlink(missing_ok=True)
    absent: dict[str, str] = {}

    peers: list[Entry] = []
    for peer in PEERS:
        if peer.name in wanted:
            try:
                peers.append(run_peer(peer, validation, final, trials, seed, question, records, progress))
            except PeerFailure as reason:
                progress.warn(f"{peer.label} is left out: {reason}")
                absent[peer.label] = str(reason)
    ours = None
    if NAME in wanted:
        run = find_or_train(snapshot, config, run_folder, output / "runs", progress)
        ours = run_ours(
            run, snapshot, split, replace(run.config, evaluation=config.evaluation), final, question, records
        )

    systems = compare(ours, peers, final.problem)
    text = tables(systems, absent)
    write_json(
        output / "quality.json",
        {
            "snapshot": snapshot.info.content_hash,
            "candidates": candidates,
            "videos": int(final.problem.candidates.sum()),
            "users": len(final.problem),
            "criterion": CRITERION,
            "trials": trials,
            "seed": seed,
            "systems": systems,
            "absent": absent,
        },
    )
    for name, content in (("quality.md", text), ("quality.svg", plot(systems))):
        with whole_file(output / name) as partial:
            partial.write_text(content, encoding="utf-8")
    click.echo(text)


if __name__ == "__main__":
    try:
        main(standalone_mode=True)
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
