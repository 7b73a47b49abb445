"""Options that several commands share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tfrs_pipeline.progress import Progress

_Function = TypeVar("_Function", bound=Callable[..., Any])


def quiet_option(function: _Function) -> _Function:
    """`--quiet`, given to the command as `progress`."""
    return click.option(
        "--quiet",
        "progress",
        is_flag=True,
        help="Say nothing but warnings and the answer.",
        callback=lambda ctx, param, value: Progress(quiet=value),
    )(function)


def json_option(function: _Function) -> _Function:
    """`--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")(function)
