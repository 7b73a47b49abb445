"""`report.html`: a run on one page, to look at rather than to read. One file, that asks for nothing from elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tfrs_pipeline.evaluation import charts
from tfrs_pipeline.evaluation.importance_section import importance_section
from tfrs_pipeline.evaluation.pages import page
from tfrs_pipeline.evaluation.wording import cut, label, measure_name, shown
from tfrs_pipeline.files import whole_file

_SYSTEMS = {"two_tower": "Two towers", "linear": "Linear baseline", "popularity": "Popularity"}
"""Their names and their order; others follow under the name that they have."""
_SEGMENTS = {
    "all": ("All users", ""),
    "cold_users": ("Cold users", "at most 5 likes before"),
    "cold_videos": ("Cold videos", "the video to foretell had at most 5 likes in training"),
}
_CHARTED = ("recall@10", "recall@50", "recall@100", "ndcg@10", "mrr@10")
_TABLED = ("recall@10", "recall@100", "ndcg@10", "coverage@10", "diversity@10", "novelty@10")
_LOSSES = ("loss", "validation_loss")
_CURVED = ("recall@10", "recall@100", "ndcg@10")
_CARDS = ("recall@10", "recall@100", "ndcg@10", "coverage@10")
_LONGEST_CHIP = 24
_CHIPS = 3
_LIKED, _RECOMMENDED = 8, 10


@dataclass(frozen=True)
class UserExample:
    """One user: what was liked and what would be shown.

    Attributes:
        user: the user's id.
        liked: (title, genres, maker), oldest first.
        recommended: (title, genres, maker, score, whether it is the like that came next), the best first.
    """

    user: str
    liked: Sequence[tuple[str, Sequence[str], str | None]]
    recommended: Sequence[tuple[str, Sequence[str], str | None, float, bool]]


def write_report(
    path: Path,
    metrics: Mapping[str, Any],
    curves: Sequence[Mapping[str, float]],
    examples: Sequence[UserExample],
    settings: Mapping[str, Any] | None = None,
    importance: Mapping[str, Any] | None = None,
) -> None:
    """Write the page, whole or not at all.

    Args:
        path: of the file.
        metrics: as docs/metrics.md describes them; what is absent there is left out here.
        curves: a mapping for each epoch: `epoch` and any of `loss`, `validation_loss`, `recall@10`, `recall@100` and
            `ndcg@10`. What else it holds is not drawn.
        examples: a handful of users.
        settings: of the run, by section.
        importance: of features, as docs/metrics.md describes it.
    """
    content = render(metrics, curves, examples, settings or {}, importance)
    with whole_file(path) as partial:
        # A title may hold half a surrogate pair, which no encoding knows.
        partial.write_bytes(content.encode("utf-8", "replace"))


def render(
    metrics: Mapping[str, Any],
    curves: Sequence[Mapping[str, float]],
    examples: Sequence[UserExample],
    settings: Mapping[str, Any],
    importance: Mapping[str, Any] | None = None,
) -> str:
    """The page as text."""
    systems = metrics.get("systems", {})
    training = metrics.get("training", {})
    names = [name for name in _SYSTEMS if name in systems] + [name for name in systems if name not in _SYSTEMS]
    return page(
        "report.html",
        metrics=metrics,
        systems={name: _SYSTEMS.get(name, label(name)) for name in names},
        headline=_headline(metrics),
        cards=_cards(systems, names),
        dot_plots=_dot_plots(systems, names),
        segments=_segments(systems, names),
        tabled=_TABLED,
        curves=_curve_charts(curves, training.get("best_epoch")),
        trade_off=_trade_off(metrics.get("index", {})),
        facts={
            "Data": _facts(metrics.get("snapshot", {})),
            "Split": _facts(metrics.get("split", {})),
            "Training": _facts(training),
            "Validation": _facts(metrics.get("validation", {})),
            **{f"Settings: {label(section)}": _facts(values) for section, values in _sections(settings).items()},
        },
        index_facts=_index_facts(metrics.get("index", {})),
        importance=importance_section(importance),
        examples=examples,
        liked_length=_LIKED,
        recommended_length=_RECOMMENDED,
        chips=_CHIPS,
        longest_chip=_LONGEST_CHIP,
    )


def _facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (label(name), shown(value, name))
        for name, value in values.items()
        if value is not None
        and value != {}
        and not (isinstance(value, list) and value and isinstance(value[0], Mapping))
    ]


def _sections(settings: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    flat = {name: value for name, value in settings.items() if not isinstance(value, Mapping)}
    sections = {name: value for name, value in settings.items() if isinstance(value, Mapping) and value}
    return ({"general": flat} if flat else {}) | sections


def _headline(metrics: Mapping[str, Any]) -> str:
    """The one sentence that somebody in a hurry would want."""
    systems = metrics.get("systems", {})
    best = systems.get("two_tower", {}).get("all", {})
    if "recall@10" not in best:
        return ""
    share = f"{100 * best['recall@10']:.1f} % of {best['users']:,} users"
    sentence = f"For {share}, the video they liked next was among the ten they would have been shown"
    beside = [
        f"{best['recall@10'] / systems[name]['all']['recall@10']:.1f} times as often as with {words}"
        for name, words in (("linear", "the linear baseline"), ("popularity", "the most popular videos"))
        if systems.get(name, {}).get("all", {}).get("recall@10")
    ]
    return sentence + (": " + " and ".join(beside) if beside else "") + "."


def _cards(systems: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    of_all = {name: systems[name].get("all", {}) for name in names}
    first = names[0] if names else ""
    return [
        {
            "measure": measure,
            "value": of_all[first][measure],
            "low": of_all[first].get(f"{measure}_low"),
            "high": of_all[first].get(f"{measure}_high"),
            "bars": [
                (name, of_all[name][measure], 100 * of_all[name][measure] / largest)
                for name in names
                if measure in of_all[name]
            ],
        }
        for measure in _CARDS
        if first and measure in of_all[first]
        for largest in [max(of_all[name].get(measure, 0.0) for name in names) or 1.0]
    ]


def _dot_plots(systems: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, Markup]]:
    plots = []
    for measure in _CHARTED:
        dots = [
            charts.Dot(
                cut(_SYSTEMS.get(name, label(name)), 17),
                _css(name, names),
                numbers[measure],
                numbers.get(f"{measure}_low"),
                numbers.get(f"{measure}_high"),
            )
            for name in names
            if measure in (numbers := systems[name].get("all", {}))
        ]
        if dots:
            plots.append((measure, charts.dot_plot(measure_name(measure), dots)))
    return plots


def _segments(systems: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    """The table: a block for each segment, a row for each system, a cell for each measure (None where absent)."""
    blocks = []
    for segment, (title, meaning) in _SEGMENTS.items():
        there = {name: systems[name][segment] for name in names if segment in systems[name]}
        if not there:
            continue
        largest = {
            measure: max(numbers.get(f"{measure}_high", numbers.get(measure, 0.0)) for numbers in there.values())
            for measure in _TABLED
        }
        rows = [
            (name, [_cell(numbers, measure, largest[measure], _css(name, names)) for measure in _TABLED])
            for name, numbers in there.items()
        ]
        users = next(iter(there.values())).get("users", 0)
        blocks.append({"title": title, "meaning": meaning, "users": users, "rows": rows})
    return blocks


def _cell(numbers: Mapping[str, float], measure: str, largest: float, css: str) -> dict[str, Any] | None:
    if measure not in numbers:
        return None
    value, low, high = numbers[measure], numbers.get(f"{measure}_low"), numbers.get(f"{measure}_high")
    return {"value": value, "low": low, "high": high, "bar": charts.range_bar(value, low, high, largest, css)}


def _curve_charts(
    curves: Sequence[Mapping[str, float]], best_epoch: float | None
) -> list[tuple[str, Markup, list[tuple[str, str]]]]:
    """Title, chart and key (colour class, name) of each."""

    def lines(keys: Sequence[str]) -> list[charts.Line]:
        return [
            charts.Line(label(key), f"series{place}", points)
            for place, key in enumerate(keys)
            if (points := [(each["epoch"], each[key]) for each in curves if each.get(key) is not None])
        ]

    groups = [("Loss", lines(_LOSSES)), ("Validation", lines(_CURVED))]
    note = f"chosen: epoch {best_epoch:g}" if best_epoch is not None else ""
    return [
        (title, charts.line_chart(title, group, best_epoch, note), [(line.css, line.label) for line in group])
        for title, group in groups
        if group
    ]


def _trade_off(index: Mapping[str, Any]) -> Markup | None:
    curve = index.get("curve", [])
    recall = next((key for key in index if key.startswith("recall@")), "")
    if not curve or not recall or "exact_queries_per_second" not in index:
        return None
    points = [
        charts.Point(
            each["queries_per_second"],
            each[recall],
            "popularity",
            f"{_setting(each)}: recall {each[recall]:.3f}, {each['queries_per_second']:,.0f} queries/s",
        )
        for each in curve
    ]
    for name, key, share, css in (
        ("exact", "exact_queries_per_second", 1.0, "linear"),
        ("chosen", "queries_per_second", index[recall], "two_tower"),
    ):
        points.append(charts.Point(index[key], share, css, f"{name}: {share:.3f}, {index[key]:,.0f} queries/s", name))
    return charts.scatter("Recall against queries per second", points, index.get("recall_target"), "queries per second")


def _index_facts(index: Mapping[str, Any]) -> list[tuple[str, str]]:
    told = {name: value for name, value in index.items() if name != "note"}
    if "setting" in told:
        told["setting"] = _setting(told["setting"])
    return _facts(told)


def _setting(each: Mapping[str, Any]) -> str:
    if not each["leaves"]:
        return "all videos"
    return f"{each['leaves_to_search']} of {each['leaves']} leaves, {each['reorder']} reordered"


def _css(name: str, names: Sequence[str]) -> str:
    return name if name in _SYSTEMS else f"series{list(names).index(name) % 4}"
