"""The viewing state machine: what one event does to one household's row of one title.

    event         the interval is closed at
    seek          seek_from_ms, else not
    first event   nothing to close
    all others    position_ms

The session's state is in `models.session`, the credit of an interval in `models.credit`. Owns plays, coverage,
completion and the household's thresholds (the design, section 1). It must not know counters or any clock: stream time
is an argument.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from models.account import StreamCounters
from models.audience import WatchedWeeks
from models.coverage import cells_between, cells_of, count_within, plane_of
from models.credit import close_interval
from models.events import Event
from models.habits import Habit
from models.ids import Id, short
from models.rules import CELL_MS, MOST_PROFILES, MOST_SESSIONS, REPLAY_MS, SHORTEST_STATED_LENGTH_MS, Rules
from models.session import NEWS, RESTART, STALE, Session, count_anew, move, opened, place_of

STARTER: Final = 1
VIEWER: Final = 2
WATCHER: Final = 4
SKIMMER: Final = 8
UNJUDGED: Final = 16
MISROUTED: Final = 32
REACHED: Final = STARTER | VIEWER


class Fact(NamedTuple):
    """Something that became true once.

    `ordinal` is the number of the household's completion of the title, from 1, or the length that a streak has reached
    in `daypart`. For a completion, `same_profile` says whether its profile had completed the title before, `autoplay`
    whether its session began by autoplay, and `before_ms` when the household completed it last (None: never).
    """

    name: str
    ordinal: int = 0
    daypart: str = ""
    same_profile: bool = False
    autoplay: bool = False
    before_ms: int | None = None


PLAYED: Final = Fact("played")
STARTED: Final = Fact("started")
VIEWED: Final = Fact("viewed")
WATCHED: Final = Fact("watched")
SKIMMED: Final = Fact("skimmed")
NO_SKIMMER: Final = Fact("no_skimmer")
COMPLETED: Final = "completed"
STREAK: Final = "streak"


NO_CELLS: Final = (0, 0)
NO_WEEK: Final = -1


class Outcome:
    """What an event did: the facts that it made, and the content that it credited, over `elapsed_ms`.

    `before_play_ms` is the session's credit from before its play, if this event made the play; else 0. `cells` is the
    span that was played (`models.coverage`). In a loop it is the second part, and `earlier_cells` the first.
    `gave_room` names the session that the row forgot to make room for the event's session, unless it was past the
    grace.
    """

    __slots__ = ("before_play_ms", "cells", "credited_ms", "earlier_cells", "elapsed_ms", "facts", "gave_room")

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.credited_ms = self.elapsed_ms = self.before_play_ms = 0
        self.cells = self.earlier_cells = NO_CELLS
        self.gave_room = ""


class Lengths:
    """A title's lengths by the catalog, in milliseconds; 0: not known."""

    __slots__ = ("content_ms", "runtime_ms")

    def __init__(self, content_ms: int = 0, runtime_ms: int = 0) -> None:
        self.content_ms = content_ms
        self.runtime_ms = runtime_ms


