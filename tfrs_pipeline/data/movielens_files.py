"""The files of a data set, whether it is a folder or a zip; and text files read so that a fault has a line number."""

import codecs
import contextlib
import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tfrs_pipeline.errors import InputError

_LOOKS_CUT = "The file looks cut off: fetch it again (or, if its last line is whole, end that line with a line break)."


@dataclass(frozen=True)
class DataSet:
    """Files by name, all from one folder of a directory or a zip.

    Attributes:
        path: what the user gave.
        files: name of each file to its path in the folder or the zip.
        sizes: name of each file to its size in bytes, unpacked.
    """

    path: Path
    files: dict[str, str]
    sizes: dict[str, int]

    def __contains__(self, name: str) -> bool:
        return name in self.files

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for reading from its start.

        Raises:
            InputError: the file cannot be read, or the zip is damaged; also while reading inside the block.
        """
        try:
            if self.path.is_dir():
                with open(self.files[name], "rb") as file:
                    yield file
            else:
                with zipfile.ZipFile(self.path) as archive, self._unpacked(archive, name) as file:
                    yield file
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputError(f"{name} in {self.path} is damaged ({error}). Fetch the zip again.") from error
        except PermissionError as error:
            raise InputError(f"{name} in {self.path} may not be read by this user.") from error

    def _unpacked(self, archive: zipfile.ZipFile, name: str) -> BinaryIO:
        try:
            return archive.open(self.files[name])  # type: ignore[return-value]
        except (RuntimeError, NotImplementedError) as error:  # A password, or a compression that Python does not know.
            raise InputError(
                f"{name} in {self.path} cannot be unpacked ({error}). Unpack it and name the folder."
            ) from error

    def text(self, name: str, *, latin_1: bool = False) -> str:
        """The whole file as text; see `decode`.

        Raises:
            InputError: it breaks off within a line. MovieLens ends every line, so a last one without an end was cut.
        """
        with self.open(name) as file:
            text = decode(file.read(), name, latin_1=latin_1)
        if not text.endswith("\n"):
            raise cut_off(name, text.count("\n") + 1)
        return text


def open_data_set(path: Path, wanted: Sequence[Sequence[str]]) -> DataSet:
    """Find the files of a data set in `path` or in one folder inside it.

    Args:
        path: a folder or a zip.
        wanted: the names that have to be there together, for each kind of data set that would do.

    Raises:
        InputError: there is no such path, it is neither, or no kind's files are there.
    """
    try:
        found = _sizes(path)
    except PermissionError as error:
        raise InputError(f"{path} may not be read by this user.") from error
    folders: dict[str, dict[str, str]] = {}
    for name in found:
        folder, _, base = name.rpartition("/")
        if "/" not in folder and folder != "__MACOSX" and not base.startswith("."):
            folders.setdefault(folder, {})[base] = name
    whole = {
        folder: files
        for folder, files in folders.items()
        if any(all(name in files for name in names) for names in wanted)
    }
    if len(whole) > 1 and "" not in whole:
        raise InputError(f"{path} holds several data sets ({', '.join(sorted(whole))}). Name the folder of one.")
    if whole:
        files = whole.get("") or next(iter(whole.values()))
        sizes = {base: found[name] for base, name in files.items()}
        if path.is_dir():
            files = {base: str(path / name) for base, name in files.items()}
        return DataSet(path, files, sizes)
    there = sorted({base for files in folders.values() for base in files})
    for names in wanted:
        missing = [name for name in names if name not in there]
        if len(missing) < len(names):
            where = "beside it" if len(missing) == len(names) - 1 else "beside them"
            present = " and ".join(name for name in names if name in there)
            raise InputError(
                f"{path} lacks {' and '.join(missing)}: a data set with {present} has it {where}."
                if missing
                else f"{path} holds {present} in different folders. They have to be in one."
            )
    choices = ", or ".join(" and ".join(names) for names in wanted)
    raise InputError(
        f"{path} is not a MovieLens data set: it should hold {choices}. "
        + (f"It holds {', '.join(there[:8])}{' ...' if len(there) > 8 else ''}." if there else "It holds no files.")
    )


def _sizes(path: Path) -> dict[str, int]:
    """Each file of a folder and of the folders in it, or of a zip, with its size."""
    if path.is_dir():
        return {file.relative_to(path).as_posix(): file.stat().st_size for file in _files_of(path)}
    if not path.is_file():
        raise InputError(f"{path} does not exist. Give the folder or the zip of a MovieLens data set.")
    try:
        with zipfile.ZipFile(path) as archive:
            return {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}
    except zipfile.BadZipFile as error:
        raise InputError(
            f"{path} is not a whole zip ({error}). Give a MovieLens folder or zip; if the download broke off, "
            "fetch it again."
        ) from error


def _files_of(path: Path) -> Iterator[Path]:
    for entry in path.iterdir():
        if entry.is_file():
            yield entry
        elif entry.is_dir() and not entry.name.startswith("."):
            with contextlib.suppress(PermissionError):
                yield from (inner for inner in entry.iterdir() if inner.is_file())


def decode(data: bytes, name: str, *, latin_1: bool = False) -> str:
    """Bytes of a text file as text.

    Args:
        latin_1: the file's format has Latin-1. A file that is UTF-8 all the same, as some copies are, is taken as such:
            text with letters beyond ASCII that was written as Latin-1 is practically never valid UTF-8.

    Raises:
        InputError: the file is empty, in another encoding, or holds a NUL.
    """
    if not data.strip():
        raise InputError(f"{name} is empty. Fetch the data set again.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{name} line 1: the file is UTF-16. Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not latin_1:
            line = data.count(b"\n", 0, error.start) + 1
            raise InputError(
                f"{name} line {line}: byte 0x{data[error.start]:02x} is not UTF-8. Save the file as UTF-8 "
                "(it may be Latin-1 or Windows-1252 now)."
            ) from error
        text = data.decode("latin-1")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InputError(f"{name} line {line}: there is a NUL character, which Postgres cannot store. Remove it.")
    return text


def cut_off(name: str, line: int) -> InputError:
    """The sentence for a file that ends within a line."""
    return InputError(f"{name} breaks off within line {line}. {_LOOKS_CUT}")


def whole_number(text: str, largest: int) -> int | None:
    """The number that `text` writes in plain digits, from 0 to `largest`; None if it does not."""
    text = text.strip()
    # The length first: Python refuses to read thousands of digits.
    if text.isascii() and text.isdigit() and len(text) <= 20 and int(text) <= largest:
        return int(text)
    return None


def csv_rows(text: str, name: str, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, row) for each row of a CSV text with a header.

    Args:
        columns: what the header has to hold; there may be more, in any order.

    Raises:
        InputError: the header lacks a column, or a row has not as many fields as the header.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [field.strip() for field in next(reader)]
        missing = [column for column in columns if column not in header]
        if missing:
            raise InputError(
                f"{name} line 1: the header lacks {', '.join(missing)}. "
                f"The first line has to name the columns, {','.join(columns)} among them."
            )
        line = reader.line_num + 1
        for row in reader:
            if row:
                if len(row) != len(header):
                    raise InputError(
                        f"{name} line {line}: {len(row)} fields, where the header has {len(header)}. "
                        "Text that holds a comma has to be in double quotes."
                    )
                yield line, dict(zip(header, row, strict=True))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{name} line {reader.line_num}: {error}. The file has to be a well-formed CSV.") from error
