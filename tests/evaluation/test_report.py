"""The page: whole, self-contained, true to its numbers, and unmoved by what titles hold."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tfrs_pipeline.evaluation.report import UserExample, write_report

NUMBERS = {"users": 603, "recall@10": 0.1244, "recall@10_low": 0.0981, "recall@10_high": 0.1507, "ndcg@10": 0.0622}
METRICS: dict[str, Any] = {
    "version": "v7",
    "created_at": "2026-01-01T00:00:00+00:00",
    "snapshot": {"videos": 9742, "users": 609, "likes": 48580, "content_hash": "abcdef0123456789"},
    "split": {"name": "last-like", "users": 603},
    "systems": {
        "popularity": {"all": NUMBERS | {"recall@10": 0.0381}, "cold_users": {"users": 0}},
        "two_tower": {"all": NUMBERS, "cold_users": {"users": 0}},
    },
    "index": {
        "kind": "scann", "stand_in": False, "recall@100": 0.962, "recall_target": 0.95, "queries_per_second": 5412.0,
        "exact_queries_per_second": 861.0, "speedup": 6.3, "tuning_queries": 300, "report_queries": 301,
        "curve": [{"leaves": 0, "leaves_to_search": 0, "reorder": 0, "recall@100": 1.0, "queries_per_second": 800.0},
                  {"leaves": 99, "leaves_to_search": 9, "reorder": 300, "recall@100": 0.97, "queries_per_second": 5e3}],
    },
    "training": {"seconds": 341.2, "best_epoch": 2, "epochs": 3},
}  # fmt: skip
CURVES = [{"epoch": epoch, "loss": 9.0 / epoch, "recall@10": 0.04 * epoch, "seconds": 4.0} for epoch in (1, 2, 3)]
HOSTILE = "</span><script>alert(1)</script>\x00<b onclick=x>'\"&\ud800"
EXAMPLES = [
    UserExample(
        "a-user",
        [(f"Liked {place}", ["Drama"], None) for place in range(12)],
        [(HOSTILE, [HOSTILE], HOSTILE, 0.91, False), ("となりのトトロ 🎬", [], "スタジオジブリ", 0.9, True)]
        + [("long " * 5000, ["Drama"] * 50, None, 0.1, False)] * 20,
    )
]


class Page(HTMLParser):
    """Checks that elements are closed in order, and collects what could ask for something from elsewhere."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.outside: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.outside += [value or "" for name, value in attrs if name in ("src", "href", "data", "xlink:href")]
        self.outside += [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(path: Path, *given: Any, **more: Any) -> str:
    write_report(path / "report.html", *given, **more)
    return (path / "report.html").read_bytes().decode("utf-8")


def words_of(page: str) -> str:
    without_style = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without_style)).split())


@pytest.fixture
def page(tmp_path: Path) -> str:
    return page_of(tmp_path, METRICS, CURVES, EXAMPLES, {"seed": 3, "model": {"layers": 2, "units": None}})


def test_the_page_is_well_formed_and_asks_for_nothing(page: str) -> None:
    parsed = Page(page)
    assert parsed.outside == []
    assert not parsed.tags & {"script", "link", "img", "iframe", "object", "b onclick"}
    assert "url(" not in page
    assert "@import" not in page


def test_titles_are_shown_as_they_are_and_do_nothing(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\x00" not in page
    assert "となりのトトロ 🎬" in page
    assert "long " * 30 not in page


def test_the_systems_stand_in_their_order_with_their_numbers(page: str) -> None:
    words = words_of(page)
    assert "For 12.4 % of 603 users" in words
    assert "3.3 times as often as with the most popular videos" in words
    assert words.index("Two towers") < words.index("Popularity")
    assert "0.098 – 0.151" in words
    assert "6.3× the speed of exact search" in words


def test_the_chosen_epoch_the_target_and_an_empty_segment_are_told(page: str) -> None:
    words = words_of(page)
    assert "chosen: epoch 2" in words
    assert page.count("<strong>liked next</strong>") == 1
    assert "Nobody belongs to this segment" in words
    assert "Seed 3" in words
    assert "None" not in words


def test_the_last_eight_likes_are_shown_newest_first_and_ten_recommendations(page: str) -> None:
    words = words_of(page)
    assert [int(number) for number in re.findall(r"Liked (\d+)", words)] == list(range(11, 3, -1))
    assert page.count('<span class="score">') == 10


def test_what_is_absent_is_left_out(tmp_path: Path) -> None:
    page = page_of(tmp_path, {"version": "bare"}, [], [])
    Page(page)
    assert "Training" not in words_of(page)
    assert "Candidate index" not in words_of(page)


def test_a_stand_in_says_so_without_a_chart(tmp_path: Path) -> None:
    index = {"kind": "exact", "stand_in": True, "note": "Exact search stands in.", "exact_queries_per_second": 900.0}
    words = words_of(page_of(tmp_path, METRICS | {"index": index}, [], []))
    assert "Exact search stands in." in words
    assert "Stand in yes" in words
    assert "Recall against speed" not in words


def test_one_epoch_and_flat_numbers_can_be_drawn(tmp_path: Path) -> None:
    zeros = {"users": 3, "recall@10": 0.0, "recall@10_low": 0.0, "recall@10_high": 0.0}
    systems = {name: {"all": zeros} for name in ("two_tower", "linear", "popularity", "a fourth one")}
    metrics = {"systems": systems, "training": {"best_epoch": 1}, "index": METRICS["index"] | {"curve": [
        {"leaves": 0, "leaves_to_search": 0, "reorder": 0, "recall@100": 1.0, "queries_per_second": 861.0}],
        "queries_per_second": 861.0, "recall@100": 1.0}}  # fmt: skip
    page = page_of(tmp_path, metrics, [{"epoch": 1, "loss": 2.0}], [UserExample("new", [], [])])
    Page(page)
    assert "nan" not in page
    assert "nothing yet" in page
