"""How the report writes numbers, times, keys and titles."""

import re
from collections.abc import Mapping
from typing import Any

_ABBREVIATIONS = {"ndcg": "NDCG", "mrr": "MRR"}
_LONGEST_TITLE = 90


def shown(value: Any, name: str = "") -> str:
    """A value as a person would write it; `name` tells seconds and bytes from other numbers."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_bytes") and isinstance(value, (int, float)):
        return f"{value / 1e6:,.1f} MB"
    if name.endswith("_mib"):
        return f"{value:,.0f} MiB"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        unit = " s" if name.endswith("seconds") else " ms" if name.endswith("_ms") else ""
        return (f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}") + unit
    if isinstance(value, Mapping):
        return ", ".join(f"{label(key).lower()} {shown(inner, key)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(inner) for inner in value)
    return moment(str(value)) if name.endswith("_at") else cut(str(value), 64)


def cut(text: str, length: int = _LONGEST_TITLE) -> str:
    """The text on one line, without control characters, and no longer than `length`."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text[: 4 * length]).split())
    return line if len(line) <= length and len(text) <= 4 * length else line[: length - 1].rstrip() + "…"


def moment(text: str) -> str:
    """A time in ISO 8601 to the minute; what is none stays as it is."""
    parts = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(Z|\+00:00)", text)
    return f"{parts[1]} {parts[2]} UTC" if parts else cut(text, 32)


def label(name: str) -> str:
    """A key as words, without the unit that `shown` writes."""
    if "@" in name:
        return measure_name(name)
    words = re.sub(r"_bytes$", " size", re.sub(r"_(ms|mib)$", "", name)).replace("_", " ")
    return words[:1].upper() + words[1:]


def measure_name(name: str) -> str:
    """`ndcg@10` as people write it."""
    measure, _, k = name.partition("@")
    return f"{_ABBREVIATIONS.get(measure, measure.capitalize())}@{k}"
