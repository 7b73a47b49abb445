import zipfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest

from tfrs_pipeline.data.catalogue import Catalogue
from tfrs_pipeline.data.movielens import read_movielens
from tfrs_pipeline.data.movielens_layouts import year_of
from tfrs_pipeline.errors import InputError
from tfrs_pipeline.progress import Progress

QUIET = Progress(quiet=True)


def read(path: Path, likes_from: float = 4, metadata: Path | None = None) -> Catalogue:
    return read_movielens(path, metadata, likes_from, QUIET)


def day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=timezone.utc)


def ml_1m(folder: Path) -> Path:
    folder.mkdir()
    (folder / "movies.dat").write_bytes(
        "1::Les Misérables (1995)::Drama|Musical\n3952::Up (2009)::Drama\n".encode("latin-1")
    )
    (folder / "ratings.dat").write_bytes(b"1::1::5::978300760\n1::3952::3::978302109\n6040::1::4::956704887\n")
    (folder / "users.dat").write_bytes(b"1::F::1::10::48067\n")
    return folder


def ml_100k(folder: Path) -> Path:
    folder.mkdir()
    (folder / "u.data").write_bytes(b"196\t242\t3\t881250949\n186\t267\t4\t891717742\n22\t242\t5\t878887116\n")
    (folder / "u.genre").write_bytes(b"unknown|0\nAction|1\nComedy|2\n\n")
    (folder / "u.item").write_bytes(
        "242|Kolya é (1996)|24-Jan-1997||http://example.org|0|0|1\n267|unknown||||1|0|0\n".encode("latin-1")
    )
    (folder / "u.user").write_bytes(b"1|24|M|technician|85711\n")
    return folder


def test_reads_the_ml_latest_layout(ml_latest: Callable[..., Path]) -> None:
    catalogue = read(ml_latest())
    toys, amelie, untitled = catalogue.videos
    assert [video.number for video in catalogue.videos] == [1, 2, 10]
    assert amelie.title == "Amélie, again 😂 (2001)"
    assert toys.genres == ["Adventure", "Animation"]
    assert untitled.genres == []
    assert (toys.published_at, untitled.published_at) == (day(1995, 1, 1), None)
    assert (toys.description, toys.maker, toys.performers, toys.tags, toys.price) == (None, None, [], [], None)
    assert catalogue.user.tolist() == [1, 2]
    assert catalogue.video.tolist() == [1, 10]
    assert catalogue.at.tolist() == [964982703_000000, 1000000000_000000]


def test_reads_the_ml_1m_layout_in_its_encoding(tmp_path: Path) -> None:
    catalogue = read(ml_1m(tmp_path / "ml-1m"))
    assert catalogue.videos[0].title == "Les Misérables (1995)"
    assert catalogue.videos[0].genres == ["Drama", "Musical"]
    assert list(zip(catalogue.user.tolist(), catalogue.video.tolist(), strict=True)) == [(1, 1), (6040, 1)]


def test_reads_the_dat_layout_in_utf_8_as_ml_10m_has_it(tmp_path: Path) -> None:
    folder = ml_1m(tmp_path / "ml-10M100K")
    (folder / "movies.dat").write_text("1::Les Misérables (1995)::Drama\n3952::Up (2009)::Drama\n", "utf-8")
    (folder / "ratings.dat").write_bytes(b"1::1::4.5::978300760\n")
    catalogue = read(folder, likes_from=4.5)
    assert catalogue.videos[0].title == "Les Misérables (1995)"
    assert len(catalogue.at) == 1


def test_reads_the_ml_100k_layout_with_its_release_dates(tmp_path: Path) -> None:
    catalogue = read(ml_100k(tmp_path / "ml-100k"))
    kolya, unknown = catalogue.videos
    assert (kolya.title, kolya.genres, kolya.published_at) == ("Kolya é (1996)", ["Comedy"], day(1997, 1, 24))
    assert (unknown.genres, unknown.published_at) == ([], None)
    assert catalogue.user.tolist() == [186, 22]


