"""In which weeks a title reached a household, and whether it was new, returning or resurrected."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from partition_log import FILM, SAGA, Log
from playing import DAY

from models.audience import NEW, REACHED, RESURRECTED, RETURNING, WatchedWeeks
from models.erasure import digest_of
from models.rules import AUDIENCE_WEEKS

WEEK = 7 * DAY
LEAST = 120_000
AN_EPISODE = msgspec.structs.replace(FILM, runtime_ms=300_000)
NEW_ONE = {"reached": 1, "new": 1}
RETURNING_ONE = {"reached": 1, "returning": 1}
RESURRECTED_ONE = {"reached": 1, "resurrected": 1}


# -- which week is reached ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "found"), [(119.999, {}), (120, {0: NEW_ONE}), (120.001, {0: NEW_ONE})])
def test_a_week_reaches_a_household_that_is_credited_two_minutes_in_it(
    seconds: float, found: dict[int, dict[str, int]]
) -> None:
    assert Log(SAGA).watches(0, seconds).audience() == found


@pytest.mark.parametrize(("ends_at", "week"), [(-0.001, -1), (0, 0), (0.001, 0), (WEEK - 0.001, 0), (WEEK, 1)])
def test_weeks_begin_on_mondays_at_midnight_utc(ends_at: float, week: int) -> None:
    assert Log(SAGA).watches(ends_at - 120, 120, time_zone="Pacific/Kiritimati").audience() == {week: NEW_ONE}


def test_two_minutes_add_up_over_the_sittings_of_a_week_and_of_that_only() -> None:
    log = Log(SAGA).watches(0, 60).watches(WEEK, 60)
    assert log.audience() == {}
    assert log.watches(WEEK + DAY, 60).audience() == {1: NEW_ONE}
    # What the week before was credited is not forgotten meanwhile.
    assert log.watches(DAY, 60, arrives=WEEK + 2 * DAY).audience() == {0: NEW_ONE, 1: RETURNING_ONE}


def test_a_long_interval_counts_in_the_weeks_that_it_covers() -> None:
    assert Log(SAGA).watches(-1_000, 1_119.999).audience() == {-1: NEW_ONE}
    assert Log(SAGA).watches(-1_000, 1_120).audience() == {-1: NEW_ONE, 0: RETURNING_ONE}


def test_households_of_a_week_add_up_and_each_is_of_one_class() -> None:
    log = Log(SAGA).watches(0, 200, household_id="a").watches(500, 200, household_id="b")
    log.watches(WEEK, 200, household_id="b").watches(WEEK + 500, 200, household_id="c")
    assert log.audience() == {0: {"reached": 2, "new": 2}, 1: {"reached": 2, "new": 1, "returning": 1}}


# -- new, returning, resurrected ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weeks", "found"),
    [
        ((0, 1), {0: NEW_ONE, 1: RETURNING_ONE}),
        ((0, 2), {0: NEW_ONE, 2: RESURRECTED_ONE}),
        ((0, 1, 3, 4), {0: NEW_ONE, 1: RETURNING_ONE, 3: RESURRECTED_ONE, 4: RETURNING_ONE}),
        ((0, 0), {0: NEW_ONE}),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
def test_a_household_is_what_it_was_reached_in_before_makes_it(
    weeks: tuple[int, ...], found: dict[int, dict[str, int]], restarts: bool
) -> None:
    log = Log(SAGA)
    for week in weeks:
        log.watches(week * WEEK, 200)
        if restarts:
            log.restarts()
    assert log.audience() == found


@pytest.mark.parametrize(
    ("weeks", "late", "found"),
    [
        # The week after it is returning then, and a former first one is new no more.
        ((0, 2), 1, {0: NEW_ONE, 1: RETURNING_ONE, 2: RETURNING_ONE}),
        ((0, 3), 1, {0: NEW_ONE, 1: RETURNING_ONE, 3: RESURRECTED_ONE}),
        ((0, 3), 2, {0: NEW_ONE, 2: RESURRECTED_ONE, 3: RETURNING_ONE}),
        ((1, 2), 0, {0: NEW_ONE, 1: RETURNING_ONE, 2: RETURNING_ONE}),
        ((2, 3), 0, {0: NEW_ONE, 2: RESURRECTED_ONE, 3: RETURNING_ONE}),
    ],
)
@pytest.mark.parametrize("restarts", [False, True])
def test_late_data_fills_a_week_and_the_classes_follow(
    weeks: tuple[int, ...], late: int, found: dict[int, dict[str, int]], restarts: bool
) -> None:
    log = Log(SAGA)
    for week in weeks:
        log.watches(week * WEEK, 200)
    if restarts:
        log.restarts()
    log.watches(late * WEEK, 200, arrives=weeks[-1] * WEEK + DAY)
    assert {week: {name: count for name, count in each.items() if count} for week, each in log.audience().items()} == (
        found
    )


def test_a_completion_that_follows_one_of_another_week_is_of_its_own_week() -> None:
    log = Log(AN_EPISODE)
    for week in range(3):
        log.watches(week * WEEK, 300)
    assert log.audience() == {0: NEW_ONE, 1: RETURNING_ONE, 2: RETURNING_ONE}
    # So it is for the next household, too.
    log.watches(WEEK, 300, household_id="b", arrives=2 * WEEK + 400)
    log.watches(2 * WEEK + 10, 300, household_id="b")
    assert log.audience()[2] == {"reached": 2, "returning": 2}


def test_a_row_that_was_dropped_has_forgotten_its_weeks() -> None:
    log = Log(SAGA).watches(0, 200).watches(105 * WEEK, 200)
    # By then the first week itself is kept no more.
    assert log.audience() == {105: NEW_ONE}


def test_an_erasure_takes_nothing_back_from_audiences() -> None:
    log = Log(SAGA).watches(0, 200)
    log.fold.erase({digest_of("household"): 0})
    assert log.audience() == {0: NEW_ONE}


# -- before the play ----------------------------------------------------------------------------------------------


def test_a_session_that_makes_no_play_reaches_nobody() -> None:
    log = Log(SAGA).watches(0, 119, autoplay=True).watches(200, 119, autoplay=True)
    assert (log.audience(), log.title()) == ({}, {"watched_ms": 238_000})


def test_what_came_before_the_play_counts_in_the_week_of_the_event_that_made_it() -> None:
    log = Log(SAGA).tells("start", 0, at=-100, autoplay=True).tells("heartbeat", 95, at=-5)
    assert log.audience() == {}
    assert log.tells("heartbeat", 119.999, at=19.999).audience() == {}
    assert log.tells("heartbeat", 120, at=20).audience() == {0: NEW_ONE}


def test_the_interval_that_makes_the_play_counts_by_its_own_pieces() -> None:
    log = Log(SAGA).tells("start", 0, at=-1_100, autoplay=True).tells("heartbeat", 100, at=-1_000)
    log.tells("heartbeat", 1_110, at=10)
    # 100 s from before the play and 10 s of its own are short of two minutes on Monday.
    assert log.audience() == {-1: NEW_ONE}
    assert log.tells("heartbeat", 1_120, at=20).audience() == {-1: NEW_ONE, 0: RETURNING_ONE}


# -- how far back a row remembers ---------------------------------------------------------------------------------


def reached(*weeks: int) -> WatchedWeeks:
    """A row's weeks, after these were reached in this order."""
    found = WatchedWeeks(weeks[0], LEAST)
    for week in weeks:
        found.credit(week, LEAST, LEAST)
    return found


