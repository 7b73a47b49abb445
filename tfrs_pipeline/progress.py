"""What long work says while it runs: a bar on a terminal, plain lines elsewhere, nothing when asked to be quiet."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import click

_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """Speaks on standard error, so that standard output stays free for answers.

    Args:
        quiet: say nothing but warnings.
        check: called at every step; it raises if the work is to stop.
    """

    def __init__(self, quiet: bool = False, check: Callable[[], None] | None = None) -> None:
        self.quiet = quiet
        self._check = check

    def say(self, message: str) -> None:
        """Print one line."""
        if not self.quiet:
            click.echo(message, err=True)

    def warn(self, message: str) -> None:
        """Print one line, also when quiet."""
        click.echo(f"Warning: {message}", err=True)

    @contextlib.contextmanager
    def steps(self, total: int, label: str) -> Iterator[Callable[[int], None]]:
        """Yield `advance(steps)`; `total` is the number of steps to come."""
        if self.quiet:
            yield self._checked(lambda steps: None)
        elif sys.stderr.isatty():
            with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
                yield self._checked(bar.update)
        else:
            yield self._checked(_line_printer(total, label))

    def _checked(self, advance: Callable[[int], None]) -> Callable[[int], None]:
        def step(steps: int) -> None:
            if self._check:
                self._check()
            advance(steps)

        return step


def _line_printer(total: int, label: str) -> Callable[[int], None]:
    done = 0
    last_line = time.monotonic()

    def advance(steps: int) -> None:
        nonlocal done, last_line
        done += steps
        now = time.monotonic()
        if done < total and now - last_line >= _SECONDS_BETWEEN_LINES:
            last_line = now
            click.echo(f"{label}: {done:,} of {total:,}", err=True)

    return advance
