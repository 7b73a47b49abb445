"""How long it takes to make up and load a service with a million likes, and how much memory the command needs.

    python benchmarks/generate_demo.py [--videos 50000] [--users 100000] [--likes 1000000] [--seed 0]

The rows go into an embedded Postgres in a temporary folder, which is stopped and removed at the end.
"""

import argparse
import resource
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

from tfrs_pipeline.data import embedded
from tfrs_pipeline.data.database import connect
from tfrs_pipeline.data.demo import Demo, make_demo
from tfrs_pipeline.data.loading import load
from tfrs_pipeline.data.migrations import migrate
from tfrs_pipeline.progress import Progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=50_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--likes", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    demo = Demo(given.videos, given.users, given.likes, given.seed, datetime(2025, 7, 1, tzinfo=timezone.utc))
    quiet = Progress(quiet=True)
    with tempfile.TemporaryDirectory() as folder:
        # As root, the server runs as another user, who has to get to its data.
        Path(folder).chmod(0o755)
        with embedded.running(Path(folder), quiet) as url, connect(url) as connection:
            migrate(connection, quiet, embedded=True)
            began = time.perf_counter()
            catalogue = make_demo(demo, quiet)
            made = time.perf_counter()
            loaded = load(connection, catalogue, quiet, prune=False)
            done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{loaded.videos:,} videos, {loaded.users:,} users, {loaded.likes:,} likes")
    print(f"making them up  {made - began:6.1f} s")
    print(f"loading them    {done - made:6.1f} s")
    print(f"together        {done - began:6.1f} s")
    print(f"peak memory     {peak:6.0f} MiB (this process; the server's is its own)")


if __name__ == "__main__":
    main()
