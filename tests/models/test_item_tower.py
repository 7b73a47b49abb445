from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.videos import VideoInputs, encode_videos

if TYPE_CHECKING:
    from tfrs_pipeline.models.two_tower import TwoTower


def widened(vectors: Any) -> np.ndarray:
    from tfrs_pipeline.models.widening import cosines

    return vectors.numpy() @ cosines(vectors.shape[1], 768)


def test_what_is_trained_is_what_is_exported(spec: FeatureSpec, videos: VideoInputs, model: "TwoTower") -> None:
    from tfrs_pipeline.models.item_tower import sparse_tokens

    trained = widened(model.item_tower(videos.video, sparse_tokens(spec, videos), videos.text))
    exported = model.item_tower.model.predict_on_batch(videos.arrays())
    assert exported.shape == (60, 768)
    np.testing.assert_allclose(trained, exported, atol=1e-5)


def test_vectors_are_of_length_1_and_differ(videos: VideoInputs, model: "TwoTower") -> None:
    vectors = model.video_vectors(videos).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert len(np.unique(vectors.round(6), axis=0)) == 60


def test_a_video_that_was_not_in_training_is_embedded_by_its_metadata(spec: FeatureSpec, model: "TwoTower") -> None:
    rows = [
        {"id": "a", "title": "cats", "genres": ["genre 0"], "maker": "maker 1"},
        {"id": "b", "title": "cats", "genres": ["genre 0"], "maker": "maker 1"},
        {"id": "c", "title": "山", "genres": ["genre 3"], "maker": "maker 2"},
        {"id": "d", "title": "unheard of", "genres": ["new"], "maker": "new", "tags": ["new"]},
        {"id": "e"},
    ]
    inputs = encode_videos(spec, pa.Table.from_pylist(rows, VIDEO_SCHEMA), np.zeros(5, int))
    assert not inputs.video.any()
    vectors = model.video_vectors(inputs)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert vectors[0] @ vectors[2] < 0.999
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize("part", ["video", "tokens", "weights", "text"])
def test_every_input_has_an_effect(videos: VideoInputs, model: "TwoTower", part: str) -> None:
    names = [tensor.name for tensor in model.item_tower.model.inputs]
    inputs = videos[:1].arrays()
    changed = [array + (1 if name == part else 0) for name, array in zip(names, inputs, strict=True)]
    before, after = (model.item_tower.model.predict_on_batch(arrays) for arrays in (inputs, changed))
    assert np.abs(before - after).max() > 1e-4


def test_untrained_embeddings_of_own_and_of_tokens_differ(spec: FeatureSpec) -> None:
    from tfrs_pipeline.config import ModelConfig
    from tfrs_pipeline.models.item_tower import ItemTower

    tower = ItemTower(spec, ModelConfig(width=16))
    shared = min(len(spec.videos), spec.tokens)
    assert np.abs(np.subtract(tower.own.embeddings[:shared], tower.tokens.embeddings[:shared])).max() > 0.01
