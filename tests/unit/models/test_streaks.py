"""Habit streaks as a partition's fold tells and counts them: whole stories of a household's weeks.

The story begins on Monday, 16 June 2025, when Berlin is two hours ahead of UTC: school begins after 04:00-06:30 UTC and
is over by 13:00. The film is so long that nobody completes it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from partition_log import FILM, SAGA, Log
from playing import DAY, HOUR

from models.rules import Rules
from models.viewing import STREAK

BERLIN, NEW_YORK, AUCKLAND, KOLKATA = "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
BEFORE_SCHOOL, AFTER_SCHOOL, EVENING = 5 * HOUR, 14 * HOUR, 18 * HOUR
END_OF_DAY = 22 * HOUR
"""Of a summer's day in Berlin, in UTC: its next quarter hour is another day."""


def watched(*days: int, at: int = BEFORE_SCHOOL, zone: str = BERLIN, **fields: object) -> Log:
    """Five minutes on each of these days, with nothing drained between."""
    return watches_on(Log(SAGA), *days, at=at, zone=zone, **fields)


def watches_on(log: Log, *days: int, at: int = BEFORE_SCHOOL, zone: str = BERLIN, **fields: object) -> Log:
    for day in days:
        log.watches(day * DAY + at, time_zone=zone, **fields)
    return log


def late(log: Log, day: int, arrives: float, at: int = BEFORE_SCHOOL) -> Log:
    """Five minutes of one day that arrive at a second of another."""
    return log.watches(day * DAY + at, time_zone=BERLIN, arrives=arrives)


# -- a household's week -------------------------------------------------------------------------------------------


def test_kids_before_school_from_monday_to_friday() -> None:
    log, seen = Log(SAGA), []
    for day in range(MON, SAT):
        watches_on(log, day)
        seen.append((log.told(), log.streaks("before_school")))
    assert seen == [
        ([], [0, 0, 0]),
        ([], [0, 0, 0]),
        (["5 household 3 before_school"], [1, 0, 0]),
        ([], [1, 0, 0]),
        (["9 household 5 before_school"], [1, 1, 0]),
    ]
    assert log.dayparts() == {
        "before_school_watched_ms": 1_500_000,
        "before_school_streak_3": 1,
        "before_school_streak_5": 1,
    }


def test_two_weeks_of_school_days_are_ten_and_the_weekend_breaks_nothing() -> None:
    log = watched(*range(MON, SAT), *range(MON + 7, SAT + 7))
    assert log.told() == ["5 household 3 before_school", "9 household 5 before_school", "19 household 10 before_school"]
    assert log.streaks("before_school") == [1, 1, 1]


def test_the_weekend_breaks_a_streak_of_evenings() -> None:
    log = watched(WED, THU, FRI, MON + 7, at=EVENING)
    assert (log.told(), log.streaks("evening")) == (["5 household 3 evening"], [0, 0, 0])


def test_a_weekends_morning_is_no_school_day() -> None:
    log = watched(THU, FRI, SAT, SUN)
    assert log.dayparts() == {"before_school_watched_ms": 600_000, "other_watched_ms": 600_000}


@pytest.mark.parametrize(("seconds", "streaks"), [(299.999, [0, 0, 0]), (300, [1, 0, 0]), (300.001, [1, 0, 0])])
def test_five_minutes_fill_a_day(seconds: float, streaks: list[int]) -> None:
    log = watched(MON, TUE).watches(WED * DAY + BEFORE_SCHOOL, seconds, time_zone=BERLIN)
    assert log.streaks("before_school") == streaks


def test_five_minutes_may_be_of_many_sittings_and_profiles_and_fill_a_day_once() -> None:
    log = watched(MON, TUE)
    for number, profile in enumerate(("kids", "general", "kids", "kids")):
        log.watches(WED * DAY + BEFORE_SCHOOL + number * 600, 100, time_zone=BERLIN, profile_kind=profile)
    assert log.told() == ["9 household 3 before_school"]


def test_half_a_day_here_and_there_is_kept_until_it_is_whole() -> None:
    log = Log(SAGA)
    for half in range(2):
        for day in (MON, TUE, WED):
            log.watches(day * DAY + BEFORE_SCHOOL, 150, time_zone=BERLIN, arrives=WED * DAY + HOUR * (6 + half))
    assert log.told() == ["11 household 3 before_school"]


