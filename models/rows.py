"""A household's row at rest: packed bytes, 30 to 200 of them, decoded when an event touches it.

Owns the packed form and its version. A plane that is one run of cells (most are) packs as one number.
It must not know keys, topics or tables.
"""

from __future__ import annotations

import msgspec

from models.viewing import Row, Session

ROW_FORMAT = 1
"""Goes up when the packed form changes; a changelog of another format is refused."""

_RUN_BITS = 24

_encode = msgspec.msgpack.Encoder().encode


class _Packed(msgspec.Struct, array_like=True, gc=False):
    flags: int
    completions: int
    watched_ms: int
    mark_ms: int
    stated_length_ms: int
    touched_ms: int
    once: int | bytes
    twice: int | bytes
    owed: int | bytes
    owed_by: str | None
    sessions: dict[str, Session]


_decode = msgspec.msgpack.Decoder(_Packed).decode


def pack(row: Row) -> bytes:
    """The row as bytes."""
    return _encode(
        (
            row.flags,
            row.completions,
            row.watched_ms,
            row.mark_ms,
            row.stated_length_ms,
            row.touched_ms,
            _pack_plane(row.once),
            _pack_plane(row.twice),
            _pack_plane(row.owed),
            row.owed_by,
            row.sessions,
        )
    )


def unpack(packed: bytes) -> Row:
    """The row that `pack` made these bytes of."""
    read = _decode(packed)
    row = Row()
    row.flags = read.flags
    row.completions = read.completions
    row.watched_ms = read.watched_ms
    row.mark_ms = read.mark_ms
    row.stated_length_ms = read.stated_length_ms
    row.touched_ms = read.touched_ms
    row.once = _unpack_plane(read.once)
    row.twice = _unpack_plane(read.twice)
    row.owed = _unpack_plane(read.owed)
    row.owed_by = read.owed_by
    row.sessions = read.sessions
    return row


def _pack_plane(plane: int) -> int | bytes:
    if not plane:
        return 0
    first = (plane & -plane).bit_length() - 1
    run = plane >> first
    if run & (run + 1):
        return plane.to_bytes((plane.bit_length() + 7) // 8, "little")
    return first << _RUN_BITS | run.bit_length()


def _unpack_plane(packed: int | bytes) -> int:
    if isinstance(packed, bytes):
        return int.from_bytes(packed, "little")
    return ((1 << (packed & (1 << _RUN_BITS) - 1)) - 1) << (packed >> _RUN_BITS)