@pytest.mark.parametrize(
    ("ago", "changes"),
    [
        (AUDIENCE_WEEKS - 1, [(401, REACHED, 1), (401, RESURRECTED, 1)]),
        (AUDIENCE_WEEKS, [(400, REACHED, 1), (400, RESURRECTED, 1)]),
        (AUDIENCE_WEEKS + 1, []),
    ],
)
def test_a_week_more_than_104_before_the_newest_is_not_counted(ago: int, changes: list[tuple[int, int, int]]) -> None:
    newest = 400 + AUDIENCE_WEEKS
    weeks = reached(300, newest)
    assert weeks.credit(newest - ago, LEAST, LEAST) == changes


@pytest.mark.parametrize(("newest", "kind"), [(503, RETURNING), (504, RETURNING), (505, RESURRECTED)])
def test_a_row_remembers_the_weeks_of_the_104_before_its_newest(newest: int, kind: int) -> None:
    # Week 400 is neither its first nor, by then, always among those that it remembers.
    for between in ((), (450,), (401 + 51, 401 + 52)):
        weeks = reached(300, 400, *between, newest)
        assert weeks.credit(401, LEAST, LEAST) == [(401, REACHED, 1), (401, kind, 1)]


def test_a_row_remembers_its_first_week_always() -> None:
    weeks = reached(300, 1_000)
    assert weeks.credit(300, LEAST, LEAST) == []
    assert weeks.credit(2_000, LEAST, LEAST) == [(2_000, REACHED, 1), (2_000, RESURRECTED, 1)]


def test_every_week_of_two_years_is_returning_once_the_first_was_new() -> None:
    weeks = WatchedWeeks(0, LEAST)
    changes = [weeks.credit(week, LEAST, LEAST) for week in range(250)]
    assert changes[0] == [(0, REACHED, 1), (0, NEW, 1)]
    assert all(change == [(week, REACHED, 1), (week, RETURNING, 1)] for week, change in enumerate(changes) if week)


@pytest.mark.parametrize("order", [(5, 3, 1, 2, 4), (1, 2, 3, 4, 5), (5, 4, 3, 2, 1), (3, 1, 5, 4, 2)])
def test_in_which_order_weeks_are_reached_is_all_the_same(order: tuple[int, ...]) -> None:
    weeks, totals = WatchedWeeks(order[0], LEAST), dict.fromkeys(((w, k) for w in range(1, 6) for k in range(1, 5)), 0)
    for week in order:
        for number, kind, by in weeks.credit(week, LEAST, LEAST):
            totals[number, kind] += by
    kinds = {1: NEW} | {week: RETURNING for _, week in pairwise(range(1, 6))}
    assert {name for name, count in totals.items() if count} == {
        *((week, REACHED) for week in kinds), *kinds.items(),
    }  # fmt: skip


def test_credit_in_weeks_that_were_not_reached_is_kept_until_nothing_can_come_to_them() -> None:
    weeks = WatchedWeeks(10, LEAST)
    for week in (10, 11, 12):
        weeks.credit(week, 50_000, LEAST)
    assert weeks.others == {10: 70_000, 11: 70_000}
    weeks.forget(11)
    assert weeks.others == {11: 70_000}
    assert weeks.credit(11, 70_000, LEAST) == [(11, REACHED, 1), (11, NEW, 1)]
