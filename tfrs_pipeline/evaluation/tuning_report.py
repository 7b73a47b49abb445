"""The report of a search for settings: how it went, which settings matter, and the best trials; one file, no script."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tfrs_pipeline.evaluation import charts
from tfrs_pipeline.evaluation.pages import page
from tfrs_pipeline.evaluation.wording import cut, label, measure_name
from tfrs_pipeline.files import whole_file

_TABLED = 15


def write_tuning_report(
    path: Path, title: str, trials: Sequence[Mapping[str, Any]], importance: Mapping[str, float], criterion: str
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the file.
        title: of the page.
        trials: in their order; each `trial` (its number), `score` (None if it was given up), `epochs`, `best_epoch`,
            `settings` (by name) and `is_start` (whether these are the settings that the search was started from).
        importance: share of each setting in the differences between trials.
        criterion: what `score` is.
    """
    finished = [trial for trial in trials if trial["score"] is not None]
    ranked = sorted(finished, key=lambda trial: (-trial["score"], trial["trial"]))
    start = next((trial for trial in ranked if trial["is_start"]), None)
    tabled = ranked[:_TABLED] + ([start] if start in ranked[_TABLED:] else [])
    content = page(
        "tuning_report.html",
        title=title,
        criterion=measure_name(criterion),
        trials=trials,
        given_up=len(trials) - len(finished),
        best=ranked[0] if ranked else None,
        start=start,
        course=_course(finished, measure_name(criterion)),
        importance=_importance(importance),
        settings={name: _short(name) for name in (ranked[0]["settings"] if ranked else {})},
        tabled=tabled,
    )
    with whole_file(path) as partial:
        partial.write_text(content, encoding="utf-8")


def _course(finished: Sequence[Mapping[str, Any]], criterion: str) -> Markup | None:
    """The best so far, trial by trial."""
    best, points = 0.0, []
    for trial in finished:
        best = max(best, trial["score"])
        points.append((trial["trial"], best))
    if not points:
        return None
    chosen = next(x for x, y in points if y == best)
    lines = [charts.Line(f"Best {criterion} so far", "series0", points)]
    return charts.line_chart("The search", lines, chosen, f"trial {chosen}", each="trial")


def _importance(importance: Mapping[str, float]) -> Markup | None:
    if not importance:
        return None
    ranked = sorted(importance.items(), key=lambda item: -item[1])
    dots = [charts.Dot(cut(_short(name), 17), "two_tower", share) for name, share in ranked]
    return charts.dot_plot("Importance of settings", dots)


def _short(name: str) -> str:
    """A setting's name without its section; the first of the decay rates is what is sought."""
    key = name.partition(".")[2]
    return "First decay rate" if key == "decay_rates" else label(key)
