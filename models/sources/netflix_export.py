"""`PlaybackRelatedEvents.csv`, the playback part of a streaming service's personal data export.

Owns the format: its columns, its defects and how its player events read as playback events. It must not know
where the file or the events go. One row is one play session on one line; whatever its bytes, the only error
that leaves this module is `BadRow`.

How the defects are read:

- `reposition` states where the player is *after* the jump. Where it jumped from is no part of it, and needs
  not be: the player reports `paused` at the old position just before, and that closes the interval. Where it
  does not, a position computed from the clock would be a guess, so `seek_from_ms` is never given.
- A media offset just below 0 (a player that has not shown anything yet) is position 0. One of more than a
  second below 0 makes the row a bad one.
- A session offset below 0 is an event that much before the row's start time.
- Clocks that run backwards stay as they are. `seq` is the order in the row, and events are to be sent in the
  order of their times: an event that a faulty clock put too far ahead comes after its successors, a no-op.
- A lost tail stays lost: no stop is made up. A row without player events is a row without events.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from models.events import END_OF_CALENDAR_MS
from models.rules import LARGEST_EVENT_BYTES, LONGEST_MEDIA_MS

PROFILE, TITLE, DEVICE, START, COUNTRY, TRACES = COLUMNS = (
    "Profile Name",
    "Title Description",
    "Device",
    "Playback Start Utc Ts",
    "Country",
    "Playtraces",
)
"""The columns that are read, in any order; others are ignored."""

EVENT_TYPES = {
    "start": "start",
    "playing": "play",
    "paused": "pause",
    "reposition": "seek",
    "stopped": "stop",
}

KINDS = (
    ("trailer", re.compile(r"\([^()]*\b(trailer|teaser)s?\)\s*$", re.IGNORECASE)),
    ("preview", re.compile(r"\([^()]*\b(preview|sneak peek|promo|hook)s?\)\s*$|_hook_", re.IGNORECASE)),
    ("recap", re.compile(r"\([^()]*\brecaps?\)\s*$", re.IGNORECASE)),
    (
        "bonus",
        re.compile(r"\([^()]*\b(bonus|bonus video|clip|featurette|extra|supplemental)s?\)\s*$", re.IGNORECASE),
    ),
)
"""What a title's description says in brackets at its end where it is no main content."""

NOT_YET_SHOWN_MS = 1_000

LARGEST_SESSION_BYTES = LARGEST_EVENT_BYTES // 2 - 512
"""Of what every event of a row says. Half, since a title's row has its description as id and as name."""

PlaybackEvent = dict[str, str | int]


class BadRow(Exception):
    """A row that cannot be read: the line of the file (from 1) and the reason, in one line."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose export it is, and what the export does not say.

    `title_ids`: from a title's name to its id in the catalog (else the description is the id). `kids`: the
    names of the kids' profiles.
    """

    household_id: str
    time_zone: str | None = None
    kids: frozenset[str] = frozenset()
    title_ids: Mapping[str, str] = field(default_factory=dict)


class Trace(msgspec.Struct, rename="camel"):
    """One player event of a row; both offsets in milliseconds, from the session's and the title's start."""

    event_type: Literal["start", "playing", "paused", "reposition", "stopped"]
    session_offset_ms: Annotated[int, Meta(ge=-LONGEST_MEDIA_MS, le=LONGEST_MEDIA_MS)]
    media_offset_ms: Annotated[int, Meta(ge=-NOT_YET_SHOWN_MS, le=LONGEST_MEDIA_MS)]


_decode_traces = msgspec.json.Decoder(list[Trace]).decode


def read_header(line: bytes) -> tuple[str, ...]:
    """The file's column names, from its first line. Raises `BadRow` where one that is needed is missing."""
    header = tuple(_fields(1, line.removeprefix(b"\xef\xbb\xbf")))
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise BadRow(1, f"no column {missing[0]!r}; needed are {', '.join(COLUMNS)}")
    return header


def read_row(header: tuple[str, ...], number: int, line: bytes, viewer: Viewer) -> list[PlaybackEvent]:
    """The playback events of line `number`, in the order of the row. Raises `BadRow`.

    Ids are hashes of household and row: the same row gives the same events, however often it is read.
    """
    fields = _fields(number, line)
    if len(fields) != len(header):
        raise BadRow(number, f"{len(fields)} fields, {len(header)} columns")
    row = dict(zip(header, fields, strict=True))
    if not row[TITLE].strip():
        raise BadRow(number, f"no {TITLE}")
    start_ms = _start_ms(number, row[START])
    session = _session(row, viewer)
    if len(msgspec.json.encode(session)) > LARGEST_SESSION_BYTES:
        raise BadRow(number, f"its texts have more than {LARGEST_SESSION_BYTES} bytes")
    return [_event(number, session, seq, start_ms, trace) for seq, trace in enumerate(_traces(number, row[TRACES]))]


def content_kind(description: str) -> str:
    """main, trailer, preview, recap or bonus, by the title's description."""
    return next((kind for kind, pattern in KINDS if pattern.search(description)), "main")


def _fields(number: int, line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.rstrip(b"\r\n").decode()], strict=True), [])
    except (csv.Error, UnicodeDecodeError) as problem:
        raise BadRow(number, f"no CSV line: {problem}") from None


def _start_ms(number: int, text: str) -> int:
    try:
        start = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadRow(number, f"{START} is {text[:40]!r}, accepted: YYYY-MM-DD HH:MM:SS") from None
    return int(start.timestamp()) * 1000


def _traces(number: int, text: str) -> list[Trace]:
    try:
        return _decode_traces(text)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise BadRow(number, f"{TRACES}: {problem}") from None


def _session(row: dict[str, str], viewer: Viewer) -> PlaybackEvent:
    """What every event of the row says."""
    content = "\x1f".join((viewer.household_id, *(row[name] for name in COLUMNS)))
    session: PlaybackEvent = {
        "household_id": viewer.household_id,
        "title_id": viewer.title_ids.get(row[TITLE], row[TITLE]),
        "play_session_id": hashlib.sha256(content.encode()).hexdigest()[:32],
        "profile_kind": "kids" if row[PROFILE] in viewer.kids else "general",
    }
    kind = content_kind(row[TITLE])
    stated = {
        "profile_id": row[PROFILE],
        "device_id": row[DEVICE],
        "country": row[COUNTRY],
        "time_zone": viewer.time_zone,
        "content_kind": None if kind == "main" else kind,
    }
    return session | {name: value for name, value in stated.items() if value}


def _event(number: int, session: PlaybackEvent, seq: int, start_ms: int, trace: Trace) -> PlaybackEvent:
    event_time_ms = start_ms + trace.session_offset_ms
    if not 0 <= event_time_ms < END_OF_CALENDAR_MS:
        raise BadRow(number, f"player event {seq} is at {event_time_ms} ms, accepted: the years 1970 to 9999")
    return {
        "event_id": f"{session['play_session_id']}-{seq}",
        "event_type": EVENT_TYPES[trace.event_type],
        "event_time_ms": event_time_ms,
        "position_ms": max(0, trace.media_offset_ms),
        "seq": seq,
        **session,
    }
