"""Python and TypeScript read the same rows as the same numbers, however nasty the rows."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfrs_pipeline.config import FeatureConfig
from tfrs_pipeline.data.snapshot import VIDEO_SCHEMA, Likes
from tfrs_pipeline.features.fitting import fit_features
from tfrs_pipeline.features.spec import FeatureSpec
from tfrs_pipeline.features.text import normalize
from tfrs_pipeline.features.users import UserState, encode_users
from tfrs_pipeline.features.videos import VideoInputs, encode_text, encode_tokens, likes_to_expect

Ask = Callable[..., dict[str, Any]]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NAMES = [
    "constructor",
    "__proto__",
    "アニメ",
    "İstanbul",
    "ﬁlm",
    "ΟΔΥΣΣΕΥΣ",
    "e\u0301",
    "😀",
    "a b",
    "\u00a0",
    "Drama",
    "x" * 300,
]
TEXTS = [
    "",
    "\n",
    "NUL\0inside",
    "ＦＵＬＬ　ｗｉｄｔｈ ㌔ ①",
    "ﾊﾟﾋﾟﾌﾟ か\u3099 が",
    "İIıi ΣΑΣ ὈΔΥΣΣΕΎΣ ς",
    "ﬀ ﬁ ﬆ ǅ ß ẞ Å Ω K",
    "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301\u0323\u0327",
    "\ud800 lone \udfff surrogates \udbff",
    "a\u00a0b\u2003c\u200bd\u3000e\u1680f\u2028g\ufeffh\x1fi\x85j",
    "क़ ൊ ྲྀ ᾳ 한국어 \u1112\u1161\u11ab",
    "\ufeffstarts with a mark",
    "\U0001e030\U00010780\ua7f2\u0897\U00016d67",  # Younger than some tables.
    "日本語のタイトル " * 50,
    "enormous 😀 " * 20_000,
]


def some_text() -> st.SearchStrategy[str]:
    anything = st.characters(exclude_categories=[])
    return st.one_of(
        st.sampled_from(TEXTS), st.text(anything, max_size=30), st.lists(st.sampled_from(TEXTS[:13])).map("".join)
    ).map(_paired)


def _paired(text: str) -> str:
    """Two surrogates that make a pair are one character, as they are when text comes from a database."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


names = st.one_of(st.sampled_from(NAMES), st.sampled_from(NAMES).map(lambda name: f"\t{name} \n"), some_text())
lists = st.none() | st.lists(st.none() | names, max_size=30)
moments = st.one_of(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 30), timezones=st.just(timezone.utc)),
    st.integers(-(10**6), 10**6).map(lambda microseconds: EPOCH + timedelta(microseconds=microseconds)),
    st.integers(-1, 50).map(lambda number: EPOCH + timedelta(days=25 * number)),  # Many are knots of the scale.
)
prices = st.none() | st.floats() | st.sampled_from([0.0, -0.0, -1.0, 9.99, 1e300, float("inf"), float("nan")])
rows = st.fixed_dictionaries(
    {
        "title": st.none() | some_text(),
        "description": st.none() | some_text(),
        "genres": lists,
        "maker": st.none() | names,
        "performers": lists,
        "tags": lists,
        "price": prices,
        "duration_seconds": st.none() | st.integers(-10, 10_000) | st.sampled_from([0, 2**31 - 1, 2**62]),
        "thumbnail_url": st.none() | st.sampled_from(["", "https://example.org/a.jpg"]),
        "published_at": st.none() | moments,
        "like_count": st.integers(0, 10) | st.integers(0, 10**9),
    }
)


@pytest.fixture(scope="module")
def spec(typescript: Ask) -> FeatureSpec:
    """Fitted to a dozen believable videos, and known to TypeScript."""
    videos = [
        {
            "id": str(uuid.UUID(int=i)),
            "title": f"{NAMES[i]} {i}",
            "description": TEXTS[13],
            "genres": [NAMES[i % 3], NAMES[i % 5]],
            "maker": NAMES[i % 4],
            "performers": NAMES[: i % 7],
            "tags": NAMES[i % 6 :],
            "price": 9.99 * i,
            "duration_seconds": 100 * i,
            "published_at": EPOCH + timedelta(days=100 * i),
        }
        for i in range(len(NAMES))
    ]
    config = FeatureConfig(
        window=5,
        max_tokens=24,
        title_dimension=48,
        description_dimension=40,
        profile_tokens=30,
        min_videos=1,
        knots=5,
        max_characters=1_000,
    )
    popular = np.repeat(np.arange(len(videos)), np.arange(len(videos)))
    likes = Likes.sort(np.arange(len(popular)), popular, 10**15 + 10**13 * np.arange(len(popular)))
    fitted = fit_features(config, pa.Table.from_pylist(videos, VIDEO_SCHEMA), likes)
    fitted = replace(fitted, dimension=3)
    typescript(spec=fitted.to_json())
    return fitted


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """A row as PostgREST gives it."""
    price, published = row["price"], row["published_at"]
    return row | {
        "price": price if price is None or np.isfinite(price) else str(price).replace("inf", "Infinity"),
        "published_at": None if published is None else published.isoformat(),
    }


