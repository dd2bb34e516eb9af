"""The question behind a page: which title, board or comparison, and which changes affect its answer.

Owns the questions, and how each is answered; `streams.dashboard.asked` reads them from a URL.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

import msgspec

from streams.api.catalogue import Catalogue
from streams.dashboard.board_page import BoardPage, BoardSelection, board_page
from streams.dashboard.comparison_page import ComparisonPage, Drawing, Drawn, comparison_page
from streams.dashboard.days_chart import days_asked, hours_span
from streams.dashboard.franchise_page import FranchisePage, franchise_page
from streams.dashboard.ranking import ranked
from streams.dashboard.title_page import DaysRead, TitlePage, title_page
from streams.display.titles_file import Names
from streams.reader import AsyncReader, Change


class Question(Protocol):
    """What a page asks; equal questions have one answer."""

    def concerns(self, change: Change) -> bool:
        """Whether this change may change the answer."""
        ...

    async def answer(self, reader: AsyncReader, catalogue: Catalogue, named: Names) -> msgspec.Struct:
        """Ask. `named`: the names of a file, which go first. Raises `ReaderError`."""
        ...


class BoardQuestion(msgspec.Struct, frozen=True):
    """A page of the titles of a board, for all time or of a UTC day, or those that a search finds."""

    metric: str = "completions"
    day: date | None = None
    page: int = 1
    search: str = ""

    def concerns(self, change: Change) -> bool:
        return change.title_id is not None

    async def answer(self, reader: AsyncReader, catalogue: Catalogue, named: Names) -> BoardPage:
        asked = BoardSelection("title", self.metric, self.day, self.page, self.search)
        found = await ranked(reader, catalogue, asked)
        titles = await reader.titles(place.id for place in found.places)
        return board_page(asked, found, titles if self.day is None else {}, named.of(titles.values()))


class FranchisesQuestion(msgspec.Struct, frozen=True):
    """A page of the franchises of a board, or those that a search finds."""

    metric: str = "completions"
    page: int = 1
    search: str = ""

    def concerns(self, change: Change) -> bool:
        return change.franchise_id is not None

    async def answer(self, reader: AsyncReader, catalogue: Catalogue, named: Names) -> BoardPage:
        asked = BoardSelection("franchise", self.metric, None, self.page, self.search)
        found = await ranked(reader, catalogue, asked)
        franchises = await reader.franchises(place.id for place in found.places)
        return board_page(asked, found, franchises, {})


class TitleQuestion(msgspec.Struct, frozen=True):
    """A title with its last hours, and a measure of it from one UTC day to another."""

    title_id: str
    measure: str = "completions"
    first: date | None = None
    last: date | None = None

    def concerns(self, change: Change) -> bool:
        return change.title_id == self.title_id

    async def answer(self, reader: AsyncReader, catalogue: Catalogue, named: Names) -> TitlePage:
        (profile,) = await reader.compare([self.title_id])
        names = named.of([profile.title])
        as_of_ms = profile.title.as_of_ms if profile.title is not None else 0
        if not as_of_ms:
            return title_page(profile, (), None, names, names.lengths_ms)
        hours = await reader.hours(self.title_id, *hours_span(as_of_ms))
        days = days_asked(as_of_ms, self.first, self.last)
        by_day = DaysRead(self.measure, days, await reader.days(self.title_id, days.first, days.last))
        return title_page(profile, hours, by_day, names, names.lengths_ms)


class FranchiseQuestion(msgspec.Struct, frozen=True):
    """A franchise and its titles."""

    franchise_id: str

    def concerns(self, change: Change) -> bool:
        # Its titles' hashes change with each event of theirs; so does its own.
        return change.franchise_id == self.franchise_id

    async def answer(self, reader: AsyncReader, catalogue: Catalogue, named: Names) -> FranchisePage:
        franchise = await reader.franchise(self.franchise_id)
        ids = await catalogue.of_franchise(self.franchise_id) if franchise is not None else []
        titles = await reader.titles(ids)
        names = named.of(titles.values())
        return franchise_page(self.franchise_id, franchise, list(titles.values()), names)


class ComparisonQuestion(msgspec.Struct, frozen=True):
    """Titles side by side, and what is drawn of them."""

    title_ids: tuple[str, ...]
    drawn: Drawn = "weeks"
    measure: str = "watched_s"
    first: date | None = None
    last: date | None = None

    def concerns(self, change: Change) -> bool:
        return change.title_id in self.title_ids

    async def answer(self, reader: AsyncReader, catalogue: Catalogue, named: Names) -> ComparisonPage:
        profiles = await reader.compare(self.title_ids)
        as_of_ms = max((profile.title.as_of_ms for profile in profiles if profile.title is not None), default=0)
        days = days_asked(as_of_ms, self.first, self.last)
        of_days = self.title_ids if self.drawn == "days" else ()
        found = [await reader.days(title_id, days.first, days.last) for title_id in of_days]
        names = named.of(profile.title for profile in profiles)
        drawing = Drawing(self.drawn, self.measure, days, found)
        return comparison_page(profiles, drawing, names, names.lengths_ms)
