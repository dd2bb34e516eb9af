"""The page of a board: ranked titles, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS
from streams.dashboard.figure import Figure, moment, of_metric
from streams.reader import Board, Title

BESIDE = ("starters", "completion_rate", "repeat_rate", "rewatches")
"""The measures shown beside the metric of a board for all time."""


class Choice(msgspec.Struct, frozen=True):
    """A board to choose: its metric, the metric in words, and whether there are boards for single days, too."""

    metric: str
    words: str
    of_days: bool


class BoardRow(msgspec.Struct, frozen=True):
    """A title's place. `beside` is empty if its counters are being rebuilt, and on boards of days."""

    place: int
    title_id: str
    name: str
    score: Figure
    beside: tuple[Figure, ...]
    complete: bool


class BoardPage(msgspec.Struct, frozen=True):
    """A board. `complete` False: it is being rebuilt, and not shown."""

    metric: str
    words: str
    day: str
    as_of: str
    complete: bool
    heads: tuple[str, ...]
    rows: tuple[BoardRow, ...]
    choices: tuple[Choice, ...]


def words(metric: str) -> str:
    """A metric's name for people."""
    return {"watched_s": "watched time"}.get(metric, metric.replace("_", " "))


CHOICES = tuple(Choice(metric, words(metric), metric in DAY_BOARDS) for metric in TITLE_BOARDS)


def board_page(board: Board, titles: Mapping[str, Title], names: Mapping[str, str]) -> BoardPage:
    """The page of a board. `titles`: the counters of the titles on it; empty for a day's board."""
    heads = tuple(field for field in BESIDE if field != board.metric) if board.day is None else ()
    return BoardPage(
        metric=board.metric,
        words=words(board.metric),
        day=_iso(board.day),
        as_of=moment(board.as_of_ms),
        complete=board.complete,
        heads=tuple(map(words, heads)),
        rows=_rows(board, titles, names, heads) if board.complete else (),
        choices=CHOICES,
    )


def _rows(
    board: Board, titles: Mapping[str, Title], names: Mapping[str, str], heads: tuple[str, ...]
) -> tuple[BoardRow, ...]:
    largest = max((entry.score for entry in board.entries), default=0)
    rows = []
    for place, entry in enumerate(board.entries, 1):
        title = titles.get(entry.title_id)
        is_complete = title is None or title.complete
        beside = tuple(of_metric(field, getattr(title, field, None)) for field in heads) if is_complete else ()
        name = names.get(entry.title_id, entry.title_id)
        score = of_metric(board.metric, entry.score, largest)
        rows.append(BoardRow(place, entry.title_id, name, score, beside, is_complete))
    return tuple(rows)


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()
