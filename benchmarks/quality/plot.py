"""quality.svg: every system's value as a point on its interval, a chart for each measure; the file stands alone."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from quality.comparison import MEASURES
from tfrs_pipeline.evaluation import charts
from tfrs_pipeline.evaluation.wording import cut, measure_name

_ACROSS = 2
_WIDTH, _GAP, _TITLE = 440.0, 24.0, 26.0
_CHART_WIDTH = 330.0
"""That of `charts.dot_plot` in its own units."""
_LONGEST_LABEL = 17
_STYLE = """
  :root { --paper: #ffffff; --ink: #1d2127; --soft: #5d6570; --hair: #e3e1dc; --first: #3557d6; --third: #87909c; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #1a1f26; --ink: #e8eaed; --soft: #9aa4b1; --hair: #2d343e; --first: #8aa5ff; --third: #7d8894; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); } .title { font-weight: 650; font-size: 15px; }
  .tick { fill: var(--soft); font-size: 11px; } .value { font-weight: 650; }
  .middle { text-anchor: middle; } .end { text-anchor: end; } .grid { stroke: var(--hair); }
  .interval { stroke-width: 7; stroke-linecap: round; opacity: 0.32; }
  .ours { --is: var(--first); } .peer { --is: var(--third); }
  circle { fill: var(--is); stroke: var(--paper); stroke-width: 1.5; } .interval { stroke: var(--is); }
  svg { overflow: visible; } .paper { fill: var(--paper); }
"""


def plot(systems: Mapping[str, Mapping[str, Any]], segment: str = "all") -> str:
    """The file's text."""
    row = _WIDTH / _CHART_WIDTH
    height = _TITLE + row * (10 + 28 * len(systems) + 22)
    parts = []
    for place, measure in enumerate(MEASURES):
        x = _GAP + (place % _ACROSS) * (_WIDTH + _GAP)
        y = _GAP + (place // _ACROSS) * (height + _GAP)
        parts.append(Markup('<text class="title" x="{:g}" y="{:g}">{}</text>').format(x, y + 14, measure_name(measure)))
        place_of = Markup('<svg x="{:g}" y="{:g}" width="{:g}" height="{:.1f}" ').format(
            x, y + _TITLE, _WIDTH, height - _TITLE
        )
        chart = charts.dot_plot(measure_name(measure), _dots(systems, segment, measure))
        parts.append(Markup(chart.replace("<svg ", place_of, 1)))
    rows = -(-len(MEASURES) // _ACROSS)
    width, total = _ACROSS * (_WIDTH + _GAP) + _GAP, rows * (height + _GAP) + _GAP
    return (
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:g} {h:.1f}" width="{w:g}" height="{h:.1f}">'
        ).format(w=width, h=total)
        + Markup(f"<style>{_STYLE}</style>")
        + Markup('<rect class="paper" width="100%" height="100%"/>')
        + Markup("").join(parts)
        + Markup("</svg>\n")
    )


def _dots(systems: Mapping[str, Mapping[str, Any]], segment: str, measure: str) -> list[charts.Dot]:
    return [
        charts.Dot(
            cut(system["label"].partition(" (")[0], _LONGEST_LABEL),
            "ours" if name == "ours" else "peer",
            numbers[measure],
            numbers.get(f"{measure}_low"),
            numbers.get(f"{measure}_high"),
        )
        for name, system in systems.items()
        if measure in (numbers := system["measures"][segment])
    ]
