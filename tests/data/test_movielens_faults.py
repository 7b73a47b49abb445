"""What is wrong with a data set is said in a sentence that names the file and the line."""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tfrs_pipeline.data.movielens import read_movielens
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)
HEADER = b"userId,movieId,rating,timestamp\n"
GOOD = b"1,1,4.0,964982703\n"


@pytest.mark.parametrize(
    ("ratings", "sentence"),
    [
        (b"", r"ratings\.csv is empty"),
        (HEADER, r"ratings\.csv holds no ratings"),
        (GOOD * 2, r"ratings\.csv line 1: the header lacks userId, movieId, rating, timestamp"),
        (b"userId,movieId,stars,timestamp\n" + GOOD, r"line 1: the header lacks rating\."),
        (HEADER + GOOD + b"1,2", r"ratings\.csv breaks off within line 3\."),
        (HEADER + GOOD + b"1,2,5.0,9649", r"ratings\.csv breaks off within line 3\."),
        (HEADER + GOOD + b"1,2,5.0\n" + GOOD, r"ratings\.csv line 3: 3 fields"),
        (HEADER + GOOD + b"1,2,good,964982703\n", r"line 3: rating is 'good'\. It has to be a number from 0\.5 to 5\."),
        (HEADER + b"1,2,6,964982703\n", r"line 2: rating is '6'"),
        (HEADER + b"1,2,0,964982703\n", r"line 2: rating is '0'"),
        (HEADER + b"1,2,nan,964982703\n", r"line 2: rating is 'nan'"),
        (HEADER + b"1,2,,964982703\n", r"line 2: rating is ''"),
        (HEADER + b"\n1,b,4,964982703\n", r"line 3: movieId is 'b'"),
        (HEADER + b"-1,2,4,964982703\n", r"line 2: userId is '-1'"),
        (HEADER + b"99999999999,2,4,964982703\n", r"line 2: userId is '99999999999'"),
        (HEADER + b"1,2,4,yesterday\n", r"line 2: timestamp is 'yesterday'"),
        (HEADER + b"1,2,4,-5\n", r"line 2: timestamp is '-5'"),
        (HEADER + b"1,2\0,4,964982703\n", r"line 2: movieId is"),
        (HEADER + b"1,\xff,4,964982703\n", r"line 2: movieId is"),
        (HEADER + b"1,1,4.0,964982703000\n", r"seconds since 1970; are these milliseconds\?"),
        (HEADER + b"1,1,3.5,964982703\n", r"None of the 1 ratings is 4 or more.*Lower --likes-from"),
    ],
)
def test_ratings(ml_latest: Callable[..., Path], ratings: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_movielens(ml_latest(ratings=ratings), None, 4, QUIET)


def test_an_enormous_field_is_not_said_back_whole(ml_latest: Callable[..., Path]) -> None:
    for content in (b"2" * 200_000, b'"' + b"2" * 200_000):
        folder = ml_latest(ratings=HEADER + b"1," + content + b",4,964982703\n", name=str(content[:1]))
        with pytest.raises(InputError, match=r"line 2: ") as raised:
            read_movielens(folder, None, 4, QUIET)
        assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("movies", "sentence"),
    [
        (b"", r"movies\.csv is empty"),
        (b"movieId,title,genres\n", r"movies\.csv lists no movies"),
        (b"1,Toy Story (1995),Drama\n", r"movies\.csv line 1: the header lacks movieId, title, genres"),
        ("movieId,title,genres\n1,Up,x\n2,Amélie,x\n".encode("latin-1"), r"movies\.csv line 3: byte 0xe9 is not UTF-8"),
        ("movieId,title,genres\n1,Up,x\n".encode("utf-16"), r"movies\.csv line 1: the file is UTF-16"),
        (b"movieId,title,genres\n1,Up,x\n2,U\0p,x\n", r"movies\.csv line 3: there is a NUL"),
        (b"movieId,title,genres\n1,Up,x\n2,U", r"movies\.csv breaks off within line 3"),
        (b"movieId,title,genres\n1,Up, and away,x\n", r"movies\.csv line 2: 4 fields, where the header has 3"),
        (b'movieId,title,genres\n1,"Up,x\n', r"movies\.csv line 2: .*well-formed CSV"),
        (b"movieId,title,genres\n1," + b"x" * 200_000 + b",x\n", r"movies\.csv line 2: field larger"),
        (b"movieId,title,genres\none,Up,x\n", r"movies\.csv line 2: the id is 'one'"),
        (b"movieId,title,genres\n1,Up,x\n1,Down,x\n", r"movies\.csv line 3: id 1 was on line 2 already"),
    ],
)
def test_movies(ml_latest: Callable[..., Path], movies: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_movielens(ml_latest(movies=movies), None, 4, QUIET)


@pytest.mark.parametrize("likes_from", [0, 5.5, -1, float("nan")])
def test_likes_from_has_to_be_a_rating(ml_latest: Callable[..., Path], likes_from: float) -> None:
    with pytest.raises(InputError, match="--likes-from is"):
        read_movielens(ml_latest(), None, likes_from, QUIET)


def test_missing_files(ml_latest: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lacks ratings\.csv: a data set with movies\.csv has it beside it"):
        read_movielens(ml_latest(ratings=None), None, 4, QUIET)
    with pytest.raises(InputError, match="nowhere does not exist"):
        read_movielens(tmp_path / "nowhere", None, 4, QUIET)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"is not a MovieLens data set.*It holds no files"):
        read_movielens(tmp_path / "empty", None, 4, QUIET)


def test_a_folder_with_several_data_sets(ml_latest: Callable[..., Path]) -> None:
    ml_latest(name="outer/one")
    folder = ml_latest(name="outer/two").parent
    with pytest.raises(InputError, match=r"several data sets \(one, two\)"):
        read_movielens(folder, None, 4, QUIET)


def zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.iterdir():
            archive.write(file, f"ml/{file.name}")
    return packed.getvalue()


def test_a_zip_that_broke_off(ml_latest: Callable[..., Path], tmp_path: Path) -> None:
    packed = tmp_path / "ml.zip"
    packed.write_bytes(zipped(ml_latest())[:-40])
    with pytest.raises(InputError, match=r"ml\.zip is not a whole zip"):
        read_movielens(packed, None, 4, QUIET)


def test_a_zip_with_a_flipped_byte(ml_latest: Callable[..., Path], tmp_path: Path) -> None:
    lines = b"".join(b"%d,1,4.0,%d\n" % (user, 964982703 + user * 7919) for user in range(1000))
    packed = bytearray(zipped(ml_latest(ratings=HEADER + lines)))
    packed[packed.index(b"ml/ratings.csv") + 1000] ^= 0xFF
    (tmp_path / "ml.zip").write_bytes(packed)
    with pytest.raises(InputError, match=r"ratings\.csv in .*ml\.zip is damaged"):
        read_movielens(tmp_path / "ml.zip", None, 4, QUIET)


def test_lines_of_the_other_layouts(tmp_path: Path) -> None:
    (tmp_path / "movies.dat").write_bytes(b"1::Up (2009)::Drama\n2::Down\n")
    (tmp_path / "ratings.dat").write_bytes(b"1::1::5::978300760\n1::2::x::978300760\n")
    with pytest.raises(InputError, match=r"movies\.dat line 2: 2 fields; a line has to read movieId::title::genres"):
        read_movielens(tmp_path, None, 4, QUIET)
    (tmp_path / "movies.dat").write_bytes(b"1::Up (2009)::Drama\n")
    with pytest.raises(InputError, match=r"ratings\.dat line 2: rating is 'x'"):
        read_movielens(tmp_path, None, 4, QUIET)
    (tmp_path / "ratings.dat").write_bytes(b"1::1::5::978300760\n1::1::5::9783")
    with pytest.raises(InputError, match=r"ratings\.dat breaks off within line 2"):
        read_movielens(tmp_path, None, 4, QUIET)
    (tmp_path / "ratings.dat").write_bytes(b"1:1:5:978300760\n")
    with pytest.raises(InputError, match=r"ratings\.dat line 1: 1 fields.*userId::movieId::rating::timestamp"):
        read_movielens(tmp_path, None, 4, QUIET)


def test_ratings_that_cannot_count_are_left_out_with_a_warning(
    ml_latest: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    later = int(time.time()) + 86_400
    ratings = HEADER + b"".join(
        (
            b"1,1,5.0,1000\n",
            b"1,2,5.0,1000\n",
            b"2,1,4.0,1000\n",
            b"1,1,2.0,2000\n",  # Not a like any more.
            b"1,2,5.0,3000\n",
            b"2,1,1.0,500\n",  # Earlier, though later in the file.
            b"2,77,5.0,1000\n",
            b"2,10,5.0,%d\n" % later,
        )
    )
    catalogue = read_movielens(ml_latest(ratings=ratings), None, 4, QUIET)
    likes = zip(catalogue.user.tolist(), catalogue.video.tolist(), catalogue.at.tolist(), strict=True)
    assert sorted(likes) == [(1, 2, 3000_000000), (2, 1, 1000_000000)]
    warnings = capsys.readouterr().err
    assert "Left out 3 ratings that the same user gave the same movie again later" in warnings
    assert "Left out 1 ratings of movies that the data set does not list (such as 77)" in warnings
    assert "Left out 1 ratings with a timestamp in the future" in warnings