def with_ids(drawn: list[dict[str, Any]], spec: FeatureSpec) -> list[dict[str, Any]]:
    known = [spec.videos[0], *(str(uuid.UUID(int=1000 + i)) for i in range(len(drawn)))]
    return [row | {"id": known[i]} for i, row in enumerate(drawn)]


def python_inputs(spec: FeatureSpec, videos: list[dict[str, Any]]) -> VideoInputs:
    numbers = [spec.videos.index(row["id"]) + 1 if row["id"] in spec.videos else 0 for row in videos]
    own = np.array(numbers, np.int32)
    likes = likes_to_expect(spec, own, np.array([row["like_count"] for row in videos]))
    return VideoInputs(own, *encode_tokens(spec, videos, likes), encode_text(spec, videos))


def assert_same(ours: np.ndarray, theirs: list[Any]) -> None:
    np.testing.assert_allclose(np.array(theirs, float).reshape(ours.shape), ours, rtol=1e-6, atol=1e-6)


common = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@common
@given(drawn=st.lists(rows, min_size=1, max_size=4))
def test_videos_are_the_same_tokens_weights_and_text(
    typescript: Ask, spec: FeatureSpec, drawn: list[dict[str, Any]]
) -> None:
    videos = with_ids(drawn, spec)
    ours = python_inputs(spec, videos)
    theirs = typescript(videos=[as_json(row) | {"vector": []} for row in videos])["videos"]
    assert [row["video"] for row in theirs] == ours.video.tolist()
    assert [row["tokens"] for row in theirs] == ours.tokens.tolist()
    assert_same(ours.weights, [row["weights"] for row in theirs])
    assert_same(ours.text, [row["text"] for row in theirs])


@common
@given(
    drawn=st.lists(rows, min_size=1, max_size=9),
    times=st.lists(st.lists(moments | st.just(EPOCH), min_size=9, max_size=9), min_size=1, max_size=3),
    data=st.data(),
)
def test_users_are_the_same_inputs(
    typescript: Ask, spec: FeatureSpec, drawn: list[dict[str, Any]], times: list[list[datetime]], data: st.DataObject
) -> None:
    videos = with_ids(drawn, spec)
    vectors = np.linspace(-1, 1, 3 * len(videos), dtype=np.float32).reshape(-1, 3)
    states, users = [], []
    for user_times in times:
        likes = [(at, i) for i, at in enumerate(user_times[: data.draw(st.integers(0, len(videos)))])]
        likes = sorted(likes, key=lambda like: (like[0], videos[like[1]]["id"]))
        state = UserState(np.zeros(0, np.int32), np.zeros(0, np.int64))
        for at, video in likes:
            state = state.fold(spec, video, (at - EPOCH) // timedelta(microseconds=1))
        states.append(state)
        shuffled = data.draw(st.permutations(likes))
        users.append([{"video_id": videos[i]["id"], "created_at": at.isoformat()} for at, i in shuffled])
    ours = encode_users(spec, states, python_inputs(spec, videos), vectors)
    sent = [as_json(row) | {"vector": vectors[i].tolist()} for i, row in enumerate(videos)]
    theirs = typescript(videos=sent, users=users)["users"]
    for name in ("window", "weights", "ages", "mask", "profile"):
        assert_same(getattr(ours, name), [user[name] for user in theirs])


@common
@given(texts=st.lists(some_text(), max_size=20))
def test_texts_are_folded_to_the_same_code_points(typescript: Ask, spec: FeatureSpec, texts: list[str]) -> None:
    ours = [normalize(text, spec.texts["title"].max_characters).tolist() for text in texts]
    assert typescript(normalize=texts)["normalize"] == ours


def test_every_letter_and_mark_is_folded_alike_before_and_after_others(typescript: Ask, spec: FeatureSpec) -> None:
    blocks = ((0, 0x3400), (0xA000, 0xAC00), (0xD7A4, 0xE000), (0xF900, 0x17000), (0x1AFF0, 0x20000))  # Han is plain.
    points = [chr(point) for start, end in blocks for point in range(start, end)]
    texts = ["".join(f"{point}\u0323\u0301{point}か\u0334 aΣ{point}" for point in points[i::999]) for i in range(999)]
    ours = [normalize(text, spec.texts["title"].max_characters).tolist() for text in texts]
    assert typescript(normalize=texts)["normalize"] == ours


@common
@given(moment=moments, offset=st.integers(-14 * 60, 14 * 60))
def test_times_keep_their_microseconds(typescript: Ask, spec: FeatureSpec, moment: datetime, offset: int) -> None:
    there = moment
    if timedelta(days=3) < moment - datetime.min.replace(tzinfo=timezone.utc) and moment.year < 9999:
        there = moment.astimezone(timezone(timedelta(minutes=offset)))
    ours = str((moment - EPOCH) // timedelta(microseconds=1))
    assert typescript(times=[there.isoformat(), there.isoformat(sep=" ")])["times"] == [ours, ours]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "infinity",
        "-infinity",
        "0044-03-15 00:00:00+00 BC",
        "0001-01-01T23:59:59.999999+00:00",  # The snapshot reads none before the day after.
        "9999-12-31T00:00:00+00:00",
        "10000-01-01T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "today",
    ],
)
def test_what_is_no_time_is_none(typescript: Ask, spec: FeatureSpec, text: str) -> None:
    assert typescript(times=[text])["times"] == [None]
