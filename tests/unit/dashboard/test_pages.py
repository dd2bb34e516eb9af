"""What the pages say: of a board, a title, titles side by side and the pipeline."""

from __future__ import annotations

from datetime import UTC, date, datetime
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
    dayparts,
    dragon,
    hour,
    legs,
    title,
    week,
)

from streams.dashboard.board_page import board_page
from streams.dashboard.comparison_page import comparison_page
from streams.dashboard.pipeline_page import RecordRate, pipeline_page
from streams.dashboard.title_page import TitlePage, hours_span, title_page
from streams.display.titles_file import Names
from streams.reader import Board, Entry, Profile, Status

NAMES = Names([{"title_id": "dragon", "name": "The Little Dragon", "runtime_ms": 20_000}])


def said(page: msgspec.Struct) -> str:
    """All that goes to the browser."""
    return msgspec.json.encode(page).decode()


def board(**fields: Any) -> Board:
    entries = (Entry(title_id="dragon", score=1_650), Entry(title_id="big", score=165))
    return Board(metric="completions", entries=entries, **HEAD | fields)


def test_a_board_ranks_titles_by_name_with_what_stands_beside() -> None:
    page = board_page(board(), {"dragon": title("dragon", **COUNTS)}, NAMES)
    first, second = page.rows
    assert (page.words, page.as_of, page.heads[0]) == ("completions", "2026-11-23 16:05:36 UTC", "starters")
    assert (first.place, first.title_id, first.name) == (1, "dragon", "The Little Dragon")
    assert [value.text for value in (first.score, *first.beside)] == ["1,650", "600", "90.0%", "50.0%", "1,110"]
    assert (second.name, second.score.text, second.score.share, second.beside[0].text) == ("big", "165", 0.1, "–")


def test_a_board_of_a_day_has_nothing_beside() -> None:
    page = board_page(board(day=date(2026, 11, 23)), {}, NAMES)
    assert (page.day, page.heads, [row.beside for row in page.rows]) == ("2026-11-23", (), [(), ()])


def test_a_board_that_is_being_rebuilt_shows_no_number() -> None:
    page = board_page(board(complete=False), {"dragon": title("dragon", **COUNTS)}, NAMES)
    assert (page.complete, page.rows) == (False, ())


def test_a_title_on_a_board_that_is_being_rebuilt_has_nothing_beside() -> None:
    first = board_page(board(), {"dragon": title("dragon", REBUILDING, **COUNTS)}, NAMES).rows[0]
    assert (first.complete, first.beside) == (False, ())


def page_of(profile: Profile, *hours: Any) -> TitlePage:
    return title_page(profile, hours, NAMES, NAMES.lengths_ms)


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


def test_a_title_s_hours_end_with_the_one_that_goes_on_and_have_no_gap() -> None:
    chart = page_of(dragon(), hour("20261123T14", 4), hour("20261123T16", 1)).hours
    assert chart is not None
    assert (len(chart.bars), chart.top) == (72, "4")
    assert [(bar.says, bar.share, bar.so_far) for bar in chart.bars[-3:]] == [
        ("2026-11-23 14:00 UTC: 4", 1.0, False),
        ("2026-11-23 15:00 UTC: 0", 0.0, False),
        ("2026-11-23 16:00 UTC: 1", 0.25, True),
    ]
    assert [bar.tick for bar in chart.bars if bar.tick] == ["Nov 21", "Nov 22", "Nov 23"]


def test_the_hours_of_a_title_are_the_last_72_and_never_before_1970() -> None:
    assert hours_span(AS_OF_MS) == (datetime(2026, 11, 20, 17, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC))
    assert hours_span(1)[0] >= datetime(1970, 1, 1, tzinfo=UTC)


def test_weeks_stand_against_the_opening_and_one_that_goes_on_says_so() -> None:
    chart = page_of(dragon(legs=legs(week=2))).weeks
    assert chart is not None
    assert (chart.top, chart.line, chart.line_share) == ("2.0 h", "opening, 1.0 h", 0.5)
    assert [(bar.share, bar.says, bar.so_far) for bar in chart.bars] == [
        (1.0, "week 1: 2.0 h, 200.0% of the opening", False),
        (0.0, "week 2: 0 s, 0.0% of the opening", False),
        (0.25, "week 3, so far: 30 min, 50.0% of the opening", True),
    ]


def test_what_becomes_of_completions_is_told_as_a_part_of_them() -> None:
    assert [(one.name, one.value.text, one.beside) for one in page_of(dragon()).again] == [
        ("another within 1 day", "165", "10.0% of them"),
        ("another within 7 days", "825", "50.0% of them"),
        ("another within 28 days", "1,000", "60.6% of them"),
        ("by the same profile again", "900", "54.5% of them"),
        ("by autoplay", "33", "2.0% of them"),
    ]


