import hashlib
import time
from datetime import datetime, timedelta, timezone
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tfrs_pipeline.data.catalogue import Catalogue
from tfrs_pipeline.data.demo import Demo, make_demo
from tfrs_pipeline.data.snapshot import Likes
from tfrs_pipeline.data.split import TEST, last_like
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

UNTIL = datetime(2025, 7, 1, tzinfo=timezone.utc)


@cache
def made(videos: int = 3_000, users: int = 2_000, likes: int = 60_000, seed: int = 0) -> Catalogue:
    return make_demo(Demo(videos, users, likes, seed, UNTIL), Progress(quiet=True))


def counts(catalogue: Catalogue) -> NDArray[np.int64]:
    """Likes of each video."""
    return np.bincount(catalogue.video, minlength=len(catalogue.videos) + 1)[1:]


def fingerprint(catalogue: Catalogue) -> str:
    digest = hashlib.sha256(repr([tuple(video) for video in catalogue.videos]).encode())
    for column in (catalogue.user, catalogue.video, catalogue.at):
        digest.update(column.astype("<i8").tobytes())
    return digest.hexdigest()[:16]


def test_a_seed_gives_the_same_rows_on_every_machine() -> None:
    # When this changes, so do the rows that people have loaded: raise _EDITION in demo.py with it.
    assert fingerprint(made(300, 200, 3_000, 7)) == "201e72369606d975"


def test_another_seed_gives_another_service_under_other_ids() -> None:
    one, other = made(300, 200, 3_000, 7), made(300, 200, 3_000, 8)
    assert fingerprint(one) != fingerprint(other)
    assert one.source != other.source


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_size_has_exactly_the_videos_users_and_likes_asked_for(data: st.DataObject) -> None:
    videos, users = data.draw(st.integers(2, 60)), data.draw(st.integers(1, 60))
    likes = data.draw(st.integers(users, videos * users // 2))
    catalogue = make_demo(Demo(videos, users, likes, data.draw(st.integers(0, 99)), UNTIL), Progress(quiet=True))
    assert [video.number for video in catalogue.videos] == list(range(1, videos + 1))
    assert np.unique(catalogue.user).tolist() == list(range(1, users + 1))
    pairs = set(zip(catalogue.user.tolist(), catalogue.video.tolist(), strict=True))
    assert len(pairs) == len(catalogue.at) == likes
    assert_liked_only_when_out(catalogue)


def assert_liked_only_when_out(catalogue: Catalogue) -> None:
    out = np.array([int(video.published_at.timestamp()) for video in catalogue.videos if video.published_at])
    assert np.all(catalogue.at >= out[catalogue.video - 1] * 1_000_000)
    assert catalogue.at.max() < UNTIL.timestamp() * 1_000_000


def test_its_time_is_the_two_years_before_the_given_day() -> None:
    catalogue = made()
    assert_liked_only_when_out(catalogue)
    published = [video.published_at for video in catalogue.videos if video.published_at]
    assert min(published) == UNTIL - timedelta(days=730)
    assert UNTIL - timedelta(days=3) < max(published) < UNTIL
    assert all(video.created_at < video.published_at for video in catalogue.videos if video.published_at)


def test_a_few_videos_have_many_likes_and_new_ones_none() -> None:
    catalogue = made()
    likes = counts(catalogue)
    ranked = np.sort(likes)[::-1]
    assert ranked[:300].sum() > 0.35 * ranked.sum()
    newest = sorted(catalogue.videos, key=lambda video: video.created_at)[-60:]
    assert sum(likes[video.number - 1] == 0 for video in newest) > 30


def test_users_come_in_bursts_and_differ_in_how_much_they_like() -> None:
    catalogue = made()
    of_user = np.bincount(catalogue.user)[1:]
    assert np.sum(of_user <= 5) > 100
    assert of_user.max() > 10 * np.median(of_user)
    order = np.lexsort((catalogue.at, catalogue.user))
    gap = np.diff(catalogue.at[order])[np.diff(catalogue.user[order]) == 0] / 1_000_000
    assert np.mean(gap < 3_600) > 0.5
    assert np.mean(gap > 86_400) > 0.15


def test_some_of_what_is_known_about_videos_is_missing() -> None:
    for field in ("description", "genres", "maker", "performers", "tags", "price", "duration_seconds"):
        known = np.mean([bool(getattr(video, field)) or getattr(video, field) == 0 for video in made().videos])
        assert 0.5 < known < 0.99, field


def test_titles_and_descriptions_are_in_japanese_and_english() -> None:
    videos = made().videos
    english = np.mean([video.title.isascii() for video in videos])
    assert 0.2 < english < 0.7
    assert all((video.description or "").isascii() for video in videos if video.title.isascii())


def test_words_tell_the_genre() -> None:
    genres: dict[str, set[str]] = {}
    for video in made().videos:
        if len(video.genres) == 1 and len(video.tags) == 6:
            for tag in video.tags[:4]:
                genres.setdefault(tag, set()).update(video.genres)
    assert len(genres) > 300
    assert all(len(found) == 1 for found in genres.values())


def test_taste_and_the_last_likes_foretell_the_next_far_better_than_popularity() -> None:
    catalogue = made()
    split = last_like(Likes.sort(catalogue.user - 1, catalogue.video - 1, catalogue.at))
    known, targets = split.known(TEST), split.targets(TEST)
    liked = np.zeros((2_000, 3_000), np.float32)
    liked[known.user, known.video] = 1
    likes = liked.sum(0)
    similar = (liked.T @ liked) / np.sqrt(np.outer(likes, likes) + 1e-9)
    np.fill_diagonal(similar, 0)
    end = np.searchsorted(known.user, np.arange(2_001))
    likes_ago = end[known.user + 1] - 1 - np.arange(len(known))
    recent = np.zeros_like(liked)
    recent[known.user, known.video] = np.exp(-0.3 * likes_ago)

    def recall(scores: NDArray[np.float32], k: int) -> float:
        scores = np.where(liked[targets.user] > 0, -np.inf, scores)
        own = scores[np.arange(len(targets)), targets.video]
        return float(np.mean(np.sum(scores > own[:, None], axis=1) < k))

    popularity = np.tile(likes, (len(targets), 1))
    neighbours, recent_neighbours = liked[targets.user] @ similar, recent[targets.user] @ similar
    assert recall(neighbours, 100) > 2 * recall(popularity, 100)
    assert recall(neighbours, 10) > 3 * recall(popularity, 10)
    assert recall(recent_neighbours, 10) > 1.2 * recall(neighbours, 10)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (Demo(0, 10, 10, 0, UNTIL), r"--videos is 0\. It has to be 1 to 1,000,000"),
        (Demo(10, -3, 10, 0, UNTIL), "--users is -3"),
        (Demo(10, 10, 10**12, 0, UNTIL), "--likes is 1,000,000,000,000"),
        (Demo(10, 10, 10, -1, UNTIL), "--seed is -1"),
        (Demo(100, 10, 9, 0, UNTIL), "9 likes are too few for 10 users"),
        (Demo(10, 10, 51, 0, UNTIL), "51 likes are too many: .* give 50"),
        (Demo(10, 10, 10, 0, datetime(1999, 1, 1, tzinfo=timezone.utc)), "--until is 1999-01-01"),
        (Demo(10, 10, 10, 0, datetime.fromtimestamp(time.time() + 86_400, timezone.utc)), "which is yet to come"),
    ],
)
def test_what_cannot_be_is_refused(plan: Demo, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make_demo(plan, Progress(quiet=True))
