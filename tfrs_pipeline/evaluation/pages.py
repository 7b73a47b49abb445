"""Reports as one self-contained file: no script, and the style within."""

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from tfrs_pipeline.evaluation.wording import cut, measure_name, moment, shown

_FOLDER = Path(__file__).parent


def page(template: str, **values: Any) -> str:
    """A template of this folder, which extends page.html, filled with values."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"shown": shown, "cut": cut, "moment": moment, "measure": measure_name}
    style = Markup((_FOLDER / "report.css").read_text())
    return environment.get_template(template).render(style=style, **values)