class Row:
    """What is known of one household and title. Times in milliseconds; planes as in `models.coverage`.

    `touched_ms` is the stream time of the last applied event. `watched_ms` is the credit of sessions that have made a
    play; `mark_ms` is the furthest position. `habits` are by the daypart's place; empty: none yet. `filled` is a span
    (`models.dayparts.Local`) that is known to be filled, `reached_week` a week that is known to be reached; -1: none.
    `profiles` are the first that completed the title, `completed_ms` is the time of the last completion. `watched`
    names the sessions that count as watched now. `packed` is the packed row, as of the last drain. `generation` is the
    fold's when the row last changed, `dirty` is set if that is not drained yet.
    """

    __slots__ = (
        "completed_ms",
        "completions",
        "dirty",
        "filled",
        "flags",
        "generation",
        "habits",
        "mark_ms",
        "once",
        "owed",
        "owed_by",
        "packed",
        "profiles",
        "reached_week",
        "sessions",
        "stated_length_ms",
        "touched_ms",
        "twice",
        "watched",
        "watched_ms",
        "weeks",
    )

    def __init__(self, touched_ms: int = 0) -> None:
        self.touched_ms = touched_ms
        self.flags = self.completions = self.watched_ms = self.mark_ms = self.stated_length_ms = 0
        self.once = self.twice = self.owed = 0
        self.owed_by: str | None = None
        self.sessions: dict[str, Session] = {}
        self.habits: list[Habit | None] = []
        self.filled = -1
        self.weeks: WatchedWeeks | None = None
        self.reached_week = NO_WEEK
        self.profiles: tuple[Id, ...] = ()
        self.completed_ms: int | None = None
        self.watched: tuple[str, ...] = ()
        self.dirty = False
        self.generation = 0
        self.packed = b""

    def forget(self, session_id: str) -> None:
        """Drop a session, and *owed* if the session owns it."""
        del self.sessions[session_id]
        if self.owed_by == session_id:
            self.owed, self.owed_by = 0, None


def advance(
    row: Row, session_id: str, event: Event, time_ms: int, stream_time_ms: int, lengths: Lengths, rules: Rules,
    account: StreamCounters,
) -> Outcome | None:  # fmt: skip
    """Apply one event to its row. Returns None if the event changes nothing, as it is stale or a duplicate.

    `session_id` and `time_ms` are the event's. Counts stale events, player restarts and refused content in `account`.
    """
    # Each field of an event is read once, as compiled code reads it no faster than an interpreter.
    kind: str = event.event_type
    position_ms: int = event.position_ms
    seq: int | None = event.seq
    session = row.sessions.get(session_id)
    if session is not None:
        largest_seq = session.largest_seq
        if stream_time_ms - session.time_ms - session.later_ms > rules.grace_ms:
            row.forget(session_id)
            session = None
        # The common case, a larger `seq`, needs no call.
        elif (
            seq is None or largest_seq is None or seq <= largest_seq or session.run_start_ms is not None
        ) and not _is_news(session, event, account):
            return None
    row.touched_ms = stream_time_ms
    if not row.stated_length_ms and (event.runtime_ms is not None or event.credits_start_ms is not None):
        row.stated_length_ms = _stated_length_ms(event)
    length_ms = lengths.content_ms or row.stated_length_ms
    outcome = Outcome()
    if row.flags & UNJUDGED and length_ms:
        row.flags ^= UNJUDGED
        by_autoplay = bool(event.autoplay) if session is None else session.autoplay
        _judge(row, length_ms, event, None, by_autoplay, outcome.facts, rules)
    if session is None:
        outcome.gave_room = _forget_old_sessions(row, stream_time_ms, rules)
        row.sessions[session_id] = opened(event, rules)
    else:
        if session.playing:
            end_ms = position_ms if kind != "seek" else event.seek_from_ms
            if end_ms is not None:
                elapsed_ms = time_ms - session.time_ms
                credited_ms, loops_at_ms = close_interval(
                    session, event, elapsed_ms, end_ms, lengths.runtime_ms, rules, account
                )
                if credited_ms:
                    outcome.credited_ms = credited_ms
                    outcome.elapsed_ms = elapsed_ms
                    if loops_at_ms:
                        _take_loop(row, session, event, end_ms, loops_at_ms, length_ms, outcome, rules)
                    else:
                        _take(row, session, event, session.position_ms, end_ms, length_ms, outcome, rules)
        if position_ms < REPLAY_MS and kind in ("start", "play", "seek"):
            _begin_again(session, session.position_ms - position_ms, rules)
        move(session, event, kind, time_ms, position_ms, seq)
    if not row.completions:
        _mark(row, event, kind, position_ms, length_ms, outcome.facts, rules)
    if row.owed_by == session_id and kind in ("stop", "end"):
        row.owed, row.owed_by = 0, None
    return outcome


