"""Writes and reads the titles topic, outside the worker.

Owns files of title rows. Whoever only reads one needs no client of Kafka, so those are imported late.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from models.catalog import BadTitle, CatalogRow, read_title
from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.topics import KafkaFailed

NOW = 0
"""A record timestamp that the producer replaces with the time of sending."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BadTitleRow:
    """A row of a file that is not a title: its line (from 1) and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


def write_titles(settings: Settings, kafka: KafkaAddress, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows to the titles topic, keyed by `title_id`. Returns their number. Raises `SendFailed`.

    Ctrl-C ends it between two rows; then it raises KeyboardInterrupt, as the catalog is not whole.
    """
    from streams.kafka.producer import Outgoing, send

    records = (Outgoing(0, row["title_id"].encode(), msgspec.json.encode(row), NOW) for row in rows)
    sent = send(records, kafka, settings.titles_topic, stamp=False)
    if sent.interrupted:
        raise KeyboardInterrupt
    return sent.events


def stored_titles(settings: Settings, kafka: KafkaAddress) -> dict[str, Row]:
    """The latest row of each title in the titles topic; unreadable rows are skipped. Raises `KafkaFailed`."""
    from streams.kafka.reader import CannotRead, read_all

    records = ((record.key(), record.value()) for record in read_all(kafka, settings.titles_topic))
    try:
        return latest_titles(records)
    except CannotRead as problem:
        raise KafkaFailed(str(problem)) from None


def latest_titles(records: Iterable[tuple[bytes | None, bytes | None]]) -> dict[str, Row]:
    """The same, from keys and values of the titles topic in log order."""
    rows: dict[str, Row] = {}
    for key, value in records:
        if value is None:
            rows.pop((key or b"").decode(errors="replace"), None)
            continue
        try:
            title = read_title(key, value)
        except BadTitle:
            continue
        rows[title.title_id] = _whole(value, title)
    return rows


def _whole(value: bytes, title: CatalogRow) -> Row:
    """A title's row with its unknown fields; without them if they hold numbers beyond a double."""
    try:
        return msgspec.json.decode(value, type=Row)
    except msgspec.ValidationError:
        return {name: field for name, field in msgspec.structs.asdict(title).items() if field is not None}


def read_rows(content: bytes) -> tuple[list[Row], list[BadTitleRow]]:
    """The titles of a file (JSON lines or one JSON array), and its bad rows."""
    rows: list[Row] = []
    bad: list[BadTitleRow] = []
    for line, value in _elements(content) if content.lstrip().startswith(b"[") else _lines(content):
        try:
            rows.append(_title(value))
        except BadTitle as problem:
            bad.append(BadTitleRow(line, str(problem)))
    return rows, bad


def _title(value: bytes) -> Row:
    try:
        row = msgspec.json.decode(value, type=Row)
        written = msgspec.json.encode(row)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        raise BadTitle(str(problem)) from None
    read_title(str(row.get("title_id", "")).encode(), written)
    return row


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield number, line


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a JSON array, each with the line on which it begins; a broken rest is one element."""
    text = content.decode(errors="surrogateescape")
    decoder, at, line, counted = json.JSONDecoder(), text.index("[") + 1, 1, 0
    while (at := _past_blanks(text, at)) < len(text) and text[at] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = len(text)
        yield line, text[at:end].encode(errors="surrogateescape")
        at = _past_blanks(text, end)
        at += text[at : at + 1] == ","


_BLANKS = re.compile(r"[ \t\r\n]*")


def _past_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at
