"""A search for better settings, on the validation likes alone: each trial is the first phase of a training.

The study is `runs/tune-<fingerprint>/study.db`, so that the same search on the same data goes on where it stood; a
trial that was cut off goes on from its last epoch. Trials that fall behind the median of the others are given up early.
"""

import contextlib
import gc
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
import tf_keras
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from tfrs_pipeline.config import Config, to_toml
from tfrs_pipeline.data.snapshot import Snapshot, save_snapshot
from tfrs_pipeline.data.split import VALIDATION, Split
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.ranking import NotFiniteError
from tfrs_pipeline.evaluation.tuning_report import write_tuning_report
from tfrs_pipeline.files import whole_file
from tfrs_pipeline.measuring import split_likes
from tfrs_pipeline.pipeline import select
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import fingerprint, only_training, sweep, write_json
from tfrs_pipeline.search_space import Setting, config_of, sampled, search_space
from tfrs_pipeline.training.blocks import check_examples
from tfrs_pipeline.training.fitting import CRITERION, best_epoch

_NAME = "tuning"
_FOLDER, _CONTINUES, _BEST_EPOCH = "folder", "continues", "best_epoch"
_AT_RANDOM = 10
"""So many trials are drawn at random before the sampler learns from those that went before."""
_BEFORE_PRUNING = 5
"""So many trials are finished before any is given up; and of each, one epoch."""
_OVER = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Tuning:
    """What a search came to.

    Attributes:
        folder: of the study, with report.html.
        output: the config file.
        trials: how many are over, and how many of them were given up early.
        best_trial: its number among them.
        score: its validation figure CRITERION.
        start: the figure of the settings that the search was started from; None if that trial came to none.
        settings: what was sought, as the best trial has it.
        importance: share of each setting in the differences between trials; empty while there are too few.
    """

    folder: Path
    output: Path
    trials: int
    pruned: int
    best_trial: int
    score: float
    start: float | None
    settings: dict[str, float]
    importance: dict[str, float]


def tune(
    snapshot: Snapshot, config: Config, trials: int, runs: Path, output: Path | None, progress: Progress
) -> Tuning:
    """Search until so many trials are over, then write the best settings and a report.

    Args:
        config: what the search is started from; settings that are not sought stay as they are.
        output: of the config file; `best.toml` in the study's folder if None.

    Raises:
        InputError: the folder is held by a training, the data gives nothing to learn, or the study is damaged.
    """
    if output is not None and output.is_dir():
        raise InputError(f"{output} is a folder. Name a file for the settings, such as {output / 'best.toml'}.")
    with only_training(runs):
        split = split_likes(snapshot, config.evaluation)
        check_examples(split.known(VALIDATION))
        space = search_space(config, snapshot.videos.num_rows)
        seeking = json.dumps([asdict(setting) for setting in space])
        folder = runs / f"tune-{fingerprint(snapshot, config, _NAME, seeking)}"
        sweep(folder)
        write_json(folder / "config.json", config.to_dict())
        if not (folder / "snapshot").exists():
            save_snapshot(snapshot, folder / "snapshot")
        progress.say(f"Study {folder}: {len(space)} settings, {len(split.known(VALIDATION)):,} likes to learn from.")
        with _study_errors(folder):
            study = _open_study(folder, config, space)
            _take_up_again(study, folder)
            while (number := len(study.get_trials(states=_OVER)) + 1) <= trials:
                progress.say(f"Trial {number} of {trials}")
                _run_trial(study, space, snapshot, split, config, folder, progress)
            tuning = _result(study, config, folder, output or folder / "best.toml")
            write_tuning_report(folder / "report.html", folder.name, _told(study, config), tuning.importance, CRITERION)
        best = config_of(config, study.best_trial.params)
        head = f"# The best of {tuning.trials} trials of {folder.name}: {CRITERION} {tuning.score:.4f} on validation.\n"
        with whole_file(tuning.output) as partial:
            partial.write_text(head + to_toml(best), encoding="utf-8")
    return tuning


def _open_study(folder: Path, config: Config, space: list[Setting]) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{(folder / 'study.db').resolve()}",
        study_name=_NAME,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_BEFORE_PRUNING, n_warmup_steps=1),
    )
    if not study.get_trials():
        study.enqueue_trial({setting.name: sampled(config, setting.name) for setting in space})
    return study


def _take_up_again(study: optuna.Study, study_folder: Path) -> None:
    """Put trials that were cut off at the head of the queue, with the folders of their checkpoints; sweep the rest."""
    trials = study.get_trials()
    taken_up = {trial.user_attrs.get(_CONTINUES) for trial in trials}
    for trial in trials:
        if trial.state == TrialState.RUNNING:
            if trial.number not in taken_up:
                attributes = {_CONTINUES: trial.number, _FOLDER: _folder_name(trial)}
                study.enqueue_trial(trial.params, user_attrs=attributes)
            study.tell(trial.number, state=TrialState.FAIL)
    needed = {_folder_name(trial) for trial in study.get_trials(states=(TrialState.WAITING,))}
    for folder in study_folder.glob("trial-*"):
        if folder.name not in needed:
            shutil.rmtree(folder)


