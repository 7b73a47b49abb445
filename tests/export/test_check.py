import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.check import check_in_deno
from tfrs_pipeline.errors import InputError


def edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def swap_two_genres(features: Any) -> None:
    values = features["vocabularies"]["genre"]["values"]
    values[0], values[1] = values[1], values[0]


def test_changed_features_are_drift(bundle_copy: Path) -> None:
    edit(bundle_copy / "features.json", swap_two_genres)
    with pytest.raises(InputError, match="video vectors of the bundle have drifted"):
        check_in_deno(bundle_copy, "float32")


@pytest.mark.parametrize("noise", [0.01, np.nan])
def test_changed_weights_are_drift(bundle_copy: Path, noise: float) -> None:
    path, *_ = sorted(bundle_copy.glob("user_tower/*.bin"))
    weights = np.frombuffer(path.read_bytes(), np.float32)
    path.write_bytes(
        (weights + np.random.default_rng(0).normal(0, 1, len(weights)) * noise).astype(np.float32).tobytes()
    )
    with pytest.raises(InputError, match="user vectors of the bundle have drifted: user"):
        check_in_deno(bundle_copy, "float32")


def test_one_user_who_comes_out_otherwise_is_named(bundle_copy: Path) -> None:
    def change(golden: Any) -> None:
        golden["users"][4]["likes"].pop()

    edit(bundle_copy / "golden.json", change)
    with pytest.raises(InputError, match=r"drifted: user 4 of golden\.json"):
        check_in_deno(bundle_copy, "float32")


def test_vectors_that_are_not_of_length_1_fail(bundle_copy: Path) -> None:
    path = bundle_copy / "item_tower" / "model.json"
    manifest = json.loads(path.read_text())["weightsManifest"][0]
    start = 0
    for weight in manifest["weights"]:
        count = int(np.prod(weight["shape"]))
        if weight["name"].endswith("gamma"):
            break
        start += count
    shard = path.with_name(manifest["paths"][0])
    weights = np.frombuffer(shard.read_bytes(), np.float32).copy()
    weights[start : start + count] *= 1.001
    shard.write_bytes(weights.tobytes())
    with pytest.raises(InputError, match="not of length 1 in Deno"):
        check_in_deno(bundle_copy, "float32")


def test_a_tower_with_a_layer_unknown_to_tfjs_is_told_in_a_sentence(bundle_copy: Path) -> None:
    path = bundle_copy / "item_tower" / "model.json"
    path.write_text(path.read_text().replace('"Rescaling"', '"UnitNormalization"'))
    with pytest.raises(InputError, match=r"check\.ts failed in Deno: .*Unknown layer: UnitNormalization") as raised:
        check_in_deno(bundle_copy, "float32")
    assert "\n" not in str(raised.value)
