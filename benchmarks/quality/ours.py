"""Our towers as a row beside the peers': trained with the default settings, or as a finished run has them."""

import json
from pathlib import Path

from quality.entry import Entry, load_entry, save_entry
from quality.rounds import CRITERION, Round
from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.data.split import TEST, Split
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.evaluate import measure, rank
from tfrs_pipeline.evaluation.ranking import VectorScorer
from tfrs_pipeline.measuring import prepare, vectors_of
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import Run, finished_runs, open_run, read_json

NAME = "ours"
LABEL = "Ours (default settings)"


def find_or_train(snapshot: Snapshot, config: Config, run_folder: Path | None, runs: Path, progress: Progress) -> Run:
    """The run that was named; without one, that of an earlier call with the same data and settings, or a new one.

    Raises:
        InputError: the named run was trained on other data or another split.
    """
    if run_folder is not None:
        run = open_run(run_folder)
        if run.snapshot.info.content_hash != snapshot.info.content_hash:
            raise InputError(f"The run in {run_folder} was trained on another snapshot. Give the one in {run_folder}.")
        for key in ("split", "min_likes"):
            if getattr(run.config.evaluation, key) != getattr(config.evaluation, key):
                raise InputError(f"The run in {run_folder} was trained with another evaluation.{key}. Train one anew.")
        return run
    for run in finished_runs(runs):
        if run.config == config and run.snapshot.info.content_hash == snapshot.info.content_hash:
            return run
    from tfrs_pipeline.pipeline import train

    return train(snapshot, config, runs, progress)


def run_ours(
    run: Run, snapshot: Snapshot, split: Split, config: Config, final: Round, question: str, folder: Path
) -> Entry:
    """The row of a run, measured on test."""
    fingerprint = json.dumps([str(run.folder), question])
    kept = load_entry(folder / f"{NAME}.json", fingerprint)
    if kept:
        return kept
    task = prepare(snapshot, split, TEST, config, run.spec)
    ranking = rank(NAME, VectorScorer(*vectors_of(run.model, task)), final.problem)
    history = read_json(run.folder / "history.json")
    entry = Entry(
        name=NAME,
        label=LABEL if _is_default(run.config) else "Ours",
        fingerprint=fingerprint,
        settings=run.config.to_dict() | {"epochs": len(history["final"])},
        validation=run.metrics["validation"][CRITERION],
        trials=[],
        seconds=sum(epoch["seconds"] for epoch in history["final"]),
        tuning_seconds=sum(epoch["seconds"] for epoch in history["selection"]),
        size_bytes=sum(variable.numpy().nbytes for variable in run.model.tower_weights),
        measures=measure(ranking, final.problem),
        target_rank=ranking.target_rank.tolist(),
    )
    save_entry(entry, folder / f"{NAME}.json")
    return entry


def _is_default(config: Config) -> bool:
    """Whether only the seed and the evaluation differ from the defaults."""
    ours, usual = config.to_dict(), Config().to_dict()
    for settings in (ours, usual):
        settings["training"].pop("seed")
        settings.pop("evaluation")
    return ours == usual
