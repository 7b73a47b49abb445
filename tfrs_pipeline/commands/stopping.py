"""Being asked to stop, by Ctrl-C or by SIGTERM, at any moment.

Python raises the request wherever it happens to be. Inside TensorFlow, C++ may make an error of another kind of it, or
swallow it. So it is remembered: whatever error comes after it is the request, and long work asks for it as it goes.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

MESSAGE = "Stopped. Nothing is half done; run the same command to go on."
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether, and how, this process was asked to stop."""

    def __init__(self) -> None:
        self.signal: int | None = None

    @property
    def exit_status(self) -> int:
        """128 and the number of the signal, as shells have it; Ctrl-C unless there was another."""
        return 128 + (self.signal or signal.SIGINT)

    def listen(self) -> None:
        """Take requests from now on; each raises KeyboardInterrupt, so that everything cleans up on the way out.

        A signal that whoever started us wants ignored, as a shell does for work in the background, stays ignored.
        """
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._request)

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was a request."""
        if self.signal:
            raise KeyboardInterrupt

    def ignore_more(self) -> None:
        """What is left is to end, and impatience would not speed it up."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        raise KeyboardInterrupt


@contextlib.contextmanager
def leaving_at_once(standard_error: int) -> Iterator[None]:
    """End the process on a request, without an exception; for an import in C++, which could not bear one.

    Nothing may be open or half written. `standard_error` is where the message goes.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        os.write(standard_error, f"{MESSAGE}\n".encode())
        os._exit(128 + number)

    listened = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, leave) for number in listened}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
