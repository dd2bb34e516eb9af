"""Windows: UTC hours and days, and spans of a title's age. What they are called, and what they hold."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from partition_log import FILM, Log
from playing import DAY, HOUR, T0

from models.catalog import CatalogRow
from models.events import END_OF_CALENDAR_MS
from models.rules import DAY_MS, HOUR_MS
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE
from models.windows import (
    AGE,
    AGES,
    KEPT_FOR,
    KINDS,
    LAST_WEEK,
    OfAges,
    OfHours,
    audience_week,
    audience_week_name,
    day_name,
    hour_name,
    windows_at,
)
from models.windows import WEEK as WEEK_OF_AGE
from streams.state.changelog import ERASURE, POSITION_KEY
from streams.state.tally_records import CURRENT

MIDNIGHT = T0
WEEK = 7 * DAY
ON_THE_HOUR, OFF_THE_HOUR = T0 + 9 * HOUR_MS, T0 + 9 * HOUR_MS + 1_234_567


# -- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time_ms", "hour", "day"),
    [
        (0, "19700101T00", "19700101"),
        (MIDNIGHT - 1, "20250615T23", "20250615"),
        (MIDNIGHT, "20250616T00", "20250616"),
        (MIDNIGHT + 1, "20250616T00", "20250616"),
        (MIDNIGHT + HOUR_MS, "20250616T01", "20250616"),
        (1_709_164_800_000, "20240229T00", "20240229"),
        (END_OF_CALENDAR_MS - 1, "99991231T23", "99991231"),
    ],
)
def test_a_window_is_named_after_its_utc_hour_or_day(time_ms: int, hour: str, day: str) -> None:
    assert (hour_name(time_ms // HOUR_MS), day_name(time_ms // DAY_MS)) == (hour, day)


@pytest.mark.parametrize(
    ("day", "week", "name"),
    [
        (date(1970, 1, 1), 0, "1970W01"),
        (date(1970, 1, 4), 0, "1970W01"),
        (date(1970, 1, 5), 1, "1970W02"),
        (date(2021, 1, 3), 2_661, "2020W53"),
        (date(2021, 1, 4), 2_662, "2021W01"),
        (date(2024, 12, 29), 2_869, "2024W52"),
        (date(2024, 12, 30), 2_870, "2025W01"),
        (date(2026, 11, 28), 2_969, "2026W48"),
        (date(9999, 12, 31), 418_985, "9999W52"),
    ],
)
def test_an_audience_week_is_from_monday_to_monday_and_named_by_iso_8601(day: date, week: int, name: str) -> None:
    number = (day - date(1970, 1, 1)).days
    assert (audience_week(number), audience_week_name(week)) == (week, name)


# -- kinds --------------------------------------------------------------------------------------------------------

BY_UTC = {letter: kind.bounds for letter, kind in KINDS.items() if isinstance(kind.bounds, OfHours)}


def test_no_kind_has_the_letter_or_the_word_of_another_nor_the_letter_of_anything_else_in_the_state() -> None:
    others = {TITLE, DAYPARTS, CURVE, FRANCHISE, CURRENT.decode(), ERASURE.decode(), POSITION_KEY.decode(), *"ckrs"}
    assert not KINDS.keys() & others
    assert all(len(letter) == 1 for letter in KINDS)
    assert len({kind.word for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("letter", BY_UTC)
@pytest.mark.parametrize("near", [0, ON_THE_HOUR // HOUR_MS, (END_OF_CALENDAR_MS - 1) // HOUR_MS])
def test_a_window_by_utc_begins_with_the_first_hour_that_lies_in_it(letter: str, near: int) -> None:
    bounds = BY_UTC[letter]
    first = bounds.first_hour(bounds.number(near))
    assert first <= near
    assert [bounds.number(hour) - bounds.number(near) for hour in (first - 1, first)] == [-1, 0]


def test_the_windows_by_age_are_all_that_an_age_lies_in() -> None:
    for kind in (KINDS[AGE], KINDS[WEEK_OF_AGE]):
        assert isinstance(kind.bounds, OfAges)
        assert {number for hours in range(20_000) for number in kind.bounds.numbers(hours)} == set(kind.bounds.all)


# -- ages ---------------------------------------------------------------------------------------------------------

ALL, SEVEN_DAYS_ON, FOUR_WEEKS_ON = ["opening", "7d", "28d", "91d"], ["28d", "91d"], ["91d"]
AGES_BY_HOUR = [
    (-1, [], None), (0, ALL, 1), (1, ALL, 1), (71, ALL, 1), (72, ["7d", "28d", "91d"], 1),
    (167, ["7d", "28d", "91d"], 1), (168, SEVEN_DAYS_ON, 2), (169, SEVEN_DAYS_ON, 2),
    (671, SEVEN_DAYS_ON, 4), (672, FOUR_WEEKS_ON, 5), (673, FOUR_WEEKS_ON, 5),
    (2_183, FOUR_WEEKS_ON, 13), (2_184, [], 14), (2_185, [], 14),
    (17_303, [], 103), (17_304, [], 104), (17_471, [], 104), (17_472, [], None), (17_473, [], None),
]  # fmt: skip
"""Whole hours of age (72 h, 7, 28, 91 and 728 days among them), the windows that hold them, their week."""


@pytest.mark.parametrize(("hours", "ages", "week"), AGES_BY_HOUR)
def test_an_age_lies_in_every_window_that_is_longer_and_in_one_week(
    hours: int, ages: list[str], week: int | None
) -> None:
    found = [window for window in windows_at(0, hours, in_time=True) if isinstance(KINDS[window[0]].bounds, OfAges)]
    assert found == [(AGE, list(AGES).index(age)) for age in ages] + [(WEEK_OF_AGE, week)] * (week is not None)


def counted(release_ms: int | None, age_ms: int) -> list[str]:
    """The windows by age of one second of viewing that is told of at that age."""
    log = Log(msgspec.structs.replace(FILM, release_time_ms=release_ms))
    at = ((release_ms or 0) + age_ms - T0) / 1000
    found = log.tells("start", 0, at=at - 1).tells("stop", 1, at=at).windows("a", "w")
    assert all(counters == {"plays": 1, "watched_ms": 1_000} for counters in found.values())
    return list(found)


@pytest.mark.parametrize("release_ms", [ON_THE_HOUR, OFF_THE_HOUR, OFF_THE_HOUR + 1])
@pytest.mark.parametrize(("hours", "ages", "week"), AGES_BY_HOUR)
@pytest.mark.parametrize("more_ms", [0, 1, HOUR_MS - 1])
def test_an_event_counts_in_the_windows_of_its_age_to_the_millisecond(
    release_ms: int, hours: int, ages: list[str], week: int | None, more_ms: int
) -> None:
    in_week = [] if week is None else [str(week)]
    assert counted(release_ms, hours * HOUR_MS + more_ms) == [*ages, *in_week]


@pytest.mark.parametrize(("release_ms", "time_ms"), [(None, T0), (T0 + 1, T0), (2**63 - 1, T0), (-(2**63), T0)])
def test_without_a_release_before_it_and_long_after_it_there_is_no_age(release_ms: int | None, time_ms: int) -> None:
    assert counted(release_ms, time_ms - (release_ms or 0)) == []


@pytest.mark.parametrize("release_ms", [0, -1, -HOUR_MS, -DAY_MS + 1])
def test_a_release_may_be_in_1970_or_before(release_ms: int) -> None:
    assert counted(release_ms, 2 * DAY_MS) == [*ALL, "1"]
    assert counted(release_ms, LAST_WEEK * 7 * DAY_MS - 1) == ["104"]


def test_windows_by_age_hold_what_hours_and_days_hold() -> None:
    log = Log(msgspec.structs.replace(FILM, release_time_ms=T0))
    log.completes(0, 2, profile_kind="kids").completes(5_000, household_id="other")
    log.tells("pause", 950, at=10_000, household_id="skimmer")
    windows = log.windows("a", "w", "d")
    assert windows["opening"] == {
        "plays": 3, "starters": 2, "viewers": 2, "watchers": 2, "completers": 2, "repeaters": 1, "completions": 3,
        "rewatches": 1, "watched_ms": 3_000_000, "kids_plays": 2, "kids_completions": 2, "kids_rewatches": 1,
        "kids_watched_ms": 2_000_000, "returned_1d": 1, "returned_7d": 1, "returned_28d": 1,
    }  # fmt: skip
    assert windows == dict.fromkeys([*ALL, "1", "20250616"], windows["opening"])
    assert log.title()["skimmers"] == 1


def test_a_late_event_restates_every_window_that_it_belongs_to_but_its_hour() -> None:
    kept = KEPT_FOR._replace(hour_ms=30 * DAY_MS)
    log = Log(msgspec.structs.replace(FILM, release_time_ms=T0 - 10 * DAY_MS), retention=kept).watches(0, 100)
    once, both = {"plays": 1, "watched_ms": 100_000}, {"plays": 2, "starters": 1, "watched_ms": 300_000}
    assert log.windows("h", "d", "a", "w") == {
        "20250616": once, "20250616T00": once, "28d": once, "91d": once, "2": once
    }  # fmt: skip
    log.watches(0, 200, arrives=29 * DAY, household_id="late")
    assert log.windows("h", "d", "a", "w") == {
        "20250616": both, "20250616T00": once, "28d": both, "91d": both, "2": both
    }  # fmt: skip
    assert log.title() == both


def test_an_event_that_is_late_by_less_than_72_hours_restates_its_hour_too() -> None:
    log = Log(FILM).watches(0, 100).waits(72 * HOUR)
    log.drained()
    log.watches(0, 100, arrives=72 * HOUR, household_id="late")
    changed = {(key.kind, key.number) for key in log.changed(2)}
    assert changed == {("t", 0), ("l", 0), ("v", 0), ("h", T0 // HOUR_MS), ("d", T0 // DAY_MS)}


# -- releases that are corrected ----------------------------------------------------------------------------------


def released(at: float | None) -> CatalogRow:
    return msgspec.structs.replace(FILM, release_time_ms=None if at is None else T0 + round(at * 1000))


def test_a_corrected_release_holds_from_then_on_and_moves_nothing() -> None:
    log = Log(released(0)).watches(1 * HOUR, 101)
    log.takes_in(released(-10 * DAY)).watches(2 * HOUR, 102)
    log.takes_in(released(5 * HOUR)).watches(3 * HOUR, 103)
    log.takes_in(released(4.5 * HOUR)).watches(4.5 * HOUR, 104)
    log.takes_in(released(None)).watches(5 * HOUR, 105)
    watched = {name: window["watched_ms"] for name, window in log.windows("d", "a", "w").items()}
    assert watched == {
        "20250616": 515_000, "opening": 205_000, "7d": 205_000, "28d": 307_000, "91d": 307_000, "1": 205_000,
        "2": 102_000,
    }  # fmt: skip


def test_one_hour_may_lie_on_both_sides_of_a_release() -> None:
    log = Log(released(1_800)).tells("start", 0, at=1_790)
    for second in (1_799, 1_799.999, 1_800, 1_801):
        log.tells("heartbeat", second - 1_790, at=second)
    assert log.windows("h") == {"20250616T00": {"plays": 1, "watched_ms": 11_000}}
    assert log.windows("w") == {"1": {"watched_ms": 1_001}}


def test_a_release_that_is_corrected_within_its_hour_splits_it_anew() -> None:
    log = Log(released(1_800)).tells("start", 0, at=1_790).tells("heartbeat", 20, at=1_810)
    log.takes_in(released(1_900)).tells("heartbeat", 30, at=1_820).tells("heartbeat", 119, at=1_909)
    assert log.windows("w") == {"1": {"plays": 1, "watched_ms": 109_000}}
    assert log.windows("h") == {"20250616T00": {"plays": 1, "watched_ms": 119_000}}
