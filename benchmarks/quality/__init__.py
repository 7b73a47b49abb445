"""The systems that a user would otherwise pick, tuned and measured beside ours. `bench_quality.py` is the command."""