def test_only_what_is_credited_fills_a_day() -> None:
    log = watched(MON, TUE).tells("start", 0, at=WED * DAY + BEFORE_SCHOOL, time_zone=BERLIN)
    log.tells("seek", 300, at=WED * DAY + BEFORE_SCHOOL + 10, seek_from_ms=10_000, time_zone=BERLIN)
    log.tells("stop", 600, at=WED * DAY + BEFORE_SCHOOL + 2_000, time_zone=BERLIN)
    assert log.streaks("before_school") == [0, 0, 0]


def test_before_school_and_after_school_are_streaks_of_their_own() -> None:
    log = Log(SAGA)
    for day in (MON, TUE, WED):
        watches_on(log, day)
        watches_on(log, day, at=AFTER_SCHOOL)
    assert log.told() == ["9 household 3 before_school", "11 household 3 after_school"]
    assert (log.streaks("before_school"), log.streaks("after_school")) == ([1, 0, 0], [1, 0, 0])


def test_every_household_and_title_has_streaks_of_its_own() -> None:
    log = Log(SAGA)
    for day in range(MON, SAT):
        for household_id, first in (("a", MON), ("b", WED), ("c", THU)):
            if day >= first:
                watches_on(log, day, household_id=household_id)
        watches_on(log, day, household_id="c", title_id="other")
    assert log.streaks("before_school") == [2, 1, 0]


# -- milestones ---------------------------------------------------------------------------------------------------


def test_facts_are_told_before_streaks_and_streaks_by_their_level() -> None:
    # Wednesday comes last, of four other days: one event makes a completion and two levels.
    log = Log(FILM)
    for day in (MON, TUE, THU, FRI):
        log.watches(day * DAY + BEFORE_SCHOOL, 400, time_zone=BERLIN)
    log.drained()
    log.tells("start", 400, at=WED * DAY + BEFORE_SCHOOL, arrives=FRI * DAY + HOUR * 9, time_zone=BERLIN)
    log.tells("stop", 950, at=WED * DAY + BEFORE_SCHOOL + 550, arrives=FRI * DAY + HOUR * 9, time_zone=BERLIN)
    told = [(made.fact.name, made.fact.ordinal, made.fact.daypart, made.offset) for made in log.drained().milestones]
    assert told == [
        ("played", 0, "", 9), ("watched", 0, "", 9), ("completed", 1, "", 9),
        (STREAK, 3, "before_school", 9), (STREAK, 5, "before_school", 9),
    ]  # fmt: skip


def test_a_level_is_told_again_by_the_next_streak_and_not_by_the_same_one() -> None:
    log = watched(MON, TUE, WED, THU)
    assert log.told() == ["5 household 3 before_school"]
    watches_on(log, *range(MON + 7, SAT + 7))
    assert log.told() == ["13 household 3 before_school", "17 household 5 before_school"]


def test_a_duplicate_tells_nothing() -> None:
    log = watched(MON, TUE).tells("start", 0, at=WED * DAY + BEFORE_SCHOOL, time_zone=BERLIN)
    for _ in range(3):
        log.tells("stop", 300, at=WED * DAY + BEFORE_SCHOOL + 300, time_zone=BERLIN, event_id="same")
    assert log.told() == ["5 household 3 before_school"]


# -- how a streak ends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passes", [Log.waits, Log.passes])
@pytest.mark.parametrize(("over", "current"), [(-0.001, 1), (0, 0), (0.001, 0)])
def test_it_ends_with_the_next_eligible_day(over: float, current: int, passes: Callable[[Log, float], Log]) -> None:
    log = watched(MON, TUE, WED)
    assert log.streaks("before_school") == [1, 0, 0]
    assert passes(log, THU * DAY + END_OF_DAY + over).streaks("before_school") == [current, 0, 0]


@pytest.mark.parametrize(("over", "current"), [(-0.001, 1), (0, 0)])
def test_after_a_friday_it_ends_with_the_monday(over: float, current: int) -> None:
    log = watched(WED, THU, FRI).passes((MON + 7) * DAY + END_OF_DAY + over)
    assert log.streaks("before_school") == [current, 0, 0]


