"""What charts show: where they begin and end, what stands at each place, and what is said of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from shown_titles import AS_OF_MS, audience, curve, day, dragon, hour, legs, title, week

from streams.dashboard.audience_chart import audience_chart, audience_compared
from streams.dashboard.chart import Level, Mark, unit_of
from streams.dashboard.curve_chart import curve_chart, curves_compared
from streams.dashboard.days_chart import ShownDays, days_asked, days_chart, hours_chart, hours_span
from streams.dashboard.households_chart import households_compared
from streams.dashboard.weeks_chart import weeks_chart, weeks_compared
from streams.reader import Profile

NAMES = {"dragon": "The Little Dragon", "big": "big"}


@pytest.mark.parametrize(
    ("measure", "largest", "unit"),
    [
        ("plays", 9, ("plays", 1)), ("starters", 9, ("households", 1)), ("watched_s", 7_199.9, ("minutes watched", 60)),
        ("watched_s", 7_200.0, ("hours watched", 3_600)), ("watched_s", None, ("minutes watched", 60)),
    ],
)  # fmt: skip
def test_an_axis_counts_in_the_unit_that_suits_the_largest(
    measure: str, largest: float | None, unit: tuple[str, float]
) -> None:
    assert unit_of(measure, [largest, None]) == unit


def test_weeks_stand_against_the_opening_and_one_that_goes_on_says_so() -> None:
    chart = weeks_chart(dragon(legs=legs(week=2)))
    assert chart is not None
    assert (chart.form, chart.unit, chart.across) == ("bars", "hours watched", "weeks since the release")
    assert chart.places == ("week 1", "week 2", "week 3, so far")
    (watched,) = chart.series
    assert (watched.name, watched.values) == ("watched", (2.0, 0.0, 0.5))
    assert watched.says == (
        "2.0 h, 200.0% of the opening", "0 s, 0.0% of the opening", "30 min, 50.0% of the opening",
    )  # fmt: skip
    assert (chart.level, chart.so_far) == (Level("opening", 1.0, "1.0 h"), True)
    assert [text for _, text in chart.ticks] == ["1", "2", "3"]


@pytest.mark.parametrize(("first", "places"), [(12, 12), (13, 13), (14, 1)])
def test_an_old_title_begins_where_something_is_known_of_it(first: int, places: int) -> None:
    chart = weeks_chart(dragon(weeks=(week(first, 7_200.0),), legs=legs(week=first)))
    assert chart is not None
    assert (len(chart.places), chart.places[-1]) == (places, f"week {first}")
    assert chart.left_out == ("The chart begins with week 14: nothing is known of those before." if first > 13 else "")


def test_titles_are_compared_by_their_own_weeks_without_those_that_go_on() -> None:
    old = Profile(title_id="big", weeks=tuple(week(number, 600.0) for number in (52, 53)), legs=legs(week=53))
    chart = weeks_compared([dragon(legs=legs(week=2)), old], NAMES, "watched_s")
    assert chart is not None
    assert [one.values for one in chart.series] == [(2.0, 0.0), (0.167, 0.167)]
    assert (chart.unit, chart.places, chart.left_out) == (
        "hours watched", ("week 1", "week 2"), "big begins with its week 52: nothing is known of those before.",
    )  # fmt: skip
    assert weeks_compared([dragon(legs=None)], NAMES, "watched_s") is None


def test_of_a_younger_title_there_are_no_weeks_to_come() -> None:
    young = Profile(title_id="big", weeks=(week(1, 60.0),), legs=legs(week=1))
    chart = weeks_compared([dragon(legs=legs(week=3)), young], NAMES, "watched_s")
    assert chart is not None
    assert [one.says for one in chart.series] == [("2.0 h", "0 s", "30 min"), ("1 min", "", "")]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, ShownDays(date(2026, 8, 25), date(2026, 11, 23))),
        (None, date(2026, 10, 31), ShownDays(date(2026, 8, 2), date(2026, 10, 31))),
        (date(2026, 11, 1), None, ShownDays(date(2026, 11, 1), date(2026, 11, 23), chosen=True)),
        (date(2027, 1, 1), None, ShownDays(date(2027, 1, 1), date(2027, 1, 1), chosen=True)),
        (date(1999, 1, 1), None, ShownDays(date(1999, 1, 1), date(2001, 9, 26), chosen=True)),
        (None, date(1970, 1, 2), ShownDays(date(1970, 1, 1), date(1970, 1, 2))),
    ],
)
def test_days_are_the_last_quarter_s_unless_others_are_asked_for(
    first: date | None, last: date | None, expected: ShownDays
) -> None:
    assert days_asked(AS_OF_MS, first, last) == expected


def test_days_begin_with_the_first_one_in_which_something_was_counted() -> None:
    found = {"dragon": [day("20261121", plays=2), day("20261123", plays=1)], "big": None}
    chart = days_chart(found, NAMES, "plays", days_asked(AS_OF_MS, None, None), AS_OF_MS)
    assert chart is not None
    assert (chart.title, chart.places) == (
        "Plays of each day", ("Sat 2026-11-21", "Sun 2026-11-22", "Mon 2026-11-23, so far"),
    )  # fmt: skip
    assert [(one.name, one.values) for one in chart.series] == [
        ("The Little Dragon", (2, 0, 1)), ("big", (None, None, None)),
    ]  # fmt: skip
    assert chart.left_out == "Nothing was counted from 2026-08-25 until 2026-11-21."
    assert days_chart({"dragon": []}, NAMES, "plays", days_asked(AS_OF_MS, None, None), AS_OF_MS) is None


def test_days_that_are_asked_for_are_shown_although_empty() -> None:
    days = days_asked(AS_OF_MS, date(2026, 11, 20), date(2026, 11, 22))
    chart = days_chart({"dragon": [day("20261121", plays=2)]}, NAMES, "plays", days, AS_OF_MS, "bars")
    assert chart is not None
    assert (chart.form, chart.series[0].values, chart.so_far, chart.left_out) == ("bars", (0, 2, 0), False, "")


@pytest.mark.parametrize(
    ("first", "ticks"),
    [
        (date(2026, 11, 8), ["Nov 9", "Nov 16", "Nov 23"]),
        (date(2026, 11, 23), ["Nov 23"]),
        (date(2026, 5, 23), ["Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]),
        (date(2025, 12, 2), ["Jan 2026", *["Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]]),
    ],
)
def test_days_are_labelled_by_mondays_and_many_by_months(first: date, ticks: list[str]) -> None:
    days = days_asked(AS_OF_MS, first, None)
    chart = days_chart({"dragon": [day(f"{first:%Y%m%d}", plays=2)]}, NAMES, "plays", days, AS_OF_MS)
    assert chart is not None
    assert [text for _, text in chart.ticks] == ticks


def test_a_title_s_hours_end_with_the_one_that_goes_on_and_have_no_gap() -> None:
    chart = hours_chart([hour("20261123T14", 4), hour("20261123T16", 1)], AS_OF_MS)
    assert chart is not None
    assert (len(chart.places), chart.series[0].values[-3:]) == (72, (4, 0, 1))
    assert chart.places[-2:] == ("Mon 2026-11-23 15:00 UTC", "Mon 2026-11-23 16:00 UTC, so far")
    assert chart.ticks == ((7, "Nov 21"), (31, "Nov 22"), (55, "Nov 23"))


def test_the_hours_of_a_title_are_the_last_72_and_never_before_1970() -> None:
    assert hours_span(AS_OF_MS) == (datetime(2026, 11, 20, 17, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC))
    assert hours_span(1)[0] >= datetime(1970, 1, 1, tzinfo=UTC)
    assert hours_chart([hour("20261123T14", 0)], AS_OF_MS) is None


def test_the_audience_stands_week_by_week_without_a_gap_by_what_households_were_before() -> None:
    chart = audience_chart(dragon())
    assert chart is not None
    assert [(one.name, one.values) for one in chart.series] == [
        ("returning", (0, 0, 2, 1)), ("resurrected", (0, 0, 1, 0)), ("new", (8, 0, 1, 0)),
    ]  # fmt: skip
    assert (chart.places[0], chart.places[3]) == (
        "week from 2026-11-02: 8 reached", "week from 2026-11-23, so far: 1 reached",
    )  # fmt: skip
    assert (chart.so_far, [text for _, text in chart.ticks]) == (True, ["Nov 2", "Nov 9", "Nov 16", "Nov 23"])


def test_audiences_of_many_weeks_are_labelled_by_months() -> None:
    first = date(2026, 4, 6)
    names = [f"2026W{(first + timedelta(weeks=number)).isocalendar().week:02}" for number in range(34)]
    chart = audience_chart(dragon(audience=tuple(audience(name, 1) for name in names)))
    assert chart is not None
    assert [text for _, text in chart.ticks] == ["Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]


def test_audiences_are_compared_in_the_weeks_of_the_calendar() -> None:
    young = Profile(title_id="big", title=title("big"), audience=(audience("2026W47", 5),))
    chart = audience_compared([dragon(), young], NAMES)
    assert chart is not None
    assert [one.values for one in chart.series] == [(8, 0, 4), (None, None, 5)]
    assert (chart.places[-1], chart.so_far) == ("week from 2026-11-16", False)


def test_the_curve_names_what_stands_out_in_it_with_its_place() -> None:
    chart = curve_chart(dragon().curve, 20_000)
    assert chart is not None
    assert (chart.series[0].values, chart.series[0].says[2]) == ((4, 4, 8, 2), "8 times")
    assert chart.places == ("0:00 to 0:05", "0:05 to 0:10", "0:10 to 0:15", "0:15 to 0:20")
    assert chart.ticks == ((-0.5, "0:00"), (0.5, "0:05"), (1.5, "0:10"), (2.5, "0:15"), (3.5, "0:20"))
    assert chart.marks == (Mark("steepest fall", "0:15", 2.5, 2.5), Mark("most replayed", "0:10", 1.5, 2.5))
    assert chart.notes == (
        ("steepest fall", "at 0:15: from 8 to 2 times played, −75.0%"),
        ("most replayed part", "0:10 to 0:15: 1.78 times the mean"),
    )


def test_where_nothing_stands_out_nothing_is_marked() -> None:
    chart = curve_chart(curve(3, 3), 0)
    assert chart is not None
    assert (chart.marks, [words for _, words in chart.notes]) == ((), ["none: it falls nowhere", "none stands out"])
    assert [text for _, text in chart.ticks] == ["0:00", "0:05", "0:10"]


def test_curves_of_short_and_long_titles_lie_over_each_other() -> None:
    short = msgspec.structs.replace(dragon(curve=curve(9, 1)), title_id="big")
    chart = curves_compared([dragon(), short], NAMES)
    assert chart is not None
    assert [one.values for one in chart.series] == [(4, 4, 8, 2), (9, 9, 1, 1)]
    assert (chart.places[1], [text for _, text in chart.ticks]) == ("25% to 50%", ["0%", "25%", "50%", "75%", "100%"])


def test_households_are_compared_step_by_step() -> None:
    chart = households_compared([dragon(), Profile(title_id="big")], NAMES)
    assert chart is not None
    assert [one.values for one in chart.series] == [(600, 596, 576, 540, 270), (None,) * 5]
    assert chart.places[2] == "watchers, covered 70 % of it"
