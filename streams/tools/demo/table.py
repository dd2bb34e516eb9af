"""How the demo's board looks in a terminal, and the verdict after it.

Owns layout, wording and colour: one accent for the rewatches, dim for context.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.display.numbers import rate, sparkline
from streams.tools.demo.board import BARS, LiveBoard, LiveTitle
from streams.verify import Difference, Verification

ACCENT = "bold cyan"
DIFFERENCES_SHOWN = 10
WIDE = 100
LONGEST_NAME = 36
REWATCHES = "re-\nwatches"
HEADS = (
    "\nplays",
    "\nstarters",
    "com-\npleters",
    "com-\npletions",
    REWATCHES,
    "compl.\nrate",
    "repeat\nrate",
)
TREND = "completions\nover time"
SHORT_TREND = "over\ntime"


@dataclass(frozen=True)
class RunProgress:
    """How the run goes, beside the board: events per second now, seconds so far, seconds in all if known.

    `dashboard`: where the same is to be seen in a browser.
    """

    events_per_s: float
    elapsed_s: float
    total_s: float | None = None
    dashboard: str = ""


def header(board: LiveBoard, pace: RunProgress) -> Text:
    """Lines above the table: how it goes, what was counted, what was not, and where to see more."""
    status = board.status
    clock = f"{pace.elapsed_s:.0f} s" + (f" of {pace.total_s:.0f} s" if pace.total_s else "")
    going = (f"{pace.events_per_s:,.0f} events/s", "bold"), f"lag {status.lag:,}", clock
    counted = f"{status.events:,} events", f"{board.completions:,} completions"
    uncounted = f"{status.dead_letters:,} dead letters", f"{status.late_events:,} late", moment(status.as_of_ms)
    lines = [
        _dotted(("Encore", "bold"), ("live from Redis", "dim"), *going),
        _dotted(*counted, (f"{board.rewatches:,} rewatches", ACCENT)),
        _dotted(*uncounted),
    ]
    lines[-1].stylize("dim")
    lines += [Text.assemble("in a browser: ", (pace.dashboard, "bold"))] if pace.dashboard else []
    return Text("\n").join(lines)


def _dotted(*words: str | tuple[str, str]) -> Text:
    return Text("  ·  ", style="dim").join([Text.assemble(word) for word in words])


def moment(as_of_ms: int) -> str:
    """The stream time to the minute, UTC."""
    if not as_of_ms:
        return "no events yet"
    return datetime.fromtimestamp(as_of_ms / 1000, UTC).strftime("stream time %Y-%m-%d %H:%M UTC")


def table(titles: Sequence[LiveTitle], width: int) -> Table:
    """The titles in `width` columns of the terminal; a title's name takes what the numbers leave."""
    narrow = width < WIDE
    gap, bars, trend = (1, 8, SHORT_TREND) if narrow else (2, BARS, TREND)
    rows = [cells(title, bars) for title in titles]
    widths = [
        max(len(text) for text in (*head.split("\n"), *(row[number] for row in rows)))
        for number, head in enumerate(HEADS, 1)
    ]
    left = width - sum(widths) - bars - gap * (len(widths) + 1)
    grid = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="dim")
    name_width = min(max(left, 8), max((len(row[0]) for row in rows), default=8), LONGEST_NAME)
    grid.add_column("\ntitle", no_wrap=True, overflow="ellipsis", width=name_width)
    for head, size in zip(HEADS, widths, strict=True):
        style = ACCENT if head == REWATCHES else None
        grid.add_column(head, justify="right", no_wrap=True, width=size, style=style)
    grid.add_column(trend, no_wrap=True, width=bars, style="dim")
    for row in rows:
        grid.add_row(*row)
    return grid


def cells(title: LiveTitle, bars: int) -> list[str]:
    """One row of the table."""
    counts = title.counts
    shown = (counts.plays, counts.starters, counts.completers, counts.completions, counts.rewatches)
    return [
        title.name,
        *(f"{count:,}" for count in shown),
        rate(counts.completion_rate),
        rate(counts.repeat_rate),
        sparkline(title.trend[-bars:]),
    ]


def screen(board: LiveBoard, pace: RunProgress, width: int, rows: int) -> RenderableType:
    """All that is shown while the demo runs: at most `rows` titles."""
    hidden = len(board.titles) - rows
    more = [Text(f"and {hidden:,} more", style="dim")] if hidden > 0 else []
    return Group(header(board, pace), Text(), table(board.titles[:rows], width), *more)


def verdict(answer: Verification) -> Text:
    """The last word: whether what Redis holds equals the independent recomputation."""
    differences = [*answer.notes, *map(_words, answer.differences)]
    if answer.verified:
        words = f"  {answer.keys:,} Redis keys equal a recomputation of {answer.produced:,} raw events"
        return Text.assemble(("✓ verified", "bold green"), words)
    count = len(answer.differences)
    lines = [Text.assemble(("✗ not verified", "bold red"), f"  differences from the raw events: {count:,}")]
    lines += [Text(f"  {line}") for line in differences[:DIFFERENCES_SHOWN]]
    if len(differences) > DIFFERENCES_SHOWN:
        lines.append(Text(f"  and {len(differences) - DIFFERENCES_SHOWN:,} more", style="dim"))
    return Text("\n").join(lines)


def _words(difference: Difference) -> str:
    key, field, expected, found = difference
    return f"{key} {field}: published {found}, recomputed {expected}"
