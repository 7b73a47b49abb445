import sys
from pathlib import Path

# As `python benchmarks/…` has it: the folder of the script comes first.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
