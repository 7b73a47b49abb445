from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tfrs_pipeline.config import Config, TrainingConfig
from tfrs_pipeline.data.snapshot import Likes, Snapshot
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.videos import VideoInputs
from tfrs_pipeline.training.batches import Batches

SEEN = {"weights", "ages", "mask", "profile"}


def batches(spec: FeatureSpec, videos: VideoInputs, likes: Likes, **settings: Any) -> Batches:
    return Batches(spec, videos, likes, replace(TrainingConfig(batch_blocks=8), **settings))


def table(spec: FeatureSpec, inputs: VideoInputs) -> np.ndarray:
    """The weight of each token of each video."""
    weights = np.zeros((len(inputs), spec.tokens), np.float32)
    np.add.at(weights, (np.arange(len(inputs))[:, None], inputs.tokens), inputs.weights)
    return weights


def arrays(batch: Any) -> dict[str, np.ndarray]:
    """A batch as NumPy arrays, the tokens as a table."""
    weights = np.zeros(tuple(batch.tokens.shape), np.float32)
    # A token may stand twice in a row, as for two unknown values; training adds them up.
    np.add.at(weights, tuple(batch.tokens.indices.numpy().T), batch.tokens.values.numpy())
    return {"tokens": weights} | {name: part.numpy() for name, part in batch._asdict().items() if name != "tokens"}


def epoch(made: Batches, number: int) -> list[dict[str, np.ndarray]]:
    return [arrays(batch) for batch in made.epoch(number)]


def same(first: list[dict[str, np.ndarray]], second: list[dict[str, np.ndarray]]) -> bool:
    return len(first) == len(second) and all(
        np.array_equal(one[name], other[name]) for one, other in zip(first, second, strict=True) for name in one
    )


def test_batches_are_the_same_for_seed_and_epoch_and_differ_otherwise(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs
) -> None:
    made = batches(spec, videos, service.likes, negatives=20)
    first = epoch(made, 3)
    assert same(first, epoch(made, 3))
    assert same(first, epoch(batches(spec, videos, service.likes, negatives=20), 3))
    assert not same(first, epoch(made, 4))
    assert not same(first, epoch(batches(spec, videos, service.likes, negatives=20, seed=1), 3))


@pytest.mark.parametrize("eras", [1, 8, 1_000])
def test_an_epoch_holds_every_example_once(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs, eras: int
) -> None:
    made = batches(spec, videos, service.likes, popularity_eras=eras)
    expected = Counter()
    for user in range(61):
        own = service.likes.video[service.likes.user == user].tolist()
        expected.update((tuple(own[max(0, i - 8) : i]), own[i]) for i in range(1, len(own)))
    found, steps = Counter(), 0
    for batch in made.epoch(0):
        steps += 1
        for row, place in zip(*np.nonzero(batch.is_example.numpy()), strict=True):
            # The whole catalogue is the candidates, so places among them are the videos themselves.
            seen = batch.likes.numpy()[row][batch.ages.numpy()[row, place] < 8]
            found[tuple(seen.tolist()), int(batch.target[row, place])] += 1
    assert found == expected
    assert made.examples == len(service.likes) - 61 == found.total()
    assert made.steps == steps


def test_popularity_in_a_batch_is_that_of_the_moment_its_era_began(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs
) -> None:
    likes = service.likes
    starts = np.quantile(likes.at, np.arange(8) / 8, method="lower")
    tables = [
        table(spec, videos.at_popularity(spec, likes.where(likes.at < start).counts(60)))[:, popularity_of(spec)]
        for start in starts
    ]
    user_of = {tuple(likes.video[likes.user == user].tolist()): user for user in range(61)}
    eras = set()
    for batch in epoch(batches(spec, videos, likes), 0):
        for row, examples in enumerate(batch["is_example"].sum(axis=1)):
            # At most 12 likes: a user is one block, and its first target the second like.
            history = (*batch["likes"][row, :examples].tolist(), int(batch["target"][row, examples - 1]))
            first_target = likes.at[np.searchsorted(likes.user, user_of[history]) + 1]
            era = int(np.searchsorted(starts, first_target, side="right")) - 1
            np.testing.assert_array_equal(batch["tokens"][:, popularity_of(spec)], tables[era])
            eras.add(era)
    assert len(eras) > 2


def test_later_likes_do_not_show_in_the_popularity_of_earlier_eras(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs
) -> None:
    likes = service.likes
    cut = np.quantile(likes.at, 0.25)
    # From the cut on, everybody likes what nobody liked before.
    changed = Likes(likes.user, np.where(likes.at > cut, 59, likes.video).astype(np.int32), likes.at)
    column = popularity_of(spec)
    before, after = (epoch(batches(spec, videos, columns), 0) for columns in (likes, changed))
    second_likes = likes.at[np.searchsorted(likes.user, np.arange(61)) + 1]
    starts = np.quantile(likes.at, np.arange(8) / 8, method="lower")
    blocks_of_era = np.bincount(np.searchsorted(starts, second_likes, side="right") - 1, minlength=8)
    unchanged = [
        np.array_equal(one["tokens"][:, column], other["tokens"][:, column])
        for one, other in zip(before, after, strict=True)
    ]
    assert sum(unchanged) == np.ceil(blocks_of_era[starts <= cut] / 8).sum()
    assert 0 < sum(unchanged) < len(unchanged)