def test_the_audience_stands_week_by_week_without_a_gap_by_what_households_were_before() -> None:
    stacks = page_of(dragon()).audience
    assert stacks is not None
    assert (stacks.parts, stacks.top) == (("returning", "resurrected", "new"), "8")
    assert [(bar.shares, bar.tick, bar.so_far) for bar in stacks.bars] == [
        ((0.0, 0.0, 1.0), "Nov", False),
        ((0.0, 0.0, 0.0), "", False),
        ((0.25, 0.125, 0.125), "", False),
        ((0.125, 0.0, 0.0), "", True),
    ]
    assert stacks.bars[3].says == ("2026W48, from 2026-11-23, so far: 1 reached: 1 returning, 0 resurrected, 0 new")


def test_the_curve_names_what_stands_out_in_it_with_its_place() -> None:
    area = page_of(dragon()).curve
    assert area is not None
    assert (area.heights, area.top) == ((0.5, 0.5, 1.0, 0.25), "8 times played")
    assert area.says[2] == "0:10 to 0:15: 8 times played"
    assert area.ticks == ((0.0, "0:00"), (0.25, "0:05"), (0.5, "0:10"), (0.75, "0:15"), (1.0, "0:20"))
    assert [(mark.name, mark.says, mark.start, mark.end) for mark in area.marks] == [
        ("steepest fall", "0:15", 0.75, 0.75), ("most replayed", "0:10", 0.5, 0.75),
    ]  # fmt: skip
    assert area.notes == (
        ("steepest fall", "at 0:15: from 8 to 2 times played, −75.0%"),
        ("most replayed part", "0:10 to 0:15: 1.78 times the mean"),
    )


def test_where_nothing_stands_out_nothing_is_marked() -> None:
    area = page_of(dragon(curve=curve(3, 3))).curve
    assert area is not None
    assert (area.marks, [words for _, words in area.notes]) == ((), ["none: it falls nowhere", "none stands out"])
    assert [share for share, _ in area.ticks] == [0.0, 0.5, 1.0]


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


def test_titles_stand_side_by_side_and_the_largest_of_a_row_stands_out() -> None:
    big = Profile(title_id="big", title=title("big", starters=9_000, completers=1_269, completion_rate=0.141))
    page = comparison_page([dragon(), big], NAMES, NAMES.lengths_ms)
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
    assert [(column.audience is None, column.curve is None) for column in page.columns] == [
        (False, False), (True, True),
    ]  # fmt: skip


def test_of_a_title_that_is_being_rebuilt_a_comparison_shows_no_number() -> None:
    page = comparison_page(
        [dragon(), Profile(title_id="big", title=title("big", REBUILDING, starters=777))], NAMES, NAMES.lengths_ms
    )
    assert [column.state for column in page.columns] == ["shown", "rebuilding"]
    assert {line.cells[1].value.text for block in page.blocks for line in block.lines} == {"–"}


def status(**fields: Any) -> Status:
    return Status(**HEAD | {"events": 90, "dead_letters": 6, "late_events": 4, "partitions_ready": 4} | fields)


def test_the_pipeline_says_how_far_behind_it_is_and_what_became_of_the_records() -> None:
    pace = RecordRate()
    pace.note(10.0, 0)
    pace.note(12.0, 100)
    page = pipeline_page(status(lag=120, checkpointed_ms=AS_OF_MS + 2_100), pace, AS_OF_MS + 2_500)
    assert (page.state, page.summary, page.pace) == ("shown", "50 events/s · 120 waiting", (50.0,))
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
    assert (page.state, page.pace, page.behind) == (state, (), "")
    assert bool(page.records) == (state == "shown")


def test_the_pace_is_of_the_last_seconds_and_begins_anew_with_other_counts() -> None:
    pace = RecordRate(over_s=10)
    assert pace.per_s is None
    for second, records in ((0, 0), (4, 400), (8, 400), (12, 800), (16, 1_200)):
        pace.note(second, records)
    assert (pace.per_s, pace.rates) == (100.0, (100.0, 0.0, 100.0, 100.0))
    pace.note(18, 7)
    assert (pace.per_s, pace.rates) == (None, ())
    pace.note(20, 27)
    assert pace.per_s == 10.0
    pace.note(60, 1_000)
    assert (pace.per_s, pace.rates) == (None, ())


def test_what_is_not_a_number_of_the_counters_is_never_said() -> None:
    assert "household_id" not in said(page_of(dragon())) + said(comparison_page([dragon()], NAMES, NAMES.lengths_ms))
