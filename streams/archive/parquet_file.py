"""One file of an archive: consecutive records of one partition, as Parquet.

Owns the columns and what the footer says beside them. Any reader of Parquet can read the records: as they are, or under
pseudonyms.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from models.pseudonymous_record import PseudonymousRecord

# Only who has an archive needs pyarrow, so it is imported where it is used.
if TYPE_CHECKING:
    import pyarrow as pa

FORMAT, PSEUDONYMOUS_FORMAT = 1, 2
"""Who knows no pseudonyms in an archive must not count such a file as if its keys were the source's."""

_NOTE = b"encore"
_ROW_GROUP = 50_000
_TYPES = (None, "CreateTime", "LogAppendTime")
_REPEATED = ("partition", "timestamp_type", "key", "refusal")
_READ = ["partition", "offset", "timestamp_ms", "key", "value"]

Gap = tuple[int, int]
"""Offsets that Kafka had forgotten before they were archived: the first one, and the one after the last."""


class UnreadableFile(Exception):
    """The file is none of an archive."""


class Footer(NamedTuple):
    """What a file's footer says. The file holds every record from offset `first` to below `next_offset`, less `gaps`.

    `stream_time_ms`: the partition's largest timestamp until then, -1 before any. `topic_id`: Kafka's id of the topic.
    `rewritten`: how often it was written anew without a forgotten household's records. `pseudonyms`: the fingerprint of
    the key by which households are named; empty: the records are as the topic had them.
    """

    first: int
    next_offset: int
    records: int
    stream_time_ms: int
    topic_id: str
    gaps: tuple[Gap, ...] = ()
    rewritten: int = 0
    pseudonyms: str = ""


class ArchivedRecord(NamedTuple):
    """A record as the topic had it, so far as it can change a state. `timestamp`: milliseconds."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


Archived = ArchivedRecord | PseudonymousRecord


@cache
def schema() -> pa.Schema:
    """The columns."""
    import pyarrow as pa

    return pa.schema(
        [
            *_place(),
            ("timestamp_type", pa.string()),
            ("key", pa.binary()),
            ("value", pa.binary()),
            ("headers", pa.list_(pa.struct([("name", pa.string()), ("value", pa.binary())]))),
        ]
    )


@cache
def pseudonymous_schema() -> pa.Schema:
    """The columns under pseudonyms: the fields of a `PseudonymousRecord`."""
    import pyarrow as pa

    return pa.schema(
        [
            *_place(),
            ("key", pa.binary()),
            ("value", pa.binary()),
            ("value_bytes", pa.int64()),
            ("is_misrouted", pa.bool_()),
            ("refusal", pa.string()),
        ]
    )


def _place() -> list[tuple[str, Any]]:
    import pyarrow as pa

    return [("partition", pa.int32()), ("offset", pa.int64()), ("timestamp_ms", pa.int64())]


def table_of(partition: int, messages: Sequence[Any]) -> pa.Table:
    """Kafka messages of one partition as columns."""
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
    return _table(columns, schema())


def pseudonymous_table_of(records: Sequence[PseudonymousRecord]) -> pa.Table:
    """Records under pseudonyms as columns."""
    return _table(list(zip(*records, strict=True)), pseudonymous_schema())


def _table(columns: Sequence[Sequence[Any]], columns_schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    arrays = [pa.array(column, field.type) for column, field in zip(columns, columns_schema, strict=True)]
    return pa.table(arrays, schema=columns_schema)


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

    note = {"format": PSEUDONYMOUS_FORMAT if footer.pseudonyms else FORMAT, **footer._asdict()}
    if not footer.pseudonyms:
        del note["pseudonyms"]  # as former versions write it, which read it, too
    out = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({_NOTE: json.dumps(note).encode()}),
        out,
        row_group_size=_ROW_GROUP,
        compression="zstd",
        use_dictionary=[name for name in _REPEATED if name in table.column_names],
        column_encoding={"offset": "DELTA_BINARY_PACKED", "timestamp_ms": "DELTA_BINARY_PACKED"},
    )
    return out.getvalue()


def read_footer(file: BinaryIO) -> Footer:
    """A file's footer. Raises `UnreadableFile`."""
    return _opened(file)[1]


def read_table(file: BinaryIO) -> tuple[pa.Table, Footer]:
    """All columns, and the footer. Raises `UnreadableFile`."""
    opened, footer = _opened(file)
    return opened.read(), footer


def read_records(file: BinaryIO, start: int, end: int) -> Iterator[Archived]:
    """The records at offsets from `start` to below `end`, in order. Raises `UnreadableFile`."""
    import pyarrow as pa

    opened, footer = _opened(file)
    names = pseudonymous_schema().names if footer.pseudonyms else _READ
    record_of: Callable[..., Archived] = PseudonymousRecord if footer.pseudonyms else ArchivedRecord
    for group in range(opened.num_row_groups):
        span = opened.metadata.row_group(group).column(schema().get_field_index("offset")).statistics
        if span is not None and (span.max < start or span.min >= end):
            continue
        try:
            columns = opened.read_row_group(group, columns=names)
        except (pa.ArrowException, OSError) as problem:
            raise UnreadableFile(
                f"cannot be read, perhaps as it was replaced meanwhile (try again): {problem}"
            ) from None
        for record in map(record_of, *(column.to_pylist() for column in columns.itercolumns())):
            if start <= record.offset < end:
                yield record


def count_of(file: BinaryIO, key: bytes, end: int) -> int:
    """How many records below an offset have this key. Raises `UnreadableFile`."""
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
        if note.pop("format") != (PSEUDONYMOUS_FORMAT if note.get("pseudonyms") else FORMAT):
            raise UnreadableFile("has another format: it was written by a newer Encore")
        note["gaps"] = tuple((start, end) for start, end in note["gaps"])
        return opened, Footer(**note)
    except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as problem:
        raise UnreadableFile(f"is no file of an archive: {problem}") from None
