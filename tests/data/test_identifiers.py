from hypothesis import given
from hypothesis import strategies as st

from tfrs_pipeline.data.identifiers import LARGEST_NUMBER, Source

NUMBERS = st.integers(0, LARGEST_NUMBER)


@given(NUMBERS, NUMBERS)
def test_ids_sort_as_their_numbers(one: int, other: int) -> None:
    source = Source.of("a data set")
    for made in (source.video, source.user):
        assert (str(made(one)) < str(made(other))) == (one < other)
        assert (made(one).bytes < made(other).bytes) == (one < other)


def test_ids_are_valid_uuids_of_version_8() -> None:
    made = Source.of("a data set").video(5)
    assert made.version == 8
    assert made.variant == "specified in RFC 4122"


def test_ids_of_sources_and_kinds_do_not_meet() -> None:
    one, other = Source.of("movielens", "ml-1m"), Source.of("movielens", "ml-100k")
    assert len({one.video(1), one.user(1), other.video(1), other.user(1)}) == 4


def test_the_same_source_gives_the_same_ids_in_every_release() -> None:
    assert str(Source.of("movielens", "ml-1m").user(610)) == "4421a5f7-c699-8002-8000-000000000262"
