"""Options that several commands share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tfrs_pipeline.config import load_config
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

if TYPE_CHECKING:
    from tfrs_pipeline.data.snapshot import Snapshot

_Function = TypeVar("_Function", bound=Callable[..., Any])


def quiet_option(function: _Function) -> _Function:
    """`--quiet`, given to the command as `progress`."""
    return click.option(
        "--quiet",
        "progress",
        is_flag=True,
        help="Say nothing but warnings and the answer.",
        callback=lambda ctx, param, value: Progress(value, ctx.obj.check if ctx.obj else None),
    )(function)


def json_option(function: _Function) -> _Function:
    """`--json`, given to the command as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")(function)


def runs_option(function: _Function) -> _Function:
    """`--runs`, the folder of runs."""
    return click.option(
        "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of the runs."
    )(function)


def run_option(function: _Function) -> _Function:
    """`--run`, one run, given to the command as `run_folder`."""
    return click.option(
        "--run",
        "run_folder",
        type=click.Path(path_type=Path),
        default=Path("runs/latest"),
        show_default=True,
        help="Folder of the run.",
    )(function)


def snapshot_option(function: _Function) -> _Function:
    """`--snapshot`, one that was written earlier, given to the command as `snapshot_folder`; see `given_snapshot`."""
    return click.option(
        "--snapshot",
        "snapshot_folder",
        type=click.Path(path_type=Path),
        help="A snapshot that was written earlier, rather than the database.",
    )(function)


def given_snapshot(folder: Path | None, progress: Progress) -> "Snapshot":
    """The snapshot in the folder of `snapshot_option`, or one of the database.

    Raises:
        InputError: it is damaged, or the database cannot be read.
    """
    from tfrs_pipeline.data.opening import open_database
    from tfrs_pipeline.data.reading import read_snapshot
    from tfrs_pipeline.data.snapshot import load_snapshot

    if folder:
        return load_snapshot(folder)
    with open_database(progress) as connection:
        return read_snapshot(connection, progress)


def config_options(function: _Function) -> _Function:
    """`--config`, `--set`, `--epochs` and `--seed`, given to the command as one `config`."""

    @click.option("--config", "config_file", type=click.Path(path_type=Path), help="TOML file of settings.")
    @click.option("--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting; may be repeated.")
    @click.option("--epochs", type=int, help="At most so many passes; short for --set training.epochs=N.")
    @click.option("--seed", type=int, help="Short for --set training.seed=N.")
    def wrapped(
        config_file: Path | None,
        settings: tuple[str, ...],
        epochs: int | None,
        seed: int | None,
        **others: Any,
    ) -> Any:
        overrides: dict[str, dict[str, Any]] = {}
        for setting in settings:
            name, equals, value = setting.partition("=")
            section, dot, key = name.partition(".")
            if not equals or not dot:
                raise InputError(f"--set {setting} is not SECTION.KEY=VALUE, as in --set training.epochs=5.")
            overrides.setdefault(section, {})[key] = _value(value)
        for key, given in (("epochs", epochs), ("seed", seed)):
            if given is not None:
                overrides.setdefault("training", {})[key] = given
        return function(config=load_config(config_file, overrides), **others)

    # Click keeps the options that decorators below this one have gathered on the function.
    wrapped.__click_params__ = getattr(function, "__click_params__", []) + wrapped.__click_params__  # type: ignore[attr-defined]
    wrapped.__doc__ = function.__doc__
    return wrapped  # type: ignore[return-value]


def _value(text: str) -> Any:
    """Numbers and lists as JSON writes them, anything else as the text it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
