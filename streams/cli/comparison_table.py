"""Titles side by side in a terminal: a row for each measure, a column for each title.

Owns how the columns share the width, and what is highlighted.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.cli.reading import NOT_COMPLETE
from streams.display import numbers
from streams.display.measures import Measure, largest_of, sections
from streams.display.titles_file import Names
from streams.reader import Profile

LARGEST = "bold cyan"
"""The style of the largest value of a row, if one is larger than the others."""

_NARROWEST, _WIDEST, _GAP = 14, 36, 2
_FIRST = 28


def comparison(profiles: Sequence[Profile], names: Names, width: int) -> RenderableType:
    """All titles, in as many tables as the width asks for."""
    at_once = max(1, (width - _FIRST) // (_NARROWEST + _GAP))
    tables = [_table(profiles[at : at + at_once], names, width) for at in range(0, len(profiles), at_once)]
    titles = [profile.title for profile in profiles if profile.title is not None]
    lines = [Text(numbers.moment(max((title.as_of_ms for title in titles), default=0)), style="dim")]
    if not all(title.complete for title in titles):
        lines.append(Text(NOT_COMPLETE, style="bold yellow"))
    return Group(*(part for table in tables for part in (table, Text())), *lines)


def _table(profiles: Sequence[Profile], names: Names, width: int) -> Table:
    widest = min(_WIDEST, (width - _FIRST) // len(profiles) - _GAP)
    grid = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    grid.add_column(no_wrap=True, width=_FIRST - _GAP)
    for profile in profiles:
        # Break an id at its hyphens if possible.
        label = numbers.label(names.get(profile.title_id, profile.title_id))
        name = Text("\n".join(wrap(label, max(widest, _NARROWEST))))
        grid.add_column(
            name, justify="right", vertical="bottom", min_width=_NARROWEST, max_width=widest, overflow="fold"
        )
    for section in sections(profiles, names.lengths_ms):
        grid.add_row()
        grid.add_row(Text(section.name, style="dim"))
        for row in section.rows:
            grid.add_row(Text(f"  {row.name}"), *_cells(row, profiles))
    return grid


def _cells(row: Measure, profiles: Sequence[Profile]) -> list[Text]:
    values = [row.value(profile) for profile in profiles]
    largest = largest_of(values)
    return [Text(row.words(value), style=LARGEST if value == largest is not None else "") for value in values]
