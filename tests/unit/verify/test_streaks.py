"""Habit streaks of a household, counted by hand. The 16th of June is a Monday; Berlin is two hours ahead of UTC."""

from __future__ import annotations

import pytest
from recomputation_log import DAY, FILM, HOUR, MIN, T0, Log

from models.rules import Rules
from streams.verify.dayparts import Dayparts
from streams.verify.streaks import Habits

BERLIN = "Europe/Berlin"
MON, TUE, WED, THU, FRI, SAT, SUN, NEXT_MON, NEXT_TUE, NEXT_WED = range(10)
AFTER_SCHOOL, EVENING = 14 * HOUR, 18 * HOUR  # 16:00 and 20:00 in Berlin
LONG = FILM | {"runtime_ms": 10 * HOUR}  # nothing completes


def watched(*days: int, at: int = AFTER_SCHOOL, minutes: int = 5, **more: object) -> Log:
    log = Log()
    for day in days:
        log.watch_minutes(minutes, day * DAY + at, f"s{day}", time_zone=BERLIN, **more)
    return log


def levels(log: Log, part: str = "after_school", rules: Rules | None = None) -> list[int]:
    """Households with a current streak of three, five and ten days in the end."""
    fields = log.recompute(LONG, rules=rules).hashes["title:film:dayparts"]
    return [int(fields[f"{part}_streak_{level}"]) for level in (3, 5, 10)]