def test_all_levels_end_at_once_and_the_sums_leave() -> None:
    log = watched(*range(MON, SAT), *range(MON + 7, SAT + 7))
    first = log.drained().streaks
    assert [sums[:3] for sums in first.values() if sums] == [[1, 1, 1]]
    log.passes((MON + 14) * DAY + END_OF_DAY)
    changes = log.drained(2)
    assert (changes.streaks, changes.milestones) == ({end: None for end, sums in first.items() if sums}, [])
    assert log.streaks("before_school") == [0, 0, 0]
    assert log.passes(100 * DAY).drained(3).tallies == {}


def test_an_end_that_no_drain_saw_leaves_no_trace() -> None:
    log = watched(MON, TUE, WED).passes(THU * DAY + END_OF_DAY)
    changes = log.drained()
    assert [made.fact.ordinal for made in changes.milestones if made.fact.name == STREAK] == [3]
    assert (log.streaks("before_school"), any(changes.streaks.values())) == ([0, 0, 0], False)


def test_a_day_more_puts_the_end_off() -> None:
    log = watched(MON, TUE, WED, THU)
    assert [log.passes(day * DAY + END_OF_DAY).streaks("before_school") for day in (THU, FRI)] == [[1, 0, 0], [0, 0, 0]]


def test_after_the_end_a_new_streak_begins_with_one_day() -> None:
    log = watched(MON, TUE, WED).passes(THU * DAY + END_OF_DAY)
    assert watches_on(log, FRI).streaks("before_school") == [0, 0, 0]
    assert watches_on(log, MON + 7, TUE + 7).streaks("before_school") == [1, 0, 0]
    assert log.told() == []


def test_the_clock_of_the_event_judges_not_the_drains() -> None:
    # The third day is told of as it is filled, though the streak ends before anything is drained.
    log = watched(MON, TUE, WED).waits(THU * DAY + END_OF_DAY).drained()
    assert [(made.fact.ordinal, made.offset) for made in log.milestones if made.fact.name == STREAK] == [(3, 5)]


def test_a_worker_in_silence_is_told_when_streaks_may_end() -> None:
    log = watched(MON, TUE, WED).passes(WED * DAY + END_OF_DAY)
    log.drained()
    now_ms = log.fold.clock_ms
    assert not log.fold.ends_by(now_ms + DAY * 1000 - 1)
    assert log.fold.ends_by(now_ms + DAY * 1000)


# -- late events --------------------------------------------------------------------------------------------------


def test_a_late_day_joins_two_runs_and_reaches_what_they_are_together() -> None:
    log = watched(MON, TUE, THU, FRI)
    assert (log.told(), log.streaks("before_school")) == ([], [0, 0, 0])
    late(log, WED, arrives=FRI * DAY + 9 * HOUR)
    assert (log.told(), log.streaks("before_school")) == (
        ["9 household 3 before_school", "9 household 5 before_school"],
        [1, 1, 0],
    )


def test_a_late_day_at_the_beginning_makes_it_longer_and_does_not_put_off_its_end() -> None:
    log = late(watched(TUE, WED), MON, arrives=WED * DAY + 9 * HOUR)
    assert log.streaks("before_school") == [1, 0, 0]
    assert log.passes(THU * DAY + END_OF_DAY).streaks("before_school") == [0, 0, 0]


@pytest.mark.parametrize(("before_end", "told"), [(0.001, ["5 household 3 before_school"]), (0, []), (-0.001, [])])
def test_a_late_day_of_a_streak_that_has_ended_reaches_nothing(before_end: float, told: list[str]) -> None:
    log = late(watched(MON, WED), TUE, arrives=THU * DAY + END_OF_DAY - before_end)
    assert (log.told(), log.streaks("before_school")) == (told, [len(told), 0, 0])


@pytest.mark.parametrize(("before_end", "told"), [(0.001, ["5 household 3 before_school"]), (0, [])])
def test_the_clock_of_a_silence_ends_it_for_what_comes_after_it_however_early(
    before_end: float, told: list[str]
) -> None:
    log = watched(MON, WED).passes(THU * DAY + END_OF_DAY - before_end)
    assert late(log, TUE, arrives=WED * DAY + 9 * HOUR).told() == told


@pytest.mark.parametrize(("over", "told"), [(-0.001, []), (0, [3]), (0.001, [3])])
def test_a_late_newest_day_brings_an_ended_streak_back_and_it_is_told_again(over: float, told: list[int]) -> None:
    log = watched(MON, TUE, WED)
    assert (log.told(), log.streaks("before_school")) == (["5 household 3 before_school"], [1, 0, 0])
    late(log, THU, arrives=THU * DAY + END_OF_DAY + over)
    assert log.told() == [f"7 household {level} before_school" for level in told]
    assert log.streaks("before_school") == [1, 0, 0]
    assert log.passes(FRI * DAY + END_OF_DAY).streaks("before_school") == [0, 0, 0]


