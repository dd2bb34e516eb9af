"""Everything that reads bytes from outside, as targets for fuzzing: what is fed in, and what must hold of it.

A target takes any bytes and says whether anything in them was read. Only the one named error may leave a decoder,
so a target raises where another does, and where something that was read breaks a promise: another reading of
the same rules (`streams.verify`) disagrees, an importer made a record that is no event, a reason has two lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from models.catalog import BadTitle, read_title
from models.events import BadEvent
from models.reading import read_event
from models.sources.netflix_playback_related_events import COLUMNS
from models.sources.reading import FileOwner, NotImportable
from models.sources.schemas import schemas
from models.sources.told import LEFT_OUT, REJECTED, Rejected, Schema
from models.sources.translator import Translator
from streams.config.zones import installed_zones
from streams.operations.imports import read_import
from streams.operations.titles import latest_titles, read_rows
from streams.state.zone_records import read_zone, zone_message
from streams.verify.recomputation import readable_title
from streams.verify.records import UnreadableRecord
from streams.verify.records import read_event as read_independently
from streams.verify.zones import stored_zone

HOUSEHOLD, TITLE_ID = "home", "film"
VIEWER = FileOwner(HOUSEHOLD, "Europe/Berlin", frozenset({"Mia"}), {"Paper Boats": "paper-boats"})


class Target(NamedTuple):
    """A decoder: `read` says whether it read anything; valid inputs to begin with; words of its format."""

    read: Callable[[bytes], bool]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]


# -- zone data in the state --------------------------------------------------------------------------------------


def zone_row(value: bytes) -> bool:
    """The value of a control row: the zone data that a worker wrote to both readings, or damaged to both."""
    found = [_zone_data(read, value) for read in (read_zone, stored_zone)]
    assert found == [value[32:] if value in ZONE_ROWS else None] * 2, "zone data that no worker wrote"
    return found[0] is not None


def _zone_data(read: Callable[[bytes], bytes], value: bytes) -> bytes | None:
    try:
        return read(value)
    except ValueError as problem:
        _is_one_line(problem)
        return None


# -- an event, a title ------------------------------------------------------------------------------------------


def event(value: bytes) -> bool:
    """A record of the household `HOUSEHOLD`: an event to both readings, with the same fields, or to none."""
    key = HOUSEHOLD.encode()
    try:
        read = read_event(key, value)
    except BadEvent as problem:
        _is_one_line(problem)
        assert _independently(key, value) is None, "a dead letter for one reading only"
        return False
    given = {name: field for name, field in msgspec.structs.asdict(read).items() if field is not None}
    assert given == _independently(key, value), "the two readings differ"
    assert msgspec.structs.asdict(read_event(key, msgspec.json.encode(read))) == msgspec.structs.asdict(read)
    return True


def _independently(key: bytes, value: bytes) -> dict[str, Any] | None:
    try:
        return read_independently(key, value)
    except UnreadableRecord:
        return None


def title(value: bytes) -> bool:
    """A row of the title `TITLE_ID`: a title to both readings or to none; and the stored one, however odd."""
    key = TITLE_ID.encode()
    try:
        read = read_title(key, value)
    except BadTitle as problem:
        _is_one_line(problem)
        assert readable_title(key, value) is None, "a bad title for one reading only"
        assert latest_titles([(key, value)]) == {}
        return False
    assert readable_title(key, value) == TITLE_ID
    (stored,) = latest_titles([(key, value)]).values()
    assert read_title(key, msgspec.json.encode(stored)) == read
    return True


# -- files --------------------------------------------------------------------------------------------------------


def titles_file(content: bytes) -> bool:
    """A file of title rows: each row is reported, or is a title as it will be written."""
    rows, bad = read_rows(content)
    for problem in bad:
        _is_one_line(problem)
        assert 1 <= problem.line <= 1 + content.count(b"\n") + content.count(b"\r")
    for row in rows:
        read_title(row["title_id"].encode(), msgspec.json.encode(row))
    return bool(rows)


class InMemory:
    """A file that is nowhere."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self, mode: str) -> BytesIO:
        assert mode == "rb"
        return BytesIO(self.content)

    def __str__(self) -> str:
        return "export.csv"


