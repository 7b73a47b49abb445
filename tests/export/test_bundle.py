import json
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from export.bundle import ExportResult
from export.check import MIN_COSINE
from export.manifest import verify_bundle
from export.typescript import PROJECT
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.progress import Progress

Contents = Callable[[Path], dict[str, bytes]]
Made = Any  # A SmallRun; conftest cannot be imported from here.


class Interrupted(Progress):
    """Ctrl-C, as soon as the work comes to a step."""

    def __init__(self, step: str) -> None:
        super().__init__(quiet=True)
        self.step = step

    def say(self, message: str) -> None:
        if message.startswith(self.step):
            raise KeyboardInterrupt


def without_lock(contents: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in contents.items() if name != ".bundle-lock"}


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_a_bundle_gives_pythons_vectors_in_deno(
    small_run: Made, bundle: ExportResult, tmp_path: Path, precision: str
) -> None:
    result = bundle if precision == "float32" else small_run.export(tmp_path / "bundle", precision)
    for compared in (result.check.videos, result.check.users):
        assert compared.count >= 9
        assert compared.min_cosine is not None
        assert compared.min_cosine >= MIN_COSINE[precision]
        assert compared.max_length_error is not None
        assert compared.max_length_error <= 1e-5
    manifest = verify_bundle(result.folder)
    assert (manifest.version, manifest.dimension, manifest.precision) == ("v1", 768, precision)
    assert manifest.metrics == {"recall@10": 0.1}
    assert manifest.files == result.files
    names = {file.path for file in manifest.files}
    assert {"features.json", "golden.json", "item_tower/model.json", "user_tower/model.json"} < names
    assert FeatureSpec.from_json((result.folder / "features.json").read_text()) == small_run.spec


def test_a_new_export_takes_the_place_of_the_last_and_float16_halves_it(
    small_run: Made, bundle: ExportResult, bundle_copy: Path
) -> None:
    (bundle_copy / "left from long ago").write_text("")
    result = small_run.export(bundle_copy, "float16")
    assert verify_bundle(bundle_copy).precision == "float16"
    weights = [sum(file.size for file in one.files if file.path.endswith(".bin")) for one in (result, bundle)]
    assert weights[0] < 0.51 * weights[1]


def test_drift_fails_the_export_and_leaves_the_last_bundle(
    small_run: Made, bundle_copy: Path, contents: Contents
) -> None:
    before = contents(bundle_copy.parent)
    with pytest.raises(InputError, match="video vectors of the bundle have drifted"):
        small_run.export(bundle_copy, item_tower=tower_that_drifts(small_run.spec))
    assert without_lock(contents(bundle_copy.parent)) == before


def tower_that_drifts(spec: FeatureSpec) -> Any:
    """TF.js does not leave masked tokens out of this average, and does not say so."""
    from tf_keras import Model, layers

    from tfrs_pipeline.models.unit_length import unit_length

    inputs = [
        layers.Input((1,), dtype="int32"),
        layers.Input((spec.max_tokens,), dtype="int32"),
        layers.Input((spec.max_tokens,)),
        layers.Input((spec.text_size,)),
    ]
    average = layers.GlobalAveragePooling1D()(layers.Embedding(spec.tokens, 16, mask_zero=True)(inputs[1]))
    vector = layers.Dense(spec.dimension)(layers.Concatenate()([average, inputs[3]]))
    return Model(inputs, unit_length(vector, spec.dimension, "vector"))


@pytest.mark.parametrize("step", ["Writing", "Converting", "Checking"])
def test_ctrl_c_leaves_the_last_bundle_and_nothing_else(
    small_run: Made, bundle_copy: Path, contents: Contents, step: str
) -> None:
    before = contents(bundle_copy.parent)
    with pytest.raises(KeyboardInterrupt):
        small_run.export(bundle_copy, progress=Interrupted(step))
    assert without_lock(contents(bundle_copy.parent)) == before


_KILLED = """
import os, pickle, signal, sys
from pathlib import Path
import numpy as np
from export.bundle import write_bundle
from tfrs_pipeline.progress import Progress

class Tower:
    def predict_on_batch(self, inputs):
        return np.full((len(inputs[0]), 768), 768**-0.5, np.float32)

class Fatal(Progress):
    def say(self, message):
        if message.startswith("Converting"):
            os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
parts = pickle.loads((folder.parent / "parts").read_bytes())
write_bundle(folder, version="v2", item_tower=Tower(), user_tower=Tower(), metrics={}, precision="float32",
             progress=Fatal(), **parts)
"""


def test_an_export_that_is_killed_leaves_the_last_bundle_and_the_next_one_tidies_up(
    small_run: Made, bundle_copy: Path, contents: Contents
) -> None:
    before = contents(bundle_copy)
    parts = {"spec": small_run.spec, "snapshot": small_run.snapshot, "like_counts": small_run.like_counts}
    (bundle_copy.parent / "parts").write_bytes(pickle.dumps(parts))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(bundle_copy)], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert contents(bundle_copy) == before
    verify_bundle(bundle_copy)
    assert list(bundle_copy.parent.glob(".bundle.*"))  # What the killed one had begun lies beside.
    with pytest.raises(KeyboardInterrupt):
        small_run.export(bundle_copy, progress=Interrupted("Writing"))
    assert not list(bundle_copy.parent.glob(".bundle.*"))


def test_an_export_killed_while_the_bundles_change_places_loses_neither(small_run: Made, bundle_copy: Path) -> None:
    (bundle_copy.parent / ".bundle.abc").mkdir()
    bundle_copy.rename(bundle_copy.parent / ".bundle.abc.previous")
    with pytest.raises(KeyboardInterrupt):
        small_run.export(bundle_copy, progress=Interrupted("Writing"))
    verify_bundle(bundle_copy)
    assert not list(bundle_copy.parent.glob(".bundle.*"))


@pytest.mark.parametrize("room", [100_000, 500_000])
def test_a_full_disk_is_told_in_a_sentence_and_leaves_the_last_bundle(
    small_run: Made, bundle_copy: Path, contents: Contents, room: int
) -> None:
    before = contents(bundle_copy.parent)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The first is too little for the golden vectors, the second for the weights, which TensorFlow writes.
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(InputError, match="The disk is full"):
            small_run.export(bundle_copy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert without_lock(contents(bundle_copy.parent)) == before


def test_an_infinite_metric_is_no_json_and_exports_nothing(small_run: Made, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        small_run.export(tmp_path / "bundle", metrics={"recall@10": float("nan")})
    assert not (tmp_path / "bundle").exists()


def test_the_topology_holds_no_vocabulary(bundle: ExportResult) -> None:
    # The converter turns every string of a topology to camelCase.
    topology = json.dumps(json.loads((bundle.folder / "item_tower" / "model.json").read_text())["modelTopology"])
    assert "genre 1" not in topology
    assert "Lambda" not in topology
