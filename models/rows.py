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
            row.once and _pack_plane(row.once),
            row.twice and _pack_plane(row.twice),
            row.owed and _pack_plane(row.owed),
            row.owed_by,
            row.sessions,
        )
    )


def unpack(packed: bytes) -> Row:
    """The row that `pack` made these bytes of."""
    read = _decode(packed)
    return Row(
        read.flags,
        read.completions,
        read.watched_ms,
        read.mark_ms,
        read.stated_length_ms,
        read.touched_ms,
        _unpack_plane(read.once) if read.once else 0,
        _unpack_plane(read.twice) if read.twice else 0,
        _unpack_plane(read.owed) if read.owed else 0,
        read.owed_by,
        read.sessions,
        packed=packed,
    )


def _pack_plane(plane: int) -> int | bytes:
    first = (plane & -plane).bit_length() - 1
    run = plane >> first
    if run & (run + 1):
        return plane.to_bytes((plane.bit_length() + 7) // 8, "little")
    return first << _RUN_BITS | run.bit_length()


def _unpack_plane(packed: int | bytes) -> int:
    if isinstance(packed, bytes):
        return int.from_bytes(packed, "little")
    return ((1 << (packed & (1 << _RUN_BITS) - 1)) - 1) << (packed >> _RUN_BITS)
