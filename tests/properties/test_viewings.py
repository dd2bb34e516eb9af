"""What holds of every viewing: how it is cut does not matter, and nobody is credited more than was played."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import count, pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from random_logs import KINDS, LOGS, Log

from models.account import StreamCounters
from models.counters import ALL_FIELDS, Counters
from models.coverage import cells_between, plane_of
from models.events import BadEvent, Event
from models.reading import read_event
from models.rules import DAY_MS, Rules
from models.tally import TITLE
from models.viewing import Lengths, Row, advance

RULES = Rules()
FILM_MS = 600_000
LONGEST_MS = 7 * 86_400_000
Cuts = list[int]


def _advance(row: Row, event: Event, time_ms: int, film_ms: int) -> int:
    """Apply an event to a row; the content that it credits."""
    outcome = advance(
        row,
        event.play_session_id,
        event,
        event.event_time_ms,
        time_ms,
        Lengths(film_ms, film_ms),
        RULES,
        StreamCounters(),
    )
    return outcome.credited_ms if outcome else 0


def _event(kind: str, time_ms: int, position_ms: int, session: str = "s", **more: Any) -> Event:
    return Event(f"{session} {time_ms} {position_ms}", kind, time_ms, "h", "t", session, position_ms, **more)  # type: ignore[arg-type]


def _watch(row: Row, begin_ms: int, cuts: Cuts, session: str, start_ms: int, ends: str = "stop") -> int:
    """Plays through these positions at ordinary speed; returns the time at the end."""
    for place, position_ms in enumerate(cuts):
        kind = "start" if not place else ends if place == len(cuts) - 1 else "heartbeat"
        time_ms = begin_ms + position_ms - start_ms
        _advance(row, _event(kind, time_ms, position_ms, session), time_ms, FILM_MS)
    return begin_ms + cuts[-1] - start_ms


def _remembered(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("flags", "completions", "watched_ms", "once", "twice", "owed")}


def _cut(end_ms: int) -> st.SearchStrategy[Cuts]:
    inner = st.integers(1, end_ms - 1) | st.integers(0, end_ms // 5_000 - 1).map(lambda cell: cell * 5_000 + 2_500)
    return st.lists(inner, max_size=30, unique=True).map(lambda cuts: [0, *sorted(cuts), end_ms])


@given(st.lists(_cut(FILM_MS), min_size=1, max_size=6))
def test_straight_viewings_count_alike_however_they_are_cut_into_heartbeats(viewings: list[Cuts]) -> None:
    cut, whole = Row(), Row()
    for number, cuts in enumerate(viewings):
        _watch(cut, number * 10**7, cuts, f"viewing {number}", 0)
        _watch(whole, number * 10**7, [0, FILM_MS], f"viewing {number}", 0)
        assert _remembered(cut) == _remembered(whole)
    assert cut.completions == len(viewings)


@given(st.integers(2, 120).map(lambda cells: cells * 5_000).flatmap(_cut), st.data())
def test_coverage_and_completion_do_not_depend_on_sittings_and_devices(cuts: Cuts, data: st.DataObject) -> None:
    row, now_ms, sitting, end_ms = Row(), 0, [cuts[0]], cuts[-1]
    for number, (_, position_ms) in enumerate(pairwise(cuts)):
        sitting.append(position_ms)
        if position_ms == end_ms or data.draw(st.booleans()):
            now_ms = _watch(row, now_ms, sitting, f"sitting {number}", sitting[0]) + data.draw(st.integers(0, 10**8))
            sitting = [position_ms]
    # Cell 107 of the film's 120 is its end; what comes after it is owed by the session that completed.
    assert row.twice == 0
    if end_ms < 540_000:
        assert (row.completions, row.once) == (0, plane_of(*cells_between(0, end_ms, FILM_MS)))
    else:
        assert row.completions == 1


PIECES = st.lists(
    st.tuples(st.integers(0, 199), st.integers(1, 60), st.integers(-2_500, 2_500)), min_size=1, max_size=12
).map(lambda pieces: [(max(0, cell * 5_000 + off), (cell + length) * 5_000 + off) for cell, length, off in pieces])
LONG_FILM_MS = 1_500_000
NUMBERS = count()


@given(PIECES, st.data())
def test_coverage_is_what_was_played_in_any_order_by_any_devices_in_any_sittings(
    pieces: list[tuple[int, int]], data: st.DataObject
) -> None:
    # All pieces end before the film's end begins: what they cover is there to be looked at.
    row = Row()
    credited_ms = _played(row, pieces, LONG_FILM_MS, 0, data)
    times_seen = [sum(start_ms <= cell * 5_000 + 2_500 < end_ms for start_ms, end_ms in pieces) for cell in range(300)]
    assert row.once == sum(1 << cell for cell, times in enumerate(times_seen) if times >= 1)
    assert row.twice == sum(1 << cell for cell, times in enumerate(times_seen) if times >= 2)
    assert (credited_ms, row.completions) == (sum(end_ms - start_ms for start_ms, end_ms in pieces), 0)


@given(st.lists(_cut(FILM_MS), min_size=1, max_size=4), st.data())
def test_a_film_seen_whole_is_one_completion_each_time_in_any_order_by_any_devices_in_any_sittings(
    viewings: list[Cuts], data: st.DataObject
) -> None:
    row = Row()
    for number, cuts in enumerate(viewings):
        pieces = data.draw(st.permutations(list(pairwise(cuts))))
        assert _played(row, pieces, FILM_MS, number * 10**9, data) == FILM_MS
        assert row.completions == number + 1


STRETCHES = st.integers(0, 417_500).flatmap(
    lambda at_ms: st.tuples(st.just(at_ms), st.integers(at_ms, at_ms + 120_000))
)


@given(st.lists(STRETCHES, min_size=1, max_size=5))
def test_every_viewing_that_leaves_out_a_fifth_at_most_and_not_the_end_is_a_completion(
    left_out: list[tuple[int, int]],
) -> None:
    row = Row()
    for number, (start_ms, end_ms) in enumerate(left_out):
        for begin_ms, stop_ms in ((0, start_ms), (end_ms, FILM_MS)):
            _plays(row, str(number), number * 10**7 + begin_ms, begin_ms, stop_ms, FILM_MS)
        assert row.completions == number + 1


@given(_cut(FILM_MS), _cut(FILM_MS), st.randoms(use_true_random=False))
def test_two_viewings_side_by_side_are_two_completions(first: Cuts, second: Cuts, random: Random) -> None:
    row, waiting = Row(), {"mia": first[1:], "ben": second[1:]}
    at_ms, now_ms, credited_ms = {"mia": 0, "ben": 0}, 0, 0
    for session in at_ms:
        _advance(row, _event("start", 0, 0, session), 0, FILM_MS)
    while any(waiting.values()):
        session = random.choice([name for name, cuts in waiting.items() if cuts])
        now_ms += FILM_MS
        began_ms, at_ms[session] = at_ms[session], waiting[session].pop(0)
        credited_ms += _plays(row, session, now_ms, began_ms, at_ms[session], FILM_MS)
    assert (row.completions, credited_ms) == (2, 2 * FILM_MS)


def _played(row: Row, pieces: list[tuple[int, int]], film_ms: int, at_ms: int, data: st.DataObject) -> int:
    """Pieces of a film, each by one of three devices that go on or by one of its own, in two sittings, at any time."""
    credited_ms = 0
    for number, (start_ms, end_ms) in enumerate(pieces):
        session = f"{data.draw(st.sampled_from('abc') | st.just(str(number)))} {at_ms // 10**9}"
        between_ms = data.draw(st.integers(start_ms, end_ms))
        for begin_ms, stop_ms in ((start_ms, between_ms), (between_ms, end_ms)):
            credited_ms += _plays(row, session, at_ms, begin_ms, stop_ms, film_ms)
            at_ms += stop_ms - begin_ms + data.draw(st.sampled_from((0, 1, 10**6)))
    return credited_ms


def _plays(row: Row, session: str, now_ms: int, start_ms: int, end_ms: int, film_ms: int) -> int:
    """A session goes to a position, plays on from there at ordinary speed, and pauses; what is credited."""
    end, credited_ms = now_ms + end_ms - start_ms, 0
    for kind, time_ms, position_ms in (("seek", now_ms, start_ms), ("play", now_ms, start_ms), ("pause", end, end_ms)):
        event = _event(kind, time_ms, position_ms, session)
        event.event_id = str(next(NUMBERS))
        credited_ms += _advance(row, event, time_ms, film_ms)
    return credited_ms


TO_THE_MOST = 10**12
"""An advance by as much as the session may still be credited."""

EVENTS = st.lists(
    st.tuples(
        st.sampled_from((*KINDS, "heartbeat", "heartbeat", "heartbeat")),
        st.sampled_from((-1_000, 0, 1, 1_000, 10_000, 10_000, 60_000, 1_800_000, 1_800_001, 14_400_000, 14_400_001)),
        st.sampled_from((0, 1, 1_000, 1_020, 1_021, 5_000, 6_020, 10_000, 15_200, 20_000, 60_000, -30_000, -590_000))
        | st.sampled_from((TO_THE_MOST - 1, TO_THE_MOST, TO_THE_MOST + 1))
        | st.integers(0, 10**6),
        st.sampled_from((None, None, None, 0.05, 0.5, 1.0, 1.5, 2.0, 8.0)),
        st.booleans(),
    ),
    max_size=60,
)  # fmt: skip


@settings(max_examples=200)
@given(EVENTS, st.sampled_from((0, FILM_MS)))
def test_no_session_is_credited_more_than_the_allowance_and_its_playing_time(
    steps: list[tuple[str, int, int, float | None, bool]], film_ms: int
) -> None:
    row, time_ms, position_ms, credited_ms, most = Row(), 10**12, 0, 0, 5_000.0
    player = Player()
    for seq, (kind, elapsed_ms, advanced_ms, rate, tells_from) in enumerate(steps):
        before_ms, time_ms = position_ms, time_ms + elapsed_ms
        if player.playing and 0 <= elapsed_ms <= RULES.longest_interval_ms:
            most += 1.02 * elapsed_ms * player.fastest
        if advanced_ms > LONGEST_MS:
            advanced_ms += int(most) - credited_ms - TO_THE_MOST
        position_ms = min(max(0, position_ms + advanced_ms), LONGEST_MS)
        seek_from_ms = before_ms + advanced_ms // 2 if tells_from else None
        event = _event(kind, time_ms, position_ms, seq=seq, playback_rate=rate, seek_from_ms=seek_from_ms)
        player.is_told(kind, position_ms > before_ms, rate)
        credit_ms = _advance(row, event, 10**12, film_ms)
        credited_ms += credit_ms
        around_ms = film_ms - before_ms + position_ms if position_ms < before_ms else 0
        assert 0 <= credit_ms <= max(0, position_ms - before_ms, (seek_from_ms or 0) - before_ms, around_ms)
        assert credited_ms <= most
        session = row.sessions["s"]
        assert row.watched_ms == (credited_ms if session.has_played else 0)
        assert 0 <= session.spent_ms <= 5_000


class Player:
    """Whether a session plays, and how fast, by the sentences of the rules on each kind of event.

    `fastest` is what it states, and as long as it has stated nothing the largest speed that may be found.
    """

    def __init__(self) -> None:
        self.told, self.playing, self.over, self.fastest = False, False, False, 2.1

    def is_told(self, kind: str, moved_on: bool, rate: float | None) -> None:
        if kind in ("start", "play") or (kind in ("heartbeat", "rate", "seek") and not self.told):
            self.playing, self.over = True, False
        elif kind in ("pause", "buffer", "stop", "end"):
            self.playing, self.over = False, kind in ("stop", "end")
        elif kind == "heartbeat" and moved_on and not self.over:
            self.playing = True
        self.told = True
        self.fastest = self.fastest if rate is None else min(4.0, max(0.1, rate))


@settings(max_examples=60)
@given(LOGS)
def test_watched_time_of_any_log_is_at_most_the_elapsed_time_at_the_fastest_speed_told_or_found(log: Log) -> None:
    # No session is forgotten: one that is would have its allowance again.
    log.rules = replace(log.rules, grace_ms=365 * DAY_MS, forget_ms=730 * DAY_MS)
    times_ms: dict[tuple[int, str, str, str], list[int]] = {}
    fastest: dict[tuple[int, str, str, str], float] = {}
    for step in log.steps:
        with suppress(BadEvent):
            event = read_event(step.record.key, step.record.value)
            if -log.rules.grace_ms // 2 < event.event_time_ms - step.record.timestamp <= log.rules.future_ms:
                session = (step.partition, event.title_id, event.household_id, event.play_session_id)
                times_ms.setdefault(session, []).append(event.event_time_ms)
                fastest[session] = min(4.0, max(2.1, fastest.get(session, 0.0), event.playback_rate or 0.0))
    for number, (fold, _) in enumerate(log.folded()):
        for key, counts in [(key, counts) for key, (_, *counts) in fold.tallies.items() if key.kind == TITLE]:
            elapsed_ms = {
                session: sum(max(0, later_ms - earlier_ms) for earlier_ms, later_ms in pairwise(told_ms))
                for session, told_ms in times_ms.items()
                if session[:2] == (number, key.title_id)
            }
            assert Counters(*counts[:ALL_FIELDS]).watched_ms <= sum(
                5_000 + 1.02 * elapsed * fastest[session] for session, elapsed in elapsed_ms.items()
            )