def told_of(log: Log, rules: Rules | None = None) -> list[tuple[int, int, str | None]]:
    """The streaks told of: the day of the event, the level, the daypart."""
    return [
        ((each.event_time_ms - T0) // DAY, each.ordinal, each.daypart)
        for each in log.recompute(LONG, rules=rules).milestones
        if each.milestone == "streak"
    ]


@pytest.mark.parametrize(("days", "found"), [(2, [0, 0, 0]), (3, [1, 0, 0]), (4, [1, 0, 0]), (5, [1, 1, 0])])
def test_a_streak_is_as_long_as_the_days_on_end(days: int, found: list[int]) -> None:
    assert levels(watched(*range(days))) == found


def test_ten_evenings_reach_each_level_once() -> None:
    log = watched(*range(10), at=EVENING)
    assert levels(log, "evening") == [1, 1, 1]
    assert levels(log) == [0, 0, 0]
    assert told_of(log) == [(2, 3, "evening"), (4, 5, "evening"), (9, 10, "evening")]


@pytest.mark.parametrize(("credited_ms", "found"), [(299_999, 0), (300_000, 1), (300_001, 1)])
def test_a_day_is_filled_by_five_minutes(credited_ms: int, found: int) -> None:
    log = watched(MON, TUE)
    at = WED * DAY + AFTER_SCHOOL
    log.add("start", 0, at, "w", time_zone=BERLIN).add("stop", credited_ms, at + credited_ms, "w", time_zone=BERLIN)
    assert levels(log) == [found, 0, 0]


def test_a_day_is_filled_by_several_sittings_of_any_profile_and_once_only() -> None:
    log = watched(MON, TUE)
    for number in range(3):  # two minutes each: the third one fills the day
        at = WED * DAY + AFTER_SCHOOL + number * 10 * MIN
        log.watch_minutes(2, at, f"w{number}", time_zone=BERLIN, profile_id=f"p{number}")
    log.watch_minutes(30, WED * DAY + AFTER_SCHOOL + HOUR, "more", time_zone=BERLIN)
    milestones = [each for each in log.recompute(LONG).milestones if each.milestone == "streak"]
    assert [(each.offset, each.event_id, each.ordinal) for each in milestones] == [(9, "e9", 3)]


def test_what_is_credited_at_school_or_at_other_times_does_not_fill_an_after_school() -> None:
    log = watched(MON, TUE, WED, minutes=4)
    for day in (MON, TUE, WED):
        log.watch_minutes(60, WED * DAY + EVENING + day * HOUR, f"e{day}", time_zone=BERLIN)
    assert levels(log) == [0, 0, 0]


def test_another_title_and_another_household_have_streaks_of_their_own() -> None:
    log = watched(MON, TUE)
    log.watch_minutes(5, WED * DAY + AFTER_SCHOOL, "w", time_zone=BERLIN, title_id="other")
    log.watch_minutes(5, WED * DAY + AFTER_SCHOOL, "v", time_zone=BERLIN, household_id="h2")
    assert levels(log) == [0, 0, 0]


def test_two_dayparts_are_two_streaks_of_one_household() -> None:
    log = Log()
    for day in range(3):
        log.watch_minutes(5, day * DAY + 5 * HOUR, f"m{day}", time_zone=BERLIN)
        log.watch_minutes(5, day * DAY + AFTER_SCHOOL, f"a{day}", time_zone=BERLIN)
    assert levels(log) == levels(log, "before_school") == [1, 0, 0]
    assert told_of(log) == [(2, 3, "before_school"), (2, 3, "after_school")]


# Weekends and gaps


def test_a_weekend_does_not_break_a_streak_after_school() -> None:
    assert told_of(watched(THU, FRI, NEXT_MON)) == [(NEXT_MON, 3, "after_school")]


def test_a_weekend_breaks_one_in_the_evening() -> None:
    assert told_of(watched(THU, FRI, NEXT_MON, at=EVENING)) == []


def test_a_day_without_breaks_it() -> None:
    assert told_of(watched(MON, TUE, THU, FRI)) == []


def test_saturdays_are_consecutive_where_only_they_are_eligible() -> None:
    rules = Rules(dayparts="matinee=10:00-20:00/sat")
    log = watched(SAT, SAT + 7, SAT + 14)
    assert levels(log, "matinee", rules) == [1, 0, 0]
    # Ends when the Saturday after is over: 12 July, 22:00 UTC.
    assert levels(log.silence((SAT + 21) * DAY + 22 * HOUR - 1), "matinee", rules) == [1, 0, 0]
    assert levels(log.silence((SAT + 21) * DAY + 22 * HOUR), "matinee", rules) == [0, 0, 0]


# The end of a streak


@pytest.mark.parametrize(("before_end_ms", "current"), [(1, 1), (0, 0), (-1, 0)])
def test_a_streak_ends_when_the_next_eligible_day_is_over(before_end_ms: int, current: int) -> None:
    # Monday to Wednesday: the end of Thursday in Berlin is 22:00 UTC.
    log = watched(MON, TUE, WED).silence(THU * DAY + 22 * HOUR - before_end_ms)
    assert levels(log) == [current, 0, 0]


@pytest.mark.parametrize(("before_end_ms", "current"), [(1, 1), (0, 0)])
def test_on_a_friday_the_next_eligible_day_is_monday(before_end_ms: int, current: int) -> None:
    log = watched(WED, THU, FRI).silence(NEXT_MON * DAY + 22 * HOUR - before_end_ms)
    assert levels(log) == [current, 0, 0]


def test_any_record_moves_the_clock_too() -> None:
    log = watched(MON, TUE, WED).raw(None, b"", T0 + THU * DAY + 22 * HOUR)
    assert levels(log) == [0, 0, 0]


@pytest.mark.parametrize(("offset", "told"), [(5, []), (6, [(NEXT_TUE, 3, "after_school")])])
def test_a_silent_clock_holds_from_its_offset_on(offset: int, told: list[tuple[int, int, str]]) -> None:
    # The sixth record fills Tuesday, which keeps the streak until Wednesday, 22:00 UTC.
    log = watched(FRI, NEXT_MON, NEXT_TUE)
    log.silent[0] = {offset: T0 + NEXT_WED * DAY + 22 * HOUR}
    assert told_of(log) == told


def test_the_end_is_that_of_the_zone_in_which_the_newest_day_was_filled() -> None:
    def streak(zone: str, *, clock: int) -> list[int]:
        log = watched(MON, TUE)
        log.watch_minutes(5, WED * DAY + 20 * HOUR + 30 * MIN, "w", time_zone=zone)
        return levels(log.silence(clock))

    # 16:30 of Wednesday in New York, whose Thursday ends at 04:00 UTC of Friday; in Berlin it is the evening.
    assert streak("America/New_York", clock=FRI * DAY + 4 * HOUR - 1) == [1, 0, 0]
    assert streak("America/New_York", clock=FRI * DAY + 4 * HOUR) == [0, 0, 0]
    assert streak(BERLIN, clock=WED * DAY + 21 * HOUR) == [0, 0, 0]


def test_a_day_that_begins_in_another_zone_is_another_day_by_its_date() -> None:
    # Monday and Tuesday in Berlin; then 16:00 of Wednesday in Auckland, which is 04:00 UTC.
    log = watched(MON, TUE).watch_minutes(5, WED * DAY + 4 * HOUR, "w", time_zone="Pacific/Auckland")
    assert told_of(log) == [(WED, 3, "after_school")]


def test_a_streak_over_the_change_of_the_clocks() -> None:
    # Friday, 24 October, to Tuesday: 16:00 in Berlin is 14:00 UTC before the 26th and 15:00 UTC after it.
    friday = 130 * DAY
    log = Log()
    for day, hour in ((0, 14), (3, 15), (4, 15)):
        log.watch_minutes(5, friday + day * DAY + hour * HOUR, f"s{day}", time_zone=BERLIN)
    assert levels(log) == [1, 0, 0]
    # Wednesday is over at 23:00 UTC, by winter time.
    assert levels(log.silence(friday + 5 * DAY + 23 * HOUR - 1)) == [1, 0, 0]
    assert levels(log.silence(friday + 5 * DAY + 23 * HOUR)) == [0, 0, 0]


# Late events


def test_a_late_event_fills_the_gap_and_the_streak_follows() -> None:
    log = watched(MON, TUE, THU, FRI)
    log.watch_minutes(5, WED * DAY + AFTER_SCHOOL, "late", time_zone=BERLIN, timestamp=FRI * DAY + EVENING)
    assert levels(log) == [1, 1, 0]
    assert told_of(log) == [(WED, 3, "after_school"), (WED, 5, "after_school")]


def test_a_late_event_that_fills_a_day_of_a_streak_that_has_ended_tells_nothing() -> None:
    log = watched(MON, WED)
    log.watch_minutes(5, TUE * DAY + AFTER_SCHOOL, "late", time_zone=BERLIN, timestamp=THU * DAY + 22 * HOUR)
    assert told_of(log) == []
    log = watched(MON, WED)
    log.watch_minutes(5, TUE * DAY + AFTER_SCHOOL, "late", time_zone=BERLIN, timestamp=THU * DAY + 22 * HOUR - 1)
    assert told_of(log) == [(TUE, 3, "after_school")]


def test_a_late_newest_day_brings_a_streak_back_that_had_ended_and_tells_of_it_again() -> None:
    log = watched(MON, TUE, WED).raw(None, b"", T0 + THU * DAY + 22 * HOUR)  # ended
    log.watch_minutes(5, THU * DAY + AFTER_SCHOOL, "late", time_zone=BERLIN, timestamp=FRI * DAY)
    assert told_of(log) == [(WED, 3, "after_school"), (THU, 3, "after_school")]
    assert levels(log) == [1, 0, 0]


def test_a_duplicate_fills_nothing() -> None:
    log = watched(MON, TUE, WED).again()
    assert told_of(log) == [(WED, 3, "after_school")]


# What is kept


def test_a_row_that_was_dropped_has_lost_its_days() -> None:
    # Three weekdays; two years of other records; the fourth day is the first of a new row.
    rules = Rules(forget_ms=2 * DAY, grace_ms=DAY, hour_grace_ms=DAY)
    log = watched(MON, TUE, WED)
    assert levels(log, rules=rules) == [1, 0, 0]
    log.raw(None, b"", T0 + FRI * DAY + AFTER_SCHOOL + 1)  # a millisecond more than two days after Wednesday's
    assert levels(log, rules=rules) == [0, 0, 0]


def fill(habits: Habits, day: int, clock_day: int) -> list[int]:
    """The levels that an evening of UTC reaches."""
    evening = Dayparts(Rules().dayparts).parts[2]
    return habits.credit(2, evening, day, b"", 5, fills_ms=5, clock_ms=clock_day * DAY)


def test_a_streak_is_no_longer_than_the_64_days_that_are_kept() -> None:
    habits, lengths = Habits(), []
    for day in range(20_000, 20_066):
        fill(habits, day, day)
        lengths.append(habits.streaks[2].length())
    assert lengths == [*range(1, 65), 64, 64]


@pytest.mark.parametrize(("days_before", "length"), [(62, 63), (63, 64), (64, 64)])
def test_a_day_counts_up_to_63_days_before_the_newest(days_before: int, length: int) -> None:
    habits = Habits()
    for day in range(20_000, 20_000 - days_before - 1, -1):
        fill(habits, day, 20_000)
    assert habits.streaks[2].length() == length


@pytest.mark.parametrize(
    ("before", "after", "reached"), [(1, 1, [3]), (2, 2, [3, 5]), (1, 3, [5]), (2, 7, [10]), (5, 5, [10]), (0, 1, [])]
)
def test_filling_a_gap_reaches_the_levels_between_the_newer_run_and_all(
    before: int, after: int, reached: list[int]
) -> None:
    habits, gap = Habits(), 20_000
    for day in [*range(gap - before, gap), *range(gap + 1, gap + after + 1)]:
        fill(habits, day, gap + after)
    assert fill(habits, gap, gap + after) == reached
