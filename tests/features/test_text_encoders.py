"""Text encoders, among them one that a package plugs in: here a module and a folder of metadata, as pip leaves them."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tfrs_pipeline.config import Config, FeatureConfig
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.fitting import fit_features
from tfrs_pipeline.features.spec import FeatureSpec, TextSpec
from tfrs_pipeline.features.text import HashedNgrams
from tfrs_pipeline.features.text_encoders import fit_text_encoder, text_encoder
from tfrs_pipeline.features.videos import encode_videos

PLUGIN = """
import numpy as np
from tfrs_pipeline.features.spec import TextSpec

class Lengths:
    def __init__(self, spec):
        self.spec = spec

    @classmethod
    def fit(cls, texts, dimension, config):
        return cls(TextSpec("lengths", 2, [], config.max_characters, []))

    def encode(self, texts):
        return np.array([[len(text), 1] for text in texts], np.float32)
"""


@pytest.fixture
def plugged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lengths_plugin.py").write_text(PLUGIN)
    metadata = tmp_path / "lengths-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lengths\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[tfrs_pipeline.text_encoders]\nlengths = lengths_plugin:Lengths\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()


@pytest.mark.usefixtures("plugged_in")
def test_an_encoder_that_a_package_plugs_in_reads_the_videos(service: Snapshot, small: Config) -> None:
    spec = fit_features(replace(small.features, text_encoder="lengths"), service.videos, service.likes)
    again = FeatureSpec.from_json(spec.to_json())
    assert {text.encoder for text in again.texts.values()} == {"lengths"}
    assert again.text_size == 4
    text = encode_videos(again, service.videos, np.zeros(60, int)).text
    for place, column in ((0, "title"), (2, "description")):
        assert text[:, place].tolist() == [len(text or "") for text in service.videos[column].to_pylist()]


def test_the_encoder_that_comes_along_needs_no_package() -> None:
    fitted = fit_text_encoder(["a", "b"], 64, FeatureConfig())
    assert isinstance(fitted, HashedNgrams)
    assert isinstance(text_encoder(fitted.spec), HashedNgrams)


@pytest.mark.usefixtures("plugged_in")
def test_an_encoder_that_is_not_there_is_named_with_those_that_are() -> None:
    message = "'sentences' is not installed. Known: hashed-ngrams, lengths."
    with pytest.raises(InputError, match=message):
        text_encoder(TextSpec("sentences", 2, [], 10, []))
    with pytest.raises(InputError, match=message):
        fit_text_encoder([], 2, FeatureConfig(text_encoder="sentences"))
