"""Opens a results file, plain or packed, and turns its rows into values."""

import csv
import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from .cells import CellError
from .problems import DataError
from .schema import SCHEMAS, Column

# An hour of requests is one cell of several megabytes; the default limit is 128 KB.
csv.field_size_limit(sys.maxsize)

ENDINGS = (".csv", ".csv.zip", ".zip", ".csv.gz", ".gz")
GIT_POINTER = "version https://git-lfs"


def find(folder: Path, name: str) -> Path | None:
    """The file of that name in whatever packing, or None."""
    for ending in ENDINGS:
        path = folder / (name + ending)
        if path.is_file():
            return path
    return None


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """The text of a file, unpacked on the way."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only_table(path, archive)) as raw:
                yield io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        elif path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as text:
                yield text
        else:
            with path.open(encoding="utf-8-sig", newline="") as text:
                yield text
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(path, f"can't be unpacked: {error}") from None
    except UnicodeDecodeError:
        raise DataError(path, "is not UTF-8 text") from None
    except OSError as error:
        raise DataError(path, f"can't be read: {error.strerror or error}") from None


def _only_table(path: Path, archive: zipfile.ZipFile) -> str:
    tables = [
        name for name in archive.namelist() if name.endswith(".csv") and not name.startswith("__MACOSX/")
    ]
    if len(tables) != 1:
        raise DataError(path, f"should hold one .csv, holds {len(tables)}")
    return tables[0]


# Where a column is in a file that has it.
Place = tuple[int | None, Column]


class RawRow:
    """A row whose cells are turned into values when they are asked for: most cells of experiment 4 never are."""

    __slots__ = ("path", "number", "_cells", "_places")

    def __init__(self, path: Path, number: int, texts: list[str], places: dict[str, Place]):
        self.path, self.number, self._cells, self._places = path, number, texts, places

    def __getitem__(self, column: str) -> Any:
        index, description = self._places[column]
        text = "" if index is None else self._cells[index].strip()
        if text == "":
            if description.optional:
                return None
            raise self.error(column, "is empty")
        try:
            return description.form(text)
        except CellError as error:
            raise self.error(column, str(error)) from None

    def error(self, column: str | None, reason: str) -> DataError:
        return DataError(self.path, reason, row=self.number, column=column)


def rows(path: Path, name: str, schema: list[Column] | None = None) -> Iterator[RawRow]:
    """The rows of a file, counted from 1 without the header; a name of the thesis's implies its columns."""
    with opened(path) as text:
        reader = csv.reader(text, strict=True)
        try:
            header = next(reader, None)
            places = _places(path, schema or SCHEMAS[name], header)
            for number, texts in enumerate(reader, 1):
                if len(texts) != len(header):
                    raise DataError(path, f"has {len(texts)} cells, the header {len(header)}", row=number)
                yield RawRow(path, number, texts, places)
        except csv.Error as error:
            raise DataError(path, f"is not CSV: line {reader.line_num}: {error}") from None


def _places(path: Path, schema: list[Column], header: list[str] | None) -> dict[str, Place]:
    if not header:
        raise DataError(path, "is empty")
    if header[0].startswith(GIT_POINTER):
        raise DataError(path, "is a pointer of Git LFS, not the data it points to")
    names = [column.strip() for column in header]
    absent = [column.name for column in schema if column.name not in names and not column.late]
    if absent:
        raise DataError(path, "the header doesn't have it", column=absent[0])
    return {
        column.name: (names.index(column.name) if column.name in names else None, column) for column in schema
    }


def read(path: Path, name: str, schema: list[Column] | None = None) -> pd.DataFrame:
    """A whole file. Empty cells of numbers become NaN, of lists and texts None."""
    columns: dict[str, list[Any]] = {column.name: [] for column in schema or SCHEMAS[name]}
    numbers: list[int] = []
    for row in rows(path, name, schema):
        for column, values in columns.items():
            values.append(row[column])
        numbers.append(row.number)
    frame = pd.DataFrame({column: _series(values) for column, values in columns.items()})
    frame["row"] = pd.Series(numbers, dtype=int)
    return frame


def _series(values: list[Any]) -> pd.Series:
    # Arrays of equal length would become columns of their own if pandas could choose.
    if all(value is None or isinstance(value, (int, float)) for value in values):
        if any(value is None for value in values) or any(type(value) is float for value in values):
            return pd.Series(values, dtype=float)
        return pd.Series(values)
    return pd.Series(values, dtype=object)
