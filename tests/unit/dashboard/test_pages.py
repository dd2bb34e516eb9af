"""What the pages say: of a board, a franchise, a title, titles side by side and the pipeline."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from shown_titles import (
    AS_OF_MS,
    COUNTS,
    HEAD,
    REBUILDING,
    audience,
    curve,
    day,
    dayparts,
    dragon,
    hour,
    legs,
    title,
    week,
)

from models.hash_fields import DAY_BOARDS
from streams.dashboard.board_page import BoardPage, BoardPlace, BoardSelection, ShownBoard, board_page
from streams.dashboard.comparison_page import DRAWN, ComparisonPage, Drawing, Drawn, comparison_page
from streams.dashboard.days_chart import days_asked
from streams.dashboard.franchise_page import franchise_page
from streams.dashboard.pipeline_page import RecordRate, pipeline_page
from streams.dashboard.title_page import DaysRead, TitlePage, title_page
from streams.display.titles_file import Names
from streams.reader import Franchise, Profile, Status

NAMES = Names([{"title_id": "dragon", "name": "The Little Dragon", "runtime_ms": 20_000}])


def said(page: msgspec.Struct) -> str:
    """All that goes to the browser."""
    return msgspec.json.encode(page).decode()


ALL_TIME = BoardSelection("title", "completions")
PLACES = [BoardPlace(1, "dragon", 1_650), BoardPlace(2, "big", 165)]


def board(asked: BoardSelection = ALL_TIME, complete: bool = True, **titles: Any) -> BoardPage:
    return board_page(asked, ShownBoard(AS_OF_MS, complete, PLACES, 1_650), titles, NAMES)


def test_a_board_ranks_titles_by_name_with_what_stands_beside() -> None:
    page = board(dragon=title("dragon", **COUNTS))
    first, second = page.rows
    assert (page.words, page.as_of, page.heads[0]) == ("completions", "2026-11-23 16:05:36 UTC", "starters")
    assert (first.place, first.id, first.name) == (1, "dragon", "The Little Dragon")
    assert [value.text for value in (first.score, *first.beside)] == ["1,650", "600", "90.0%", "50.0%", "1,110"]
    assert (second.name, second.score.text, second.score.share, second.beside[0].text) == ("big", "165", 0.1, "–")


def test_a_board_of_a_day_has_nothing_beside() -> None:
    page = board(BoardSelection("title", "completions", date(2026, 11, 23)))
    assert (page.day, page.heads, [row.beside for row in page.rows]) == ("2026-11-23", (), [(), ()])


def test_a_board_that_is_being_rebuilt_shows_no_number() -> None:
    page = board(complete=False, dragon=title("dragon", **COUNTS))
    assert (page.complete, page.rows) == (False, ())


def test_a_title_on_a_board_that_is_being_rebuilt_has_nothing_beside() -> None:
    first = board(dragon=title("dragon", REBUILDING, **COUNTS)).rows[0]
    assert (first.complete, first.beside) == (False, ())


def franchise(head: dict[str, Any] = HEAD) -> Franchise:
    return Franchise(franchise_id="dragons", **head | COUNTS)


def test_a_franchise_tells_of_its_households_and_its_titles_by_completions() -> None:
    titles = [title("egg", completions=1_650), title("dragon", **COUNTS), title("new", REBUILDING, completions=7_777)]
    page = franchise_page("dragons", franchise(), titles, NAMES)
    assert (page.state, page.as_of, page.headline[0].value.text) == ("shown", "2026-11-23 16:05:36 UTC", "600")
    assert [(row.place, row.name, row.score.text, row.score.share) for row in page.titles] == [
        (1, "new", "–", 0.0), (2, "The Little Dragon", "1,650", 1.0), (3, "egg", "1,650", 1.0),
    ]  # fmt: skip
    assert page.titles[1].beside[0].text == "600"
    assert "7,777" not in said(page)


@pytest.mark.parametrize(("found", "state"), [(None, "unknown"), (franchise(REBUILDING), "rebuilding")])
def test_a_franchise_without_complete_counters_shows_no_number(found: Franchise | None, state: str) -> None:
    page = franchise_page("dragons", found, [], NAMES)
    assert (page.state, page.headline, page.titles) == (state, (), ())


DAYS = days_asked(AS_OF_MS, None, None)


def page_of(profile: Profile, *hours: Any, by_day: DaysRead | None = None) -> TitlePage:
    return title_page(profile, hours, by_day, NAMES, NAMES.lengths_ms)


def test_a_title_tells_who_came_who_stayed_and_who_came_back() -> None:
    page = page_of(dragon())
    assert (page.state, page.name, page.as_of) == ("shown", "The Little Dragon", "2026-11-23 16:05:36 UTC")
    assert [(one.name, one.value.text) for one in page.headline] == [
        ("households reached", "600"), ("completed it", "540"), ("completions", "1,650"), ("completed it again", "270"),
        ("return rate", "50.0%"),
    ]  # fmt: skip
    assert [(step.name, step.value.share) for step in page.funnel] == [
        ("starters", 1.0), ("viewers", 0.993), ("watchers", 0.96), ("completers", 0.9), ("repeaters", 0.45),
    ]  # fmt: skip
    assert page.funnel[4].beside == "completed it twice or more, 50.0% of those before"
    assert [one.value.exact for one in page.histogram] == ["270", "135", "0", "0", "4"]


def test_a_title_s_days_are_of_the_measure_that_was_asked_for() -> None:
    page = page_of(dragon(), by_day=DaysRead("plays", DAYS, [day("20261123", plays=3)]))
    assert page.by_day is not None
    assert (page.by_day.measure, page.by_day.first, page.by_day.last) == ("plays", "2026-08-25", "2026-11-23")
    assert [choice.metric for choice in page.by_day.choices] == list(DAY_BOARDS)
    assert page.by_day.chart is not None
    assert page.by_day.chart.series[0].says == ("3",)


def test_days_that_are_being_rebuilt_are_not_shown() -> None:
    page = page_of(dragon(), by_day=DaysRead("plays", DAYS, [day("20261123", REBUILDING, plays=3)]))
    assert (page.by_day, page.rebuilding) == (None, ("by_day",))


def test_what_becomes_of_completions_is_told_as_a_part_of_them() -> None:
    assert [(one.name, one.value.text, one.beside) for one in page_of(dragon()).again] == [
        ("another within 1 day", "165", "10.0% of them"),
        ("another within 7 days", "825", "50.0% of them"),
        ("another within 28 days", "1,000", "60.6% of them"),
        ("by the same profile again", "900", "54.5% of them"),
        ("by autoplay", "33", "2.0% of them"),
    ]


def test_a_title_without_audience_and_curve_has_neither() -> None:
    page = page_of(dragon(audience=(), curve=None))
    assert (page.audience, page.curve) == (None, None)


def test_dayparts_are_shares_of_a_title_and_streaks_are_households() -> None:
    page = page_of(dragon())
    assert page.dayparts is not None
    assert page.streaks is not None
    assert [(name, [cell.text for cell in cells]) for name, cells in page.dayparts.rows] == [
        ("before school", ["75.0%", "100.0%"]), ("other", ["25.0%", "0.0%"]),
    ]  # fmt: skip
    assert page.dayparts.rows[0][1][0].exact == "50 min (3,000.000 s)"
    assert [cell.text for cell in page.streaks.rows[0][1]] == ["118", "71", "22"]


def test_legs_say_what_unstoppable_asks_and_what_is_met_two_weeks_running() -> None:
    shown = page_of(dragon()).legs
    assert shown is not None
    assert (shown.week, shown.unstoppable) == (9, False)
    assert [(one.now.text, one.before.text, one.asked[:13], one.is_met) for one in shown.criteria] == [
        ("95.0%", "84.0%", "at least 85 %", False),
        ("60.0%", "50.0%", "at least 30 %", True),
        ("–", "–", "at least 60 %", False),
        ("0", "0", "at least 20, ", False),
    ]


@pytest.mark.parametrize(("before", "is_met"), [(19, False), (20, True), (21, True)])
def test_legs_say_whether_starters_are_enough_a_week_before_too(before: int, is_met: bool) -> None:
    weeks = tuple(msgspec.structs.replace(week(n, 1.0), starters=starters) for n, starters in ((2, before), (9, 1)))
    shown = page_of(dragon(weeks=weeks)).legs
    assert shown is not None
    starters = shown.criteria[-1]
    assert (starters.now.text, starters.before.text, starters.is_met) == (str(before + 1), str(before), is_met)


@pytest.mark.parametrize(
    ("profile", "state"),
    [(Profile(title_id="dragon"), "unknown"), (dragon(title=title("dragon", REBUILDING, **COUNTS)), "rebuilding")],
)
def test_a_title_without_complete_counters_shows_no_number(profile: Profile, state: str) -> None:
    page = page_of(profile)
    assert (page.state, page.headline, page.funnel, page.weeks, page.legs) == (state, (), (), None, None)


@pytest.mark.parametrize(
    ("part", "parts"),
    [
        ("weeks", {"weeks": (week(1, 7_777.0, REBUILDING),)}),
        ("dayparts", {"dayparts": dayparts(REBUILDING)}),
        ("legs", {"legs": legs(REBUILDING, hold=0.7777)}),
        ("audience", {"audience": (audience("2026W47", 7_777, head=REBUILDING),)}),
        ("curve", {"curve": curve(7_777.0, head=REBUILDING)}),
    ],
)
def test_a_part_that_is_being_rebuilt_is_named_and_not_shown(part: str, parts: dict[str, Any]) -> None:
    page = page_of(dragon(**parts))
    assert (page.state, page.rebuilding, getattr(page, part)) == ("shown", (part,), None)


def test_hours_that_are_being_rebuilt_are_not_shown() -> None:
    page = page_of(dragon(), hour("20261123T14", 4, REBUILDING))
    assert (page.hours, page.rebuilding) == (None, ("hours",))


def compared(*profiles: Profile, drawn: Drawn = "weeks", found: Any = ()) -> ComparisonPage:
    return comparison_page(profiles, Drawing(drawn, "watched_s", DAYS, found), NAMES, NAMES.lengths_ms)


BIG = Profile(title_id="big", title=title("big", starters=9_000, completers=1_269, completion_rate=0.141))


def test_titles_stand_side_by_side_and_the_largest_of_a_row_stands_out() -> None:
    page = compared(dragon(), BIG)
    assert [(column.name, column.state) for column in page.columns] == [
        ("The Little Dragon", "shown"),
        ("big", "shown"),
    ]
    households = {line.name: line.cells for line in next(b for b in page.blocks if "households" in b.name).lines}
    assert [(cell.value.text, cell.stands_out) for cell in households["completion rate"]] == [
        ("90.0%", True), ("14.1%", False),
    ]  # fmt: skip
    assert not {"week by week", "reached, week by week", "from beginning to end"} & {
        line.name for block in page.blocks for line in block.lines
    }


@pytest.mark.parametrize("drawn", DRAWN)
def test_a_comparison_draws_all_titles_in_one_chart_in_the_order_of_the_columns(drawn: Drawn) -> None:
    page = compared(dragon(), BIG, drawn=drawn, found=([day("20261123", watched_s=3_600.0)], []))
    assert page.chart is not None
    assert (page.drawn, page.chart.form) == (drawn, "lines")
    assert [one.name for one in page.chart.series] == ["The Little Dragon", "big"]
    assert {len(one.values) for one in page.chart.series} == {len(page.chart.places)}
    assert (page.of_measure, page.of_days) == (drawn in ("weeks", "days"), drawn == "days")


@pytest.mark.parametrize("drawn", DRAWN)
def test_of_a_title_that_is_being_rebuilt_a_comparison_shows_no_number(drawn: Drawn) -> None:
    rebuilt = dragon(title=title("dragon", REBUILDING, **COUNTS))
    page = compared(dragon(title_id="egg"), rebuilt, drawn=drawn, found=([day("20261123", watched_s=9.0)],) * 2)
    assert [column.state for column in page.columns] == ["shown", "rebuilding"]
    assert {line.cells[1].value.text for block in page.blocks for line in block.lines} == {"–"}
    assert page.chart is not None
    assert set(page.chart.series[1].values) == {None}


@pytest.mark.parametrize("drawn", DRAWN)
def test_of_titles_that_nobody_watched_nothing_is_drawn(drawn: Drawn) -> None:
    assert compared(Profile(title_id="a"), Profile(title_id="b"), drawn=drawn, found=((), ())).chart is None


def test_titles_of_one_name_are_told_apart_by_their_ids() -> None:
    names = NAMES.of([title("egg", name="The Little Dragon")])
    page = comparison_page([dragon(), BIG, dragon(title_id="egg")], Drawing("curve", "plays", DAYS), names, {})
    assert [column.name for column in page.columns] == [
        "The Little Dragon (dragon)", "big", "The Little Dragon (egg)",
    ]  # fmt: skip


def status(**fields: Any) -> Status:
    return Status(**HEAD | {"events": 90, "dead_letters": 6, "late_events": 4, "partitions_ready": 4} | fields)


def test_the_pipeline_says_how_far_behind_it_is_and_what_became_of_the_records() -> None:
    pace = RecordRate()
    pace.note(10.0, 0)
    pace.note(12.0, 100)
    page = pipeline_page(status(lag=120, checkpointed_ms=AS_OF_MS + 2_100), pace, AS_OF_MS + 2_500)
    assert (page.state, page.summary, page.pace) == ("shown", "50 events/s · 120 waiting", None)
    assert [(one.name, one.value.text) for one in page.health] == [
        ("records waiting", "120"), ("read up to", "2.5 s ago"), ("last checkpoint", "0.4 s ago"),
        ("records a second", "50"), ("partitions ready", "4"), ("partitions recounted", "0"),
    ]  # fmt: skip
    assert [(one.name, one.value.text) for one in page.records][:3] == [
        ("events", "90"), ("dead letters", "6"), ("late events", "4"),
    ]  # fmt: skip


def test_the_pipeline_says_what_was_refused_by_reason_with_a_sentence_each() -> None:
    counts = {"stale_events": 6, "player_restarts": 2, "refused_back": 1_234}
    found = status(refused_fast_s=5_400.5, refused_long_s=75.0, refused_gap_s=0.25, **counts)
    page = pipeline_page(found, RecordRate(), AS_OF_MS)
    assert [(one.name, one.value.text, one.value.exact) for one in page.refused] == [
        ("too fast", "1.5 h", "5,400.500 s"), ("too long apart", "1 min", "75.000 s"),
        ("not played throughout", "0 s", "0.250 s"), ("backward", "1,234", "1,234"), ("stale events", "6", "6"),
        ("player restarts", "2", "2"),
    ]  # fmt: skip
    assert all(one.beside[0].isupper() and one.beside.endswith(".") for one in page.refused)


@pytest.mark.parametrize(
    ("found", "state"), [(None, "unknown"), (status(complete=False), "rebuilding"), (status(as_of_ms=0), "shown")]
)
def test_a_pipeline_without_numbers_says_why(found: Status | None, state: str) -> None:
    page = pipeline_page(found, RecordRate(), AS_OF_MS)
    assert (page.state, page.pace, page.behind) == (state, None, "")
    assert bool(page.records) == (state == "shown")


def test_the_pace_is_of_the_last_seconds_and_begins_anew_with_other_counts() -> None:
    pace = RecordRate(over_s=10)
    assert pace.per_s is None
    for second, records in ((0, 0), (4, 400), (8, 400), (12, 800), (16, 1_200)):
        pace.note(second, records)
    assert (pace.per_s, pace.rates) == (100.0, ((12, 100.0), (8, 0.0), (4, 100.0), (0, 100.0)))
    chart = pipeline_page(status(), pace, AS_OF_MS).pace
    assert chart is not None
    assert (chart.places, chart.series[0].says) == (
        ("12 s before", "8 s before", "4 s before", "now"), ("100", "0", "100", "100"),
    )  # fmt: skip
    pace.note(18, 7)
    assert (pace.per_s, pace.rates) == (None, ())
    pace.note(20, 27)
    assert pace.per_s == 10.0
    pace.note(60, 1_000)
    assert (pace.per_s, pace.rates) == (None, ())


def test_what_is_not_a_number_of_the_counters_is_never_said() -> None:
    assert "household_id" not in said(page_of(dragon())) + said(compared(dragon()))