def test_a_run_that_comes_wholly_after_its_end_is_told_by_nobody() -> None:
    log = Log(SAGA).waits(FRI * DAY)
    for day in (MON, TUE, WED):
        late(log, day, arrives=FRI * DAY)
    assert (log.told(), log.streaks("before_school")) == ([], [0, 0, 0])


def test_ten_saturdays_are_the_first_and_last_of_sixty_four_days_and_may_come_late() -> None:
    rules = Rules(dayparts="matinee=10:00-12:00/sat", grace_ms=90 * DAY * 1000)
    log = Log(SAGA, rules=rules)
    for week in range(1, 10):
        log.watches((SAT + 7 * week) * DAY + 10 * HOUR)
    assert (log.told(), log.streaks("matinee")) == (["5 household 3 matinee", "9 household 5 matinee"], [1, 1, 0])
    now = (SAT + 63) * DAY + 11 * HOUR
    log.watches((SAT - 7) * DAY + 10 * HOUR, arrives=now)  # 70 days older: as if it had not been
    assert (log.told(), log.streaks("matinee")) == ([], [1, 1, 0])
    log.watches(SAT * DAY + 10 * HOUR, arrives=now)
    assert (log.told(), log.streaks("matinee")) == (["21 household 10 matinee"], [1, 1, 1])


def test_half_a_day_is_kept_as_long_as_an_event_can_make_it_whole() -> None:
    # Where the clocks are twelve hours behind, Saturday ends at noon of Sunday in UTC.
    log, west = Log(SAGA, rules=Rules(dayparts="saturday=00:00-24:00/sat")), {"time_zone": "Etc/GMT+12"}
    log.watches(SAT * DAY + 13 * HOUR, 150, **west)
    for week in range(1, 5):
        log.watches((SAT + 7 * week) * DAY + 13 * HOUR, **west)
    assert log.told() == ["7 household 3 saturday"]
    thirty_days_later = (SUN + 30) * DAY + 11 * HOUR
    log.watches((SAT + 21) * DAY + 14 * HOUR, 10, arrives=thirty_days_later - HOUR, **west)
    log.watches(SUN * DAY + 11 * HOUR, 150, arrives=thirty_days_later, **west)
    assert log.told() == ["13 household 5 saturday"]


def test_a_day_that_was_filled_is_not_filled_again_by_what_comes_late() -> None:
    log = late(watched(MON, TUE, WED), MON, arrives=WED * DAY + 9 * HOUR)
    assert log.told() == ["5 household 3 before_school"]
    assert late(log, TUE, arrives=WED * DAY + 10 * HOUR).told() == []


# -- zones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("over", "current"), [(-0.001, 1), (0, 0)])
@pytest.mark.parametrize(
    ("zone", "at", "end"),
    [
        (NEW_YORK, 11 * HOUR, FRI * DAY + 4 * HOUR),
        (KOLKATA, HOUR, THU * DAY + 18.5 * HOUR),
        (None, 7 * HOUR, FRI * DAY),
    ],
)
def test_the_end_is_that_of_the_zone_that_filled_the_newest_day(
    zone: str | None, at: int, end: float, over: float, current: int
) -> None:
    log = watched(MON, TUE).watches(WED * DAY + at, time_zone=zone)
    assert log.passes(end + over).streaks("before_school") == [current, 0, 0]


def test_days_are_days_of_the_calendar_wherever_they_are_spent() -> None:
    # Monday and Tuesday morning in Berlin, then Wednesday morning in Auckland, which is Tuesday evening in Berlin.
    log = watched(MON, TUE).watches(TUE * DAY + 19 * HOUR, time_zone=AUCKLAND)
    assert log.told() == ["5 household 3 before_school"]


def test_whoever_flies_west_fills_the_same_day_once() -> None:
    log = watched(MON, TUE).watches(TUE * DAY + 11 * HOUR, time_zone=NEW_YORK)
    assert log.streaks("before_school") == [0, 0, 0]
    assert log.watches(WED * DAY + 11 * HOUR, time_zone=NEW_YORK).streaks("before_school") == [1, 0, 0]


