from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import UserState, encode_users
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.training.batches import Batches
from tfrs_pipeline.training.blocks import cut_blocks

if TYPE_CHECKING:
    from tfrs_pipeline.models.two_tower import TwoTower

EMPTY = UserState(np.zeros(0, np.int32), np.zeros(0, np.int64))


def test_every_place_of_a_batch_is_what_the_exported_tower_says_of_its_history(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs, small: Config, model: "TwoTower"
) -> None:
    import tensorflow as tf

    from tfrs_pipeline.models.user_tower import PLACES
    from tfrs_pipeline.models.widening import cosines

    # One era, and every video with its own embedding: popularity and videos are the same in all batches.
    training = replace(small.training, popularity_eras=1, own_dropout=0.0, batch_blocks=1_000)
    none_yet = videos.at_popularity(spec, np.zeros(60, int))  # As it is when the first era begins.
    likes = service.likes
    (batch,) = Batches(spec, videos, likes, training).epoch(0)
    candidates = model.item_tower(batch.video, batch.tokens, batch.text)
    vectors = model.video_vectors(none_yet)
    np.testing.assert_allclose(candidates.numpy() @ cosines(candidates.shape[1], 768), vectors, atol=1e-5)
    places = model.user_tower(
        tf.gather(candidates, batch.likes), batch.weights, batch.ages, batch.mask, batch.profile, training=False
    )
    trained = tf.math.l2_normalize(places, axis=-1).numpy()

    compared = 0
    order = np.random.default_rng([training.seed, 0]).permutation(len(cut_blocks(likes, spec.window, PLACES)))
    blocks = cut_blocks(likes, spec.window, PLACES)
    for row, block in enumerate(order):
        begin = np.searchsorted(likes.user, likes.user[blocks.first[block]])
        states = []
        for place in range(blocks.examples[block]):
            last = blocks.first[block] + place
            seen = slice(max(begin, last + 1 - spec.window), last + 1)
            states.append(UserState(likes.video[seen], likes.at[seen]))
            assert batch.target[row, place] == likes.video[last + 1]
        exported = model.user_vectors(states, none_yet, vectors)
        learned = trained[row, : len(states)]
        np.testing.assert_allclose(learned @ cosines(learned.shape[1], 768), exported, atol=1e-5)
        assert batch.is_example[row].numpy().sum() == len(states)
        compared += len(states)
    assert compared == len(likes) - len(service.users)


def test_vectors_are_of_length_1(videos: VideoInputs, model: "TwoTower", states: list[UserState]) -> None:
    vectors = model.user_vectors(states, videos, model.video_vectors(videos)).astype(np.float64)
    assert vectors.shape == (61, 768)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_user_who_was_not_in_training_is_embedded_by_likes_alone(videos: VideoInputs, model: "TwoTower") -> None:
    new = [UserState(np.array(liked, np.int32), np.arange(len(liked))) for liked in ([59], [59], [3, 7], [7, 3])]
    vectors = model.user_vectors([*new, EMPTY], videos, model.video_vectors(videos))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert vectors[2] @ vectors[3] < 0.9999, "the order of likes tells something"
    assert np.isfinite(vectors).all()


def test_users_are_embedded_the_same_in_any_batch(
    videos: VideoInputs, model: "TwoTower", states: list[UserState]
) -> None:
    vectors = model.video_vectors(videos)
    many = model.user_vectors(states * 10, videos, vectors)  # More than go through at once.
    np.testing.assert_allclose(many[-1], model.user_vectors(states[-1:], videos, vectors)[0], atol=1e-6)


@pytest.mark.parametrize("part", ["window", "weights", "ages", "mask", "profile"])
def test_every_input_has_an_effect(
    spec: FeatureSpec, videos: VideoInputs, model: "TwoTower", states: list[UserState], part: str
) -> None:
    names = [tensor.name for tensor in model.user_tower.model.inputs]
    inputs = encode_users(spec, states[:1], videos, model.video_vectors(videos)).arrays()
    changed = [array[..., ::-1] if name == part else array for name, array in zip(names, inputs, strict=True)]
    if part == "mask":
        changed[names.index("mask")] = np.where(np.arange(spec.window) == 0, 0, -1e9).astype(np.float32)[None]
    before, after = (model.user_tower.model.predict_on_batch(arrays) for arrays in (inputs, changed))
    assert np.abs(before - after).max() > 1e-4


def test_an_untrained_tower_answers_with_the_average_of_the_likes(
    spec: FeatureSpec, videos: VideoInputs, small: Config, states: list[UserState]
) -> None:
    from tfrs_pipeline.models.two_tower import TwoTower

    model = TwoTower(spec, small.model, 0.1)
    vectors = model.video_vectors(videos)
    weights = encode_users(spec, states[:1], videos, vectors).weights[0, 0]
    average = weights @ vectors[states[0].videos]
    (user,) = model.user_vectors(states[:1], videos, vectors)
    np.testing.assert_allclose(user, average / np.linalg.norm(average), atol=1e-5)


@pytest.mark.parametrize(("heads", "rates"), [(0, [0.05]), (3, [0.1, 0.2, 0.4, 0.8])])
def test_towers_of_other_shapes_hold_together(
    spec: FeatureSpec, videos: VideoInputs, small: Config, states: list[UserState], heads: int, rates: list[float]
) -> None:
    from tfrs_pipeline.models.two_tower import TwoTower

    spec = replace(spec, decay_rates=rates, profile_tokens=[])
    model = TwoTower(spec, replace(small.model, heads=heads, read_dropout=0.5), 0.1)
    vectors = model.user_vectors(states, videos, model.video_vectors(videos))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_dropout_draws_from_generators_that_a_checkpoint_can_hold(model: "TwoTower") -> None:
    import tensorflow as tf

    generators = model.user_tower.random_generators
    assert len(generators) == 2
    assert all(isinstance(generator, tf.random.Generator) for generator in generators)