def popularity_of(spec: FeatureSpec) -> slice:
    scale = spec.scales["popularity"]
    return slice(scale.offset, scale.offset + scale.size)


def test_what_comes_after_a_place_does_not_show_in_what_it_sees(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs
) -> None:
    likes = service.likes
    number = np.arange(len(likes)) - np.searchsorted(likes.user, likes.user)
    swapped = likes.video.copy()
    swapped[number >= 6] = (swapped[number >= 6] + 7) % 59  # Doubled likes do no harm here.
    changed = Likes(likes.user, swapped, likes.at)
    settings = {"popularity_eras": 1, "own_dropout": 0.0}
    before = epoch(batches(spec, videos, likes, **settings), 0)
    after = epoch(batches(spec, videos, changed, **settings), 0)
    for one, other in zip(before, after, strict=True):
        for name in SEEN:
            # Place i sees the likes 0 to i.
            np.testing.assert_array_equal(one[name][:, :6], other[name][:, :6])
        assert (one["profile"][:, 6:] != other["profile"][:, 6:]).any()


def test_a_video_is_a_candidate_as_often_as_is_said(spec: FeatureSpec, videos: VideoInputs) -> None:
    generator = np.random.default_rng(0)
    chance = 1 / (1 + np.arange(60))
    users, each = 400, 6
    video = np.concatenate([generator.choice(60, each, replace=False, p=chance / chance.sum()) for _ in range(users)])
    likes = Likes.sort(np.repeat(np.arange(users), each), video, generator.permutation(users * each))
    made = batches(spec, videos, likes, negatives=10, batch_blocks=4, own_dropout=0.0, popularity_eras=1)
    held, said, drawn = np.zeros(60), np.zeros(60), 0
    share = likes.counts(60) / len(likes)
    for number in range(3):
        for batch in made.epoch(number):
            own = batch.video.numpy()
            places = np.flatnonzero(np.isin(videos.video, own[own > 0]))
            held[places] += 1
            drawn += 1
            said[places] = batch.sampling_probability.numpy()[own > 0]
    known = (videos.video > 0) & (said > 0)
    np.testing.assert_allclose(held[known] / drawn, said[known], atol=0.1)
    assert np.corrcoef(held[known], said[known])[0, 1] > 0.97
    draw = np.sqrt(likes.counts(60) + 1)
    expected = 1 - np.exp(-4 * each * share) * (1 - draw / draw.sum()) ** 10
    np.testing.assert_allclose(said[known], expected[known], rtol=1e-5)


def test_a_small_catalogue_is_all_candidates_with_certainty(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs
) -> None:
    for batch in batches(spec, videos, service.likes).epoch(0):
        assert batch.video.shape == (60,)
        assert (batch.sampling_probability.numpy() == 1).all()


def test_a_share_of_videos_does_without_an_embedding_of_its_own(
    service: Snapshot, spec: FeatureSpec, videos: VideoInputs
) -> None:
    def share(dropped: float) -> float:
        made = batches(spec, videos, service.likes, own_dropout=dropped)
        with_own = np.concatenate([batch.video.numpy()[videos.video > 0] for batch in made.epoch(0)])
        return float((with_own == 0).mean())

    assert share(0.0) == 0
    assert share(0.25) == pytest.approx(0.25, abs=0.06)


def test_batches_fit_their_signature(service: Snapshot, spec: FeatureSpec, videos: VideoInputs, small: Config) -> None:
    made = Batches(spec, videos, service.likes, small.training)
    for batch in made.epoch(0):
        for part, declared in zip(batch, made.signature, strict=True):
            assert part.dtype == declared.dtype
            assert declared.shape.is_compatible_with(part.shape)


def test_likes_that_follow_upon_nothing_are_one_sentence(spec: FeatureSpec, videos: VideoInputs) -> None:
    likes = Likes.sort(np.arange(5), np.arange(5), np.arange(5))
    with pytest.raises(InputError, match="No user has two likes"):
        batches(spec, videos, likes)


def test_likes_of_one_moment_make_batches(spec: FeatureSpec, videos: VideoInputs) -> None:
    likes = Likes.sort(np.repeat(np.arange(5), 3), np.tile(np.arange(3), 5), np.full(15, 7))
    made = batches(spec, videos, likes)
    assert sum(int(batch.is_example.numpy().sum()) for batch in made.epoch(0)) == 10