def netflix_export(content: bytes) -> bool:
    """An export file: refused as a whole, or each row is reported, or makes records that are events."""
    try:
        found = read_import(InMemory(content), VIEWER)  # type: ignore[arg-type]
    except NotImportable as problem:
        _is_one_line(problem)
        return False
    for bad in found.bad_rows:
        _is_one_line(bad)
    for item in found.items():
        assert read_event(item.key, item.value).event_time_ms == item.timestamp_ms
    for row in found.missing_titles({}):
        read_title(row["title_id"].encode(), msgspec.json.encode(row))
    assert found.titles_without_length({}) >= 0
    return found.rows > 0


# -- messages of live schemas -------------------------------------------------------------------------------------


def messages(schema: Schema, content: bytes) -> bool:
    """Messages of one stream, one in a line: each is refused by name, or becomes events that the worker reads."""
    translator, read = Translator(schema), False
    for number, value in enumerate(content.split(b"\n")):
        try:
            found = translator.translate(value, 1_777_917_600_000 + number * 10_000, b"key")
        except Rejected as problem:
            _is_one_line(problem)
            assert problem.code in REJECTED
            continue
        read = True
        assert found.events or found.left_out
        assert set(found.left_out) <= set(LEFT_OUT)
        for event in found.events:
            written = msgspec.json.encode(event)
            assert msgspec.json.encode(event) == msgspec.json.encode(
                msgspec.convert(read_event(event.household_id.encode(), written), type(event), from_attributes=True)
            )
    _is_kept(schema, translator)
    return read


def _is_kept(schema: Schema, translator: Translator) -> None:
    """What is remembered is small, and is the same when it is brought back."""
    kept, again = translator.drain(), Translator(schema)
    for key, packed in kept.items():
        assert packed is not None
        assert len(packed) < 10_000
        again.restore(key, packed)
    remembered = [{key: each.at_rest() for key, each in of.sessions.items()} for of in (again, translator)]
    assert remembered[0] == remembered[1]


def _is_one_line(said: object) -> None:
    assert str(said).strip(), "no reason given"
    assert len(str(said).splitlines()) == 1, f"more than one line: {said!s:.200}"


# -- valid inputs -------------------------------------------------------------------------------------------------


EVENT = {
    "event_id": "e", "event_type": "seek", "event_time_ms": 1_750_032_000_000, "household_id": HOUSEHOLD,
    "title_id": "séries/1 %", "play_session_id": "s", "position_ms": 60_000, "profile_id": "p", "profile_kind": "kids",
    "device_id": "tv", "seq": 1, "playback_rate": 1.25, "seek_from_ms": 59_999, "runtime_ms": 5_400_000,
    "credits_start_ms": 5_300_000, "time_zone": "Europe/Berlin", "country": "DE", "content_kind": "main",
    "autoplay": True, "offline": False, "sent_time_ms": 1_750_032_000_001,
}  # fmt: skip
LEAST = dict(list(EVENT.items())[:7]) | {"event_type": "heartbeat"}
TITLE = {
    "title_id": TITLE_ID, "name": "Ménage", "franchise_id": "f", "runtime_ms": 5_400_000,
    "credits_start_ms": 5_300_000, "release_time_ms": -1, "content_kind": "main", "is_kids": True,
}  # fmt: skip
TRACES = [
    {"eventType": kind, "sessionOffsetMs": offset_ms, "mediaOffsetMs": media_ms}
    for kind, offset_ms, media_ms in (
        ("start", 0, 0), ("playing", 500, -20), ("paused", 90_500, 90_000), ("reposition", 91_000, 300_000),
        ("stopped", 90_900, 300_000),
    )
]  # fmt: skip
ODD = {"x": [{"y": [None, -0.5e-3, '\\ " \u0001 😀 [{']}], "Ω": 10**25}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _json(value: object, **options: Any) -> bytes:
    return json.dumps(value, **options).encode()


def export_file(*rows: tuple[str, ...], end: str = "\r\n") -> bytes:
    """A CSV file of the export's columns and these rows."""
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in (COLUMNS, *rows)]
    return (end.join(quoted) + end).encode()


def _export_row(title_id: str, start: str, traces: str) -> tuple[str, ...]:
    return ("Mia", title_id, "TV", start, "US", traces)


