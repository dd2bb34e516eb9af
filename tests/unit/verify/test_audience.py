"""The weekly audience: whom a title reached, anew, again or after a pause. The 16th of June 2025 begins week 25."""

from __future__ import annotations

import pytest
from recomputation_log import DAY, FILM, HOUR, MIN, Log, S, told

from streams.verify.audience import CreditedWeeks, named_week_ms, week_name, week_of, week_start_ms

WEEK = 7 * DAY
LONG = FILM | {"runtime_ms": 10 * HOUR}


def by_week(log: Log) -> dict[str, dict[str, str]]:
    start = "title:film:audience:"
    hashes = log.recompute(LONG).hashes
    return {key.removeprefix(start): told(fields) for key, fields in hashes.items() if key.startswith(start)}


def classes(*weeks: int) -> tuple[dict[str, int], dict[int, str]]:
    """The weeks by class that remain of what each one that is reached moves, and what the row remembers."""
    audience = CreditedWeeks()
    counts: dict[str, int] = {}
    for week in weeks:
        for of_week, kind, amount in audience.credit(week, 2 * MIN, 2 * MIN):
            name = f"{of_week} {kind}"
            counts[name] = counts.get(name, 0) + amount
    return {name: count for name, count in counts.items() if count}, audience.classes


@pytest.mark.parametrize(("credited_ms", "reached"), [(119_999, {}), (120_000, "1"), (120_001, "1")])
def test_a_household_is_reached_by_two_minutes_in_a_week(credited_ms: int, reached: str) -> None:
    log = Log().add("start", 0, 0).add("stop", credited_ms, credited_ms)
    assert by_week(log) == ({"2025W25": {"reached": "1", "new": "1"}} if reached else {})


def test_a_week_takes_what_several_sittings_give_and_counts_a_household_once() -> None:
    log = Log().watch_minutes(1, HOUR, "a").watch_minutes(1, 6 * DAY, "b").watch_minutes(30, 6 * DAY + HOUR, "c")
    assert by_week(log) == {"2025W25": {"reached": "1", "new": "1"}}
    assert by_week(Log().watch_minutes(1, HOUR, "a").watch_minutes(1, 8 * DAY, "b")) == {}


def test_new_returning_and_resurrected() -> None:
    log = Log()
    for number, week in enumerate((0, 1, 3)):
        log.watch_minutes(5, week * WEEK + HOUR, f"s{number}")
    assert by_week(log) == {
        "2025W25": {"reached": "1", "new": "1"},
        "2025W26": {"reached": "1", "returning": "1"},
        "2025W28": {"reached": "1", "resurrected": "1"},
    }


@pytest.mark.parametrize(("at", "week"), [(WEEK - 1, "2025W25"), (WEEK, "2025W26")])
def test_a_week_ends_with_its_sunday_in_utc(at: int, week: str) -> None:
    assert list(by_week(Log().watch_minutes(5, at, "a"))) == [week]


def test_a_long_interval_counts_in_the_weeks_of_its_pieces() -> None:
    log = Log().add("start", 0, WEEK - 30 * MIN).add("stop", HOUR, WEEK + 30 * MIN)
    assert by_week(log) == {"2025W25": {"reached": "1", "new": "1"}, "2025W26": {"reached": "1", "returning": "1"}}


def test_what_came_before_the_play_counts_in_the_week_of_the_play() -> None:
    log = Log().add("start", 0, WEEK - 110 * S, autoplay=True).add("heartbeat", 100 * S, WEEK - 10 * S)
    assert by_week(log) == {}
    assert by_week(log.add("heartbeat", 120 * S, WEEK + 10 * S)) == {"2025W26": {"reached": "1", "new": "1"}}


def test_the_interval_that_makes_the_play_counts_by_its_own_pieces() -> None:
    log = Log().add("start", 0, WEEK - 20 * MIN, autoplay=True).add("heartbeat", MIN, WEEK - 19 * MIN)
    log.add("heartbeat", 21 * MIN, WEEK + MIN)
    # 60 s of the pieces fall into the new week, and the 60 s from before the play.
    assert by_week(log) == {"2025W25": {"reached": "1", "new": "1"}, "2025W26": {"reached": "1", "returning": "1"}}


def test_a_session_without_a_play_reaches_nobody() -> None:
    log = Log()
    for number in range(9):
        at, session = number * MIN, f"p{number}"
        log.add("start", 0, at, session, autoplay=True).add("stop", 40 * S, at + 40 * S, session)
    assert by_week(log) == {}


def test_late_data_fills_a_week_and_the_classes_around_it_follow() -> None:
    assert classes(5, 7, 6) == (
        {"5 reached": 1, "6 reached": 1, "7 reached": 1, "5 new": 1, "6 returning": 1, "7 returning": 1},
        {5: "new", 6: "returning", 7: "returning"},
    )
    assert classes(7, 5)[1] == {5: "new", 7: "resurrected"}
    assert classes(7, 6)[1] == {6: "new", 7: "returning"}


@pytest.mark.parametrize(("week", "is_counted"), [(97, True), (96, True), (95, False)])
def test_a_week_of_more_than_104_before_the_newest_is_not_counted(week: int, is_counted: bool) -> None:
    counts, remembered = classes(150, 200, week)
    assert (counts.get(f"{week} reached") == 1, week in remembered) == (is_counted, is_counted)


@pytest.mark.parametrize(("newest", "is_remembered"), [(113, True), (114, True), (115, False)])
def test_a_row_forgets_weeks_of_more_than_104_before_the_newest_but_its_first(newest: int, is_remembered: bool) -> None:
    counts, remembered = classes(1, 10, newest)
    assert remembered.get(1) == "new"
    assert (10 in remembered) == is_remembered
    assert counts["10 resurrected"] == 1


def test_the_first_week_is_the_earliest_that_was_ever_counted() -> None:
    assert classes(1, 200, 2)[1] == {1: "new", 200: "resurrected"}
    assert classes(1, 200, 100)[1] == {1: "new", 100: "resurrected", 200: "resurrected"}


@pytest.mark.parametrize(
    ("day", "name"), [(0, "1970W01"), (3, "1970W01"), (4, "1970W02"), (18_627, "2020W53"), (18_631, "2021W01")]
)
def test_weeks_are_named_by_iso_8601(day: int, name: str) -> None:
    week = week_of(day * DAY)
    assert week_name(week) == name
    assert named_week_ms(name) == week_start_ms(week) == day * DAY - (day + 3) % 7 * DAY


def test_a_dropped_row_forgets_its_weeks() -> None:
    log = Log().watch_minutes(5, HOUR, "a").watch_minutes(5, 731 * DAY, "b")
    assert [fields.get("new") for fields in by_week(log).values()] == ["1", "1"]
