"""Where the credit of a long interval belongs: evenly over the time that it covers."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from partition_log import FILM, SAGA, Log
from playing import DAY, HOUR, T0

from models.catalog import CatalogRow
from models.credit import spread

QUARTER = 900


def released(at: float) -> CatalogRow:
    return msgspec.structs.replace(SAGA, release_time_ms=T0 + round(at * 1000))


def watched_s(log: Log, *kinds: str) -> dict[str, float]:
    """The windows in which anything was watched."""
    watched = {name: window.get("watched_ms", 0) / 1000 for name, window in log.windows(*kinds).items()}
    return {name: seconds for name, seconds in watched.items() if seconds}


def sits(log: Log, begins_at: float, ends_at: float, **fields: object) -> Log:
    """A sitting of one interval, all of it played."""
    return log.watches(begins_at, ends_at - begins_at, **fields)


# -- pieces -------------------------------------------------------------------------------------------------------


def pieces(credited_ms: int, until_ms: int, elapsed_ms: int) -> list[tuple[int, int]]:
    return list(spread(credited_ms, until_ms, elapsed_ms))


def test_pieces_are_cut_at_quarter_hours() -> None:
    assert pieces(3_600_000, 5_400_000 + 1, 3_600_000) == [
        (1_800_001, 899_999), (2_700_000, 900_000), (3_600_000, 900_000), (4_500_000, 900_000), (5_400_000, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("begins_ms", [899_999, 900_000, 900_001])
def test_a_piece_belongs_to_the_instant_at_which_it_begins(begins_ms: int) -> None:
    instants = [instant_ms for instant_ms, _ in pieces(1_000_000, begins_ms + 1_000_000, 1_000_000)]
    assert instants == {
        899_999: [899_999, 900_000, 1_800_000], 900_000: [900_000, 1_800_000], 900_001: [900_001, 1_800_000],
    }[begins_ms]  # fmt: skip


@pytest.mark.parametrize(("credited_ms", "elapsed_ms"), [(1, 14_400_000), (7, 1_000_001), (999_983, 3_600_007)])
@pytest.mark.parametrize("until_ms", [14_400_000, 14_400_001, 15_299_999])
def test_pieces_add_up_to_what_was_credited_each_rounded_by_what_came_before(
    credited_ms: int, elapsed_ms: int, until_ms: int
) -> None:
    found, given_ms = pieces(credited_ms, until_ms, elapsed_ms), 0
    for instant_ms, piece_ms in found:
        # What is given before an instant is what belongs to the time before it, rounded down.
        assert given_ms == credited_ms * (instant_ms - (until_ms - elapsed_ms)) // elapsed_ms
        given_ms += piece_ms
    assert given_ms == credited_ms


def test_a_piece_of_nothing_is_none() -> None:
    assert pieces(2, 3_600_000, 3_600_000) == [(900_000, 1), (2_700_000, 1)]
    assert Log(SAGA).tells("start", 0, at=0).tells("stop", 0.001, at=1_000).windows("h") == {
        "20250616T00": {"watched_ms": 1}
    }  # fmt: skip


# -- the hours and days that it covers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (899.999, {"20250616T01": 899.999}), (900, {"20250616T01": 900}),
        (900.001, {"20250616T00": 450.001, "20250616T01": 450}),
    ],
)  # fmt: skip
def test_up_to_a_quarter_of_an_hour_belongs_wholly_to_its_end(seconds: float, found: dict[str, float]) -> None:
    assert watched_s(sits(Log(SAGA), HOUR + 450 - seconds, HOUR + 450), "h") == found


def test_hours_and_days_each_take_their_own() -> None:
    log = sits(Log(SAGA), -1.5 * HOUR, 1.25 * HOUR)
    assert watched_s(log, "h") == {
        "20250615T22": 1_800, "20250615T23": 3_600, "20250616T00": 3_600, "20250616T01": 900,
    }  # fmt: skip
    assert watched_s(log, "d") == {"20250615": 5_400, "20250616": 4_500}
    assert log.title()["watched_ms"] == 9_900_000


def test_facts_belong_to_the_end_whatever_the_credit_covers() -> None:
    log = sits(Log(SAGA), -HOUR, HOUR)
    assert log.windows("d") == {
        "20250615": {"watched_ms": 3_600_000},
        "20250616": {"plays": 1, "starters": 1, "viewers": 1, "watched_ms": 3_600_000},
    }


def test_the_hour_of_the_end_is_there_for_its_facts_if_none_of_the_credit_is_its() -> None:
    assert sits(Log(SAGA), 0, HOUR).windows("h") == {
        "20250616T00": {"watched_ms": 3_600_000}, "20250616T01": {"plays": 1, "starters": 1, "viewers": 1},
    }  # fmt: skip


def test_what_is_credited_of_a_faster_pace_is_spread_evenly() -> None:
    log = Log(SAGA).tells("start", 0, at=-HOUR, playback_rate=2.0).tells("stop", 14_400, at=HOUR)
    assert watched_s(log, "d") == {"20250615": 7_200, "20250616": 7_200}


def test_the_segment_is_the_closing_events_for_all_of_it() -> None:
    log = Log(SAGA).tells("start", 0, at=-HOUR, profile_kind="general")
    log.tells("stop", 7_200, at=HOUR, profile_kind="kids")
    assert {name: window["kids_watched_ms"] for name, window in log.windows("d").items()} == {
        "20250615": 3_600_000, "20250616": 3_600_000,
    }  # fmt: skip


def test_a_loop_is_one_interval_in_time() -> None:
    # Of its two parts the second begins half an hour before midnight.
    log = Log(msgspec.structs.replace(FILM, runtime_ms=1_000_000)).tells("start", 100, at=-2_700)
    log.tells("heartbeat", 99, at=-1_701).tells("heartbeat", 98, at=-702).tells("heartbeat", 97, at=297)
    assert watched_s(log, "h") == {"20250615T23": 2_700, "20250616T00": 297}


# -- hours that are too old ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("more_s", "in_hour"), [(-0.001, True), (0, True), (0.001, False)])
def test_whether_hours_take_it_is_judged_once_by_its_end(more_s: float, in_hour: bool) -> None:
    log = Log(SAGA).tells("start", 0, at=-HOUR)
    log.tells("stop", 7_200, at=HOUR, arrives=73 * HOUR + more_s)
    hours = {"20250615T23": 3_600, "20250616T00": 3_600}
    assert watched_s(log, "h") == (hours if in_hour else {})
    assert watched_s(log, "d") == {"20250615": 3_600, "20250616": 3_600}


def test_what_came_too_late_for_its_hours_keeps_the_next_event_out_of_none() -> None:
    log = Log(SAGA).tells("start", 0, at=-HOUR)
    log.tells("heartbeat", 7_200, at=HOUR, arrives=80 * HOUR)
    log.watches(80 * HOUR, 100, household_id="in time")
    assert watched_s(log, "h") == {"20250619T08": 100}


# -- ages, dayparts, streaks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "found"),
    [
        # The piece that begins before the release has no age, wherever the release cuts it.
        (-1, {"opening": 3_600, "1": 3_600}), (0, {"opening": 3_600, "1": 3_600}),
        (1, {"opening": 2_700, "1": 2_700}), (899, {"opening": 2_700, "1": 2_700}),
        (900, {"opening": 2_700, "1": 2_700}), (901, {"opening": 1_800, "1": 1_800}),
    ],
)  # fmt: skip
def test_ages_are_by_each_pieces_instant_also_where_the_release_is_off_the_hour(
    release: float, found: dict[str, float]
) -> None:
    watched = watched_s(sits(Log(released(release)), 0, HOUR), "a", "w")
    assert {name: watched.get(name) for name in found} == found


def test_an_interval_may_lie_in_two_weeks_of_a_title_and_across_its_opening() -> None:
    second_week = sits(Log(released(-7 * DAY + HOUR)), 0, 2 * HOUR)
    assert watched_s(second_week, "w") == {"1": 3_600, "2": 3_600}
    opening = sits(Log(released(-3 * DAY + HOUR)), 0, 2 * HOUR)
    assert watched_s(opening, "a") == {"opening": 3_600, "7d": 7_200, "28d": 7_200, "91d": 7_200}


def test_dayparts_take_what_lies_in_them_by_the_closing_events_zone() -> None:
    # From 17:00 to 19:00 in Berlin; 15:00 to 17:00 UTC.
    log = Log(SAGA).tells("start", 0, at=15 * HOUR).tells("stop", 7_200, at=17 * HOUR, time_zone="Europe/Berlin")
    assert log.dayparts() == {"after_school_watched_ms": 3_600_000, "evening_watched_ms": 3_600_000}


def test_a_streak_takes_days_on_both_sides_of_a_midnight() -> None:
    # Evenings until 23:00; an all-day part ends at midnight.
    rules = replace(Log().fold.rules, dayparts="all=00:00-24:00")
    log = Log(SAGA, rules=rules)
    for night in (0, 2):
        sits(log, (night + 1) * DAY - 1_000, (night + 1) * DAY + 300)
    # Four days in a row, of two sittings.
    assert log.streaks("all") == [1, 0, 0]


def test_short_of_five_minutes_on_one_side_no_day_is_filled_there() -> None:
    rules = replace(Log().fold.rules, dayparts="all=00:00-24:00")
    log = Log(SAGA, rules=rules)
    for night in (0, 1):
        sits(log, (night + 1) * DAY - 1_000, (night + 1) * DAY + 299.999)
    assert log.streaks("all") == [0, 0, 0]


@pytest.mark.parametrize("restarts", [False, True])
def test_windows_that_a_piece_lies_in_move_wherever_the_title_stands(restarts: bool) -> None:
    log = Log(released(0)).watches(4 * HOUR, 100, household_id="later")
    log.drained()
    if restarts:
        log.restarts()
    sits(log, 2 * HOUR, 3.5 * HOUR, arrives=5 * HOUR)
    assert watched_s(log, "h") == {"20250616T02": 3_600, "20250616T03": 1_800, "20250616T04": 100}
    assert watched_s(log, "d", "a", "w") == dict.fromkeys(["20250616", "opening", "7d", "28d", "91d", "1"], 5_500)