@pytest.mark.parametrize("inner", ["", "ml-latest-small/"])
def test_a_zip_gives_what_the_folder_gives(ml_latest: Callable[..., Path], tmp_path: Path, inner: str) -> None:
    folder = ml_latest()
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._movies.csv", b"not this one")
        for file in folder.iterdir():
            archive.write(file, inner + file.name)
    of_folder, of_zip = read(folder), read(packed)
    assert of_zip.source == of_folder.source
    assert of_zip.videos == of_folder.videos
    np.testing.assert_array_equal(of_zip.at, of_folder.at)


def test_files_may_sit_in_one_inner_folder(ml_latest: Callable[..., Path]) -> None:
    assert len(read(ml_latest(name="outer/ml").parent).videos) == 3


def test_a_rating_is_a_like_from_the_given_one_on(ml_latest: Callable[..., Path]) -> None:
    folder = ml_latest()
    assert len(read(folder, likes_from=0.5).at) == 4
    assert len(read(folder, likes_from=3.5).at) == 3
    assert len(read(folder, likes_from=5).at) == 1


def test_a_video_is_in_the_catalogue_before_it_is_rated_and_never_since_now(ml_latest: Callable[..., Path]) -> None:
    toys, amelie, untitled = read(ml_latest()).videos
    assert toys.created_at == toys.published_at
    # Rated a year before its title says it came out, and by somebody who did not like it.
    assert amelie.created_at == datetime.fromtimestamp(964982800, timezone.utc)
    assert untitled.created_at == datetime.fromtimestamp(1000000000, timezone.utc)


def test_a_video_that_nobody_rated_and_without_a_year_is_as_old_as_the_data_set(ml_latest: Callable[..., Path]) -> None:
    folder = ml_latest(ratings=b"userId,movieId,rating,timestamp\n1,1,4.0,964982703\n")
    assert read(folder).videos[2].created_at == datetime.fromtimestamp(964982703, timezone.utc)


def test_ids_stay_when_the_data_set_moves_or_grows_and_differ_between_data_sets(
    ml_latest: Callable[..., Path], tmp_path: Path
) -> None:
    folder = ml_latest()
    source = read(folder).source
    with (folder / "ratings.csv").open("ab") as file:
        file.write(b"3,1,4.0,1000000002\r\n")
    assert read(folder.rename(tmp_path / "elsewhere")).source == source
    assert read(ml_100k(tmp_path / "ml-100k")).source != source
    assert read(ml_latest(ratings=b"userId,movieId,rating,timestamp\n1,1,4.0,5\n", name="other")).source != source


def test_metadata_needs_a_layout_with_links(tmp_path: Path, ml_latest: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match=r"ml-1m layout .* has no TMDB ids"):
        read(ml_1m(tmp_path / "ml-1m"), metadata=tmp_path / "tmdb.csv")
    with pytest.raises(InputError, match=r"lacks links\.csv"):
        read(ml_latest(links=None), metadata=tmp_path / "tmdb.csv")


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("Up (2009)", 2009),
        ("Up (2009) ", 2009),
        ("Dragons (2006–2007)", 2006),
        ("Up (2009-)", 2009),
        ("1984", None),
        ("2001 (a space odyssey)", None),
        ("Up (0000)", None),
    ],
)
def test_year_of_a_title(title: str, year: int | None) -> None:
    assert year_of(title) == year


def test_a_byte_order_mark_and_other_columns_do_no_harm(ml_latest: Callable[..., Path]) -> None:
    ratings = b"\xef\xbb\xbftimestamp,userId,movieId,source,rating\r\n964982703,1,1,web,4.0\r\n"
    movies = b"\xef\xbb\xbftitle,movieId,genres\r\nToy Story (1995),1,Drama\r\n"
    catalogue = read(ml_latest(ratings=ratings, movies=movies))
    assert (catalogue.user.tolist(), catalogue.videos[0].title) == ([1], "Toy Story (1995)")
