"""How a board looks in a terminal.

Owns layout, wording and colour: one accent for the metric, dim for context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from rich.console import ConsoleDimensions, Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.cli.reading import NOT_COMPLETE
from streams.display import numbers
from streams.display.measures import shown
from streams.reader import Board, Entry, FranchiseBoard, FranchiseEntry, Title
from streams.reader.results import Totals

ACCENT = "bold cyan"
BESIDE = ("starters", "completion_rate", "repeat_rate", "rewatches")
"""The measures shown beside the metric of a board for all time."""

_HEADS = {
    "completion_rate": "compl.\nrate",
    "repeat_rate": "repeat\nrate",
    "watched_s": "watched",
    "watching_now": "watching\nnow",
}
_SINCE = "since\nthen"
_BAR = " "
_STYLES = {"": "dim", _BAR: "dim", _SINCE: "green"}
_NAME, _METRIC = 1, 2
_WIDE, _GAP, _SHORTEST_NAME = 90, 2, 8
_LINES_AROUND = 7


def screen(
    board: Board | FranchiseBoard,
    counters: Mapping[str, Totals],
    names: Mapping[str, str],
    width: int,
    moved: Mapping[str, str] | None = None,
) -> RenderableType:
    """A board under its heading. `counters`: of those on it, for all time, by id.

    `moved`: by how much each score has changed since watching began.
    """
    day = board.day if isinstance(board, Board) else None
    span = "all time" if day is None else f"{day} UTC"
    words = (board.metric.removesuffix("_s").replace("_", " "), span, numbers.moment(board.as_of_ms))
    lines = [Text("  ·  ".join(words), style="dim")]
    lines += [] if board.complete else [Text(NOT_COMPLETE, style="bold yellow")]
    if not board.entries:
        return Group(*lines, Text(f"no {_what(board)} is on this board"))
    return Group(*lines, Text(), _table(board, {} if day else counters, names, width, moved))


def watched(
    board: Board,
    titles: Mapping[str, Title],
    names: Mapping[str, str],
    size: ConsoleDimensions,
    moved: Mapping[str, str],
    problem: str,
) -> RenderableType:
    """A board that fits the terminal, what has changed on it, and why it is not updated if it is not."""
    fits = board.entries[: max(1, size.height - _LINES_AROUND)]
    last = Text(problem, style="bold yellow") if problem else Text("Ctrl-C ends it", style="dim")
    return Group(screen(msgspec.structs.replace(board, entries=fits), titles, names, size.width, moved), Text(), last)


def gains(board: Board, first: Board) -> dict[str, str]:
    """By how much each title's score has changed since the first look; titles that were not on it are left out."""
    before = {entry.title_id: entry.score for entry in first.entries}
    return {
        entry.title_id: _gain(board.metric, entry.score - before[entry.title_id])
        for entry in board.entries
        if entry.title_id in before
    }


def _gain(metric: str, by: float) -> str:
    return f"{'+' if by > 0 else '−'}{shown(metric, abs(by))}" if round(by, 6) else ""


def _what(board: Board | FranchiseBoard) -> str:
    return "title" if isinstance(board, Board) else "franchise"


def _table(
    board: Board | FranchiseBoard,
    counters: Mapping[str, Totals],
    names: Mapping[str, str],
    width: int,
    moved: Mapping[str, str] | None,
) -> Table:
    is_of_a_day = isinstance(board, Board) and board.day is not None
    beside = [] if is_of_a_day else [name for name in BESIDE if name != board.metric]
    bars = 12 if width >= _WIDE or not beside else 0
    heads = ["", _what(board), _HEADS.get(board.metric, board.metric), *(_HEADS.get(name, name) for name in beside)]
    heads += [_BAR] if bars else []
    if moved is not None:
        heads.append(_SINCE)
    entries: Sequence[Entry | FranchiseEntry] = board.entries
    largest = max(entry.score for entry in entries)
    rows = []
    for place, entry in enumerate(entries, 1):
        member = entry.title_id if isinstance(entry, Entry) else entry.franchise_id
        found = counters.get(member)
        cells = [str(place), numbers.label(names.get(member, member)), shown(board.metric, entry.score)]
        cells += ["" if found is None else shown(field, getattr(found, field)) for field in beside]
        cells += [numbers.bar(entry.score, largest, bars)] if bars else []
        cells += [] if moved is None else [moved.get(member, "new")]
        rows.append(cells)
    return _grid(heads, rows, width)


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Table:
    """The table; a title's name takes what the numbers leave."""
    widths = [max(map(len, (*head.split("\n"), *(row[column] for row in rows)))) for column, head in enumerate(heads)]
    left = width - sum(widths) + widths[_NAME] - _GAP * (len(heads) - 1)
    widths[_NAME] = max(_SHORTEST_NAME, min(left, widths[_NAME]))
    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for column, head in enumerate(heads):
        style = ACCENT if column == _METRIC else _STYLES.get(head, "")
        side: Literal["left", "right"] = "left" if column == _NAME or head == _BAR else "right"
        grid.add_column(
            head, justify=side, style=style, width=widths[column], no_wrap=True, overflow="ellipsis", vertical="bottom"
        )
    for row in rows:
        grid.add_row(*map(Text, row))
    return grid
