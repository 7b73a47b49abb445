"""The command line. A command is: read the options, one library call, print."""

import errno
import importlib
import os
import sys
from typing import Any

import click

from tfrs_pipeline.commands.stopping import MESSAGE, Stopping
from tfrs_pipeline.errors import InputError

# Each command lives in a module of its own, imported when it is called: `db status` has no business loading TensorFlow.
_COMMANDS = {
    "db": "tfrs_pipeline.commands.database",
    "import": "tfrs_pipeline.commands.importing",
    "snapshot": "tfrs_pipeline.commands.snapshot",
    "train": "tfrs_pipeline.commands.train",
    "evaluate": "tfrs_pipeline.commands.evaluate",
    "tune": "tfrs_pipeline.commands.tune",
    "importance": "tfrs_pipeline.commands.importance",
    "export-tfjs": "tfrs_pipeline.commands.export_tfjs",
    "versions": "tfrs_pipeline.commands.versions",
}


class _Commands(click.Group):
    """Finds a command's module by its name; the module's attribute `command` is the command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        return importlib.import_module(_COMMANDS[cmd_name]).command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tfrs-pipeline")
def cli() -> None:
    """Learn from likes: data, towers, evaluation, export.

    Example: tfrs-pipeline import demo && tfrs-pipeline train && tfrs-pipeline export-tfjs
    """


def main() -> Any:
    """Run the command line and turn what a person can mend into one sentence and exit status 2."""
    # TensorFlow logs as an error that there is no graphics card; its real errors are exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Before anything imports TensorFlow: a Keras 3 model converts, and then does not load in JavaScript.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    stopping = Stopping()
    stopping.listen()
    try:
        return cli(standalone_mode=False, obj=stopping)
    except BaseException as error:
        if stopping.signal or isinstance(error, click.Abort | KeyboardInterrupt):
            stopping.ignore_more()
            click.echo(MESSAGE, err=True)
            sys.exit(stopping.exit_status)
        if isinstance(error, click.ClickException):
            error.show()
            sys.exit(error.exit_code)
        if isinstance(error, InputError):
            click.echo(f"Error: {error}", err=True)
            sys.exit(2)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            click.echo("Error: the disk is full. Free some space and run again.", err=True)
            sys.exit(2)
        raise
