"""One round of publishing: shares, the hashes of their sums, and the hashes that are computed from those.

Owns the order. A hash that is computed from other hashes' totals is written in three steps: write all shares, advance
the hash's revision, then read the totals. So the last writer has seen every share. It must not know that the sink is
Redis.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from models.catalog import CatalogRow
from models.hash_fields import catalog_fields
from models.tally import CURVE, FRANCHISE, TITLE, TallyKey
from models.windows import DAY, HOUR
from streams.observability.metrics import Metrics
from streams.publishing.hashes import ComputedHash, Rendering
from streams.publishing.shown_catalog import ShownCatalog
from streams.publishing.sink import Derived, Readable, Share, Sink

log = logging.getLogger(__name__)
T = TypeVar("T")

# On a busy event loop every answer is waited for: few chunks make a round short. Each takes some ms of Redis's time.
_CHUNK = 500
_CHUNKS_AT_ONCE = 8
_INPUTS_AT_ONCE = 1_000
_WEEKS_AT_ONCE = 1_000


class Stamp(NamedTuple):
    """What a round writes into every hash, and `status` into the status hash.

    While hashes are not complete, former ones may come from other rules and have other fields, which are deleted.
    """

    as_of_ms: int
    is_complete: bool
    status: list[str]

    def fields(self) -> list[str]:
        """Names and texts, alternating."""
        return ["as_of_ms", str(self.as_of_ms), "complete", "1" if self.is_complete else "0"]


class RoundWriter:
    """Writes under one prefix."""

    def __init__(self, sink: Sink, rendering: Rendering, metrics: Metrics) -> None:
        self._metrics = metrics
        self._sink = sink
        self._rendering = rendering
        # By title, the catalog's row whose fields this worker has written. Names hardly ever change.
        self._named: dict[str, CatalogRow | None] = {}

    def forget_names(self) -> None:
        """Write all titles' names again, as Redis may have lost them."""
        self._named.clear()

    async def write(self, shares: Mapping[TallyKey, list[Share]], shown: ShownCatalog, stamp: Stamp) -> set[TallyKey]:
        """Write all shares, and all hashes except those of franchises. Returns the keys whose shares were all refused.

        Nothing else of those may be written: another worker has their partitions, and perhaps a newer catalog.
        """
        refused: set[TallyKey] = set()
        # Titles first, hours and days last: that is how many readers look at them.
        keys = sorted(shares, key=lambda key: (key.kind != TITLE, key.kind in (HOUR, DAY)))
        titles = [key for key in keys if key.kind == TITLE]
        alone = [key for key in keys[len(titles) :] if key.kind != FRANCHISE]
        others = [key for key in keys if key.kind == FRANCHISE]
        # Titles by themselves: another worker may write the status meanwhile, and then names would be written again.
        chunks = [*_chunks(titles), *_chunks(alone), *_chunks(others)]
        await _at_once(chunks, lambda chunk: self._write_some(chunk, shares, shown, stamp, refused))
        return refused

    async def _add_shares(
        self, chunk: list[TallyKey], shares: Mapping[TallyKey, list[Share]], refused: set[TallyKey]
    ) -> list[tuple[str, int, str, list[int]]]:
        """Write the shares of these keys. Returns for each: its hash, the hash's life in ms, its revision and total."""
        hashes = [self._rendering.hash_key(key) for key in chunk]
        lives = [self._rendering.time_to_live_ms(key) for key in chunk]
        totals = await self._sink.add_shares(hashes, lives, [shares[key] for key in chunk])
        if totals.refused:
            self._metrics.refused_shares.inc(totals.refused)
            log.warning("Redis refused %d shares: their partitions have another worker by now", totals.refused)
            refused.update(key for key, revision in zip(chunk, totals.revisions, strict=True) if not revision)
        return list(zip(hashes, lives, totals.revisions, totals.totals, strict=True))

    async def _write_some(
        self,
        chunk: list[TallyKey],
        shares: Mapping[TallyKey, list[Share]],
        shown: ShownCatalog,
        stamp: Stamp,
        refused: set[TallyKey],
    ) -> None:
        """Write some of the shares. The hashes of franchises are written when all shares are."""
        if chunk[0].kind == FRANCHISE:
            await self._add_shares(chunk, shares, refused)
        else:
            await self._write_chunk(chunk, shares, shown, stamp, refused)

    async def _write_chunk(
        self,
        chunk: list[TallyKey],
        shares: Mapping[TallyKey, list[Share]],
        shown: ShownCatalog,
        stamp: Stamp,
        refused: set[TallyKey],
    ) -> None:
        rendering, common, readable = self._rendering, stamp.fields(), []
        named: dict[str, CatalogRow | None] = {}
        added = await self._add_shares(chunk, shares, refused)
        for key, (name, life_ms, revision, total) in zip(chunk, added, strict=True):
            if not revision:
                continue
            fields, boards = rendering.fields(key, total, shown.rows, stamp.status), rendering.boards(key)
            if key.kind == TITLE and not (stamp.is_complete and self._is_named(key.title_id, shown)):
                named[key.title_id] = row = shown.rows.get(key.title_id)
                fields, boards = fields + catalog_fields(row), rendering.new_title_boards
            if fields:
                fields += common
            # A curve may have fewer fields than before, or none, so former fields must go.
            is_alone = key.kind == CURVE
            readable.append(Readable(name, revision, life_ms, fields, boards, key.title_id, is_alone))
        if await self._sink.write_hashes(readable, alone=not stamp.is_complete) == len(readable):
            # Otherwise some are left to another worker, who need not write names: they are written next time.
            self._named |= named

    def _is_named(self, title_id: str, shown: ShownCatalog) -> bool:
        return title_id in self._named and self._named[title_id] is shown.rows.get(title_id)

    async def write_franchises(self, franchise_ids: Iterable[str], shown: ShownCatalog, stamp: Stamp) -> None:
        """Write the hashes of franchises that have shares. Call it after the shares of their titles were written."""
        runtimes = {franchise_id: shown.runtimes(franchise_id) for franchise_id in franchise_ids}
        sizes = ((franchise_id, len(titles)) for franchise_id, titles in runtimes.items())
        await _at_once(_of_size(sizes), lambda chunk: self._write_franchises(chunk, runtimes, stamp))

    async def _write_franchises(
        self, chunk: list[str], runtimes: Mapping[str, Mapping[str, int]], stamp: Stamp
    ) -> None:
        keys = self._rendering.keys
        names = [keys.franchise(franchise_id) for franchise_id in chunk]
        inputs = [[name, *map(keys.title, runtimes[each])] for name, each in zip(names, chunk, strict=True)]
        derived = [Derived(name, each, has_shares=True) for name, each in zip(names, inputs, strict=True)]
        readable = []
        found = await self._sink.derive(derived, 0)
        for franchise_id, name, (revision, (total, *titles)) in zip(chunk, names, found, strict=True):
            if revision:
                members = zip(titles, runtimes[franchise_id].values(), strict=True)
                fields = self._rendering.franchise_fields(total, members)
                boards = self._rendering.franchise_boards
                readable.append(Readable(name, revision, 0, fields + stamp.fields(), boards, franchise_id))
        if readable:
            await self._sink.write_hashes(readable, alone=not stamp.is_complete)

    async def weeks_of_legs(self, title_ids: Iterable[str]) -> dict[str, int]:
        """The week of each title's legs in Redis; 0: it has none."""
        weeks: dict[str, int] = {}
        for chunk in _chunks(list(title_ids), _WEEKS_AT_ONCE):
            found = await self._sink.weeks(list(map(self._rendering.keys.legs, chunk)))
            weeks.update(zip(chunk, found, strict=True))
        return weeks

    async def write_computed(self, weeks: Mapping[str, int], stamp: Stamp) -> None:
        """Write the computed hashes of titles, at the ends of these weeks. Call it after all shares were written."""
        for computed in self._rendering.computed:
            await self._write_computed(computed, weeks, stamp)

    async def _write_computed(self, computed: ComputedHash, weeks: Mapping[str, int], stamp: Stamp) -> None:
        inputs = {title_id: computed.inputs(title_id, week) for title_id, week in weeks.items()}
        sizes = ((title_id, len(names)) for title_id, names in inputs.items())
        await _at_once(_of_size(sizes), lambda chunk: self._compute(computed, chunk, inputs, weeks, stamp))

    async def _compute(
        self,
        computed: ComputedHash,
        chunk: list[str],
        inputs: Mapping[str, list[str]],
        weeks: Mapping[str, int],
        stamp: Stamp,
    ) -> None:
        life_ms, common = computed.life_ms, stamp.fields()
        names = list(map(computed.key, chunk))
        derived = [Derived(name, inputs[title_id], life_ms) for name, title_id in zip(names, chunk, strict=True)]
        found = await self._sink.derive(derived, stamp.as_of_ms)
        readable = []
        for name, title_id, (revision, totals) in zip(names, chunk, found, strict=True):
            fields = computed.fields(weeks[title_id], totals) + common
            readable.append(Readable(name, revision, life_ms, fields, computed.boards, title_id))
        await self._sink.write_hashes(readable)

    async def delete_computed(self, title_ids: Iterable[str]) -> None:
        """Delete the computed hashes of titles that have no complete week any more."""
        names = [computed.key(title_id) for title_id in title_ids for computed in self._rendering.computed]
        for chunk in _chunks(names, _WEEKS_AT_ONCE):
            await self._sink.delete_hashes(chunk)


def _chunks(keys: Sequence[T], size: int = _CHUNK) -> Iterator[list[T]]:
    return (list(keys[first : first + size]) for first in range(0, len(keys), size))


def _of_size(sizes: Iterable[tuple[str, int]]) -> Iterator[list[str]]:
    """Split names into chunks, so that each chunk needs at most `_INPUTS_AT_ONCE` inputs, or is one name."""
    chunk: list[str] = []
    inputs = 0
    for name, size in sizes:
        if chunk and inputs + size > _INPUTS_AT_ONCE:
            yield chunk
            chunk, inputs = [], 0
        chunk.append(name)
        inputs += size + 2
    if chunk:
        yield chunk


async def _at_once(chunks: Iterable[list[T]], write: Callable[[list[T]], Awaitable[object]]) -> None:
    """Write chunk after chunk, a few concurrently: while Redis works on one, the next is prepared."""
    left = list(chunks)
    waiting = iter(left)

    async def write_the_rest() -> None:
        for chunk in waiting:
            await write(chunk)

    await side_by_side(*(write_the_rest() for _ in left[:_CHUNKS_AT_ONCE]))


async def side_by_side(*calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """Wait for all of them; returns their results. If one fails, or this call is cancelled, none of them goes on."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
