"""A packed row: the few bytes that a household and title take between two of its events.

Owns the packed form. Usual values are short: a plane that is one run of cells packs as one number, an id that is a UUID
as sixteen bytes. It must not know topics or their keys.
"""

from __future__ import annotations

from typing import Final

import msgspec

from models.audience import WatchedWeeks
from models.habits import Habit
from models.ids import Id, digest, full, short
from models.rules import DAY_MS
from models.session import Session
from models.viewing import Row
from models.windows import audience_week

_RUN_BITS: Final = 24
_encode: Final = msgspec.msgpack.Encoder().encode


_PackedSession = tuple[
    Id, int, int, bool, bool, int, int, tuple[Id, ...], int, int | None, int | None, tuple[Id, ...] | None, int, bool,
    bool, int | None,
]  # fmt: skip
_Packed = tuple[
    int, int, int, list[_PackedSession], list[Habit | None], int, int, int, int | bytes, int | bytes, int | bytes,
    Id | None, WatchedWeeks | None, tuple[Id, ...], int | None,
]  # fmt: skip
"""The fields of a row, and of a session, in the order in which they are packed."""

_decode: Final = msgspec.msgpack.Decoder(_Packed).decode


def pack(row: Row) -> bytes:
    """The row as bytes. Also shortens the ids in the row that came since it was packed last."""
    touched_ms, completed_ms, weeks = row.touched_ms, row.completed_ms, row.weeks
    once, twice, owed = row.once, row.twice, row.owed
    if weeks is not None:
        touched_week = audience_week(touched_ms // DAY_MS)
        weeks.week = touched_week - weeks.week
    packed = _encode(
        (
            touched_ms,
            row.flags,
            row.completions,
            [_packed_session(session, touched_ms) for session in row.sessions.values()],
            row.habits,
            row.watched_ms,
            # Mostly 0: most households have watched all that is before their furthest position.
            row.mark_ms - row.watched_ms,
            row.stated_length_ms,
            once and _pack_plane(once),
            twice and _pack_plane(twice),
            owed and _pack_plane(owed),
            None if row.owed_by is None else short(row.owed_by),
            weeks,
            row.profiles,
            None if completed_ms is None else touched_ms - completed_ms,
        )
    )
    if weeks is not None:
        weeks.week = touched_week - weeks.week
    return packed


def _packed_session(session: Session, touched_ms: int) -> _PackedSession:
    ids = session.time_ids
    if ids[-1].__class__ is str:
        session.time_ids = (short(ids[0]),) if len(ids) == 1 else _shortened(ids)
        _shorten_others(session)
    elif session.seq_ids is not None:
        # The event with the largest `seq` is not the one with the largest time.
        _shorten_others(session)
    return (
        session.session_id,
        # Relative to the row's time, as weeks are: mostly two bytes instead of nine.
        touched_ms - session.time_ms,
        session.position_ms,
        session.playing,
        session.over,
        session.spent_ms,
        session.until_play_ms,
        session.time_ids,
        session.later_ms,
        session.rate_thousandths,
        session.largest_seq,
        session.seq_ids,
        session.speeds,
        session.autoplay,
        session.has_played,
        session.run_start_ms,
    )


def unpack(packed: bytes) -> Row:
    """The row from the bytes that `pack` returned."""
    (
        touched_ms, flags, completions, sessions, habits, watched_ms, ahead_ms, stated_length_ms, once, twice, owed,
        owed_by, weeks, profiles, completed_ago_ms,
    ) = _decode(packed)  # fmt: skip
    row = Row(touched_ms)
    row.flags, row.completions = flags, completions
    for each in sessions:
        session = Session(*each)
        session.time_ms = touched_ms - session.time_ms
        row.sessions[full(session.session_id)] = session
    row.habits = habits
    row.watched_ms = watched_ms
    row.mark_ms = watched_ms + ahead_ms
    row.stated_length_ms = stated_length_ms
    if once:
        row.once = _unpack_plane(once)
    if twice:
        row.twice = _unpack_plane(twice)
    if owed:
        row.owed = _unpack_plane(owed)
    if owed_by is not None:
        row.owed_by = full(owed_by)
    if weeks is not None:
        weeks.week = audience_week(touched_ms // DAY_MS) - weeks.week
        row.weeks = weeks
    row.profiles = profiles
    if completed_ago_ms is not None:
        row.completed_ms = touched_ms - completed_ago_ms
    row.packed = packed
    return row


def _shorten_others(session: Session) -> None:
    if session.session_id.__class__ is str:
        session.session_id = short(session.session_id)
    if session.seq_ids is not None:
        seq_ids = _shortened(session.seq_ids)
        session.seq_ids = None if seq_ids == session.time_ids else seq_ids


def _shortened(ids: tuple[Id, ...]) -> tuple[Id, ...]:
    """Of a single id its short form; several are digests, so that a row fits into a record however long ids are."""
    if len(ids) == 1:
        return (short(ids[0]) if ids[0].__class__ is str else ids[0],)
    return tuple(digest(each) if each.__class__ is str else each for each in ids)


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
