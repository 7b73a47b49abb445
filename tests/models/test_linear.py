from dataclasses import replace

import numpy as np
import pyarrow as pa

from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import UserState
from tfrs_pipeline.features.videos import VideoInputs, encode_videos
from tfrs_pipeline.models.linear import LinearModel

EMPTY = UserState(np.zeros(0, np.int32), np.zeros(0, np.int64))


def likes_of(*liked: int) -> UserState:
    return UserState(np.array(liked, np.int32), np.arange(len(liked)))


def test_videos_and_users_have_768_numbers_and_length_1(
    spec: FeatureSpec, videos: VideoInputs, states: list[UserState]
) -> None:
    model = LinearModel(spec)
    vectors = model.video_vectors(videos)
    users = model.user_vectors([*states, EMPTY], videos, vectors)
    assert (vectors.shape, users.shape) == ((60, 768), (62, 768))
    assert vectors.dtype == users.dtype == np.float32
    for array in (vectors, users):
        np.testing.assert_allclose(np.linalg.norm(array, axis=1), 1, atol=1e-5)


def test_it_needs_no_training_and_is_the_same_everywhere(
    spec: FeatureSpec, videos: VideoInputs, states: list[UserState]
) -> None:
    first, second = LinearModel(spec), LinearModel(FeatureSpec.from_json(spec.to_json()))
    vectors = first.video_vectors(videos)
    np.testing.assert_array_equal(vectors, second.video_vectors(videos))
    np.testing.assert_array_equal(
        first.user_vectors(states, videos, vectors), second.user_vectors(states, videos, vectors)
    )


def test_who_likes_a_genre_is_shown_that_genre(spec: FeatureSpec, videos: VideoInputs) -> None:
    model = LinearModel(spec)
    alike = videos.at_popularity(spec, np.full(60, 5))  # Popularity must not decide.
    vectors = model.video_vectors(alike)
    genre = np.arange(60) % 4
    for liked in range(4):
        # Of all times, for videos of one time are alike too.
        (user,) = model.user_vectors([likes_of(*range(liked, 60, 8))], alike, vectors)
        scores = vectors @ user
        assert scores[genre == liked].mean() > scores[genre != liked].mean() + 0.1
        assert (genre[np.argsort(-scores)[:12]] == liked).mean() >= 0.75


def test_the_last_like_counts_most(spec: FeatureSpec, videos: VideoInputs) -> None:
    model = LinearModel(replace(spec, decay_rates=[1.5]))
    vectors = model.video_vectors(videos)
    first, last = model.user_vectors([likes_of(1, 2), likes_of(2, 1)], videos, vectors)
    assert vectors[2] @ first > vectors[2] @ last


def test_between_equals_the_more_popular_comes_first(spec: FeatureSpec, videos: VideoInputs) -> None:
    model = LinearModel(spec)
    twins = videos[[8, 8]].at_popularity(spec, np.array([1, 20]))
    vectors = model.video_vectors(twins)
    for user in model.user_vectors([EMPTY, likes_of(0), likes_of(1)], twins, vectors):
        assert vectors[1] @ user > vectors[0] @ user


def test_a_video_of_which_nothing_is_known_has_a_direction_all_the_same(spec: FeatureSpec) -> None:
    rows = pa.Table.from_pylist([{"id": "nothing"}, {"id": "unknown", "maker": "?", "genres": ["?"]}], VIDEO_SCHEMA)
    low = replace(spec, scales=spec.scales | {"popularity": replace(spec.scales["popularity"], knots=[0.0, 9.0])})
    vectors = LinearModel(low).video_vectors(encode_videos(spec, rows, np.zeros(2, int)))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_catalogue_in_which_nothing_was_liked_has_vectors(service: Snapshot) -> None:
    from tfrs_pipeline.config import FeatureConfig
    from tfrs_pipeline.features.fitting import fit_features

    none = service.likes.where(np.zeros(len(service.likes), bool))
    spec = fit_features(FeatureConfig(), service.videos, none)
    vectors = LinearModel(spec).video_vectors(encode_videos(spec, service.videos, none.counts(60)))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
