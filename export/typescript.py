"""Runs this project's TypeScript in Deno, which comes as a wheel."""

import os
import subprocess
from pathlib import Path

from tfrs_pipeline.data.embedded import home
from tfrs_pipeline.errors import InputError

PROJECT = Path(__file__).parents[1]
FUNCTIONS = PROJECT / "supabase" / "functions"
CONFIG = FUNCTIONS / "deno.json"


def deno_binary() -> str:
    """Where Deno is.

    Raises:
        InputError: it is not installed.
    """
    try:
        import deno

        return str(deno.find_deno_bin())
    except (ImportError, FileNotFoundError) as error:
        raise InputError(
            "The check of a bundle needs Deno, which is not installed. `make export-tfjs` installs it, "
            "and so does `pip install 'tfrs-pipeline[export]'`."
        ) from error


def deno_environment() -> dict[str, str]:
    """Ours, with Deno's cache in `.local/deno`, so that nothing is left in a home folder."""
    settings = {"DENO_NO_PROMPT": "1", "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    return {"DENO_DIR": str(home() / ".local" / "deno"), **os.environ, **settings}


def deno_command(script: Path) -> list[str]:
    """The command that runs a script with the packages of the lock file; it may read the folder that it runs in.

    Raises:
        InputError: Deno is not installed, or the Edge Functions are not there.
    """
    if not CONFIG.is_file():
        raise InputError(f"{CONFIG} is missing. The check runs from a checkout of the whole repository.")
    return [deno_binary(), "run", "--quiet", "--frozen", f"--config={CONFIG}", "--allow-read=.", str(script)]


def run_script(script: Path, folder: Path) -> str:
    """Run a script in a folder, which it may read and nothing else, to its end and give what it printed.

    Raises:
        InputError: it failed; the sentence holds what it said.
    """
    done = subprocess.run(
        deno_command(script), env=deno_environment(), cwd=folder, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode != 0:
        raise InputError(f"{script.name} failed in Deno: {_gist(done.stderr)}")
    return done.stdout


def _gist(said: str) -> str:
    """The first line that tells an error, without its stack."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower()] or lines or ["it said nothing"]
    return telling[0].removeprefix("error: ").removeprefix("Uncaught (in promise) ").removeprefix("Error: ")
