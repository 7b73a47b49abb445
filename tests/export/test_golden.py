import json
from typing import Any

import numpy as np
import pytest

from export.golden import golden_inputs, make_golden
from tfrs_pipeline.data.snapshot import Likes, Snapshot
from tfrs_pipeline.features.spec import FeatureSpec


class Tower:
    """Vectors that a row's first input decides."""

    def predict_on_batch(self, inputs: list[np.ndarray]) -> np.ndarray:
        first = inputs[0].reshape(len(inputs[0]), -1).astype(np.float32).sum(axis=1)
        return np.linspace(0, 1, 768, dtype=np.float32) + first[:, None]


@pytest.fixture(scope="module")
def golden(snapshot: Snapshot, small_spec: FeatureSpec) -> dict[str, Any]:
    counts = snapshot.likes.counts(snapshot.videos.num_rows)
    return json.loads(make_golden(small_spec, Tower(), Tower(), snapshot, counts))


def test_users_have_from_one_like_to_more_than_a_window(golden: dict[str, Any], small_spec: FeatureSpec) -> None:
    counts = [len(user["likes"]) for user in golden["users"]]
    assert counts[:3] == [1, 2, 3]
    assert {small_spec.window - 1, small_spec.window, small_spec.window + 1} < set(counts)
    assert 9 <= len(counts) <= 12


def test_likes_are_in_order_and_of_videos_that_are_there(golden: dict[str, Any]) -> None:
    known = {video["id"] for video in golden["videos"]}
    for user in golden["users"]:
        likes = [(like["created_at"], like["video_id"]) for like in user["likes"]]
        assert likes == sorted(likes)
        assert {video for _, video in likes} <= known
        assert len({video for _, video in likes}) == len(likes)
    assert any(
        user["likes"][i]["created_at"] == user["likes"][i + 1]["created_at"]
        for user in golden["users"]
        for i in range(len(user["likes"]) - 1)
    )


def test_there_are_cold_videos_and_videos_that_lack_everything(golden: dict[str, Any], snapshot: Snapshot) -> None:
    real = set(snapshot.videos["id"].to_pylist())
    cold = [video for video in golden["videos"] if video["like_count"] == 0]
    assert any(video["id"] in real for video in cold)
    fields = ("title", "description", "genres", "maker", "performers", "tags", "price", "published_at")
    assert any(all(video[field] is None for field in fields) for video in cold)
    assert all(len(video["vector"]) == 768 for video in golden["videos"])


def test_nobodys_history_is_handed_over(golden: dict[str, Any], snapshot: Snapshot) -> None:
    text = json.dumps(golden)
    assert not any(user in text for user in snapshot.users)
    ids = snapshot.videos["id"].to_pylist()
    likes = snapshot.likes
    pairs = {(ids[video], int(at)) for video, at in zip(likes.video, likes.at, strict=True)}
    times = np.array([like["created_at"][:26] for user in golden["users"] for like in user["likes"]], "datetime64[us]")
    videos = [like["video_id"] for user in golden["users"] for like in user["likes"]]
    assert sum((video, int(at)) in pairs for video, at in zip(videos, times.astype(int), strict=True)) < 0.2 * len(
        videos
    )


def test_the_same_run_gives_the_same_golden_rows(snapshot: Snapshot, small_spec: FeatureSpec) -> None:
    counts = snapshot.likes.counts(snapshot.videos.num_rows)
    one, other = (golden_inputs(small_spec, snapshot, counts) for _ in range(2))
    assert one.videos == other.videos
    assert all(np.array_equal(a.at, b.at) for a, b in zip(one.users, other.users, strict=True))


def test_a_catalogue_smaller_than_a_window_is_enough(snapshot: Snapshot, small_spec: FeatureSpec) -> None:
    tiny = Snapshot(
        snapshot.videos.slice(0, 1),
        snapshot.users[:1],
        Likes(np.zeros(1, np.int32), np.zeros(1, np.int32), np.array([-5])),
        snapshot.info,
    )
    golden = json.loads(make_golden(small_spec, Tower(), Tower(), tiny, np.array([1])))
    assert max(len(user["likes"]) for user in golden["users"]) == len(golden["videos"])
    assert golden["users"][0]["likes"][0]["created_at"] == "1969-12-31T23:59:59.999995+00:00"
