"""The TypeScript is formatted, linted, typed, and passes its own tests."""

import subprocess
from pathlib import Path

import pytest

from export.typescript import CONFIG, FUNCTIONS, PROJECT, deno_binary, deno_environment

pytest.importorskip("deno")
_FOLDERS = [str(FUNCTIONS), str(PROJECT / "export"), str(Path(__file__).parent)]


@pytest.mark.parametrize("task", ["fmt --check", "lint", "check --frozen", "test --frozen --no-check"])
def test_deno_is_content(task: str) -> None:
    command = [deno_binary(), *task.split(), f"--config={CONFIG}", *_FOLDERS]
    done = subprocess.run(command, env=deno_environment(), capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_lock_file_names_no_host() -> None:
    assert "http" not in (FUNCTIONS / "deno.lock").read_text()
