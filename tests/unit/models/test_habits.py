"""A daypart's days of one household and title. Days are numbered from 1970-01-01; 20,255 is Monday, 16 June 2025."""

from __future__ import annotations

import msgspec
import pytest

from models.habits import KEPT_DAYS, LEVELS, Habit, levels_reached, next_eligible

MON, TUE, WED, THU, FRI, SAT, SUN = range(20_255, 20_262)
EVERY_DAY, SCHOOL_DAYS, SATURDAYS = frozenset(range(7)), frozenset(range(5)), frozenset({5})
FULL_MS = 300_000


def filled(*days: int) -> Habit:
    """Filled on these days, in this order; each would end at the end of the next one in UTC."""
    habit = Habit()
    for day in days:
        habit.fill(day, (day + 2) * 96)
    return habit


# -- how long a streak is -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "length"),
    [
        ([], 0), ([MON], 1), ([MON, TUE], 2), ([MON, WED], 1), ([MON, TUE, THU], 1), ([MON, TUE, THU, FRI], 2),
        ([WED, MON, TUE], 3), ([WED, TUE, MON], 3), ([TUE, TUE], 1), ([MON, TUE, WED, THU, FRI, SAT, SUN], 7),
    ],
)  # fmt: skip
def test_a_streak_goes_back_from_the_newest_day_to_the_first_gap(days: list[int], length: int) -> None:
    assert filled(*days).length(EVERY_DAY) == length


@pytest.mark.parametrize(
    ("days", "length"),
    [([THU, FRI, MON + 7], 3), ([THU, MON + 7], 1), ([FRI, MON + 7, TUE + 7], 3), ([FRI, TUE + 7], 1), ([FRI], 1)],
)
def test_days_that_are_not_eligible_neither_break_a_streak_nor_count(days: list[int], length: int) -> None:
    assert filled(*days).length(SCHOOL_DAYS) == length


def test_saturdays_follow_one_another_where_only_they_are_eligible() -> None:
    assert [filled(*range(SAT, SAT + 7 * weeks, 7)).length(SATURDAYS) for weeks in (1, 2, 9, 10)] == [1, 2, 9, 10]


def test_a_day_between_two_runs_joins_them() -> None:
    habit = filled(MON, TUE, THU, FRI)
    habit.fill(WED, 0)
    assert (habit.length(EVERY_DAY), habit.newest) == (5, FRI)


@pytest.mark.parametrize(("days", "length"), [(63, 63), (64, 64), (65, 64), (200, 64)])
def test_sixty_four_calendar_days_are_kept(days: int, length: int) -> None:
    assert filled(*range(MON, MON + days)).length(EVERY_DAY) == length


@pytest.mark.parametrize(("weeks", "length"), [(9, 9), (10, 10), (11, 10)])
def test_that_are_ten_saturdays(weeks: int, length: int) -> None:
    # 64 calendar days that end with a Saturday begin with one: nine weeks and a day.
    assert filled(*range(SAT, SAT + 7 * weeks, 7)).length(SATURDAYS) == length


@pytest.mark.parametrize(("older", "is_filled"), [(62, True), (63, True), (64, False)])
def test_a_day_more_than_63_days_older_than_the_newest_is_as_if_never_filled(older: int, is_filled: bool) -> None:
    before, late = filled(MON, MON + older), filled(MON + older)
    late.fill(MON, 0)
    assert (before.is_filled(MON), late.is_filled(MON)) == (is_filled, is_filled)
    assert before == late


def test_what_was_never_filled_has_no_streak_and_no_filled_day() -> None:
    assert (Habit().length(EVERY_DAY), Habit().is_filled(MON), Habit().end_quarter <= 0) == (0, False, True)


# -- when it ends -------------------------------------------------------------------------------------------------


def test_the_newest_day_says_when_the_streak_ends() -> None:
    habit = Habit()
    for day, end, ends in ((TUE, 500, 500), (MON, 999, 500), (TUE, 999, 500), (WED, 400, 400), (THU, 600, 600)):
        habit.fill(day, 96 * MON + end)
        assert habit.end_quarter == 96 * MON + ends


@pytest.mark.parametrize(
    ("day", "eligible", "following"),
    [
        (THU, SCHOOL_DAYS, FRI), (FRI, SCHOOL_DAYS, MON + 7), (SAT, SCHOOL_DAYS, MON + 7), (SUN, SCHOOL_DAYS, MON + 7),
        (SUN, EVERY_DAY, MON + 7), (SAT, SATURDAYS, SAT + 7), (FRI, SATURDAYS, SAT),
    ],
)  # fmt: skip
def test_the_next_eligible_day_is_at_most_a_week_away(day: int, eligible: frozenset[int], following: int) -> None:
    assert next_eligible(day, eligible) == following


@pytest.mark.parametrize(
    ("length", "levels"), [(0, 0), (2, 0), (3, 1), (4, 1), (5, 2), (6, 2), (9, 2), (10, 3), (11, 3), (64, 3)]
)
def test_levels_are_three_five_and_ten(length: int, levels: int) -> None:
    assert levels_reached(length) == levels
    assert [level <= length for level in LEVELS] == [place < levels for place in range(3)]


# -- days that are not filled yet ---------------------------------------------------------------------------------


def test_each_day_keeps_what_it_lacks_while_others_are_at_hand() -> None:
    habit = Habit()
    for day, credited_ms in ((MON, 100_000), (TUE, 1), (MON, 50_000), (WED, 0)):
        habit.select_day(day, FULL_MS)
        habit.left_ms -= credited_ms
    lacks = {}
    for day in (MON, TUE, WED, THU, MON):
        habit.select_day(day, FULL_MS)
        lacks[day] = habit.left_ms
    assert lacks == {MON: 150_000, TUE: 299_999, WED: FULL_MS, THU: FULL_MS}


def test_a_filled_day_lacks_nothing() -> None:
    habit = filled(MON)
    habit.select_day(TUE, FULL_MS)
    habit.select_day(MON, FULL_MS)
    assert (habit.left_ms, habit.days) == (0, None)


@pytest.mark.parametrize(("before", "kept"), [(MON, [MON, TUE]), (TUE, [TUE]), (WED, [])])
def test_days_to_which_nothing_can_come_are_dropped(before: int, kept: list[int]) -> None:
    habit = Habit()
    for day in (MON, TUE, WED):
        habit.select_day(day, FULL_MS)
        habit.left_ms -= 1
    habit.forget(before)
    assert sorted(habit.days or {}) == kept
    assert (habit.day, habit.left_ms) == (WED, 299_999)


@pytest.mark.parametrize(
    "habit", [Habit(), filled(MON), filled(*range(MON, MON + 64)), Habit(day=TUE, left_ms=5, days={MON: 7, WED: 9})]
)
def test_a_habit_comes_back_as_it_was(habit: Habit) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(habit), type=Habit) == habit


def test_no_more_days_are_kept_than_a_number_of_64_bits_has() -> None:
    assert KEPT_DAYS == 64
    assert filled(*range(365)).filled == 2**64 - 1
