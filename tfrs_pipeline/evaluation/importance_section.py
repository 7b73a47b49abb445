"""The report's section on the importance of features, which can be drawn into a report that is there already."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tfrs_pipeline.evaluation import charts
from tfrs_pipeline.evaluation.wording import cut, label
from tfrs_pipeline.files import whole_file

# Titles are escaped, so that nothing else in a page looks like these.
_BEGIN, _END = "<!-- importance -->", "<!-- end of importance -->"
_TOWERS = {"item_tower": ("Item tower", "exchanged between videos"), "user_tower": ("User tower", "between users")}
_LEAD = (
    "How far Recall@100 on the validation likes falls when one group of features is exchanged at random and all "
    "others stay as they are: the dot is the mean over users, the bar its 95 % interval. At zero nothing is "
    "lost. What two groups tell alike is missed in neither."
)


def importance_section(importance: Mapping[str, Any] | None) -> Markup:
    """The section, or the place for one.

    Args:
        importance: as docs/metrics.md describes it.
    """
    figures = []
    rows = importance["rows"] if importance else []
    for tower, (title, how) in _TOWERS.items():
        dots = [
            charts.Dot(
                cut(label(row["feature_name"]), 17), "two_tower", row["importance_score"], row["low"], row["high"]
            )
            for row in rows
            if row["tower"] == tower
        ]
        if dots:
            chart = charts.dot_plot(f"Importance of features: {title}", dots)
            figures.append(
                Markup("<figure><figcaption>{} <span>{}</span></figcaption>{}</figure>").format(title, how, chart)
            )
    section = Markup("")
    if figures:
        section = Markup(
            '\n<section>\n  <h2>What the features bring</h2>\n  <p class="lead">{}</p>\n  <div class="plots">{}</div>\n'
            "</section>\n"
        ).format(_LEAD, Markup("").join(figures))
    return Markup(_BEGIN) + section + Markup(_END)


def draw_importance(report: Path, importance: Mapping[str, Any]) -> bool:
    """Put the section in its place in a report, whole or not at all; False if the report has no such place."""
    page = report.read_bytes()
    begin, end = page.find(_BEGIN.encode()), page.find(_END.encode())
    if begin < 0 or end < begin:
        return False
    with whole_file(report) as partial:
        section = str(importance_section(importance)).encode("utf-8", "replace")
        partial.write_bytes(page[:begin] + section + page[end + len(_END) :])
    return True
