"""What the demo shows fits the terminal, shows no number cut off, and says the verdict plainly."""

import pytest
from rich.console import Console

from streams.reader import Status, Title
from streams.tools.demo.board import NOTHING_YET, LiveBoard, LiveTitle
from streams.tools.demo.table import RunProgress, screen, verdict
from streams.verify import Difference, Verification

KEEPER = Title(
    title_id="keeper", version=1, complete=True, plays=48_210, starters=20_111, completers=14_021, completions=44_120,
    rewatches=30_099, completion_rate=0.697, repeat_rate=0.61,
)  # fmt: skip
AQUARIUM = Title(title_id="aquarium", version=1, complete=True, plays=210, completions=20, completion_rate=0.189)
BOARD = LiveBoard(
    Status(
        version=1, complete=True, events=1_234_567, dead_letters=2, late_events=13, lag=1_203,
        as_of_ms=1_764_000_000_000,
    ),
    (LiveTitle("The Lighthouse Keeper's Daughter", KEEPER, (1, 2, 4)), LiveTitle("Aquarium", AQUARIUM)),
)  # fmt: skip


def shown(renderable, width):
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get().splitlines()


def answer(*differences, notes=()):
    return Verification(100, 97, 2, 1, 20, 3, 9, 4, 12, 0.5, list(differences), list(notes))


@pytest.mark.parametrize("width", [80, 100, 120])
def test_the_screen_fits_the_terminal_and_cuts_no_number(width):
    lines = shown(screen(BOARD, RunProgress(84_211, 12, 60), width, 10), width)
    assert max(map(len, lines)) <= width
    (row,) = [line for line in lines if line.startswith("The Light")]
    for number in ("48,210", "20,111", "14,021", "44,120", "30,099", "69.7%", "61.0%", "▂▄█"):
        assert number in row


def test_the_header_says_pace_lag_clock_and_what_was_not_counted():
    lines = shown(screen(BOARD, RunProgress(84_211, 12, 60), 100, 10), 100)
    assert [line.rstrip() for line in lines[:3]] == [
        "Encore  ·  live from Redis  ·  84,211 events/s  ·  lag 1,203  ·  12 s of 60 s",
        "1,234,567 events  ·  44,140 completions  ·  30,099 rewatches",
        "2 dead letters  ·  13 late  ·  stream time 2025-11-24 16:00 UTC",
    ]


def test_titles_beyond_the_rows_are_counted_in_a_line():
    lines = shown(screen(BOARD, RunProgress(0, 1), 100, 1), 100)
    assert lines[-1].rstrip() == "and 1 more"
    assert not any("Aquarium" in line for line in lines)


def test_an_empty_board_is_a_header_and_an_empty_table():
    lines = shown(screen(LiveBoard(NOTHING_YET, ()), RunProgress(0, 0), 80, 10), 80)
    assert lines[2].rstrip() == "0 dead letters  ·  0 late  ·  no events yet"


def test_a_verified_run_says_how_much_was_compared():
    assert verdict(answer()).plain == "✓ verified  12 Redis keys equal a recomputation of 100 raw events"


def test_a_run_that_differs_shows_where():
    text = verdict(answer(Difference("title:a", "plays", "3", "4"), notes=["two records came meanwhile"])).plain
    assert text.splitlines() == [
        "✗ not verified  differences from the raw events: 1",
        "  two records came meanwhile",
        "  title:a plays: published 4, recomputed 3",
    ]


def test_only_the_first_differences_are_shown():
    many = [Difference("title:a", f"f{n}", "3", "4") for n in range(12)]
    lines = verdict(answer(*many)).plain.splitlines()
    assert (len(lines), lines[-1]) == (12, "  and 2 more")


def test_where_the_dashboard_is_stands_above_the_table() -> None:
    lines = shown(screen(BOARD, RunProgress(0, 1, dashboard="http://127.0.0.1:8421/"), 80, 10), 80)
    assert lines[3] == "in a browser: http://127.0.0.1:8421/"
