"""Rows at rest."""

from __future__ import annotations

from copy import deepcopy
from random import Random
from uuid import UUID

import pytest
from partition_log import SAGA, Log
from playing import DAY, HOUR, T0, Household, household, row_of

from models.audience import WatchedWeeks
from models.glance import glance, has_sessions
from models.habits import Habit
from models.rows import pack, unpack
from models.rules import MOST_IDS
from models.session import Session
from models.viewing import Row

PLANES = {
    "none": 0, "the first": 1, "the second": 0b10, "a run": 0b1111, "a hole": 0b101, "a run further on": 0b1110_0000,
    "a day": (1 << 17_280) - 1, "the last of a day": 1 << 17_279, "an hour and more": ((1 << 900) - 1) << 300,
    "every second": int("10" * 500, 2), "a week": (1 << 120_960) - 1, "the last of a week": 1 << 120_959,
}  # fmt: skip
UUIDS = [str(UUID(int=Random(number).getrandbits(128))) for number in range(300)]


@pytest.mark.parametrize("plane", PLANES.values(), ids=PLANES.keys())
@pytest.mark.parametrize("name", ["once", "twice", "owed"])
def test_a_plane_comes_back_as_it_was(name: str, plane: int) -> None:
    row = Row()
    setattr(row, name, plane)
    assert getattr(unpack(pack(row)), name) == plane


HABITS: list[list[Habit | None]] = [
    [],
    [None, None, None, Habit()],
    [
        Habit(20_255, 0, 20_255, 1, 120),
        None,
        Habit(20_256, 1, 20_255, 2**64 - 1, -8, {20_250: 5, 20_254: 299_999}),
        None,
    ],
]


@pytest.mark.parametrize("habits", HABITS, ids=["none", "of one daypart", "of two"])
def test_habits_come_back_as_they_were(habits: list[Habit | None]) -> None:
    assert unpack(pack(row_of(habits=habits))).habits == habits


WEEKS = [
    None,
    WatchedWeeks(2_894, 120_000),
    WatchedWeeks(2_894, 0, 0, 0, 1),
    WatchedWeeks(2_890, 1, 5, 300, 2**52 - 1, 2**53 - 1, {2_889: 5, 2_894: 119_999}),
    WatchedWeeks(2_896, 7, -2, 0, 1),
]


@pytest.mark.parametrize("weeks", WEEKS, ids=["none", "of nothing", "one reached", "many", "a week to come"])
def test_weeks_come_back_as_they_were(weeks: WatchedWeeks | None) -> None:
    row = row_of(touched_ms=T0, weeks=deepcopy(weeks))
    assert (unpack(pack(row)).weeks, row.weeks) == (weeks, weeks)


@pytest.mark.parametrize("profiles", [(), ("mia",), (UUIDS[0], "ben")])
@pytest.mark.parametrize("completed_ms", [None, 0, T0, T0 + 300_000])
def test_who_completed_and_when_comes_back(profiles: tuple[str, ...], completed_ms: int | None) -> None:
    row = unpack(pack(row_of(touched_ms=T0, profiles=profiles, completed_ms=completed_ms)))
    assert (row.profiles, row.completed_ms) == (profiles, completed_ms)


def test_a_row_comes_back_whole_and_goes_on_as_if_it_had_never_been_packed() -> None:
    packed, untouched = (household().plays(0, 905, ends="heartbeat") for _ in range(2))
    for viewing in (packed, untouched):
        viewing.sits_down("other").tells("rate", 40, seq=-5, playback_rate=1.5).sits_down("sitting-1")
    packed.row = unpack(pack(packed.row))
    assert packed.state() == untouched.state()
    for viewing in (packed, untouched):
        viewing.plays_on(1000, ends="end").sits_down("other").plays_on(90, every=15, pace=1.5)
    assert packed.state() == untouched.state()
    assert packed.facts == untouched.facts


@pytest.mark.parametrize("session", ["sitting", UUIDS[0], UUIDS[0].upper()])
def test_what_a_session_owes_is_still_its_own_after_a_rest(session: str) -> None:
    packed, untouched = (household().sits_down(session).plays(0, 905, ends="heartbeat") for _ in range(2))
    assert untouched.row.owed_by == session
    packed.row = unpack(pack(packed.row))
    assert packed.state() == untouched.state() | {"sessions": packed.state()["sessions"]}
    for viewing in (packed, untouched):
        viewing.plays_on(1000).plays(0, 800)
    assert (packed.row.once, packed.row.twice, packed.facts) == (untouched.row.once, 0, untouched.facts)


def test_packing_is_the_same_bytes_for_the_same_state() -> None:
    row = household().plays(0, 500).row
    assert pack(unpack(pack(row))) == pack(row)


PLACES = [(1, 100), (2, 110), (3, 105), (3, 105), (3, 110), (None, 110), (None, 107), (4, 110), (5, 90), (5, 120)]
"""Numbers and times of a session's events, some of which stay at the place of those before."""


LONG_IDS = [f"{number:0>256}" for number in range(300)]


@pytest.mark.parametrize("ids", [UUIDS, LONG_IDS], ids=["UUIDs", "long ids"])
@pytest.mark.parametrize("packed_after", [{*range(10)}, {0, 4}, {1}, {2, 3, 7}])
def test_the_bytes_do_not_tell_when_a_row_was_packed_before(packed_after: set[int], ids: list[str]) -> None:
    for places in range(1, len(PLACES) + 1):
        often, once = _visits(places, packed_after, ids), _visits(places, set(), ids)
        assert pack(often.row) == pack(once.row)


