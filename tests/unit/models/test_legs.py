"""Legs from totals: what week is complete, what is empty, and where a title begins to be unstoppable."""

from __future__ import annotations

import statistics
from math import log

import pytest

from models.counters import WINDOW_FIELDS, Counters
from models.legs import OPENING, WEEK_MS, Legs, complete_weeks, is_age_used, is_week_used, legs, next_week_end
from models.windows import AGES

RELEASE_MS = 1_795_132_800_000
FOUR_WEEKS = list(AGES).index("28d")


def week(watched_ms: int = 0, **counters: int) -> list[int]:
    """A window's totals."""
    fields = Counters.__struct_fields__[:WINDOW_FIELDS]
    return [{"watched_ms": watched_ms, **counters}.get(name, 0) for name in fields]


def of_weeks(*watched_ms: int, opening: int = 0, four_weeks: int = 0, **counters: int) -> Legs:
    """The legs at the end of the last of these weeks, each with the same other counters."""
    weeks = {n: week(each, **counters) for n, each in enumerate(watched_ms, 1) if each or counters}
    return legs(len(watched_ms), weeks, week(opening) if opening else (), week(four_weeks) if four_weeks else ())


# -- which week ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of_ms", "weeks", "next_end_ms"),
    [
        (RELEASE_MS - 1, 0, RELEASE_MS + WEEK_MS),
        (RELEASE_MS, 0, RELEASE_MS + WEEK_MS),
        (RELEASE_MS + WEEK_MS - 1, 0, RELEASE_MS + WEEK_MS),
        (RELEASE_MS + WEEK_MS, 1, RELEASE_MS + 2 * WEEK_MS),
        (RELEASE_MS + 104 * WEEK_MS - 1, 103, RELEASE_MS + 104 * WEEK_MS),
        (RELEASE_MS + 104 * WEEK_MS, 104, None),
        (RELEASE_MS + 105 * WEEK_MS, 104, None),
    ],
)
def test_a_week_is_complete_once_its_end_has_passed(as_of_ms: int, weeks: int, next_end_ms: int | None) -> None:
    assert (complete_weeks(RELEASE_MS, as_of_ms), next_week_end(RELEASE_MS, as_of_ms)) == (weeks, next_end_ms)


def test_a_title_without_a_release_has_no_weeks() -> None:
    assert (complete_weeks(None, RELEASE_MS), next_week_end(None, RELEASE_MS)) == (0, None)


@pytest.mark.parametrize(
    ("at", "used"),
    [(0, (False, False, False)), (1, (True, False, False)), (3, (True, False, False)), (4, (True, True, True))],
)
def test_a_window_is_used_once_it_is_complete(at: int, used: tuple[bool, ...]) -> None:
    assert (is_age_used(OPENING, at), is_age_used(FOUR_WEEKS, at), is_week_used(4, at)) == used


def test_no_other_window_by_age_is_used() -> None:
    others = set(range(len(AGES))) - {OPENING, FOUR_WEEKS}
    assert not any(is_age_used(place, 104) for place in others)


# -- week by week -------------------------------------------------------------------------------------------------


def test_the_first_week_has_none_before_it() -> None:
    found = of_weeks(700, opening=600, starters=4, completers=3, completions=8, rewatches=5)
    assert found == Legs(
        week=1, week_watched_ms=700, week_before_watched_ms=None, hold=None, opening_watched_ms=600,
        d28_watched_ms=None, multiple=None, half_life_days=None, hold_4w=None, hold_4w_before=None, rewatch_share=0.625,
        rewatch_share_before=None, completion_rate=0.75, completion_rate_before=None, unstoppable=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("weeks", "hold"), [((200,), None), ((200, 150), 0.75), ((0, 150), None), ((200, 0), 0.0), ((9, 200, 300), 1.5)]
)
def test_hold_is_a_week_by_the_one_before(weeks: tuple[int, ...], hold: float | None) -> None:
    assert of_weeks(*weeks).hold == hold


@pytest.mark.parametrize(
    ("weeks", "opening", "multiple"),
    [(3, 200, (None, None)), (4, 200, (700, 3.5)), (5, 200, (700, 3.5)), (4, 0, (700, None))],
)
def test_four_weeks_are_told_and_compared_with_the_opening_once_they_are_over(
    weeks: int, opening: int, multiple: tuple[int | None, float | None]
) -> None:
    found = of_weeks(*[1] * weeks, opening=opening, four_weeks=700)
    assert (found.d28_watched_ms, found.multiple) == multiple


def test_shares_are_of_all_weeks_so_far() -> None:
    weeks = {
        1: week(completions=10, rewatches=0, starters=20, completers=10),
        2: week(completions=30, rewatches=30, starters=0, completers=5),
    }
    found = legs(2, weeks, (), ())
    assert (found.rewatch_share, found.rewatch_share_before) == (0.75, 0.0)
    assert (found.completion_rate, found.completion_rate_before) == (0.75, 0.5)


