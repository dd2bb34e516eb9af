"""A row at rest: the few bytes that a household and title take between two of its events.

Owns the packed form and its version: what is usual is short. A plane that is one run of cells (most are) packs as one
number, an id that is a UUID as its sixteen bytes. It must not know keys, topics or tables.
"""

from __future__ import annotations

import msgspec

from models.audience import Weeks
from models.habits import Habit
from models.ids import Id, full, short
from models.rules import DAY_MS
from models.session import Session
from models.viewing import Row
from models.windows import audience_week

ROW_FORMAT = 5
"""Goes up when the packed form changes; a changelog of another format is refused."""

_RUN_BITS = 24
_encode = msgspec.msgpack.Encoder().encode


class Glance(msgspec.Struct, array_like=True, gc=False):
    """The first fields of a packed row: what others than its own household's events ask for."""

    touched_ms: int
    flags: int
    completions: int
    sessions: msgspec.Raw


class _Packed(msgspec.Struct, array_like=True, gc=False):
    touched_ms: int
    flags: int
    completions: int
    sessions: list[Session]
    habits: list[Habit | None]
    watched_ms: int
    ahead_ms: int
    stated_length_ms: int
    once: int | bytes
    twice: int | bytes
    owed: int | bytes
    owed_by: Id | None
    weeks: Weeks | None
    profiles: tuple[Id, ...]
    completed_ago_ms: int | None


_decode = msgspec.msgpack.Decoder(_Packed).decode
_decode_glance = msgspec.msgpack.Decoder(Glance).decode
_NO_SESSIONS = b"\x90"


def glance(packed: bytes) -> Glance:
    """The first fields of a packed row."""
    return _decode_glance(packed)


def has_sessions(seen: Glance) -> bool:
    """Whether a packed row keeps any session."""
    return bytes(seen.sessions) != _NO_SESSIONS


def pack(row: Row) -> bytes:
    """The row as bytes. Ids that came since it was packed last are shortened in it."""
    touched_ms, sessions = row.touched_ms, list(row.sessions.values())
    for session in sessions:
        ids = session.time_ids
        if ids[-1].__class__ is str:
            session.time_ids = (short(ids[0]),) if len(ids) == 1 else _shortened(ids)
            _shorten_others(session)
        elif session.seq_ids is not None:
            # The last event by its number was not the last by its time.
            _shorten_others(session)
        # At rest a session's time counts back from the row's, as a week does: most often two bytes in place of nine.
        session.time_ms = touched_ms - session.time_ms
    weeks = row.weeks
    if weeks is not None:
        touched_week = audience_week(touched_ms // DAY_MS)
        weeks.week = touched_week - weeks.week
    packed = _encode(
        (
            touched_ms,
            row.flags,
            row.completions,
            sessions,
            row.habits,
            row.watched_ms,
            # Most came as far as they watched.
            row.mark_ms - row.watched_ms,
            row.stated_length_ms,
            row.once and _pack_plane(row.once),
            row.twice and _pack_plane(row.twice),
            row.owed and _pack_plane(row.owed),
            None if row.owed_by is None else short(row.owed_by),
            weeks,
            row.profiles,
            None if row.completed_ms is None else touched_ms - row.completed_ms,
        )
    )
    for session in sessions:
        session.time_ms = touched_ms - session.time_ms
    if weeks is not None:
        weeks.week = touched_week - weeks.week
    return packed


def unpack(packed: bytes) -> Row:
    """The row that `pack` made these bytes of."""
    read = _decode(packed)
    for session in read.sessions:
        session.time_ms = read.touched_ms - session.time_ms
    if read.weeks is not None:
        read.weeks.week = audience_week(read.touched_ms // DAY_MS) - read.weeks.week
    return Row(
        flags=read.flags,
        completions=read.completions,
        watched_ms=read.watched_ms,
        mark_ms=read.watched_ms + read.ahead_ms,
        stated_length_ms=read.stated_length_ms,
        touched_ms=read.touched_ms,
        once=_unpack_plane(read.once) if read.once else 0,
        twice=_unpack_plane(read.twice) if read.twice else 0,
        owed=_unpack_plane(read.owed) if read.owed else 0,
        owed_by=None if read.owed_by is None else full(read.owed_by),
        sessions={full(session.session_id): session for session in read.sessions},
        habits=read.habits,
        weeks=read.weeks,
        profiles=read.profiles,
        completed_ms=None if read.completed_ago_ms is None else read.touched_ms - read.completed_ago_ms,
        packed=packed,
    )


def _shorten_others(session: Session) -> None:
    if session.session_id.__class__ is str:
        session.session_id = short(session.session_id)
    if session.seq_ids is not None:
        seq_ids = _shortened(session.seq_ids)
        session.seq_ids = None if seq_ids == session.time_ids else seq_ids


def _shortened(ids: tuple[Id, ...]) -> tuple[Id, ...]:
    return tuple(short(each) if each.__class__ is str else each for each in ids)


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
