import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from tfrs_pipeline.commands import cli as root

if TYPE_CHECKING:
    from tests.commands.conftest import Cli

ROOT = Path(__file__).parents[2]


def all_commands(command: click.Command = root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group by the words that call it."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from all_commands(below, (*path, name))


COMMANDS = list(all_commands())
LEAVES = [words for words in COMMANDS if not any(other[:-1] == words for other in COMMANDS if other)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_shows_an_example_and_explains_every_option(cli: "Cli", words: tuple[str, ...]) -> None:
    status, answer, said = cli(*words, "--help")
    assert (status, said) == (0, "")
    assert f"tfrs-pipeline {' '.join(words)}".strip() in " ".join(answer.split("Example: ")[1].split())
    command: click.Command = root
    for word in words:
        assert isinstance(command, click.Group)
        below = command.get_command(click.Context(command), word)
        assert below is not None
        command = below
    assert command.get_short_help_str(), "the list of commands says what it is for"
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_is_in_the_readme(words: tuple[str, ...]) -> None:
    assert re.search(rf"`tfrs-pipeline {' '.join(words)}\b", (ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_can_be_quiet_and_answer_a_program(cli: "Cli", words: tuple[str, ...]) -> None:
    answer = cli(*words, "--help")[1]
    assert "--quiet" in answer
    assert "--json" in answer


def test_commands_that_do_not_train_answer_without_tensorflow(tmp_path: Path) -> None:
    light = [[*words, "--help"] for words in COMMANDS] + [["--version"], ["versions"], ["db", "status"], ["evaluate"]]
    script = f"""
import sys
from tfrs_pipeline.__main__ import main
for arguments in {light!r}:
    sys.argv = ["tfrs-pipeline", *arguments]
    try:
        main()
    except SystemExit:
        pass
    heavy = {{"tensorflow", "tf_keras", "scann", "tensorflow_recommenders", "matplotlib"}} & set(sys.modules)
    assert not heavy, (arguments, heavy)
"""
    environment = {**os.environ, "TFRS_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