def _is_news(session: Session, event: Event, account: StreamCounters) -> bool:
    place = place_of(session, event)
    if place == STALE:
        account.stale_events += 1
    elif place == RESTART:
        account.player_restarts += 1
        count_anew(session)
    return place in (NEWS, RESTART)


def _stated_length_ms(event: Event) -> int:
    for stated in (event.credits_start_ms, event.runtime_ms):
        if stated is not None and stated >= SHORTEST_STATED_LENGTH_MS:
            return stated
    return 0


def _forget_old_sessions(row: Row, stream_time_ms: int, rules: Rules) -> str:
    """Make room for one more session: drop those past the grace, then the oldest if there are still too many.

    Returns the id of the oldest, if it was dropped; else an empty string.
    """
    if not row.sessions:
        return ""
    oldest_ms = stream_time_ms - rules.grace_ms
    for session_id in [key for key, session in row.sessions.items() if session.largest_time_ms < oldest_ms]:
        row.forget(session_id)
    if len(row.sessions) < MOST_SESSIONS:
        return ""
    oldest = min(row.sessions, key=lambda session_id: row.sessions[session_id].largest_time_ms)
    row.forget(oldest)
    return oldest


# -- credit -----------------------------------------------------------------------------------------------------------


def _take_loop(
    row: Row, session: Session, event: Event, end_ms: int, loops_at_ms: int, length_ms: int, outcome: Outcome,
    rules: Rules,
) -> None:  # fmt: skip
    """Credit a loop as two intervals, one after the other. Each may make a play and completions."""
    start_ms = session.position_ms
    if start_ms < loops_at_ms:
        _take(row, session, event, start_ms, loops_at_ms, length_ms, outcome, rules)
        outcome.earlier_cells, outcome.cells = outcome.cells, NO_CELLS
    had_played = session.has_played
    _begin_again(session, REPLAY_MS, rules)
    if end_ms:
        _take(row, session, event, 0, end_ms, length_ms, outcome, rules)
        if session.has_played and not had_played:
            # The loop's first part is credited at this event's time with the second, so it is not from before the play.
            outcome.before_play_ms -= loops_at_ms - start_ms


def _take(
    row: Row, session: Session, event: Event, start_ms: int, end_ms: int, length_ms: int, outcome: Outcome,
    rules: Rules,
) -> None:  # fmt: skip
    if session.until_play_ms or row.flags & REACHED != REACHED:
        _reach(row, session, end_ms - start_ms, outcome, rules)
    else:
        row.watched_ms += end_ms - start_ms
    first, beyond = cells_between(start_ms, end_ms, length_ms)
    outcome.cells = first, beyond
    cells, session_id = plane_of(first, beyond), event.play_session_id
    _cover(row, session_id, cells)
    if length_ms:
        _judge(row, length_ms, event, session_id, session.autoplay, outcome.facts, rules)
    elif cells:
        row.flags |= UNJUDGED


def _begin_again(session: Session, back_ms: int, rules: Rules) -> None:
    """Begin another play, if the session went back far enough, has made its play, and waits for no other."""
    if back_ms >= REPLAY_MS and session.has_played and not session.until_play_ms:
        session.until_play_ms = session.play_ms(rules)


def _reach(row: Row, session: Session, credited_ms: int, outcome: Outcome, rules: Rules) -> None:
    """Count credit towards the session's play, and the household's thresholds of starter and viewer."""
    if session.until_play_ms > 0:
        before_ms = session.play_ms(rules) - session.until_play_ms
        session.until_play_ms = max(0, session.until_play_ms - credited_ms)
        if not session.until_play_ms:
            outcome.facts.append(PLAYED)
            if not session.has_played:
                session.has_played = True
                row.watched_ms += before_ms
                outcome.before_play_ms = before_ms
    if not session.has_played:
        return
    row.watched_ms += credited_ms
    if not row.flags & STARTER and row.watched_ms >= rules.starter_ms:
        row.flags |= STARTER
        outcome.facts.append(STARTED)
    if not row.flags & VIEWER and row.watched_ms >= rules.viewer_ms:
        row.flags |= VIEWER
        outcome.facts.append(VIEWED)


