"""Whether a bundle gives in Deno what it gave in Python."""

import json
from dataclasses import dataclass
from pathlib import Path

from export.typescript import FUNCTIONS, run_script
from tfrs_pipeline.errors import InputError

MIN_COSINE = {"float32": 0.99999, "float16": 0.9999}
"""Between a golden vector and what Deno makes of the same raw rows, by the precision of the weights."""
MAX_LENGTH_ERROR = 1e-5
_SCRIPT = Path(__file__).with_name("check.ts")


@dataclass(frozen=True)
class Comparison:
    """Golden vectors against those of Deno.

    Attributes:
        worst: place in golden.json of the vector with the smallest cosine.
        min_cosine: None where it is not a number.
        max_length_error: how far the longest or shortest vector is from length 1.
    """

    count: int
    min_cosine: float | None
    worst: int
    max_length_error: float | None


@dataclass(frozen=True)
class CheckReport:
    """What the check measured; `user_predict_ms` is the median time of one user through the tower, on the CPU."""

    videos: Comparison
    users: Comparison
    user_predict_ms: float


def check_in_deno(folder: Path, precision: str) -> CheckReport:
    """Run the golden rows through the TypeScript features and the towers of the bundle.

    Raises:
        InputError: the vectors are not those of Python, or the towers do not load.
    """
    answer = json.loads(run_script(_SCRIPT, folder))
    report = CheckReport(
        Comparison(**answer["videos"]), Comparison(**answer["users"]), float(answer["user_predict_ms"])
    )
    for name, compared in (("video", report.videos), ("user", report.users)):
        _judge(name, compared, precision)
    return report


def _judge(name: str, compared: Comparison, precision: str) -> None:
    cosine, error = compared.min_cosine, compared.max_length_error
    if cosine is None or not cosine >= MIN_COSINE[precision]:
        raise InputError(
            f"The {name} vectors of the bundle have drifted: {name} {compared.worst} of golden.json comes out of Deno "
            f"with a cosine of {cosine} to Python's, and {precision} has to reach {MIN_COSINE[precision]}. Nothing was "
            f"exported. The features in {FUNCTIONS / '_shared'} or a layer of the tower compute something else."
        )
    if error is None or not error <= MAX_LENGTH_ERROR:
        raise InputError(
            f"The {name} vectors of the bundle are not of length 1 in Deno: one is off by {error}, and "
            f"{MAX_LENGTH_ERROR} is allowed. Nothing was exported."
        )
