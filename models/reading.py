"""Reads a record as a playback event, or says why it cannot be read (section 2 of the design).

The event's fields and their bounds are in `models.events`. It is apart from them as it is compiled: it runs for every
record.
"""

from __future__ import annotations

from typing import Final

import msgspec

from models.events import LONGEST_ID_BYTES, LONGEST_LABEL_BYTES, BadEvent, Event, nesting
from models.rules import DEEPEST_NESTING, LARGEST_EVENT_BYTES

_BACKSLASH: Final = ord("\\")

_decode: Final = msgspec.json.Decoder(Event).decode


def read_event(key: bytes | None, value: bytes | None) -> Event:
    """The event of a record. Raises `BadEvent`, and nothing else, if the record cannot be read as one."""
    if value is None:
        raise BadEvent("the value is null")
    if len(value) > LARGEST_EVENT_BYTES:
        raise BadEvent(f"the value has {len(value)} bytes, accepted are {LARGEST_EVENT_BYTES}")
    # Each level needs a byte to open and one to close, so a shorter value is not too deep unless it is malformed.
    if len(value) > 2 * DEEPEST_NESTING and nesting(value) > DEEPEST_NESTING:
        raise BadEvent(f"the value nests deeper than {DEEPEST_NESTING} levels")
    try:
        # The decoder skips fields that it does not know without looking at their text.
        is_ascii = value.isascii()
        if not is_ascii:
            value.decode()
        event = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadEvent(str(problem)) from None
    # In ASCII, only \u escapes make characters of several bytes. A search for any backslash takes half the time; for
    # bytes instead of one byte, Python would first raise and drop an error.
    if not is_ascii or _BACKSLASH in value:
        _check_bytes(event)
    if event.household_id.encode() != key:
        raise BadEvent("the key is null" if key is None else "the key differs from the field household_id")
    return event


_LONGEST_BYTES: Final = (
    *((name, LONGEST_ID_BYTES) for name in ("event_id", "household_id", "title_id", "play_session_id")),
    *((name, LONGEST_ID_BYTES) for name in ("profile_id", "device_id")),
    *((name, LONGEST_LABEL_BYTES) for name in ("time_zone", "country")),
)


def _check_bytes(event: Event) -> None:
    """Check lengths in bytes: the decoder counted characters, some of which have several bytes."""
    for name, longest in _LONGEST_BYTES:
        length = len((getattr(event, name) or "").encode())
        if length > longest:
            raise BadEvent(f"{name} has {length} bytes, accepted are {longest}")
