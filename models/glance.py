"""Reads the first fields of a packed row, without unpacking the rest (`models.rows`)."""

from __future__ import annotations

from typing import Final

import msgspec


class Glance(msgspec.Struct, array_like=True, gc=False):
    """The first fields of a packed row."""

    touched_ms: int
    flags: int
    completions: int
    sessions: msgspec.Raw


_decode = msgspec.msgpack.Decoder(Glance).decode
_NO_SESSIONS: Final = b"\x90"


def glance(packed: bytes) -> Glance:
    """The first fields of a packed row."""
    return _decode(packed)


def has_sessions(seen: Glance) -> bool:
    """Whether a packed row keeps any session."""
    return bytes(seen.sessions) != _NO_SESSIONS
