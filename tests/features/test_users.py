from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_pipeline.data.snapshot import Likes, Snapshot
from tfrs_pipeline.features.spec import ACTIVITY, HOUR_BANDS, WEEKDAYS, FeatureSpec
from tfrs_pipeline.features.users import HIDDEN, UserInputs, UserState, Views, encode_users, profiles, states_of
from tfrs_pipeline.features.videos import VideoInputs

EMPTY = UserState(np.zeros(0, np.int32), np.zeros(0, np.int64))
HOUR = 3_600_000_000
DAY = 24 * HOUR

histories = st.lists(st.tuples(st.integers(0, 59), st.integers(-(10**15), 2 * 10**15)), max_size=30).map(
    lambda likes: sorted(likes, key=lambda like: like[1])
)


def state(*likes: tuple[int, int]) -> UserState:
    """Of all the likes, (video, microseconds), however many."""
    return UserState(np.array([video for video, _ in likes], np.int32), np.array([at for _, at in likes], np.int64))


def vectors() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)


def encoded(spec: FeatureSpec, videos: VideoInputs, *states: UserState) -> UserInputs:
    return encode_users(spec, list(states), videos, vectors())


def parts(spec: FeatureSpec, profile: np.ndarray) -> tuple[np.ndarray, ...]:
    """Shares of tokens, hours and weekdays; activity; shares of moments."""
    ends = np.cumsum([len(spec.profile_tokens), HOUR_BANDS, WEEKDAYS, ACTIVITY])
    assert profile.shape == (ends[-1] + len(spec.moments),)
    return tuple(np.split(profile, ends))  # type: ignore[return-value]


@settings(deadline=None)
@given(histories)
def test_folding_likes_one_by_one_gives_what_computing_from_scratch_gives(
    spec: FeatureSpec, videos: VideoInputs, likes: list[tuple[int, int]]
) -> None:
    folded = EMPTY
    for video, at in likes:
        folded = folded.fold(spec, video, at)
    columns = Likes.sort(*np.array([(0, *like) for like in likes], np.int64).reshape(-1, 3).T)
    (scratch,) = states_of(columns, np.array([0], np.int32), spec.window)
    assert len(folded.videos) == min(len(likes), spec.window)
    # Likes of one moment are sorted by video from scratch, and stand as they came when folded.
    if len({at for _, at in likes}) == len(likes):
        for of_folded, of_scratch in zip(
            encoded(spec, videos, folded).arrays(), encoded(spec, videos, scratch).arrays(), strict=True
        ):
            np.testing.assert_array_equal(of_folded, of_scratch)


def test_a_like_costs_the_same_after_ten_thousand(spec: FeatureSpec) -> None:
    long = EMPTY
    for number in range(10_000):
        long = long.fold(spec, number % 60, number)
    assert long.at.tolist() == list(range(10_000 - spec.window, 10_000))