def _folder_name(trial: FrozenTrial | optuna.Trial) -> str:
    return trial.user_attrs.get(_FOLDER, f"trial-{trial.number}")


def _run_trial(
    study: optuna.Study,
    space: list[Setting],
    snapshot: Snapshot,
    split: Split,
    base: Config,
    study_folder: Path,
    progress: Progress,
) -> None:
    """One trial, from its settings to its figure."""
    # A sampler's random numbers are not kept in the study: a new one for each trial, or a study that goes on would draw
    # what it drew before.
    study.sampler = optuna.samplers.TPESampler(
        n_startup_trials=_AT_RANDOM, seed=base.training.seed + len(study.get_trials())
    )
    trial = study.ask()
    config = config_of(base, {setting.name: setting.suggest(trial) for setting in space})
    progress.say(", ".join(f"{setting.name} {sampled(config, setting.name):g}" for setting in space))
    folder = study_folder / _folder_name(trial)

    def hear(epoch: dict[str, Any]) -> None:
        trial.report(epoch[CRITERION], epoch["epoch"])
        if trial.should_prune():
            raise optuna.TrialPruned

    try:
        _, history = select(snapshot, split, config, folder, progress, hear)
    except (optuna.TrialPruned, NotFiniteError) as error:
        given_up = "it diverged" if isinstance(error, NotFiniteError) else "it is behind the others"
        progress.say(f"Given up: {given_up}.")
        study.tell(trial, state=TrialState.PRUNED)
    else:
        best = best_epoch(history)
        trial.set_user_attr(_BEST_EPOCH, best)
        study.tell(trial, history[best - 1][CRITERION])
    shutil.rmtree(folder, ignore_errors=True)
    tf_keras.backend.clear_session()
    gc.collect()  # Models lie in cycles, and a search makes many.


def _result(study: optuna.Study, config: Config, folder: Path, output: Path) -> Tuning:
    over = study.get_trials(states=_OVER)
    complete = study.get_trials(states=(TrialState.COMPLETE,))
    if not complete:
        raise InputError(f"No trial of {folder} came to an end: all diverged. Start from a lower learning rate.")
    best = study.best_trial
    found = config_of(config, best.params)
    start = next((trial.value for trial in complete if config_of(config, trial.params) == config), None)
    return Tuning(
        folder=folder,
        output=output,
        trials=len(over),
        pruned=len(over) - len(complete),
        best_trial=1 + [trial.number for trial in over].index(best.number),
        score=float(study.best_value),
        start=start,
        settings={name: sampled(found, name) for name in best.params},
        importance=_importance(over, config.training.seed),
    )


def _importance(over: list[FrozenTrial], seed: int) -> dict[str, float]:
    """Shares of the settings in the variance between trials: functional ANOVA of a random forest (Hutter, Hoos and
    Leyton-Brown 2014, "An Efficient Approach for Assessing Hyperparameter Importance").

    A trial that was given up counts with the best that it came to: left out, what is bad would look harmless.
    """
    told = optuna.create_study(direction="maximize")
    for trial in over:
        score = (
            trial.value if trial.state == TrialState.COMPLETE else max(trial.intermediate_values.values(), default=None)
        )
        if score is not None:
            told.add_trial(
                optuna.trial.create_trial(params=trial.params, distributions=trial.distributions, value=score)
            )
    if len({trial.value for trial in told.trials}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    shares = optuna.importance.get_param_importances(told, evaluator=evaluator)
    return {name: float(share) for name, share in shares.items()}


def _told(study: optuna.Study, config: Config) -> list[dict[str, Any]]:
    """What the report says of each trial that is over."""
    told = []
    for place, trial in enumerate(study.get_trials(states=_OVER), start=1):
        found = config_of(config, trial.params)
        told.append(
            {
                "trial": place,
                "score": trial.value if trial.state == TrialState.COMPLETE else None,
                "epochs": len(trial.intermediate_values),
                "best_epoch": trial.user_attrs.get(_BEST_EPOCH),
                "settings": {name: sampled(found, name) for name in trial.params},
                "is_start": found == config,
            }
        )
    return told


@contextlib.contextmanager
def _study_errors(folder: Path) -> Iterator[None]:
    """Turn a study that cannot be read or written into a sentence."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = str(getattr(error, "orig", None) or error.__cause__ or error).splitlines()[0]
        raise InputError(
            f"The study {folder / 'study.db'} cannot be read or written ({cause}). If it is damaged, remove {folder}."
        ) from error
