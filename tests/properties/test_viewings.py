"""What holds of every viewing: how it is cut does not matter, and nobody is credited more than was played."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from random_logs import KINDS

from models.coverage import cells_between
from models.events import BadEvent, Event, read_event
from models.rules import Rules
from models.viewing import Row, advance

RULES = Rules()
FILM_MS = 600_000
LONGEST_MS = 7 * 86_400_000
Cuts = list[int]


def _event(kind: str, time_ms: int, position_ms: int, session: str = "s", **more: Any) -> Event:
    return Event(f"{session} {time_ms} {position_ms}", kind, time_ms, "h", "t", session, position_ms, **more)  # type: ignore[arg-type]


def _watch(row: Row, begin_ms: int, cuts: Cuts, session: str, start_ms: int, ends: str = "stop") -> int:
    """Plays through these positions at ordinary speed; returns the time at the end."""
    for place, position_ms in enumerate(cuts):
        kind = "start" if not place else ends if place == len(cuts) - 1 else "heartbeat"
        time_ms = begin_ms + position_ms - start_ms
        advance(row, _event(kind, time_ms, position_ms, session), time_ms, FILM_MS, RULES)
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
    assert (row.watched_ms, row.twice) == (end_ms, 0)
    # 108 of the film's 120 cells make a completion; what comes after it is owed by the session that completed.
    if end_ms < 540_000:
        assert (row.completions, row.once) == (0, cells_between(0, end_ms, FILM_MS))
    else:
        assert row.completions == 1


EVENTS = st.lists(
    st.tuples(
        st.sampled_from((*KINDS, "heartbeat", "heartbeat", "heartbeat")),
        st.sampled_from((-1_000, 0, 1, 1_000, 10_000, 60_000, 1_800_000, 1_800_001)),
        st.sampled_from((0, 1, 1_000, 1_020, 1_021, 5_000, 6_020, 10_000, 15_200, 60_000, -30_000))
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
    for seq, (kind, elapsed_ms, advanced_ms, rate, tells_from) in enumerate(steps):
        before_ms, time_ms = position_ms, time_ms + elapsed_ms
        position_ms = min(max(0, position_ms + advanced_ms), LONGEST_MS)
        seek_from_ms = before_ms + advanced_ms // 2 if tells_from else None
        event = _event(kind, time_ms, position_ms, seq=seq, playback_rate=rate, seek_from_ms=seek_from_ms)
        session = row.sessions.get("s")
        if session is not None and session.playing and 0 <= elapsed_ms <= RULES.longest_interval_ms:
            most += 1.02 * elapsed_ms * session.rate_thousandths / 1_000
        credit_ms, _ = advance(row, event, 10**12, film_ms, RULES)
        credited_ms += credit_ms
        assert 0 <= credit_ms <= max(0, position_ms - before_ms, (seek_from_ms or 0) - before_ms)
        assert credited_ms == row.watched_ms <= most
        assert 0 <= row.sessions["s"].allowance_ms <= 5_000


@settings(max_examples=200)
@given(st.binary(max_size=80) | st.none(), st.binary(max_size=400) | st.text(max_size=400).map(str.encode) | st.none())
def test_reading_any_bytes_raises_nothing_but_a_bad_event(key: bytes | None, value: bytes | None) -> None:
    try:
        read_event(key, value)
    except BadEvent as problem:
        assert str(problem)
    else:
        raise AssertionError("no event in these bytes")