EVENTS = (_json(EVENT), _json(LEAST | ODD, ensure_ascii=False), _json(LEAST), BYTE_ORDER_MARK + _json(LEAST))
TITLES = (_json(TITLE), _json({"title_id": TITLE_ID} | ODD), _json(TITLE | ODD, ensure_ascii=False))
TITLE_FILES = (
    b"\n".join(TITLES), b"\r\n\r\n".join(TITLES), _json([TITLE, {"title_id": "b"}], indent=1), b" [ ]",
    b"[" + b",\r\n".join((*TITLES, b"7")) + b"]\n", BYTE_ORDER_MARK + TITLES[0],
)  # fmt: skip
EXPORTS = (
    export_file(_export_row("Paper Boats", "2020-03-14 18:00:00", json.dumps(TRACES))),
    export_file(
        _export_row("A, (Trailer)", "2020-03-14 18:00:00", json.dumps(TRACES[:1])),
        _export_row("Séries: 1", "1970-01-01 00:00:00", "[]"),
        _export_row("Séries: 1", "9999-12-31 23:59:59", json.dumps(TRACES[2:])),
        end="\n",
    ),
    BYTE_ORDER_MARK + export_file(_export_row("B_hook_1", "2020-03-14 18:00:00", json.dumps([TRACES[0] | ODD]))),
)  # fmt: skip

JSON_WORDS = (
    b"null", b"true", b"false", b"NaN", b"Infinity", b"1e999", b"-0", b"5.0", b"1E5", b"9223372036854775808",
    b"-9223372036854775809", b"604800000", b"604800001", b"253402300800000", b"\\u0000", b"\\ud800", b"\\udc00",
    b"\\ud83d\\ude00", b'\\"', b"\\", b"\x00", b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xef\xbb\xbf", b"\r", b"\r\n",
    b"\xe2\x80\xa8", b"[[[[", b"]]]]", b"{}",
)  # fmt: skip
EVENT_WORDS = tuple(
    json.dumps(word).encode()
    for word in (*EVENT, "start", "play", "heartbeat", "pause", "rate", "buffer", "stop", "end", "general", "bonus")
)
TITLE_WORDS = tuple(json.dumps(word).encode() for word in (*TITLE, TITLE_ID, "trailer"))
EXPORT_WORDS = (
    *(name.encode() for name in COLUMNS), b'""', b'","', b"eventType", b"sessionOffsetMs", b"mediaOffsetMs", b"start",
    b"playing", b"paused", b"reposition", b"stopped", b"-604800000", b"(Trailer)", b"_hook_", b"0001-01-01 00:00:00",
    b"9999-12-31 23:59:59",
)  # fmt: skip

ZONES = installed_zones()
ZONE_ROWS = tuple(
    zone_message(5, name, ZONES[name])["value"] or b"" for name in ("Europe/Berlin", "Asia/Kathmandu", "Etc/UTC")
)
ZONE_WORDS = (
    b"TZif2",
    b"TZif3",
    b"\x00\x00\x00\x01",
    b"\xff\xff\xff\xff",
    b"<+0545>-5:45",
    b"CET-1CEST,M3.5.0,M10.5.0/3",
)

MESSAGES = Path(__file__).parents[1] / "unit" / "sources" / "messages"


def _stream(path: Path) -> bytes:
    """The messages of a file of `MESSAGES`, one in a line."""
    found = [step["message"] for step in json.loads(path.read_text("utf-8"))["steps"]]
    return b"\n".join(each.encode() if isinstance(each, str) else _json(each) for each in found)


def _target_of(name: str) -> Target:
    streams = tuple(_stream(path) for path in sorted((MESSAGES / name).glob("*.json")))
    words = {token for stream in streams for token in re.findall(rb'"[^"]*"', stream)}
    return Target(partial(messages, schemas()[name]), streams, (*JSON_WORDS, *sorted(words)))


TARGETS = {
    "event": Target(event, EVENTS, (*JSON_WORDS, *EVENT_WORDS)),
    "title": Target(title, TITLES, (*JSON_WORDS, *TITLE_WORDS)),
    "titles-file": Target(titles_file, TITLE_FILES, (*JSON_WORDS, *TITLE_WORDS)),
    "zone-row": Target(zone_row, ZONE_ROWS, ZONE_WORDS),
    "netflix-export": Target(netflix_export, EXPORTS, (*JSON_WORDS, *EXPORT_WORDS)),
    **{name: _target_of(name) for name in schemas()},
}
