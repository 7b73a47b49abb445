"""Measure a run on the test likes, beside the systems that it has to beat, and write metrics.json and the report."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tfrs_pipeline.config import Config, EvaluationConfig
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.data.split import TEST, VALIDATION, Split, by_time, cold, last_like
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.evaluation.evaluate import measure as measures_of
from tfrs_pipeline.evaluation.evaluate import rank
from tfrs_pipeline.evaluation.examples import user_examples
from tfrs_pipeline.evaluation.importance import permutation_importance
from tfrs_pipeline.evaluation.importance_section import draw_importance
from tfrs_pipeline.evaluation.index_sweep import sweep_index
from tfrs_pipeline.evaluation.problem import RankingProblem, ranking_problem
from tfrs_pipeline.evaluation.ranking import PopularityScorer, Scorer, VectorScorer
from tfrs_pipeline.evaluation.report import write_report
from tfrs_pipeline.features.fitting import fit_features
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import UserState, states_of
from tfrs_pipeline.features.videos import VideoInputs, encode_videos
from tfrs_pipeline.models.linear import LinearModel
from tfrs_pipeline.progress import Progress
from tfrs_pipeline.runs import Run, read_json, write_json
from tfrs_pipeline.training.fitting import best_epoch

LEARNED = "two_tower"
_IMPORTANCE = "importance.json"


@dataclass(frozen=True)
class Task:
    """One part of a split, encoded: what may be learned from, and what is asked."""

    spec: FeatureSpec
    videos: VideoInputs
    problem: RankingProblem
    states: list[UserState]


def split_likes(snapshot: Snapshot, config: EvaluationConfig) -> Split:
    """Divide the likes as the settings say."""
    divide = {"last-like": last_like, "by-time": by_time, "cold": cold}[config.split]
    return divide(snapshot.likes, config.min_likes)


def prepare(snapshot: Snapshot, split: Split, part: int, config: Config, spec: FeatureSpec | None = None) -> Task:
    """Encode what may be known when the targets of `part` are asked for.

    Args:
        spec: fitted features; without them they are fitted to the likes before `part`.
    """
    likes = split.known(part)
    counts = likes.counts(snapshot.videos.num_rows)
    spec = spec or fit_features(config.features, snapshot.videos, likes)
    problem = ranking_problem(
        split, part, snapshot.likes, snapshot.videos.num_rows, config.evaluation.candidates
    ).sample(config.training.validation_users if part == VALIDATION else config.evaluation.users)
    return Task(
        spec=spec,
        videos=encode_videos(spec, snapshot.videos, counts),
        problem=problem,
        states=states_of(split.histories(part), problem.users, spec.window),
    )


def measure(run: Run, progress: Progress, config: EvaluationConfig | None = None) -> dict[str, Any]:
    """Measure the towers, the linear baseline and popularity on the test likes; write report.html and metrics.json.

    Args:
        config: another split or other candidates than the run was trained with.

    Returns:
        What was written to metrics.json.

    Raises:
        InputError: a part of the run is damaged.
    """
    snapshot = run.snapshot
    history, training, validation = _history(run)
    importance = read_importance(run)
    evaluation = config or run.config.evaluation
    split = split_likes(snapshot, evaluation)
    task = prepare(snapshot, split, TEST, replace(run.config, evaluation=evaluation), run.spec)
    progress.say(f"Measuring on {len(task.problem):,} users.")
    towers, linear = vectors_of(run.model, task), vectors_of(LinearModel(task.spec), task)
    scorers: dict[str, Scorer] = {
        LEARNED: VectorScorer(*towers),
        "linear": VectorScorer(*linear),
        "popularity": PopularityScorer(task.problem.training_counts, len(task.problem)),
    }
    rankings = {name: rank(name, scorer, task.problem) for name, scorer in scorers.items()}
    _, index = sweep_index(towers[1], towers[0], progress)
    metrics: dict[str, Any] = {
        "version": run.version,
        "created_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "snapshot": asdict(snapshot.info),
        "split": {
            "name": evaluation.split,
            "users": len(task.problem),
            "candidates": int(task.problem.candidates.sum()),
            "training_likes": len(split.known(TEST)),
        },
        "validation": validation,
        # Diversity is judged by the linear vectors for all systems alike: they know content alone.
        "systems": {name: measures_of(ranking, task.problem, linear[1]) for name, ranking in rankings.items()},
        "index": index,
        "training": training,
    }
    examples = user_examples(snapshot.videos, snapshot.users, task.problem, rankings[LEARNED], scorers[LEARNED])
    settings = {**run.config.to_dict(), "evaluation": asdict(evaluation)}
    write_report(run.folder / "report.html", metrics, history["selection"], examples, settings, importance)
    write_json(run.folder / "metrics.json", metrics)
    return metrics


def measure_importance(run: Run, progress: Progress, repeats: int = 5) -> dict[str, Any]:
    """Measure what each feature brings, on the validation likes; write importance.json, and draw it in the report.

    The towers that are measured are those that validation chose: the ones that are handed on learned from these likes.

    Args:
        repeats: how often each group of features is exchanged.

    Returns:
        What was written to importance.json; see docs/metrics.md.

    Raises:
        InputError: a part of the run is damaged.
    """
    model = run.selection_model
    split = split_likes(run.snapshot, run.config.evaluation)
    task = prepare(run.snapshot, split, VALIDATION, run.config, model.spec)
    progress.say(f"Measuring what each feature brings on {len(task.problem):,} users.")
    seed = run.config.training.seed
    importance = permutation_importance(model, task.problem, task.states, task.videos, progress, repeats, seed)
    write_json(run.folder / _IMPORTANCE, importance)
    report = run.folder / "report.html"
    if report.exists() and not draw_importance(report, importance):
        progress.warn(f"{report} has no place for it; `tfrs-pipeline evaluate` writes a report that has.")
    return importance


def read_importance(run: Run) -> dict[str, Any] | None:
    """What `measure_importance` wrote; None if it was not asked for.

    Raises:
        InputError: it is damaged.
    """
    path = run.folder / _IMPORTANCE
    if not path.exists():
        return None
    importance = read_json(path)
    try:
        for row in importance["rows"]:
            if not (isinstance(row["tower"], str) and isinstance(row["feature_name"], str)):
                raise TypeError(row)
            float(row["importance_score"]), float(row["low"]), float(row["high"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is not what `tfrs-pipeline importance` writes ({error!r}). Remove it, and run that again."
        ) from error
    return importance


class VectorModel(Protocol):
    """What makes vectors of videos and users: the learned towers and the linear baseline."""

    def video_vectors(self, videos: VideoInputs) -> NDArray[np.float32]:
        """[videos, dimension]."""

    def user_vectors(
        self, states: list[UserState], videos: VideoInputs, vectors: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """[users, dimension]."""


def vectors_of(model: VectorModel, task: Task) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The vectors of a task's users and of all videos."""
    videos = model.video_vectors(task.videos)
    return model.user_vectors(task.states, task.videos, videos), videos


def _history(run: Run) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The epochs of both phases of the training, what they come to, and the figures of the epoch that was chosen."""
    path = run.folder / "history.json"
    history = read_json(path)
    try:
        return history, _training_figures(history), history["selection"][best_epoch(history["selection"]) - 1]
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(f"{path} is not the history of a training ({error!r}). Train again.") from error


def _training_figures(history: dict[str, Any]) -> dict[str, Any]:
    epochs = history["selection"] + history["final"]
    seconds = sum(entry["seconds"] for entry in epochs)
    return {
        "best_epoch": best_epoch(history["selection"]),
        "epochs": len(epochs),
        "seconds": seconds,
        "examples_per_second": sum(entry["examples_per_second"] * entry["seconds"] for entry in epochs) / seconds,
        "peak_memory_mib": history["peak_memory_mib"],
    }
