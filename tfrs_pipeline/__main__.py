"""`tfrs-pipeline`, also `python -m tfrs_pipeline`."""

import sys
from typing import Any


def main() -> Any:
    """Run the command line. An import takes long enough to be interrupted, and that is no error."""
    try:
        from tfrs_pipeline.commands import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    return run()


if __name__ == "__main__":
    sys.exit(main())
