"""One file of an archive: consecutive records of one partition, as Parquet.

Owns the columns and what the footer says beside them. Any reader of Parquet can read the records as they are.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

# Only who has an archive needs pyarrow, so it is imported where it is used.
if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
_NOTE = b"encore"
_ROW_GROUP = 50_000
_TYPES = (None, "CreateTime", "LogAppendTime")
_READ = ["partition", "offset", "timestamp_ms", "key", "value"]

Gap = tuple[int, int]
"""Offsets that Kafka had forgotten before they were archived: the first one, and the one after the last."""


class Unreadable(Exception):
    """The file is none of an archive."""


class Footer(NamedTuple):
    """What a file's footer says. The file holds every record from offset `first` to below `next_offset`, less `gaps`.

    `stream_time_ms`: the partition's largest timestamp until then, -1 before any. `topic_id`: Kafka's id of the topic.
    `rewritten`: how often it was written anew without a forgotten household's records.
    """

    first: int
    next_offset: int
    records: int
    stream_time_ms: int
    topic_id: str
    gaps: tuple[Gap, ...] = ()
    rewritten: int = 0


class ArchivedRecord(NamedTuple):
    """A record as the topic had it, so far as it can change a state. `timestamp`: milliseconds."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@cache
def schema() -> pa.Schema:
    """The columns."""
    import pyarrow as pa

    return pa.schema(
        [
            ("partition", pa.int32()),
            ("offset", pa.int64()),
            ("timestamp_ms", pa.int64()),
            ("timestamp_type", pa.string()),
            ("key", pa.binary()),
            ("value", pa.binary()),
            ("headers", pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())]))),
        ]
    )


def table_of(partition: int, messages: Sequence[Any]) -> pa.Table:
    """Kafka messages of one partition as columns."""
    import pyarrow as pa

    stamps = [message.timestamp() for message in messages]
    columns = [
        [partition] * len(messages),
        [message.offset() for message in messages],
        [stamp[1] for stamp in stamps],
        [_TYPES[stamp[0]] for stamp in stamps],
        [message.key() for message in messages],
        [message.value() for message in messages],
        [_headers(message.headers()) for message in messages],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema(), strict=True)]
    return pa.table(arrays, schema=schema())


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of one table after those of another."""
    import pyarrow as pa

    return pa.concat_tables(tables)


def _headers(headers: list[tuple[str, bytes | None]] | None) -> list[tuple[str, bytes | None]] | None:
    # None for no headers, as Kafka does not tell an empty list from none.
    return headers or None


def written(table: pa.Table, footer: Footer) -> bytes:
    """A whole file."""
    import pyarrow.parquet as pq

    note = json.dumps({"format": FORMAT, **footer._asdict()}).encode()
    out = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({_NOTE: note}),
        out,
        row_group_size=_ROW_GROUP,
        compression="zstd",
        use_dictionary=["partition", "timestamp_type", "key"],
        column_encoding={"offset": "DELTA_BINARY_PACKED", "timestamp_ms": "DELTA_BINARY_PACKED"},
    )
    return out.getvalue()


def read_footer(file: BinaryIO) -> Footer:
    """A file's footer. Raises `Unreadable`."""
    return _opened(file)[1]


def read_table(file: BinaryIO) -> tuple[pa.Table, Footer]:
    """All columns, and the footer. Raises `Unreadable`."""
    opened, footer = _opened(file)
    return opened.read(), footer


def read_records(file: BinaryIO, start: int, end: int) -> Iterator[ArchivedRecord]:
    """The records at offsets from `start` to below `end`, in order. Raises `Unreadable`."""
    import pyarrow as pa

    opened, _ = _opened(file)
    for group in range(opened.num_row_groups):
        span = opened.metadata.row_group(group).column(schema().get_field_index("offset")).statistics
        if span is not None and (span.max < start or span.min >= end):
            continue
        try:
            columns = opened.read_row_group(group, columns=_READ)
        except (pa.ArrowException, OSError) as problem:
            raise Unreadable(f"cannot be read, perhaps as it was replaced meanwhile (try again): {problem}") from None
        for record in map(ArchivedRecord, *(column.to_pylist() for column in columns.itercolumns())):
            if start <= record.offset < end:
                yield record


def count_of(file: BinaryIO, key: bytes, end: int) -> int:
    """How many records below an offset have this key. Raises `Unreadable`."""
    opened, _ = _opened(file)
    return int(_are_of(opened.read(columns=["offset", "key"]), key, end).count(True))


def without(table: pa.Table, key: bytes, end: int) -> pa.Table:
    """The records, less those below an offset that have this key."""
    are_of = _are_of(table, key, end)
    return table.filter([not is_of for is_of in are_of])


def _are_of(table: pa.Table, key: bytes, end: int) -> list[bool]:
    offsets, keys = table.column("offset").to_pylist(), table.column("key").to_pylist()
    return [each == key and offset < end for offset, each in zip(offsets, keys, strict=True)]


def _opened(file: BinaryIO) -> tuple[Any, Footer]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        opened = pq.ParquetFile(file)
        note = json.loads((opened.schema_arrow.metadata or {})[_NOTE])
        if note.pop("format") != FORMAT:
            raise Unreadable("is of another format: it was written by a newer Encore")
        note["gaps"] = tuple((start, end) for start, end in note["gaps"])
        return opened, Footer(**note)
    except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as problem:
        raise Unreadable(f"is no file of an archive: {problem}") from None
