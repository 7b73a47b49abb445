"""Exchanging moves one group and nothing else."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tfrs_pipeline.config import Config
from tfrs_pipeline.data.snapshot import Snapshot
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.users import UserState, states_of
from tfrs_pipeline.features.videos import VideoInputs

ITEM_GROUPS = [
    *("own_embedding", "genre", "maker", "performer", "tag", "popularity", "price", "duration", "published"),
    *("thumbnail", "title", "description"),
]


@pytest.fixture(scope="module")
def states(service: Snapshot, spec: FeatureSpec) -> list[UserState]:
    """What the users of `service` liked, but for one who liked nothing."""
    users = np.arange(len(service.users), dtype=np.int32)
    return [*states_of(service.likes, users[:-1], spec.window), UserState(np.zeros(0, np.int32), np.zeros(0, np.int64))]


def bags(videos: VideoInputs) -> list[Counter[tuple[int, float]]]:
    """The weighted tokens of each video."""
    return [
        Counter((int(token), float(weight)) for token, weight in zip(*row, strict=True) if weight)
        for row in zip(videos.tokens, videos.weights, strict=True)
    ]


def test_the_item_groups_are_all_that_the_item_tower_reads(spec: FeatureSpec) -> None:
    from tfrs_pipeline.evaluation.feature_groups import item_groups

    assert sorted(item_groups(spec)) == sorted(ITEM_GROUPS)


@pytest.mark.parametrize("name", ITEM_GROUPS)
def test_a_video_gets_one_group_of_another_and_keeps_the_rest(
    spec: FeatureSpec, videos: VideoInputs, name: str
) -> None:
    from tfrs_pipeline.evaluation.feature_groups import item_groups

    order = np.random.default_rng(0).permutation(len(videos))
    groups = item_groups(spec)
    changed = groups[name](videos, order)
    fields = {field: (part.offset, part.size) for field, part in (spec.vocabularies | spec.scales).items()}
    first, size = {**fields, "thumbnail": (spec.thumbnail, 2)}.get(name, (0, 0))
    before = bags(videos)
    for row, bag in enumerate(bags(changed)):
        of_other = Counter({key: n for key, n in before[order[row]].items() if first <= key[0] < first + size})
        own = Counter({key: n for key, n in before[row].items() if not first <= key[0] < first + size})
        assert bag == of_other + own
    text = videos.text.copy()
    columns = {"title": slice(0, 32), "description": slice(32, 56)}.get(name, slice(0, 0))
    text[:, columns] = videos.text[order, columns]
    np.testing.assert_array_equal(changed.text, text)
    np.testing.assert_array_equal(changed.video, videos.video[order] if name == "own_embedding" else videos.video)
    back = groups[name](changed, np.argsort(order))
    assert bags(back) == before


def test_no_token_gives_way_to_those_of_a_longer_row(spec: FeatureSpec, videos: VideoInputs) -> None:
    from tfrs_pipeline.evaluation.feature_groups import item_groups

    full = replace(videos, tokens=videos.tokens[:, :13], weights=videos.weights[:, :13])
    changed = item_groups(spec)["performer"](full, np.roll(np.arange(len(videos)), 1))
    assert sum(sum(bag.values()) for bag in bags(changed)) == sum(sum(bag.values()) for bag in bags(full))


def test_towers_of_any_length_give_the_vectors_of_the_exported_ones(
    service: Snapshot, spec: FeatureSpec, small: Config, videos: VideoInputs, states: list[UserState]
) -> None:
    """Exchanged with oneself, every group leaves the cosines of the exported towers."""
    from tfrs_pipeline.evaluation.feature_groups import item_groups, read_users, user_groups
    from tfrs_pipeline.evaluation.importance import NarrowTowers
    from tfrs_pipeline.models.two_tower import TwoTower

    model = TwoTower(spec, small.model, small.training.temperature)
    generator = np.random.default_rng(1)
    for variable in model.tower_weights:
        variable.assign(generator.normal(0, 0.3, variable.shape).astype(np.float32))
    stored = model.video_vectors(videos)
    expected = model.user_vectors(states, videos, stored) @ stored.T
    towers, users = NarrowTowers(model), read_users(spec, states, videos)
    vectors = towers.video_vectors(videos)
    nothing = np.arange(len(videos))
    for exchange in item_groups(spec).values():
        np.testing.assert_allclose(towers.video_vectors(exchange(videos, nothing)), vectors, atol=1e-5)
    groups = user_groups(spec, model.user_tower.heads)
    assert {"likes_decay_0.05", "likes_attention", "profile_genre", "hours", "moment"} < set(groups)
    for name, change in groups.items():
        found = towers.user_vectors(change(users, np.arange(len(users))), vectors) @ vectors.T
        np.testing.assert_allclose(found, expected, atol=2e-4, err_msg=name)
        other = towers.user_vectors(change(users, np.roll(np.arange(len(users)), 1)), vectors) @ vectors.T
        assert np.abs(other - expected).max() > 1e-3, name


def test_without_attention_there_is_no_such_group(spec: FeatureSpec) -> None:
    from tfrs_pipeline.evaluation.feature_groups import user_groups

    assert "likes_attention" not in user_groups(spec, heads=0)
