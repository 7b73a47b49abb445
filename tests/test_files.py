import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tfrs_pipeline.errors import InputError
from tfrs_pipeline.files import disk_errors, whole_file, whole_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow past 1,000 bytes, those that pytest writes included; the block meets that as a sentence."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"The disk is full: .*/(file|folder) could not be written"):
            yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    with whole_file(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["file"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_file_stays_as_it_was_whatever_happens_in_the_block(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write() -> None:
        with whole_file(path) as partial:
            partial.write_text("half of")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_folder_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    for content in ("first", "second"):
        with whole_folder(path) as partial:
            (partial / content).mkdir()
            (partial / content / "file").write_text(content)
    assert names(tmp_path) == ["file", "folder", "second"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_folder_stays_as_it_was_whatever_happens_in_the_block(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()

    def write() -> None:
        with whole_folder(path) as partial:
            (partial / "half").touch()
            raise error

    with pytest.raises(error):
        write()
    assert names(tmp_path) == ["folder", "old"]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken disk"), KeyboardInterrupt()])
def test_a_folder_is_put_back_when_the_exchange_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if target == path and ".previous" not in self.name:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(type(error)), whole_folder(path) as partial:
        (partial / "new").touch()
    assert names(tmp_path) == ["folder", "old"]


def test_a_full_disk_is_one_sentence_and_nothing_is_left(tmp_path: Path) -> None:
    with full_disk(), whole_file(tmp_path / "file") as partial:
        partial.write_bytes(b"x" * 2_000)
    with full_disk(), whole_folder(tmp_path / "folder") as partial:
        (partial / "large").write_bytes(b"x" * 2_000)
    assert names(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_really_full_is_one_sentence(tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)], check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(InputError, match="The disk is full"), whole_file(tmp_path / "file") as partial:
            partial.write_bytes(b"x" * 100_000)
        assert names(tmp_path) == []
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_forbidden_place_is_one_sentence(tmp_path: Path, number: int) -> None:
    with pytest.raises(InputError, match=r"may not be written\. Choose a folder"), disk_errors(tmp_path):
        raise OSError(number, "no")


def test_another_error_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="elsewhere"), disk_errors(tmp_path):
        raise OSError(errno.EIO, "elsewhere")
