"""Which titles have certain words in their name or id.

Owns the names in memory. They are read from Redis when the first search comes, and again when a search finds them older
than a minute; that search is still answered by the old ones.
"""

from __future__ import annotations

import asyncio
import logging
import time
import unicodedata
from collections.abc import Sequence

from streams.reader import AsyncReader, ReaderError

FRESH_S = 60.0
_AT_ONCE = 1_000

log = logging.getLogger(__name__)


class NamesSearched:
    """The names of all titles, in the order of their ids. Raises `ReaderError` only while it has none."""

    def __init__(self, reader: AsyncReader) -> None:
        self._reader = reader
        self._titles: list[tuple[str, str]] = []
        self._read_s = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def ids(self, words: str, after: str, most: int) -> Sequence[str]:
        """The ids of the first `most` titles after an id that have every word, in capitals or not, accented or not."""
        await self._refresh()
        sought = plain(words).split()
        begin = after.encode()
        found = []
        for title_id, text in self._titles:
            if title_id.encode() > begin and all(word in text for word in sought):
                found.append(title_id)
                if len(found) == most:
                    break
        return found

    async def _refresh(self) -> None:
        if self._reading is None and time.monotonic() - self._read_s > FRESH_S:
            self._reading = asyncio.create_task(self._read())
        if self._reading is not None and not self._titles:
            await asyncio.shield(self._reading)

    async def _read(self) -> None:
        """Read all names anew."""
        titles: list[tuple[str, str]] = []
        try:
            ids = (await self._reader.title_ids("", _AT_ONCE)).ids
            while ids:
                found = await self._reader.titles(ids)
                titles += [(title_id, plain(f"{title.name or ''} {title_id}")) for title_id, title in found.items()]
                ids = (await self._reader.title_ids(ids[-1], _AT_ONCE)).ids
            self._titles, self._read_s = titles, time.monotonic()
        except ReaderError as problem:
            if not self._titles:
                raise
            log.warning("names are searched as they were read before: %s", problem)
        finally:
            self._reading = None


def plain(text: str) -> str:
    """A text without capitals and accents, as names are searched."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))
