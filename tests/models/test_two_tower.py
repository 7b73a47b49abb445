from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import encode_users
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.training.batches import Batches

if TYPE_CHECKING:
    from tfrs_pipeline.models.two_tower import TwoTower

# What a stock `tf.loadLayersModel` of TF.js 4.22 knows, found by loading each.
LAYERS_OF_TFJS = {
    "Activation",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "CategoryEncoding",
    "CenterCrop",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Cropping2D",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "InputLayer",
    "LayerNormalization",
    "Masking",
    "Maximum",
    "Minimum",
    "Multiply",
    "Permute",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Resizing",
    "Softmax",
}
ACTIVATIONS_OF_TFJS = {"relu", "relu6", "gelu", "swish", "selu", "elu", "mish", "tanh", "sigmoid", "softmax", "linear"}


@pytest.mark.parametrize("tower", ["item_tower", "user_tower"])
def test_exported_towers_are_made_of_layers_that_tfjs_loads(model: "TwoTower", tower: str) -> None:
    exported = getattr(model, tower).model
    assert exported.name == tower
    assert exported.output_shape == (None, 768)
    assert {type(layer).__name__ for layer in exported.layers} <= LAYERS_OF_TFJS
    activations = {layer.get_config().get("activation", "linear") for layer in exported.layers}
    assert activations <= ACTIVATIONS_OF_TFJS
    assert len({layer.name for layer in exported.layers}) == len(exported.layers)


def test_all_that_is_exported_and_learned_is_saved(model: "TwoTower") -> None:
    saved = {id(variable) for variable in model.tower_weights}
    for tower in (model.item_tower.model, model.user_tower.model):
        assert {id(variable) for variable in tower.trainable_variables} <= saved
    assert len(saved) == len(model.tower_weights)


def by_hand(model: "TwoTower", batch: Any, window: int) -> float:
    """The sampled softmax in NumPy, example by example."""
    candidates = model.item_tower(batch.video, batch.tokens, batch.text).numpy().astype(np.float64)
    liked = candidates[batch.likes.numpy()].astype(np.float32)
    places = model.user_tower(liked, batch.weights, batch.ages, batch.mask, batch.profile, training=False).numpy()
    log_q = np.log(batch.sampling_probability.numpy().astype(np.float64))
    loss = 0.0
    for row, place in zip(*np.nonzero(batch.is_example.numpy()), strict=True):
        query = places[row, place] / np.linalg.norm(places[row, place])
        scores = candidates @ query / 0.1 - log_q
        target = int(batch.target[row, place])
        seen = batch.likes.numpy()[row][batch.ages.numpy()[row, place] < window]
        negative = np.ones(len(candidates), bool)
        negative[seen] = False  # They are never recommended again.
        negative[target] = False  # Its place among the candidates is an accidental hit.
        loss += np.log(np.exp(scores[target]) + np.exp(scores[negative]).sum()) - scores[target]
    return loss


@pytest.mark.parametrize("negatives", [10, 1_000])
def test_the_loss_is_the_softmax_over_candidates_that_could_be_shown(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs, small: Config, model: "TwoTower", negatives: int
) -> None:
    training = replace(small.training, negatives=negatives, batch_blocks=4)
    batch = next(iter(Batches(spec, videos, service.likes, training).epoch(0)))
    assert (batch.sampling_probability.numpy() < 1).all() == (negatives < 60)
    assert model.compute_loss(batch).numpy() == pytest.approx(by_hand(model, batch, spec.window), rel=1e-4)


def test_a_video_liked_before_is_no_negative(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs, small: Config, model: "TwoTower"
) -> None:
    training = replace(small.training, batch_blocks=1, own_dropout=0.0)
    batch = next(iter(Batches(spec, videos, service.likes, training).epoch(0)))
    batch = batch._replace(is_example=batch.is_example & (np.arange(16) == 5))  # One place, in the middle.
    seen = np.unique(batch.likes.numpy()[0][batch.ages.numpy()[0, 5] < spec.window])
    loss = model.compute_loss(batch).numpy()

    def loss_when_drawn_less(rarely: np.ndarray) -> float:
        probability = np.where(np.isin(np.arange(60), rarely), 0.01, 1).astype(np.float32)
        return model.compute_loss(batch._replace(sampling_probability=probability)).numpy()

    assert len(seen) > 1
    assert loss_when_drawn_less(seen) == loss, "how likely a seen video was to be drawn plays no part"
    other = next(video for video in range(60) if video not in seen and video != batch.target[0, 5])
    assert loss_when_drawn_less(np.array([other])) > loss


def test_vectors_of_the_model_are_fit_for_its_task(
    spec: FeatureSpec, videos: VideoInputs, model: "TwoTower", states: list[Any]
) -> None:
    vectors = model.video_vectors(videos)
    inputs = encode_users(spec, states, videos, vectors)
    users = model.user_tower.model.predict_on_batch(inputs.arrays())
    np.testing.assert_allclose(model.user_vectors(states, videos, vectors), users, atol=1e-6)
    assert users.dtype == vectors.dtype == np.float32