def test_states_are_of_the_asked_users_with_their_last_likes(spec: FeatureSpec, service: Snapshot) -> None:
    users = np.array([3, 60, 0], np.int32)
    for user, found in zip(users, states_of(service.likes, users, 8), strict=True):
        own = service.likes.where(service.likes.user == user)
        np.testing.assert_array_equal(found.videos, own.video[-8:])
        np.testing.assert_array_equal(found.at, own.at[-8:])
    (nobody,) = states_of(service.likes, np.array([999], np.int32), 8)
    assert len(nobody.videos) == 0


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 6), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_what_comes_after_a_view_changes_nothing(
    spec: FeatureSpec, videos: VideoInputs, length: int, places: int, window: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    spec = replace(spec, window=window)
    last = np.sort(generator.integers(0, length, (1, places)), axis=1)
    views = Views.at(last, length, window)
    liked, at = generator.integers(0, 60, length), np.sort(generator.integers(0, 10**15, (1, length)), axis=1)
    profile = profiles(spec, videos[liked], at, views)
    for place in range(places):
        later = np.arange(length) > last[0, place]
        changed = np.where(later, generator.integers(0, 60, length), liked)
        changed_at = np.where(later, generator.integers(2 * 10**15, 3 * 10**15, length), at)
        again = profiles(spec, videos[changed], np.sort(changed_at, axis=1), views)
        np.testing.assert_array_equal(again[0, place], profile[0, place])
        assert not views.weights(spec.decay_rates, window)[0, place][:, later].any()
        assert (views.ages[0, place][later] == window).all()
        assert (views.mask(window)[0, place][later] == HIDDEN).all()


@settings(deadline=None)
@given(st.integers(1, 20), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_every_place_of_a_row_sees_what_a_state_of_its_window_holds(
    spec: FeatureSpec, videos: VideoInputs, length: int, window: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    spec = replace(spec, window=window)
    liked, at = generator.integers(0, 60, length), np.sort(generator.integers(0, 10**15, length))
    views = Views.at(np.arange(length)[None], length, window)
    profile = profiles(spec, videos[liked], at[None], views)[0]
    weights = views.weights(spec.decay_rates, window)[0]
    for place in range(length):
        seen = slice(max(0, place + 1 - window), place + 1)
        alone = encoded(spec, videos, UserState(liked[seen].astype(np.int32), at[seen]))
        held = min(window, place + 1)
        np.testing.assert_allclose(alone.profile[0], profile[place], atol=1e-6)
        np.testing.assert_allclose(alone.weights[0][:, :held], weights[place][:, seen], atol=1e-7)
        assert views.ages[0, place, seen].tolist() == list(range(held - 1, -1, -1)) == alone.ages[0, :held].tolist()


@settings(deadline=None)
@given(histories.filter(bool))
def test_shares_add_up(spec: FeatureSpec, videos: VideoInputs, likes: list[tuple[int, int]]) -> None:
    genres = spec.vocabularies["genre"]
    everything = range(genres.offset, genres.offset + genres.size)
    spec = replace(spec, profile_tokens=list(everything))  # Each video has one genre.
    inputs = encoded(spec, videos, state(*likes[-spec.window :]))
    tokens, hours, weekdays, activity, moments = parts(spec, inputs.profile[0])
    for shares in (tokens, hours, weekdays, moments):
        assert shares.sum() == pytest.approx(1, abs=1e-5)
        assert (shares >= 0).all()
    np.testing.assert_allclose(inputs.weights[0].sum(axis=1), 1, atol=1e-6)
    assert np.isfinite(activity).all()
    assert (activity >= 0).all()


def test_weights_fall_with_every_like_that_came_since(spec: FeatureSpec, videos: VideoInputs) -> None:
    inputs = encoded(spec, videos, state((1, 0), (2, 1), (3, 2)))
    for rate, weights in zip(spec.decay_rates, inputs.weights[0], strict=True):
        expected = np.exp(-rate * np.array([2, 1, 0]))
        np.testing.assert_allclose(weights[:3], expected / expected.sum(), rtol=1e-6)
        assert not weights[3:].any()
    assert inputs.ages[0].tolist() == [2, 1, 0, 8, 8, 8, 8, 8]
    assert inputs.mask[0].tolist() == [0, 0, 0, *[HIDDEN] * 5]
    np.testing.assert_array_equal(inputs.window[0, :3], vectors()[[1, 2, 3]])
    assert not inputs.window[0, 3:].any()


def test_token_shares_are_the_weighted_tokens_of_the_liked_videos(spec: FeatureSpec, videos: VideoInputs) -> None:
    liked = [4, 9, 14, 9]
    inputs = encoded(spec, videos, state(*((video, number) for number, video in enumerate(liked))))
    expected = np.zeros(spec.tokens)
    for video, weight in zip(liked, inputs.weights[0, 0], strict=False):
        np.add.at(expected, videos.tokens[video], videos.weights[video] * weight)
    np.testing.assert_allclose(parts(spec, inputs.profile[0])[0], expected[spec.profile_tokens], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("moment", "band", "weekday"),
    [
        (datetime(2024, 1, 1, 0, 30, tzinfo=timezone.utc), 0, 0),
        (datetime(2024, 1, 7, 23, 59, 59, tzinfo=timezone.utc), 7, 6),
        (datetime(1970, 1, 1, 3, tzinfo=timezone.utc), 1, 3),
        (datetime(1969, 12, 31, 23, tzinfo=timezone.utc), 7, 2),
        (datetime(2024, 2, 29, 12, tzinfo=timezone.utc), 4, 3),
    ],
)
def test_hours_and_weekdays_are_utc(
    spec: FeatureSpec, videos: VideoInputs, moment: datetime, band: int, weekday: int
) -> None:
    _, hours, weekdays, *_ = parts(spec, encoded(spec, videos, state((0, int(moment.timestamp()) * 10**6))).profile[0])
    assert hours[band] == 1
    assert weekdays[weekday] == 1


def test_activity_is_how_many_how_often_how_lately_and_for_how_long(spec: FeatureSpec, videos: VideoInputs) -> None:
    likes = state((1, 0), (2, DAY), (3, DAY + HOUR))
    count, usual_gap, last_gap, span = parts(spec, encoded(spec, videos, likes).profile[0])[3]
    weights = np.exp(-spec.decay_rates[0] * np.array([1, 0]))
    total = np.exp(-spec.decay_rates[0] * np.array([2, 1, 0])).sum()
    assert count == pytest.approx(np.log(4) / np.log(9))
    assert usual_gap == pytest.approx((weights * np.log([25, 2])).sum() / total / 10)
    assert last_gap == pytest.approx(np.log(2) / 10)
    assert span == pytest.approx(np.log1p(25 / 24) / 10)


def test_a_user_with_one_like_has_no_gap(spec: FeatureSpec, videos: VideoInputs) -> None:
    count, *others = parts(spec, encoded(spec, videos, state((1, 5 * DAY))).profile[0])[3]
    assert count > 0
    assert others == [0, 0, 0]


def test_a_user_without_likes_is_all_zeros_and_hidden(spec: FeatureSpec, videos: VideoInputs) -> None:
    nobody, somebody = encoded(spec, videos, EMPTY), encoded(spec, videos, EMPTY, state((1, 0)))
    for array in (nobody.window, nobody.weights, nobody.profile):
        assert not array.any()
    assert (nobody.ages == spec.window).all()
    assert (nobody.mask == HIDDEN).all()
    np.testing.assert_array_equal(somebody.profile[0], nobody.profile[0])


def test_users_are_encoded_apart(spec: FeatureSpec, videos: VideoInputs, service: Snapshot) -> None:
    states = states_of(service.likes, np.arange(61, dtype=np.int32), spec.window)
    together = encoded(spec, videos, *states)
    for row in (0, 30, 60):
        for of_all, of_one in zip(together.arrays(), encoded(spec, videos, states[row]).arrays(), strict=True):
            np.testing.assert_array_equal(of_all[row], of_one[0])


def test_the_last_moment_is_shared_between_its_knots(spec: FeatureSpec, videos: VideoInputs) -> None:
    spec = replace(spec, moments=[10.0, 20.0, 40.0])

    def moments(day: float) -> list[float]:
        likes = state((1, 0), (2, round(day * DAY)))
        return parts(spec, encoded(spec, videos, likes).profile[0])[4].tolist()

    assert moments(20) == [0, 1, 0]
    assert moments(25) == [0, 0.75, 0.25]
    assert moments(5) == [1, 0, 0]
    assert moments(1_000) == [0, 0, 1], "all time to come is like the last moment"
    assert parts(spec, encoded(spec, videos, EMPTY).profile[0])[4].tolist() == [0, 0, 0]
