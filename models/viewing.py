"""The viewing state machine: what one event does to one household's row of one title.

    event         the interval is closed at    afterwards
    start, play   position_ms                  playing, not over
    heartbeat     position_ms                  as before; a still one that moved on and is not over: playing
    rate          position_ms                  as before, at the new speed
    seek          seek_from_ms, else not       as before, at position_ms
    pause, buffer position_ms                  still
    stop, end     position_ms                  still, over until a start or play; its *owed* ends
    first event   nothing to close             playing for start, play, heartbeat, rate, seek; else still

Owns sessions, credit, completion and the household's thresholds (the design, section 1). It must not know
counters, windows, partitions or any clock: stream time is an argument.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import msgspec

from models.coverage import cells_between, cells_of, count_within
from models.events import Event
from models.habits import Habit
from models.ids import Id, short
from models.rules import CELL_MS, SHORTEST_STATED_LENGTH_MS, Rules

STARTER, VIEWER, WATCHER, SKIMMER, UNJUDGED, MISROUTED = 1, 2, 4, 8, 16, 32
REACHED = STARTER | VIEWER


class Fact(msgspec.Struct, frozen=True):
    """Something that became true once.

    `ordinal` numbers the household's completions of the title, or is the length that a streak has reached in `daypart`.
    """

    name: str
    ordinal: int = 0
    daypart: str = ""


PLAYED = Fact("played")
STARTED = Fact("started")
VIEWED = Fact("viewed")
WATCHED = Fact("watched")
SKIMMED = Fact("skimmed")
COMPLETED_AFTER_SKIMMING = Fact("completed_after_skimming")
COMPLETED = "completed"
STREAK = "streak"

_ORDINARY_RATE = 1000
"""In thousandths; what a session has whose events have stated none, too."""

NOTHING: tuple[int, list[Fact]] = (0, [])
"""The outcome of an event that changes nothing. Shared: never append to it."""


class Session(msgspec.Struct, array_like=True, gc=False):
    """One play session of the row's household and title (the design, section 1: session).

    `spent_ms` is what it lacks of a full allowance; `rate_thousandths` None: the ordinary one. `later_ms` is
    how much later than `time_ms` its largest applied event time is. `time_ids` and `seq_ids` are the events applied at
    its place, as `models.ids.short` has them or as they came; `seq_ids` None: the same as `time_ids`.
    """

    session_id: Id
    time_ms: int
    position_ms: int
    playing: bool
    over: bool
    spent_ms: int
    until_play_ms: int
    time_ids: tuple[Id, ...]
    later_ms: int = 0
    rate_thousandths: int | None = None
    largest_seq: int | None = None
    seq_ids: tuple[Id, ...] | None = None


class Row(msgspec.Struct, gc=False):
    """What is known of one household and title. Times in milliseconds; planes as in `models.coverage`.

    `habits` are by the daypart's place, or none; `filled` is a span (`models.dayparts.Local`) of which its habit is
    full now, -1 where none is known. `watched` names the sessions that the fold counts as watched now. `packed` is its
    form at rest, as of the last drain; `generation` and `dirty` are the fold's own marks.
    """

    flags: int = 0
    completions: int = 0
    watched_ms: int = 0
    mark_ms: int = 0
    stated_length_ms: int = 0
    touched_ms: int = 0
    once: int = 0
    twice: int = 0
    owed: int = 0
    owed_by: str | None = None
    sessions: dict[str, Session] = {}
    habits: list[Habit | None] = []
    filled: int = -1
    watched: tuple[str, ...] = ()
    dirty: bool = False
    generation: int = 0
    packed: bytes = b""

    def forget(self, session_id: str) -> None:
        """Drop a session; what it owed is owed no longer."""
        del self.sessions[session_id]
        if self.owed_by == session_id:
            self.owed, self.owed_by = 0, None


def advance(
    row: Row, event: Event, stream_time_ms: int, catalog_length_ms: int, rules: Rules
) -> tuple[int, list[Fact]]:
    """Apply one event to its row; returns the content credited in milliseconds, and the facts made.

    `catalog_length_ms` is 0 where the catalog knows none. An event that is older than its session's place,
    or was applied there already, changes nothing.
    """
    session_id = event.play_session_id
    session = row.sessions.get(session_id)
    if session is not None:
        seq, largest_seq = event.seq, session.largest_seq
        if stream_time_ms - session.time_ms - session.later_ms > rules.grace_ms:
            row.forget(session_id)
            session = None
        # A larger number is the common case, and needs no call.
        elif (seq is None or largest_seq is None or seq <= largest_seq) and not _is_news(session, event):
            return NOTHING
    row.touched_ms = stream_time_ms
    if not row.stated_length_ms and (event.runtime_ms is not None or event.credits_start_ms is not None):
        row.stated_length_ms = _stated_length_ms(event)
    length_ms = catalog_length_ms or row.stated_length_ms
    facts: list[Fact] = []
    if row.flags & UNJUDGED and length_ms:
        row.flags ^= UNJUDGED
        _judge(row, length_ms, None, facts, rules)
    credited_ms = 0
    if session is None:
        _forget_old_sessions(row, stream_time_ms, rules)
        row.sessions[session_id] = _opened(event, rules)
    else:
        if session.playing:
            credited_ms = _close_interval(row, session, event, length_ms, facts, rules)
        _move(session, event)
    if not row.completions and not row.flags & SKIMMER:
        _mark(row, event, length_ms, facts, rules)
    if row.owed_by == session_id and event.event_type in ("stop", "end"):
        row.owed, row.owed_by = 0, None
    return credited_ms, facts


def _is_news(session: Session, event: Event) -> bool:
    if event.seq is not None and session.largest_seq is not None:
        if event.seq != session.largest_seq:
            return event.seq > session.largest_seq
        return not _is_among(event.event_id, session.time_ids if session.seq_ids is None else session.seq_ids)
    largest_time_ms = session.time_ms + session.later_ms
    if event.event_time_ms != largest_time_ms:
        return event.event_time_ms > largest_time_ms
    return not _is_among(event.event_id, session.time_ids)


def _is_among(event_id: str, ids: tuple[Id, ...]) -> bool:
    return event_id in ids or short(event_id) in ids


def _stated_length_ms(event: Event) -> int:
    for stated in (event.credits_start_ms, event.runtime_ms):
        if stated is not None and stated >= SHORTEST_STATED_LENGTH_MS:
            return stated
    return 0


def _forget_old_sessions(row: Row, stream_time_ms: int, rules: Rules) -> None:
    if not row.sessions:
        return
    oldest_ms = stream_time_ms - rules.grace_ms
    for session_id in [key for key, session in row.sessions.items() if session.time_ms + session.later_ms < oldest_ms]:
        row.forget(session_id)


def _opened(event: Event, rules: Rules) -> Session:
    return Session(
        session_id=event.play_session_id,
        time_ms=event.event_time_ms,
        position_ms=event.position_ms,
        playing=event.event_type in ("start", "play", "heartbeat", "rate", "seek"),
        over=event.event_type in ("stop", "end"),
        spent_ms=0,
        until_play_ms=rules.autoplay_play_ms if event.autoplay else rules.play_ms,
        time_ids=(event.event_id,),
        rate_thousandths=_rate_of(event),
        largest_seq=event.seq,
    )


def _close_interval(row: Row, session: Session, event: Event, length_ms: int, facts: list[Fact], rules: Rules) -> int:
    end_ms = event.position_ms
    if event.event_type == "seek":
        if event.seek_from_ms is None:
            return 0
        end_ms = event.seek_from_ms
    elapsed_ms = event.event_time_ms - session.time_ms
    if not 0 <= elapsed_ms <= rules.longest_interval_ms:
        return 0
    start_ms = session.position_ms
    paced_ms = elapsed_ms * (session.rate_thousandths or _ORDINARY_RATE) * rules.pace_percent // 100_000
    budget_ms = rules.allowance_ms - session.spent_ms + paced_ms
    credited_ms = end_ms - start_ms
    if not 0 < credited_ms <= budget_ms:
        credited_ms = 0
    left_ms = budget_ms - credited_ms
    session.spent_ms = rules.allowance_ms - left_ms if left_ms < rules.allowance_ms else 0
    if credited_ms:
        row.watched_ms += credited_ms
        if session.until_play_ms > 0 or row.flags & REACHED != REACHED:
            _reach(row, session, credited_ms, facts, rules)
        cells = cells_between(start_ms, end_ms, length_ms)
        _cover(row, event.play_session_id, cells)
        if length_ms:
            _judge(row, length_ms, event.play_session_id, facts, rules)
        elif cells:
            row.flags |= UNJUDGED
    return credited_ms


def _reach(row: Row, session: Session, credited_ms: int, facts: list[Fact], rules: Rules) -> None:
    if session.until_play_ms > 0:
        session.until_play_ms -= credited_ms
        if session.until_play_ms <= 0:
            session.until_play_ms = 0
            facts.append(PLAYED)
    if not row.flags & STARTER and row.watched_ms >= rules.starter_ms:
        row.flags |= STARTER
        facts.append(STARTED)
    if not row.flags & VIEWER and row.watched_ms >= rules.viewer_ms:
        row.flags |= VIEWER
        facts.append(VIEWED)


def _cover(row: Row, session_id: str, cells: int) -> None:
    if row.owed_by == session_id:
        settled = cells & row.owed
        row.owed ^= settled
        cells ^= settled
    again = cells & row.once
    if again:
        row.twice |= again
    row.once |= cells


def _judge(row: Row, length_ms: int, session_id: str | None, facts: list[Fact], rules: Rules) -> None:
    # Counting bits costs more than their span, and the span bounds their number.
    if row.once.bit_length() * 100 < rules.watcher_percent * (length_ms // CELL_MS):
        return
    cells = cells_of(length_ms)
    full = _full(cells)
    seen = count_within(row.once, full) * 100
    if seen >= rules.watcher_percent * cells and not row.flags & WATCHER:
        row.flags |= WATCHER
        facts.append(WATCHED)
    while seen >= rules.completion_percent * cells:
        _complete(row, full, session_id, facts)
        seen = count_within(row.once, full) * 100


def _complete(row: Row, full: int, session_id: str | None, facts: list[Fact]) -> None:
    row.owed, row.owed_by = (full & ~row.once, session_id) if session_id is not None else (0, None)
    row.once, row.twice = row.twice, 0
    row.completions += 1
    for flag, fact in ((STARTER, STARTED), (VIEWER, VIEWED), (WATCHER, WATCHED)):
        if not row.flags & flag:
            row.flags |= flag
            facts.append(fact)
    if row.flags & SKIMMER:
        row.flags ^= SKIMMER
        facts.append(COMPLETED_AFTER_SKIMMING)
    facts.append(Fact(COMPLETED, row.completions))


def _mark(row: Row, event: Event, length_ms: int, facts: list[Fact], rules: Rules) -> None:
    reached_ms = event.position_ms
    if event.event_type == "seek" and event.seek_from_ms is not None:
        reached_ms = max(reached_ms, event.seek_from_ms)
    if reached_ms > row.mark_ms:
        row.mark_ms = reached_ms
    if length_ms and row.mark_ms * 100 >= rules.skimmer_percent * length_ms:
        row.flags |= SKIMMER
        facts.append(SKIMMED)


def _move(session: Session, event: Event) -> None:
    kind, time_ms = event.event_type, event.event_time_ms
    if kind == "heartbeat":
        if not session.playing and not session.over and event.position_ms > session.position_ms:
            session.playing = True
    elif kind in ("start", "play"):
        session.playing, session.over = True, False
    elif kind in ("pause", "buffer"):
        session.playing = False
    elif kind in ("stop", "end"):
        session.playing, session.over = False, True
    later_ms = session.time_ms + session.later_ms - time_ms
    session.time_ms = time_ms
    session.position_ms = event.position_ms
    if event.playback_rate is not None:
        session.rate_thousandths = _rate_of(event)
    seq, largest_seq = event.seq, session.largest_seq
    if later_ms < 0 and seq is not None and (largest_seq is None or seq > largest_seq):
        # By far the most: later than all before it, by its time and by its number.
        session.later_ms, session.largest_seq = 0, seq
        session.time_ids, session.seq_ids = (event.event_id,), None
    else:
        _note_place(session, event, later_ms)


def _note_place(session: Session, event: Event, later_ms: int) -> None:
    """`later_ms`: how much later the largest time before this event was."""
    ids, time_ids = (event.event_id,), session.time_ids
    seq_ids = time_ids if session.seq_ids is None else session.seq_ids
    if later_ms <= 0:
        time_ids = ids if later_ms < 0 else time_ids + ids
    session.later_ms = max(0, later_ms)
    seq, largest_seq = event.seq, session.largest_seq
    if seq is not None:
        if largest_seq is None or seq > largest_seq:
            session.largest_seq, seq_ids = seq, ids
        elif seq == largest_seq:
            seq_ids += ids
    session.time_ids = time_ids
    session.seq_ids = None if session.largest_seq is None or seq_ids == time_ids else seq_ids


def _rate_of(event: Event) -> int | None:
    if event.playback_rate is None or event.playback_rate == 1.0:
        return None
    return rate_thousandths(event.playback_rate)


@lru_cache(maxsize=4096)
def rate_thousandths(rate: float) -> int:
    """A playback rate in thousandths, half to even, clamped to 0.1–4."""
    return min(4000, max(100, round(Decimal(repr(rate)) * 1000)))


@lru_cache(maxsize=4096)
def _full(cells: int) -> int:
    return (1 << cells) - 1
