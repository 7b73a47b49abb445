"""One Deno process that answers for the TypeScript features in all tests."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from export.typescript import deno_command, deno_environment


@pytest.fixture(scope="session")
def typescript() -> Iterator[Callable[..., dict[str, Any]]]:
    """Sends a request to features.ts and gives its answer."""
    pytest.importorskip("deno")
    process = subprocess.Popen(
        deno_command(Path(__file__).with_name("features.ts")),
        env=deno_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(**request: Any) -> dict[str, Any]:
        process.stdin.write(json.dumps(request, allow_nan=False) + "\n")  # ASCII, so lone surrogates pass.
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    process.wait(timeout=10)
