"""Playback events as they arrive: the fields of section 2 of the design.

Owns the fields, their types and bounds, how deep a JSON text nests, and the error of what is unreadable. A record is
read in `models.reading`. It must not know what an event does to a viewing (`models.viewing`), nor when it is late
(`models.fold`).
"""

from __future__ import annotations

import re
from itertools import accumulate
from operator import add
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from models.rules import DEEPEST_NESTING, LONGEST_MEDIA_MS

LONGEST_ID_BYTES, LONGEST_LABEL_BYTES = 256, 64
"""The most bytes of an id, and of the name of a zone or country, in UTF-8."""

END_OF_CALENDAR_MS = 253_402_300_800_000
"""The first millisecond after the year 9999, the last year that a window's name can hold."""

Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID_BYTES)]
OptionalId = Annotated[str, Meta(max_length=LONGEST_ID_BYTES)]
Label = Annotated[str, Meta(max_length=LONGEST_LABEL_BYTES)]
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Time = Annotated[int, Meta(ge=0, lt=END_OF_CALENDAR_MS)]
Position = Annotated[int, Meta(ge=0, le=LONGEST_MEDIA_MS)]
MediaTime = Annotated[int, Meta(ge=-(2**63), le=LONGEST_MEDIA_MS)]
EventType = Literal["start", "play", "heartbeat", "pause", "seek", "rate", "buffer", "stop", "end"]
ContentKind = Literal["main", "trailer", "preview", "recap", "bonus"]


class BadEvent(Exception):
    """The record cannot be read as an event. The message says why, in one line that a producer's team can act on."""


class Event(msgspec.Struct, gc=False):
    """One playback event. Units are in the names; None: not given."""

    event_id: Id
    event_type: EventType
    event_time_ms: Time
    household_id: Id
    title_id: Id
    play_session_id: Id
    position_ms: Position
    profile_id: OptionalId | None = None
    profile_kind: Literal["kids", "general"] | None = None
    device_id: OptionalId | None = None
    seq: Integer | None = None
    playback_rate: float | None = None
    seek_from_ms: MediaTime | None = None
    runtime_ms: MediaTime | None = None
    credits_start_ms: MediaTime | None = None
    time_zone: Label | None = None
    country: Label | None = None
    content_kind: ContentKind | None = None
    autoplay: bool | None = None
    offline: bool | None = None
    sent_time_ms: Integer | None = None


# An unterminated string matches up to the end. If it did not match, the search would start again at every quote in it.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)

# Brackets become digits, eight of them a byte: a byte's effect is looked up at once.
_OPEN_AND_CLOSE = bytes.maketrans(b"[{]}", b"1100")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))
_STEPS = [[1 if byte >> place & 1 else -1 for place in range(7, -1, -1)] for byte in range(256)]
_RISES = [sum(steps) for steps in _STEPS]
_PEAKS = [max(accumulate(steps)) for steps in _STEPS]


def nesting(value: bytes) -> int:
    """How deep a JSON text nests. If it has few brackets, their number: an upper bound."""
    brackets = value.count(b"[") + value.count(b"{")
    if brackets <= DEEPEST_NESTING:
        return brackets
    digits = _STRINGS.sub(b"", value).translate(_OPEN_AND_CLOSE, _NO_BRACKETS)
    digits += b"0" * (-len(digits) % 8)
    eights = int(digits or b"0", 2).to_bytes(len(digits) // 8)
    levels = accumulate(map(_RISES.__getitem__, eights), initial=0)
    return max(map(add, levels, map(_PEAKS.__getitem__, eights)), default=0)
