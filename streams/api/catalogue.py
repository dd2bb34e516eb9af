"""The titles there are, by name and franchise, for what no key of Redis answers: a search, and a franchise's titles.

Owns when they are read. All titles are read when they are asked for first, and again when they are asked for and older
than a minute; what asks then still gets the old ones. The API and the dashboard of a process share one catalogue.
"""

from __future__ import annotations

import asyncio
import logging
import time
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from streams.reader import AsyncReader, ReaderError

FRESH_S = 60.0
"""How long the titles are believed: until then, a new one is not found."""

AT_ONCE = 500
"""How many titles are read in one round trip. Other requests wait while their hashes are parsed."""

log = logging.getLogger(__name__)


class KnownTitle(NamedTuple):
    """A title. `words`: what is searched, its names and its id, folded."""

    title_id: str
    franchise_id: str
    words: str


class Catalogue:
    """All titles of the application that is read. `names`: further names by id, which titles are found by, too.

    What asks for titles raises `ReaderError`, but only while none were ever read.
    """

    def __init__(
        self, reader: AsyncReader, names: Mapping[str, str] = {}, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader, self._names, self._clock = reader, names, clock
        self._titles: Sequence[KnownTitle] | None = None
        self._prefix = ""
        self._read_s = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def titles(self) -> Sequence[KnownTitle]:
        """The titles, in the order of their ids."""
        if self._prefix != self._reader.prefix:
            self._titles = None
        if self._reading is None and (self._titles is None or self._clock() - self._read_s >= FRESH_S):
            self._reading = asyncio.create_task(self._read())
        while self._titles is None:
            self._reading = self._reading or asyncio.create_task(self._read())
            await asyncio.shield(self._reading)
        return self._titles

    async def found(self, words: str, after: str = "", most: int | None = None) -> list[str]:
        """The ids of the first `most` titles after an id that have every word, in capitals or not, accented or not."""
        titles = await self.titles()
        begin = bisect_right(titles, after.encode(), key=lambda one: one.title_id.encode())
        found = titles[begin:]
        # One word after the other: asking each title for all words takes five times as long.
        for word in plain(words).split():
            found = [one for one in found if word in one.words]
        return [one.title_id for one in found[:most]]

    async def of_franchise(self, franchise_id: str) -> list[str]:
        """The ids of a franchise's titles."""
        return [one.title_id for one in await self.titles() if one.franchise_id == franchise_id]

    async def franchises(self, words: str) -> list[str]:
        """The ids of the franchises that have every word."""
        sought = plain(words).split()
        ids = sorted({one.franchise_id for one in await self.titles() if one.franchise_id})
        return [one for one in ids if all(word in plain(one) for word in sought)]

    async def _read(self) -> None:
        """Read all titles anew."""
        try:
            self._titles, self._prefix = await self._all()
            self._read_s = self._clock()
        except ReaderError as problem:
            if self._titles is None:
                raise
            log.warning("titles are searched as they were read before: %s", problem)
        finally:
            self._reading = None

    async def _all(self) -> tuple[Sequence[KnownTitle], str]:
        """All titles, and the prefix of the one application that they are of."""
        found: list[KnownTitle] = []
        after, prefix = "", self._reader.prefix
        while ids := (await self._reader.title_ids(after, AT_ONCE)).ids:
            titles = await self._reader.titles(ids)
            if self._reader.prefix != prefix:
                found, after, prefix = [], "", self._reader.prefix
                continue
            for title in titles.values():
                names = f"{self._names.get(title.title_id, '')}\n{title.name or ''}\n{title.title_id}"
                found.append(KnownTitle(title.title_id, title.franchise_id or "", plain(names)))
            after = ids[-1]
        return found, prefix


def plain(text: str) -> str:
    """A text without capitals and accents, as names are searched."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
