"""Tallies as records of the state changelog.

Owns the records' keys and form. An event changes a title, its hour, day, week and ages, all by the same amount. So the
current windows (`models.current_windows`) are one record, which changes once an hour, and only the title's record is
written each time.

A window's tally comes from its title's record of current windows; if that record does not name the window, from the
window's own record. So compaction may remove records of each key independently.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from models.current_windows import CurrentWindows
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE, TallyKey
from models.windows import KINDS

Message = dict[str, bytes | None]

CURRENT = b"n"
_NUMBERED = tuple(KINDS)
_WHOLE = (TITLE, DAYPARTS, FRANCHISE, CURVE)

encode = msgspec.msgpack.Encoder().encode
decode_tally = msgspec.msgpack.Decoder(list[int]).decode
_decode_current = msgspec.msgpack.Decoder(tuple[int, list[tuple[str, int]], list[list[int]]]).decode


class UnknownKind(ValueError):
    """A record's key names no kind of tally. The message says what it names."""


def tally_messages(changed: Mapping[TallyKey, list[int] | None]) -> list[Message]:
    """The records of changed tallies; None: a tombstone."""
    return [
        {"key": tally_key(key), "value": None if tally is None else encode(tally)} for key, tally in changed.items()
    ]


def current_messages(changed: Mapping[str, CurrentWindows | None]) -> list[Message]:
    """The records of titles whose current windows changed; None: a tombstone, as the title has none any more."""
    return [
        {"key": _current_key(title_id), "value": None if windows is None else _encode_current(windows)}
        for title_id, windows in changed.items()
    ]


def _encode_current(windows: CurrentWindows) -> bytes:
    names = [(key.kind, key.number) for key in windows.lacks]
    return encode((windows.slot, names, list(windows.lacks.values())))


def read_current(title_id: str, value: bytes) -> CurrentWindows:
    """The current windows of a title, from their record's value. Raises `ValueError`."""
    slot, names, lacks = _decode_current(value)
    keys = [TallyKey(kind, number, title_id) for kind, number in names]
    return CurrentWindows(slot, dict(zip(keys, lacks, strict=True)))


@lru_cache(maxsize=100_000)
def tally_key(key: TallyKey) -> bytes:
    """The key of a tally's own record."""
    number = key.number.to_bytes(4, "big") if key.kind in _NUMBERED else b""
    return key.kind.encode() + number + key.title_id.encode()


def read_tally_key(key: bytes) -> TallyKey:
    """The tally that a record's key names. Raises `UnknownKind`, and `ValueError` if the id is not UTF-8."""
    kind = key[:1].decode(errors="replace")
    if kind not in (*_NUMBERED, *_WHOLE):
        raise UnknownKind(f"a row of an unknown kind {kind!r}")
    number, title = (0, key[1:]) if kind in _WHOLE else (int.from_bytes(key[1:5], "big"), key[5:])
    return TallyKey(kind, number, title.decode())


@lru_cache(maxsize=100_000)
def _current_key(title_id: str) -> bytes:
    return CURRENT + title_id.encode()
