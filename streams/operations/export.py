"""Counters as a file: CSV, or Parquet for those who load millions of rows elsewhere.

Owns what can be exported, and the columns of a Parquet file. A file is there as a whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol, get_args

import msgspec

from streams.api.csv_rows import csv_head, csv_rows
from streams.reader import Age, AudienceWeek, Day, Franchise, Listing, Reader, Title, Week
from streams.reader.results import Read

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 100

Rows = Iterable[Read]


class ExportFailed(Exception):
    """There is no file. The message is one line."""


class ExportedDays(NamedTuple):
    """The UTC days of an export, both included."""

    first: date
    last: date


class Exported(NamedTuple):
    """What can be exported: the type of its rows, and those of some ids. `ids` lists them."""

    row: type[Read]
    rows: Callable[[Reader, Sequence[str], ExportedDays], Rows]
    ids: Callable[[Reader, str, int], Listing] = Reader.title_ids


def _of_each(
    read: Callable[[Reader, str, ExportedDays], Rows],
) -> Callable[[Reader, Sequence[str], ExportedDays], Rows]:
    return lambda reader, ids, days: (row for title_id in ids for row in read(reader, title_id, days))


EXPORTED = {
    "titles": Exported(Title, lambda reader, ids, _: reader.titles(ids).values()),
    "franchises": Exported(Franchise, lambda reader, ids, _: reader.franchises(ids).values(), Reader.franchise_ids),
    "ages": Exported(Age, _of_each(lambda reader, title_id, _: reader.ages(title_id))),
    "weeks": Exported(Week, _of_each(lambda reader, title_id, _: reader.weeks(title_id))),
    "days": Exported(Day, _of_each(lambda reader, title_id, days: reader.days(title_id, *days))),
    "audience": Exported(AudienceWeek, _of_each(lambda reader, title_id, _: reader.audience(title_id))),
}


class Sheet(Protocol):
    """A file that rows are written into."""

    def write(self, rows: Sequence[Read]) -> None: ...

    def close(self) -> None: ...


class CsvSheet:
    """A file of CSV, with a line of names."""

    def __init__(self, kind: type[Read], out: BinaryIO) -> None:
        self._out = out
        out.write(csv_head(kind))

    def write(self, rows: Sequence[Read]) -> None:
        self._out.write(csv_rows(rows))

    def close(self) -> None:
        pass


class ParquetSheet:
    """A Parquet file. A column may be null if the result's field may be `None`."""

    def __init__(self, kind: type[Read], out: BinaryIO) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._schema, self._table_of = columns(kind), pa.Table.from_pylist
        self._writer = pq.ParquetWriter(out, self._schema, compression="zstd")

    def write(self, rows: Sequence[Read]) -> None:
        self._writer.write_table(self._table_of([row.as_dict() for row in rows], schema=self._schema))

    def close(self) -> None:
        self._writer.close()


FORMATS: dict[str, Callable[[type[Read], BinaryIO], Sheet]] = {"csv": CsvSheet, "parquet": ParquetSheet}


def columns(kind: type[Read]) -> pa.Schema:
    """The columns of a result's Parquet file: its fields, in their order."""
    import pyarrow as pa

    types = {int: pa.int64(), float: pa.float64(), str: pa.string(), bool: pa.bool_()}
    found = []
    for field in msgspec.structs.fields(kind):
        (of,) = set(get_args(field.type) or (field.type,)) - {NoneType}
        found.append(pa.field(field.name, types[of], nullable=NoneType in get_args(field.type)))
    return pa.schema(found)


def export(reader: Reader, what: str, form: str, file: Path, days: ExportedDays) -> int:
    """Write all rows into a file; how many there are. Raises `ReaderError`, `ExportFailed` and OSError."""
    exported = EXPORTED[what]
    number = 0
    with _replaced(file) as out:
        sheet = FORMATS[form](exported.row, out)
        for rows in _batches(reader, exported, days):
            sheet.write(rows)
            number += len(rows)
        sheet.close()
    return number


def _batches(reader: Reader, exported: Exported, days: ExportedDays) -> Iterator[list[Read]]:
    ids, prefix = exported.ids(reader, "", AT_ONCE).ids, reader.prefix
    while ids:
        yield list(exported.rows(reader, ids, days))
        ids = exported.ids(reader, ids[-1], AT_ONCE).ids
        if reader.prefix != prefix:
            raise ExportFailed(f"readers were moved from {prefix} to {reader.prefix} meanwhile: export it again")


@contextmanager
def _replaced(file: Path) -> Iterator[Any]:
    """A file that takes the place of another one once it is whole."""
    new = file.with_name(f"{file.name}.part")
    try:
        with new.open("wb") as out:
            yield out
        new.replace(file)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