# -- over several weeks -------------------------------------------------------------------------------------------


def test_the_four_week_hold_is_the_mean_of_four_holds() -> None:
    found = of_weeks(1000, 800, 640, 512, 410, 328)
    assert found.hold_4w == pytest.approx((328 / 800) ** 0.25, abs=1e-12)
    assert found.hold_4w_before == pytest.approx((410 / 1000) ** 0.25, abs=1e-12)


@pytest.mark.parametrize(("weeks", "known"), [((9,) * 4, False), ((9,) * 5, True), ((0, 9, 9, 9, 9), False)])
def test_a_four_week_hold_needs_viewing_four_weeks_before(weeks: tuple[int, ...], known: bool) -> None:
    assert (of_weeks(*weeks).hold_4w is not None) == known


def test_the_half_life_is_by_the_slope_of_the_last_six_weeks() -> None:
    watched = [5, 1_000_000, 900_000, 650_000, 600_000, 450_000, 400_000]
    slope = statistics.linear_regression(range(6), [log(each) for each in watched[1:]]).slope
    assert of_weeks(*watched).half_life_days == pytest.approx(7 * log(2) / -slope, rel=1e-12)


def test_what_halves_each_week_has_a_half_life_of_seven_days() -> None:
    assert of_weeks(32, 16, 8, 4, 2, 1).half_life_days == pytest.approx(7)


@pytest.mark.parametrize(
    "weeks",
    [
        (9, 8, 7, 6, 5),
        (9, 8, 7, 0, 5, 4),
        (7, 7, 7, 7, 7, 7),
        (5, 9, 4, 4, 9, 5),
        (4, 5, 6, 7, 8, 9),
        # Falls by less than a float can tell: that would be a half-life of more than a universe.
        (10**17, 10**17, 10**17, 10**17 - 1, 10**17 - 3, 10**17 + 2),
        (10**18, 10**18, 10**18, 10**18 - 51, 10**18 + 7, 10**18 + 6),
    ],
)
def test_there_is_no_half_life_of_fewer_weeks_with_an_empty_one_or_where_nothing_falls(weeks: tuple[int, ...]) -> None:
    assert of_weeks(*weeks).half_life_days is None


# -- unstoppable --------------------------------------------------------------------------------------------------

FAITHFUL = {"starters": 10, "completers": 6, "completions": 10, "rewatches": 3}


def test_two_weeks_running_that_qualify_make_a_title_unstoppable() -> None:
    told = [of_weeks(*[1000] * weeks, **FAITHFUL).unstoppable for weeks in range(1, 9)]
    assert told == [False] * 5 + [True] * 3


@pytest.mark.parametrize(("fifth", "unstoppable"), [(52_200_624, False), (52_200_625, True), (52_200_626, True)])
def test_the_least_hold_counts_as_held(fifth: int, unstoppable: bool) -> None:
    # 0.85 to the fourth is 0.52200625; the sixth week holds in any case.
    assert of_weeks(10**8, 1, 1, 1, fifth, 1, **FAITHFUL).unstoppable == unstoppable


@pytest.mark.parametrize("name", ["rewatches", "completers"])
@pytest.mark.parametrize(("by", "unstoppable"), [(-1, False), (0, True), (1, True)])
def test_the_least_shares_count_as_reached(name: str, by: int, unstoppable: bool) -> None:
    counters = {each: 1000 * number for each, number in FAITHFUL.items()}
    assert of_weeks(*[1000] * 6, **counters | {name: counters[name] + by}).unstoppable == unstoppable


def test_empty_shares_do_not_qualify() -> None:
    assert not of_weeks(*[1000] * 8).unstoppable


@pytest.mark.parametrize(("starters", "unstoppable"), [(19, False), (20, True), (21, True)])
def test_twenty_starters_by_then_are_the_least(starters: int, unstoppable: bool) -> None:
    weeks = {number: week(1000) for number in range(2, 7)}
    weeks[1] = week(1000, starters=starters, completers=19, completions=40, rewatches=20)
    assert legs(6, weeks, (), ()).unstoppable == unstoppable


def test_the_least_starters_are_there_for_both_weeks() -> None:
    weeks = {number: week(1000) for number in range(1, 8)}
    weeks[1] = week(1000, starters=19, completers=19, completions=40, rewatches=20)
    weeks[6] = week(1000, starters=1)
    assert [legs(number, weeks, (), ()).unstoppable for number in (5, 6, 7)] == [False, False, True]


@pytest.mark.parametrize(("completers", "rate"), [(9, 0.9), (10, 1.0), (11, 1.0)])
def test_a_completion_rate_is_never_above_one(completers: int, rate: float) -> None:
    # Those who became completers in these weeks may have become starters before the release.
    found = of_weeks(1000, 1000, starters=10, completers=completers)
    assert (found.completion_rate, found.completion_rate_before) == (rate, rate)
