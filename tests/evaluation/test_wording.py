"""How numbers, times, keys and titles are written."""

from tfrs_pipeline.evaluation.wording import cut, label, moment, shown


def test_titles_are_cut_on_one_line() -> None:
    assert cut("a\nb\tc  d") == "a b c d"
    assert cut("x" * 100, 10) == "x" * 9 + "…"
    assert cut("y" * 10, 10) == "y" * 10


def test_values_are_shown_with_their_units() -> None:
    assert shown(2_500_000, "index_bytes") == "2.5 MB"
    assert shown(1234567) == "1,234,567"
    assert shown(0.25, "build_seconds") == "0.25 s"
    assert shown(True) == "yes"
    assert shown((0.05, 0.3)) == "0.05, 0.3"
    assert shown({"leaves": 9}) == "leaves 9"
    assert moment("2026-01-02T03:04:05+00:00") == "2026-01-02 03:04 UTC"
    assert moment("some day") == "some day"
    assert shown(1486, "peak_memory_mib") == "1,486 MiB"
    assert shown("2026-01-02T03:04:05.678+00:00", "taken_at") == "2026-01-02 03:04 UTC"


def test_keys_become_words() -> None:
    assert label("peak_memory_mib") == "Peak memory"
    assert label("index_bytes") == "Index size"
    assert label("ndcg@10") == "NDCG@10"