def test_a_late_day_in_another_zone_does_not_move_the_end() -> None:
    log = watched(TUE, WED).watches(MON * DAY + 11 * HOUR, time_zone=NEW_YORK, arrives=WED * DAY + 12 * HOUR)
    assert log.streaks("before_school") == [1, 0, 0]
    assert log.passes(THU * DAY + END_OF_DAY).streaks("before_school") == [0, 0, 0]


def test_clocks_that_change_over_a_weekend_break_nothing() -> None:
    # In 2025 Berlin's clocks go back on Sunday, 26 October: 07:00 is 05:00 UTC on Friday, 06:00 UTC on Monday.
    friday = 130 * DAY
    log = Log(SAGA).watches(friday + 5 * HOUR, time_zone=BERLIN)
    for day in (3, 4):
        log.watches(friday + day * DAY + 6 * HOUR, time_zone=BERLIN)
    assert log.told() == ["5 household 3 before_school"]
    ends = friday + 5 * DAY + 23 * HOUR  # Wednesday's end, at +1
    assert [log.passes(at).streaks("before_school") for at in (ends - 0.001, ends)] == [[1, 0, 0], [0, 0, 0]]


# -- the tally of dayparts ----------------------------------------------------------------------------------------


def test_watched_time_and_completions_are_those_of_the_events_daypart() -> None:
    log = Log(FILM).completes(BEFORE_SCHOOL, time_zone=BERLIN).completes(AFTER_SCHOOL, 2, time_zone=BERLIN)
    log.watches(EVENING, 100, time_zone=BERLIN).completes(BEFORE_SCHOOL + DAY)
    assert log.dayparts() == {
        "before_school_watched_ms": 1_000_000, "before_school_completions": 1, "after_school_watched_ms": 2_000_000,
        "after_school_completions": 2, "evening_watched_ms": 100_000, "other_watched_ms": 1_000_000,
        "other_completions": 1,
    }  # fmt: skip
    assert log.title()["watched_ms"] == 4_100_000


def test_a_sitting_over_the_end_of_a_daypart_counts_in_both() -> None:
    log = Log(SAGA).plays(0, 600, at=6 * HOUR + 1_800 - 300, time_zone=BERLIN)  # from 08:25
    assert log.dayparts() == {"before_school_watched_ms": 240_000, "other_watched_ms": 360_000}


def test_a_setting_of_ones_own_has_its_own_streaks() -> None:
    rules = Rules(dayparts="matinee=10:00-12:00/sat,any=00:00-24:00", streak_day_ms=60_000)
    log = Log(SAGA, rules=rules)
    for week in range(5):
        log.watches((SAT + 7 * week) * DAY + 10 * HOUR, 60)
    assert log.told() == ["5 household 3 matinee", "9 household 5 matinee"]
    ends = (SAT + 35 + 1) * DAY
    assert [log.passes(at).streaks("matinee") for at in (ends - 0.001, ends)] == [[1, 1, 0], [0, 0, 0]]


# -- rows at rest, other workers, and rows that are dropped -------------------------------------------------------


def test_another_worker_goes_on_with_the_streaks_as_they_are() -> None:
    log, undisturbed = Log(SAGA), Log(SAGA)
    for day in (*range(MON, SAT), MON + 7, WED + 7, THU + 7, FRI + 7):
        told = [
            watches_on(each, day, household_id=household).told() for each in (log, undisturbed) for household in "ab"
        ]
        assert told[:2] == told[2:]
        log.restarts()
        assert (log.dayparts(), log.fold.tallies) == (undisturbed.dayparts(), undisturbed.fold.tallies)
    for at in ((MON + 14) * DAY + END_OF_DAY - 0.001, (MON + 14) * DAY + END_OF_DAY):
        assert log.passes(at).streaks("before_school") == undisturbed.passes(at).streaks("before_school")


def test_another_worker_ends_what_ended_meanwhile() -> None:
    log = watched(MON, TUE, WED)
    assert log.restarts().passes(THU * DAY + END_OF_DAY).streaks("before_school") == [0, 0, 0]
    assert log.restarts().dayparts() == {"before_school_watched_ms": 900_000}


def test_a_household_whose_row_was_dropped_begins_with_no_day() -> None:
    log = watched(MON, TUE)
    wednesday = 105 * 7 + WED  # 735 days later
    watches_on(log, wednesday)
    assert log.told() == []
    assert log.dayparts() == {"before_school_watched_ms": 900_000}