# -- completion -------------------------------------------------------------------------------------------------------


def _cover(row: Row, session_id: str, cells: int) -> None:
    if row.owed_by == session_id:
        settled = cells & row.owed
        row.owed ^= settled
        cells ^= settled
    again = cells & row.once
    if again:
        row.twice |= again
    row.once |= cells


def _judge(
    row: Row, length_ms: int, event: Event, session_id: str | None, by_autoplay: bool, facts: list[Fact], rules: Rules
) -> None:
    # `bit_length` is cheaper than counting bits, and an upper bound of their number.
    if row.once.bit_length() * 100 < rules.watcher_percent * (length_ms // CELL_MS):
        return
    cells = cells_of(length_ms)
    full = _full(cells)
    seen = count_within(row.once, full) * 100
    if seen >= rules.watcher_percent * cells and not row.flags & WATCHER:
        row.flags |= WATCHER
        facts.append(WATCHED)
    while seen >= rules.completion_percent * cells and (row.once & full) >> _end_cell(cells, rules.end_percent):
        _complete(row, full, event, session_id, by_autoplay, facts)
        seen = count_within(row.once, full) * 100


def _end_cell(cells: int, end_percent: int) -> int:
    """The first cell that counts as the end."""
    return -(-end_percent * cells // 100) - 1


def _complete(
    row: Row, full: int, event: Event, session_id: str | None, by_autoplay: bool, facts: list[Fact]
) -> None:  # fmt: skip
    row.owed, row.owed_by = (full & ~row.once, session_id) if session_id is not None else (0, None)
    row.once, row.twice = row.twice, 0
    row.completions += 1
    for flag, fact in ((STARTER, STARTED), (VIEWER, VIEWED), (WATCHER, WATCHED)):
        if not row.flags & flag:
            row.flags |= flag
            facts.append(fact)
    if row.flags & SKIMMER:
        row.flags ^= SKIMMER
        facts.append(NO_SKIMMER)
    same_profile = _note_profile(row, event.profile_id)
    facts.append(Fact(COMPLETED, row.completions, "", same_profile, by_autoplay, row.completed_ms))
    row.completed_ms = event.event_time_ms


def _note_profile(row: Row, profile_id: str | None) -> bool:
    """Note that a profile completed the title. Returns whether it had before, as far as the row remembers."""
    if not profile_id:
        return False
    profile = short(profile_id)
    if profile in row.profiles:
        return True
    if len(row.profiles) < MOST_PROFILES:
        row.profiles += (profile,)
    return False


def _mark(
    row: Row, event: Event, kind: str, reached_ms: int, length_ms: int, facts: list[Fact], rules: Rules
) -> None:  # fmt: skip
    """Update the furthest position of a household without completions, and whether it is a skimmer."""
    if kind == "seek" and event.seek_from_ms is not None:
        reached_ms = max(reached_ms, event.seek_from_ms)
    if reached_ms > row.mark_ms:
        row.mark_ms = reached_ms
    if not length_ms:
        return
    if row.flags & SKIMMER:
        if _is_covered(row, length_ms, rules.skimmer_covered_percent):
            row.flags ^= SKIMMER
            facts.append(NO_SKIMMER)
    elif row.mark_ms * 100 >= rules.skimmer_percent * length_ms and not _is_covered(
        row, length_ms, rules.skimmer_covered_percent
    ):
        row.flags |= SKIMMER
        facts.append(SKIMMED)


def _is_covered(row: Row, length_ms: int, percent: int) -> bool:
    cells = cells_of(length_ms)
    return count_within(row.once, _full(cells)) * 100 >= percent * cells


@lru_cache(maxsize=4096)
def _full(cells: int) -> int:
    return (1 << cells) - 1
