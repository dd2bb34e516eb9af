"""The titles there are, by name and franchise, for what no board can answer: a search, and a franchise's titles.

Owns when they are read again. Redis has no index of names; all titles are read, at most once in `AGAIN_S`, and only
while a page needs them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from streams.api.search import plain
from streams.display.titles_file import Names
from streams.reader import AsyncReader

AGAIN_S = 60.0
"""How long the titles are believed: until then, a new one is not found."""

AT_ONCE = 500
"""How many titles are read in one round trip."""


class KnownTitle(NamedTuple):
    """A title. `folded`: what is searched, its name and its id."""

    title_id: str
    franchise_id: str
    folded: str


class Catalogue:
    """All titles of the application that is read. `names`: those of a file, which go first."""

    def __init__(self, names: Names, clock: Callable[[], float] = time.monotonic) -> None:
        self.names = names
        self._clock = clock
        self._titles: tuple[KnownTitle, ...] = ()
        self._read_s = 0.0
        self._prefix = ""

    async def titles(self, reader: AsyncReader) -> tuple[KnownTitle, ...]:
        """The titles, in the order of their ids. Raises `ReaderError`."""
        if self._prefix != reader.prefix or self._clock() - self._read_s >= AGAIN_S:
            self._titles = await self._read(reader)
            self._read_s, self._prefix = self._clock(), reader.prefix
        return self._titles

    async def found(self, reader: AsyncReader, words: str) -> tuple[KnownTitle, ...]:
        """The titles in whose name or id each of the words is found, whatever their case and accents."""
        asked = plain(words).split()
        return tuple(one for one in await self.titles(reader) if all(word in one.folded for word in asked))

    async def of_franchise(self, reader: AsyncReader, franchise_id: str) -> tuple[str, ...]:
        """The ids of a franchise's titles."""
        return tuple(one.title_id for one in await self.titles(reader) if one.franchise_id == franchise_id)

    async def _read(self, reader: AsyncReader) -> tuple[KnownTitle, ...]:
        found: list[KnownTitle] = []
        after = ""
        while True:
            ids = (await reader.title_ids(after, AT_ONCE)).ids
            titles = await reader.titles(ids)
            names = self.names.of(titles.values())
            for title in titles.values():
                words = plain(f"{names.get(title.title_id, '')}\n{title.title_id}")
                found.append(KnownTitle(title.title_id, title.franchise_id or "", words))
            if len(ids) < AT_ONCE:
                return tuple(found)
            after = ids[-1]
