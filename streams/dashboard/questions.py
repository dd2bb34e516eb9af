"""The question behind a page: which title, board or comparison, and which changes affect its answer.

Owns the questions, their form in a URL, and how each is answered.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol, cast

import msgspec
from starlette.datastructures import QueryParams

from models.hash_fields import DAY_BOARDS, TITLE_BOARDS
from streams.dashboard.board_page import BoardPage, board_page
from streams.dashboard.comparison_page import ComparisonPage, comparison_page
from streams.dashboard.title_page import TitlePage, hours_span, title_page
from streams.display.titles_file import Names
from streams.reader import AsyncReader, Change, Metric

TOP = 50
MOST_COMPARED = 4
LONGEST_ID = 1_000


class NoSuchPage(Exception):
    """A question that cannot be asked. The message is one line for people."""


class Question(Protocol):
    """What a page asks; equal questions have one answer."""

    def concerns(self, change: Change) -> bool:
        """Whether this change may change the answer."""
        ...

    async def answer(self, reader: AsyncReader, names: Names) -> msgspec.Struct:
        """Ask. Raises `ReaderError`."""
        ...


class BoardAsked(msgspec.Struct, frozen=True):
    """A board, for all time or of a UTC day."""

    metric: str = "completions"
    day: date | None = None

    def concerns(self, change: Change) -> bool:
        return change.title_id is not None

    async def answer(self, reader: AsyncReader, names: Names) -> BoardPage:
        board = await reader.board(cast(Metric, self.metric), self.day, TOP)
        titles = await reader.titles(entry.title_id for entry in board.entries)
        return board_page(board, titles if self.day is None else {}, names.of(titles.values()))


class TitleAsked(msgspec.Struct, frozen=True):
    """A title, and its last hours."""

    title_id: str

    def concerns(self, change: Change) -> bool:
        return change.title_id == self.title_id

    async def answer(self, reader: AsyncReader, names: Names) -> TitlePage:
        (profile,) = await reader.compare([self.title_id])
        as_of_ms = profile.title.as_of_ms if profile.title is not None else 0
        hours = await reader.hours(self.title_id, *hours_span(as_of_ms)) if as_of_ms else ()
        return title_page(profile, hours, names.of([profile.title]), names.lengths_ms)


class ComparisonAsked(msgspec.Struct, frozen=True):
    """Titles side by side."""

    title_ids: tuple[str, ...]

    def concerns(self, change: Change) -> bool:
        return change.title_id in self.title_ids

    async def answer(self, reader: AsyncReader, names: Names) -> ComparisonPage:
        profiles = await reader.compare(self.title_ids)
        names = names.of(profile.title for profile in profiles)
        return comparison_page(profiles, names, names.lengths_ms)


def board_asked(query: QueryParams) -> BoardAsked:
    """The question of `?metric=…&day=YYYY-MM-DD`. Raises `NoSuchPage`."""
    metric, day = query.get("metric") or "completions", query.get("day") or ""
    if metric not in (DAY_BOARDS if day else TITLE_BOARDS):
        raise NoSuchPage(
            f"metric: accepted{' with a day' if day else ''}: {', '.join(DAY_BOARDS if day else TITLE_BOARDS)}"
        )
    try:
        return BoardAsked(metric, date.fromisoformat(day) if day else None)
    except ValueError:
        raise NoSuchPage("day: accepted: a UTC day such as 2026-11-23") from None


def title_asked(query: QueryParams) -> TitleAsked:
    """The question of `?id=…`. Raises `NoSuchPage`."""
    return TitleAsked(_ids(query, 1)[0])


def comparison_asked(query: QueryParams) -> ComparisonAsked:
    """The question of `?id=…&id=…`. Raises `NoSuchPage`."""
    return ComparisonAsked(_ids(query, MOST_COMPARED))


def _ids(query: QueryParams, most: int) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(query.getlist("id")))
    if not 1 <= len(ids) <= most or not all(0 < len(one) <= LONGEST_ID for one in ids):
        raise NoSuchPage(
            f"id: accepted: {'one' if most == 1 else f'1 to {most}'}, of 1 to {LONGEST_ID:,} characters each"
        )
    return ids
