"""Forks processes of the command line from one that has TensorFlow loaded: importing it anew takes ten seconds each.

Requests come as lines of JSON on standard input: `{"start": [arguments], "folder": ..., "limit": bytes}` is answered by
the number of the process, whose output goes to `folder`/out and `folder`/err; `{"wait": number}` by its exit status.
"""

import json
import os
import resource
import signal
import sys
from typing import Any


def start(request: dict[str, Any]) -> int:
    """Fork; the child becomes a command."""
    number = os.fork()
    if number:
        return number
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(os.path.join(request["folder"], name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.chdir(request["folder"])
    if request["limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], request["limit"]))
    sys.argv = ["tfrs-pipeline", *request["start"]]
    from tfrs_pipeline.__main__ import main

    sys.exit(main())


def main() -> None:
    """Answer requests until there are no more."""
    os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Imported, and nothing more: what TensorFlow starts when it is used does not survive a fork.
    import scann  # noqa: F401
    import tensorflow  # noqa: F401

    import tfrs_pipeline.pipeline  # noqa: F401

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for line in sys.stdin:
        request = json.loads(line)
        if "start" in request:
            print(start(request), flush=True)
        else:
            _, status = os.waitpid(request["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
