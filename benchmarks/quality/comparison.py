"""All rows together: what is written to quality.json, and the tables that people read."""

from collections.abc import Mapping, Sequence
from typing import Any

from quality.entry import Entry
from tfrs_pipeline.evaluation.evaluate import difference
from tfrs_pipeline.evaluation.problem import RankingProblem
from tfrs_pipeline.evaluation.wording import measure_name

MEASURES = ("recall@10", "recall@50", "recall@100", "ndcg@10")
COMPARED = ("recall@100", "ndcg@10")
SEGMENTS = {"all": "All users", "cold_users": "Users with one to five likes"}


def compare(ours: Entry | None, peers: Sequence[Entry], problem: RankingProblem) -> dict[str, dict[str, Any]]:
    """By system, ours first: its record without the places of targets, and `ours_minus_this` for peers."""
    systems: dict[str, dict[str, Any]] = {}
    for entry in [*([ours] if ours else []), *peers]:
        systems[entry.name] = {
            "label": entry.label,
            "settings": entry.settings,
            "validation": entry.validation,
            "trials": [{"settings": trial.settings, "figure": trial.figure} for trial in entry.trials],
            "seconds": entry.seconds,
            "tuning_seconds": entry.tuning_seconds,
            "size_bytes": entry.size_bytes,
            "measures": entry.measures,
        }
        if ours and entry is not ours:
            systems[entry.name]["ours_minus_this"] = difference(ours.ranking, entry.ranking, problem)
    return systems


def tables(systems: Mapping[str, Mapping[str, Any]], absent: Mapping[str, str]) -> str:
    """Markdown: a table for each segment, and why systems are absent."""
    parts = []
    for segment, title in SEGMENTS.items():
        users = next((system["measures"][segment]["users"] for system in systems.values()), 0)
        parts.append(f"### {title} ({users:,})\n")
        parts.append(_table(systems, segment) if users else "Nobody is among them.")
        parts.append("")
    if absent:
        parts += ["Absent:", *(f"- {label}: {reason}" for label, reason in absent.items()), ""]
    return "\n".join(parts)


def _table(systems: Mapping[str, Mapping[str, Any]], segment: str) -> str:
    head = ["system", *map(measure_name, MEASURES), *(f"ours - it, {measure_name(name)}" for name in COMPARED)]
    head += ["seconds to train", "with tuning", "MB"] if segment == "all" else []
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)])]
    for system in systems.values():
        cells = [system["label"], *(_cell(system["measures"][segment], name) for name in MEASURES)]
        apart = system.get("ours_minus_this", {}).get(segment, {})
        cells += [_cell(apart, name, signed=True) for name in COMPARED]
        if segment == "all":
            cells += [
                f"{system['seconds']:,.1f}",
                f"{system['seconds'] + system['tuning_seconds']:,.0f}",
                f"{system['size_bytes'] / 1e6:,.2f}",
            ]
        lines.append(_line(cells))
    return "\n".join(lines)


def _cell(numbers: Mapping[str, float], name: str, signed: bool = False) -> str:
    """The value and the ends of its interval; nothing where there is none."""
    if name not in numbers:
        return ""
    sign = "+" if signed else ""
    return f"{numbers[name]:{sign}.3f} ({numbers[f'{name}_low']:{sign}.3f} to {numbers[f'{name}_high']:{sign}.3f})"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
