"""What the reading commands print fits 80 columns, cuts no number off, and tells the story."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from rich.console import Console, ConsoleDimensions, RenderableType

from streams.cli.board_table import gains, screen, watched
from streams.cli.comparison_table import comparison
from streams.cli.title_page import page
from streams.display.titles_file import Names
from streams.reader import (
    Age,
    AudienceWeek,
    Board,
    Curve,
    Daypart,
    Dayparts,
    Entry,
    Franchise,
    FranchiseBoard,
    FranchiseEntry,
    Legs,
    Profile,
    Title,
    Week,
)

HEAD: dict[str, Any] = {"as_of_ms": 1_763_600_000_000, "version": 1, "complete": True}
NAMES = Names(
    [
        {"title_id": "big", "name": "The Big Opening"},
        {
            "title_id": "dragon",
            "name": "The Little Dragon and the Very Long Title of Its Second Film",
            "credits_start_ms": 5_700_000,
        },
    ]
)


SHORT_NAMES = Names([{"title_id": "dragon", "name": "Dragon"}, {"title_id": "big", "name": "Big"}])


def title(title_id: str, **fields: Any) -> Title:
    return Title(title_id=title_id, **HEAD | fields)


DRAGON = Profile(
    title_id="dragon",
    title=title(
        "dragon", plays=88_000_000, starters=599, viewers=596, watchers=576, completers=559, repeaters=414,
        completions=44_012_345, rewatches=30_000, watched_s=9_758_416.206, completion_rate=0.933222,
        repeat_rate=0.740608, rewatch_hist_5_9=94, rewatch_hist_10_plus=4, kids_completions=1_650, watching_now=12,
        rewatch_hist_1=145, rewatch_hist_2=131, rewatch_hist_3_4=185, views=2_007.9, returned_1d=4_401_234,
        returned_7d=22_006_172, returned_28d=30_000_000, return_rate_7d=0.5, profile_rewatches=25_000,
        autoplay_completions=1_000,
    ),
    ages=(Age(title_id="dragon", name="opening", starters=200, completers=120, watched_s=360_000.0, **HEAD),),
    weeks=tuple(Week(title_id="dragon", name=str(n), watched_s=3_600.0 * n, **HEAD) for n in (1, 2, 4, 5)),
    dayparts=Dayparts(
        title_id="dragon",
        dayparts=(
            Daypart(name="before_school", watched_s=3_000.0, completions=1_000, streak_3=118, streak_5=71,
                    streak_10=22),
            Daypart(name="other", watched_s=1_000.0),
        ),
        **HEAD,
    ),
    legs=Legs(
        title_id="dragon", week=4, hold=0.97, hold_4w=0.95, multiple=3.4, half_life_days=63.2, unstoppable=True, **HEAD
    ),
    audience=tuple(
        AudienceWeek(title_id="dragon", name=name, reached=reached, new=new, returning=reached - new, **HEAD)
        for name, reached, new in (("2025W44", 400, 400), ("2025W46", 300, 200), ("2025W47", 9, 1))
    ),
    curve=Curve(title_id="dragon", values=tuple([100.0] * 50 + [200.0] + [50.0] * 49), **HEAD),
)  # fmt: skip
BIG = Profile(title_id="big", title=title("big", starters=53_913_500, completers=19, completion_rate=0.141))


def lines(shown: RenderableType, width: int = 80) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(shown)
    return [line.rstrip() for line in captured.get().splitlines()]


def line_of(start: str, found: list[str]) -> str:
    return next(line for line in found if line.strip().startswith(start))


def board(*scores: float, metric: str = "completions", day: date | None = None, **fields: Any) -> Board:
    ids = ["dragon", "big", "third"]
    entries = tuple(Entry(title_id=title_id, score=score) for title_id, score in zip(ids, scores, strict=False))
    return Board(metric=metric, day=day, entries=entries, **HEAD | fields)


TITLES = {"dragon": DRAGON.title, "big": BIG.title}


@pytest.mark.parametrize("width", [80, 100, 160])
def test_a_board_fits_and_cuts_no_number(width: int) -> None:
    found = lines(screen(board(44_012_345, 19), TITLES, NAMES, width), width)
    assert max(map(len, found)) <= width
    dragon = line_of("1", found)
    for number in ("The Little Dragon", "44.0M", "599", "93.3%", "74.1%", "30,000"):
        assert number in dragon
    assert "53.9M" in line_of("2", found)


def test_a_board_says_what_it_is_of_and_as_of_when() -> None:
    assert lines(screen(board(1), TITLES, {}, 80))[0] == "completions  ·  all time  ·  as of 2025-11-20 00:53 UTC"
    of_a_day = lines(screen(board(1, day=date(2026, 11, 23)), {}, {}, 80))
    assert of_a_day[0].startswith("completions  ·  2026-11-23 UTC")
    assert "████" in line_of("1", of_a_day)


def test_a_board_that_is_not_complete_says_so() -> None:
    assert "rebuilt" in lines(screen(board(1, complete=False), TITLES, {}, 80))[1]


def test_a_board_of_franchises_names_them_by_their_ids() -> None:
    entries = (FranchiseEntry(franchise_id="saga", score=7),)
    saga = Franchise(franchise_id="saga", starters=599, **HEAD)
    found = lines(screen(FranchiseBoard(metric="plays", entries=entries, **HEAD), {"saga": saga}, {}, 80))
    assert line_of("franchise", found)
    assert all(word in line_of("1", found) for word in ("saga", "7", "599"))
    assert lines(screen(FranchiseBoard(metric="plays", **HEAD), {}, {}, 80))[-1] == "no franchise is on this board"


def test_a_board_without_titles_says_so() -> None:
    assert lines(screen(board(), {}, {}, 80))[-1] == "no title is on this board"


@pytest.mark.parametrize(
    ("metric", "score", "words"),
    [("completion_rate", 0.9332, "93.3%"), ("watched_s", 9_758_416.206, "2,711 h"), ("views", 2_007.9, "2,008")],
)
def test_a_score_is_told_in_its_own_unit(metric: str, score: float, words: str) -> None:
    assert words in line_of("1", lines(screen(board(score, metric=metric), TITLES, {}, 80)))


def test_what_moved_since_somebody_began_to_watch_is_told() -> None:
    now, then = board(120, 19, 7), board(100, 20)
    assert gains(now, then) == {"dragon": "+20", "big": "−1"}
    assert gains(then, then) == {"dragon": "", "big": ""}
    found = lines(watched(now, TITLES, {}, ConsoleDimensions(80, 24), gains(now, then), ""))
    assert [line_of(place, found).split()[-1] for place in ("1", "2", "3")] == ["+20", "−1", "new"]
    assert found[-1] == "Ctrl-C ends it"


def test_a_board_that_is_watched_fits_the_height_and_says_why_it_stands_still() -> None:
    found = lines(watched(board(3, 2, 1), TITLES, {}, ConsoleDimensions(80, 9), {}, "Redis does not answer"))
    assert len(found) <= 9
    assert not [line for line in found if line.startswith("3")]
    assert found[-1] == "Redis does not answer"


@pytest.mark.parametrize("width", [80, 120])
def test_a_title_s_page_fits_and_tells_all_of_it(width: int) -> None:
    found = lines(page(DRAGON, NAMES), width)
    assert max(map(len, found)) <= width
    assert found[0].startswith("The Little Dragon and the Very Long Title")
    assert line_of("plays", found).split()[:4] == ["plays", "88.0M", "completions", "44.0M"]
    assert line_of("completers", found).split()[2:4] == ["559", "97.0%"]
    assert line_of("first 72 hours", found).split()[3:6] == ["100", "h", "200"]
    assert line_of("before school", found).split()[-4:] == ["1,000", "118", "71", "22"]
    assert line_of("unstoppable", found).split() == ["unstoppable", "yes"]
    assert line_of("watched, week by week", found).endswith("  ▂▄ █")
    assert line_of("5, so far", found).split()[3:5] == ["5.0", "h"]


def test_a_title_s_page_tells_who_returns_by_week_and_how_soon() -> None:
    found = lines(page(DRAGON, NAMES))
    assert line_of("another within 7 days", found).split()[-2:] == ["22.0M", "50.0%"]
    assert line_of("by a profile that had", found).split()[-2:] == ["25,000", "0.1%"]
    assert line_of("in sessions begun by autoplay", found).split()[-2:] == ["1,000", "0.0%"]
    assert line_of("reached, week by week", found).endswith("  █ ▆")
    weeks = [line.split() for line in found if line.startswith("2025W")]
    assert weeks == [
        ["2025W44", "400", "400", "0", "0"], ["2025W45", "0", "0", "0", "0"], ["2025W46", "300", "200", "100", "0"],
        ["2025W47,", "so", "far", "9", "1", "8", "0"],
    ]  # fmt: skip


def test_a_title_s_page_names_what_stands_out_in_its_curve() -> None:
    found = lines(page(DRAGON, NAMES))
    curve = line_of("from beginning to end", found)
    assert curve.split()[-1] == "▇" * 25 + "█" + "▄" * 24
    assert line_of("steepest fall", found).endswith("at 48:30: from 200 to 50 times played, −75.0%")
    assert line_of("most replayed part", found).endswith("47:30 to 48:30: 2.61 times the mean")
    assert line_of("steepest fall", lines(page(DRAGON, SHORT_NAMES))).split()[2:4] == ["at", "51%:"]


def test_a_title_that_knows_nothing_but_its_sums_has_a_page_too() -> None:
    found = lines(page(Profile(title_id="new", title=title("new", complete=False)), Names()))
    assert "rebuilt" in found[1]
    assert not [line for line in found if "week" in line or "daypart" in line]


def test_titles_side_by_side_tell_the_story() -> None:
    found = lines(comparison([DRAGON, BIG], SHORT_NAMES, 80))
    assert max(map(len, found)) <= 80
    assert found[0].split() == ["Dragon", "Big"]
    rates = [line.split() for line in found if line.strip().startswith("completion rate")]
    assert rates == [["completion", "rate", "60.0%", "–"], ["completion", "rate", "93.3%", "14.1%"]]
    assert line_of("repeat rate", found).split()[-2:] == ["74.1%", "–"]
    shares, habits = [line.split()[-2:] for line in found if line.strip().startswith("before school")]
    assert (shares, habits) == (["75.0%", "–"], ["71", "–"])
    assert line_of("hold, last week", found).split()[-2:] == ["97.0%", "–"]
    assert line_of("unstoppable", found).split()[-2:] == ["yes", "–"]
    assert line_of("return rate", found).split()[-2:] == ["50.0%", "–"]
    assert line_of("audience of 2025W46", found)
    assert [line_of(name, found).split()[1:] for name in ("reached  ", "new", "returning", "resurrected")] == [
        ["300", "–"], ["200", "–"], ["100", "–"], ["0", "–"],
    ]  # fmt: skip
    assert line_of("steepest fall", found).split() == ["steepest", "fall", "51%", "−75%", "–"]
    assert line_of("most replayed", found).split() == ["most", "replayed", "50%", "2.6×", "–"]


def test_weeks_side_by_side_are_complete_ones() -> None:
    legs = msgspec.structs.replace(DRAGON.legs, week=2)
    found = lines(comparison([msgspec.structs.replace(DRAGON, legs=legs), BIG], Names(), 80))
    assert line_of("week by week", found).split() == ["week", "by", "week", "▄█", "–"]


def test_a_long_id_is_broken_at_its_hyphens() -> None:
    long = msgspec.structs.replace(BIG, title_id="the-film-that-will-not-stop")
    found = lines(comparison([BIG, long], Names(), 80))
    assert [line.split() for line in found[:2]] == [["the-film-that-will-not-"], ["big", "stop"]]


def test_more_titles_than_fit_go_into_tables_below_each_other() -> None:
    many = [msgspec.structs.replace(BIG, title_id=f"title-{number}") for number in range(5)]
    found = lines(comparison(many, Names(), 80))
    assert max(map(len, found)) <= 80
    assert [line.split() for line in found if "title-" in line] == [
        ["title-0", "title-1", "title-2"],
        ["title-3", "title-4"],
    ]


def test_the_largest_of_a_row_stands_out_where_there_is_one() -> None:
    console = Console(width=80, force_terminal=True, color_system="standard")
    with console.capture() as captured:
        console.print(comparison([DRAGON, BIG], Names(), 80))
    _, starters, *_ = [line for line in captured.get().splitlines() if line.strip().startswith("starters")]
    before, _, after = starters.partition("\x1b[1;36m")
    assert "599" in before
    assert after.strip().startswith("53.9M")
