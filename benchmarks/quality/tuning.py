"""Choose a peer's settings on validation, fit it once more, and measure it on test once."""

import hashlib
import importlib
import json
import time
from pathlib import Path

from quality.entry import Entry, Trial, load_entry, load_trials, save_entry, save_trials
from quality.peer import Fitted, Peer
from quality.rounds import CRITERION, Round
from quality.space import Settings, settings_to_try
from tfrs_pipeline.evaluation.evaluate import measure, rank
from tfrs_pipeline.progress import Progress


class PeerFailure(Exception):
    """A peer gave no result; the message is the reason."""


def run_peer(
    peer: Peer,
    validation: Round,
    final: Round,
    trials: int,
    seed: int,
    question: str,
    folder: Path,
    progress: Progress,
) -> Entry:
    """The peer's row; what `folder` holds of the same question is not done again.

    Args:
        validation: what settings are chosen by.
        final: what the peer is measured on, after that.
        question: says which data, split and candidates these are.

    Raises:
        PeerFailure: a package is missing, or a fit that is needed failed.
    """
    fingerprint = _fingerprint(peer, seed, question)
    path = folder / f"{peer.name}.json"
    _check_packages(peer)
    tried = tune(peer, validation, trials, seed, fingerprint, folder / f"{peer.name}.trials.json", progress)
    kept = load_entry(path, fingerprint)
    if kept and kept.trials == tried:
        progress.say(f"{peer.label}: measured before.")
        return kept
    best = best_trial(tried)
    if best is None:
        raise PeerFailure(f"no settings could be fitted; the first said: {tried[0].fault}")
    progress.say(f"{peer.label}: fitting once more with {_shown(best.chosen)}.")
    began = time.perf_counter()
    try:
        fitted = peer.fit(final.training, dict(best.chosen or {}), seed, None)
        seconds = time.perf_counter() - began
        ranking = rank(peer.name, fitted.scorer(final.asked), final.problem)
    except Exception as error:  # As in a trial.
        raise PeerFailure(f"the chosen settings failed on all likes: {_reason(error)}") from error
    entry = Entry(
        name=peer.name,
        label=peer.label,
        fingerprint=fingerprint,
        settings=dict(best.chosen or {}),
        validation=best.figure,
        trials=tried,
        seconds=seconds,
        tuning_seconds=sum(trial.seconds for trial in tried),
        size_bytes=fitted.size_bytes,
        measures=measure(ranking, final.problem),
        target_rank=ranking.target_rank.tolist(),
    )
    save_entry(entry, path)
    return entry


def tune(
    peer: Peer, validation: Round, trials: int, seed: int, fingerprint: str, path: Path, progress: Progress
) -> list[Trial]:
    """Try settings on validation; trials in the file `path` are taken from there."""
    earlier = load_trials(path, fingerprint)
    tried: list[Trial] = []
    for number, settings in enumerate(settings_to_try(peer.space, peer.name, trials, seed), 1):
        trial = next((trial for trial in earlier if trial.settings == settings), None)
        if trial is None:
            trial = _try(peer, validation, settings, seed)
            outcome = trial.fault if trial.figure is None else f"{CRITERION} {trial.figure:.4f}"
            progress.say(f"{peer.label}, trial {number}: {outcome} ({trial.seconds:.0f} s) with {_shown(settings)}")
        tried.append(trial)
        if number > len(earlier):
            save_trials(tried, fingerprint, path)
    return tried


def best_trial(trials: list[Trial]) -> Trial | None:
    """The one with the best validation, the earliest among equals; None if all failed."""
    fitted = [trial for trial in trials if trial.figure is not None]
    return max(fitted, key=lambda trial: trial.figure or 0.0, default=None)


def _try(peer: Peer, validation: Round, settings: Settings, seed: int) -> Trial:
    def watch(fitted: Fitted) -> float:
        return validation.figure(fitted.scorer(validation.asked))

    began = time.perf_counter()
    try:
        fitted = peer.fit(validation.training, dict(settings), seed, watch)
        figure = watch(fitted)
    except Exception as error:  # A peer may fail in its own way; the others go on.
        return Trial(settings, None, None, time.perf_counter() - began, _reason(error))
    return Trial(settings, figure, fitted.settings, time.perf_counter() - began)


def _check_packages(peer: Peer) -> None:
    for package in peer.packages:
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise PeerFailure(f"it needs the package {package}, which cannot be imported ({error})") from error


def _fingerprint(peer: Peer, seed: int, question: str) -> str:
    text = json.dumps([peer.name, repr(peer.space), seed, question])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".split("\n")[0][:300]


def _shown(settings: Settings | None) -> str:
    return ", ".join(f"{key} {value}" for key, value in (settings or {}).items()) or "no settings"