def _visits(places: int, packed_after: set[int], ids: list[str]) -> Household:
    viewing = household()
    for number, (seq, at) in enumerate(PLACES[:places]):
        viewing.now = at
        viewing.tells("heartbeat", at, event_id=ids[number], seq=seq)
        if number in packed_after:
            pack(viewing.row)
    return viewing


@pytest.mark.parametrize("rests", [True, False])
def test_an_id_that_is_used_twice_is_the_same_one_whether_it_rested_or_not(rests: bool) -> None:
    viewing = household().tells("start", 0, event_id=UUIDS[0], seq=1)
    if rests:
        pack(viewing.row)
    viewing.waits(-10).tells("heartbeat", 5, event_id=UUIDS[0], seq=2)
    pack(viewing.row)
    (session,) = viewing.row.sessions.values()
    assert (session.later_ms, len(session.time_ids), session.seq_ids) == (10_000, 1, None)


@pytest.mark.parametrize("event_id", [UUIDS[0], UUIDS[0].upper(), "event-1", "é" * 36])
@pytest.mark.parametrize("seq", [None, 7])
def test_a_row_that_rested_knows_the_events_it_has_had(event_id: str, seq: int | None) -> None:
    viewing = household().tells("start", 0, event_id=event_id, seq=seq)
    pack(viewing.row)
    for row in (viewing.row, unpack(pack(viewing.row))):
        viewing.row = row
        before = viewing.state()
        viewing.waits(1 if seq else 0).tells("pause", 5, event_id=event_id, seq=seq)
        assert viewing.state() == before
    viewing.tells("pause", 5, event_id=UUIDS[1], seq=seq)
    assert not viewing.is_playing


@pytest.mark.parametrize("rests", [True, False])
@pytest.mark.parametrize("seq", [None, 7])
@pytest.mark.parametrize("ids", [UUIDS, LONG_IDS], ids=["UUIDs", "long ids"])
def test_of_the_events_of_one_place_the_newest_are_known_whether_the_row_rested_or_not(
    ids: list[str], seq: int | None, rests: bool
) -> None:
    viewing = household()
    for event_id in ids[: MOST_IDS + 1]:
        viewing.tells("heartbeat", 0, event_id=event_id, seq=seq)
    if rests:
        viewing.row = unpack(pack(viewing.row))
    before = viewing.state()
    viewing.tells("pause", 5, event_id=ids[1], seq=seq)
    assert viewing.state() == before
    viewing.tells("pause", 5, event_id=ids[0], seq=seq)
    assert not viewing.is_playing


# -- a glance -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sessions", [0, 1, 15, 16, 100])
def test_a_glance_sees_what_others_than_the_household_ask_for(sessions: int) -> None:
    row = household().plays(0, 950).row
    row.sessions = {name: Session(name, 1, 2, True, False, 3, 4, ("e",)) for name in UUIDS[:sessions]}
    seen = glance(pack(row))
    assert (seen.touched_ms, seen.flags, seen.completions) == (row.touched_ms, row.flags, 1)
    assert has_sessions(seen) is bool(sessions)


# -- how many bytes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sittings", "most_bytes"), [(1, 86), (3, 223)])
def test_a_row_rests_in_few_bytes(sittings: int, most_bytes: int) -> None:
    viewing = household(film_s=6_000)
    for sitting in range(sittings):
        viewing.sits_down(f"{sitting:08x}-0000-4000").plays(sitting * 1_000, sitting * 1_000 + 1_000)
    assert len(pack(viewing.row)) <= most_bytes


def evenings(number: int, seconds: float = 3_000, numbered: bool = True) -> Row:
    """So many evenings of viewing in Berlin, as a player tells them: UUIDs, numbers, a heartbeat a minute."""
    log, ids = Log(SAGA), iter(UUIDS * 10)
    for evening in range(number):
        at, session = evening * DAY + 17 * HOUR, {"play_session_id": next(ids), "time_zone": "Europe/Berlin"}
        kinds = ["start", *["heartbeat"] * (round(seconds) // 60 - 1), "stop"]
        for seq, kind in enumerate(kinds):
            place = {"event_id": next(ids), "seq": seq if numbered else None}
            log.tells(kind, evening * seconds + 60 * seq, at=at + 60 * seq, **place, **session)
    return unpack(log.drained().rows[0][2] or b"")


def without(row: Row, *names: str) -> Row:
    for name in names:
        setattr(row, name, getattr(Row(), name))
    return row


@pytest.mark.parametrize(
    ("row", "most_bytes"),
    [
        (Row(1_750_032_000_000), 24),
        (evenings(1), 113),
        (evenings(1, numbered=False), 113),
        (evenings(5), 377),
        (without(evenings(1), "sessions", "owed_by"), 51),
        (without(evenings(5), "sessions", "owed_by"), 51),
        (without(evenings(5), "sessions", "owed_by", "habits"), 37),
    ],
    ids=["new", "one sitting", "one without numbers", "five", "one at rest", "five at rest", "without habits"],
)
def test_what_rows_take(row: Row, most_bytes: int) -> None:
    assert len(pack(row)) <= most_bytes
