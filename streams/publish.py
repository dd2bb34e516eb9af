"""Publishing: from committed checkpoints to the hashes that readers read, at Redis's own pace.

Owns what waits to be published, the rounds that publish it, and what to do when Redis is away or has lost its
data. What is sent is a partition's absolute share with its version: sending it twice changes nothing, and a
zombie's is refused (the design, section 4: Redis). It must not know Kafka, Faust or how counters come to be.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from models.catalog import CatalogRow
from models.fold import DAY, HOUR, TITLE, TallyKey
from streams.committed import Committed
from streams.failpoints import Failpoint, reached
from streams.hold import Hold
from streams.redis_sink import DataLost, PrefixState, RedisSink, Share, Unreachable
from streams.rendering import STATUS, Rendering, runtime_ms
from streams.settings import Settings
from streams.whole import WholeAgain

log = logging.getLogger(__name__)

_NOTHING = (0, 0)
_CHUNK = 250
_CHUNKS_AT_ONCE = 3
_LONGEST_PAUSE_S = 5.0
_PAUSE_FAR_BEHIND_S = 1.0
_FAR_BEHIND_RECORDS = 50_000
_STATUS_S = 2.0
_ASK_S = 0.5


class Health(NamedTuple):
    """What the status hash says of a partition besides its counters."""

    stream_time_ms: int
    lag: int


class Publisher:
    """Publishes the partitions of one worker. Lives on the event loop; never blocks it."""

    def __init__(
        self,
        settings: Settings,
        sink: RedisSink,
        catalog: Callable[[], Mapping[str, CatalogRow]],
        partitions: int,
    ) -> None:
        self.settings = settings
        self._partitions = partitions
        self.refused_shares = 0
        self._sink = sink
        self._catalog = catalog
        self._shown_catalog: Mapping[str, CatalogRow] = {}
        self._rendering = Rendering(settings)
        # What is committed, and which keys of it readers do not know yet, of each partition.
        self._committed: dict[int, dict[TallyKey, list[int]]] = {}
        self._waiting: dict[int, set[TallyKey]] = {}
        self._versions: dict[int, tuple[int, int]] = {}
        self._health: dict[int, Health] = {}
        self._hold = Hold(sink, self._rendering.keys.status)
        self._something = asyncio.Event()
        self._complete = True
        self._whole_again = WholeAgain()

    async def join(self) -> None:
        """Join the prefix's publishers, again after data was lost. Raises `Unreachable`, `ForeignPrefix`."""
        self._hold.ask_again()
        if not await self._sink.join(self._partitions):
            self._complete = False
            self._let_everything_wait()

    async def open_partition(self, state: Committed) -> None:
        """Take charge of a partition just restored: publish what its former owner had not.

        While Redis is away nobody knows what that is, and everything waits to be published.
        """
        try:
            published = await self._sink.published_version(state.partition)
        except Unreachable as problem:
            log.warning("Redis is away, all counters of partition %d wait: %s", state.partition, problem)
            published = None
        self._hold.ask_again()
        # A copy: the fold's own tallies may be ahead of what is committed.
        self._committed[state.partition] = dict(state.tallies)
        self._waiting[state.partition] = set()
        missing = {
            key: tally
            for key, tally in state.tallies.items()
            # All titles: their runtimes may have been corrected while nobody looked.
            if published is None or published < (state.incarnation, tally[0]) or key.kind == TITLE
        }
        self.on_committed(state._replace(tallies=missing))

    def close_partition(self, partition: int) -> None:
        """Stop publishing a partition; its next owner publishes what still waits."""
        for of_partitions in (self._committed, self._waiting, self._health, self._versions):
            of_partitions.pop(partition, None)
        self._hold.forget(partition)

    def on_committed(self, state: Committed) -> None:
        """Let a checkpoint's changes wait to be published."""
        committed = self._committed[state.partition]
        committed.update(state.tallies)
        committed[STATUS] = [state.sequence, *state.stream]
        self._waiting[state.partition].update(state.tallies, (STATUS,))
        self._versions[state.partition] = (state.incarnation, state.sequence)
        self._hold.note(state.partition, state.recounts)
        lag = self._health[state.partition].lag if state.partition in self._health else 0
        self._health[state.partition] = Health(state.stream_time_ms, lag)
        self._something.set()

    def on_lag(self, partition: int, lag: int) -> None:
        """Note how many records a partition is behind its source."""
        if partition in self._health:
            self._health[partition] = self._health[partition]._replace(lag=lag)

    async def run(self) -> None:
        """Publish round after round, until cancelled. Redis being away only lets things wait."""
        pause_s = self.settings.publish_s
        while True:
            await self._work_to_do()
            try:
                await self.publish()
                pause_s = self.settings.publish_s
            except Unreachable as problem:
                log.warning("Redis is away, counters wait (%d keys): %s", self._left(), problem)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
            if self._hold.is_on:
                pause_s = max(pause_s, _ASK_S)
            await asyncio.sleep(max(pause_s, _PAUSE_FAR_BEHIND_S) if self._is_far_behind() else pause_s)

    def _is_far_behind(self) -> bool:
        """While a backlog is worked off, numbers are old whatever is done: folding has precedence."""
        return sum(health.lag for health in self._health.values()) > _FAR_BEHIND_RECORDS

    async def _work_to_do(self) -> None:
        if not self._left():
            self._something.clear()
            try:
                # Not `wait_for`: Python 3.11's forgets a cancellation that comes together with the event.
                async with asyncio.timeout(_STATUS_S):
                    await self._something.wait()
            except TimeoutError:
                # The lag may have changed although no counter has.
                self._let_wait(STATUS)

    async def publish(self) -> None:
        """Publish all that waits now, unless a rebuild holds it back. Raises `Unreachable`; the rest waits on."""
        if self._hold.is_on:
            try:
                if await self._hold.is_over(self._health):
                    log.info("all partitions are recounted: their counters take the place of those before")
                    self._whole_again.begin()
            except DataLost:
                await self._begin_again()
        if not self._hold.is_on:
            await self._publish_what_waits()

    async def _publish_what_waits(self) -> None:
        begun, versions = time.monotonic(), dict(self._versions)
        self._let_corrected_titles_wait()
        taken, self._waiting = self._waiting, {partition: set() for partition in self._committed}
        shares = self._shares(taken)
        try:
            turned = await self._turn_complete()
            await self._sink.note_partitions(self._health)
            reached(Failpoint.SHARES)
            await self._write(shares)
            if not self._complete:
                # Older shares that none took the place of: all of these partitions' newer ones are in Redis by now.
                await self._sink.sweep({p: version[0] for p, version in versions.items()}, self._partitions)
            reached(Failpoint.PUBLISHED)
            # Should this worker end before its hashes say complete, the next owner must write them all anew.
            is_said = self._complete and not turned
            await self._sink.note_published(versions if is_said else dict.fromkeys(versions, _NOTHING))
            self._whole_again.note(len(shares), is_said)
        except DataLost:
            self._wait_again(taken)
            await self._begin_again()
        except (Unreachable, asyncio.CancelledError):
            self._wait_again(taken)
            raise
        took_s = time.monotonic() - begun
        log.debug("published %d keys in %.3f s", len(shares), took_s)
        await asyncio.sleep(max(0.0, len(shares) / self.settings.publish_keys_per_s - took_s))

    async def _begin_again(self) -> None:
        log.warning("Redis lost its data, or is another one: everything is published again")
        self._whole_again.begin()
        await self.join()

    def _left(self) -> int:
        return sum(map(len, self._waiting.values()))

    def _shares(self, taken: Mapping[int, set[TallyKey]]) -> dict[TallyKey, list[Share]]:
        """The newest share of each partition that waits, by key."""
        shares: dict[TallyKey, list[Share]] = {}
        for partition, keys in taken.items():
            tallies, incarnation = self._committed[partition], self._versions[partition][0]
            for key in keys:
                shares.setdefault(key, []).append((partition, incarnation, *tallies[key]))
        return shares

    def _let_corrected_titles_wait(self) -> None:
        """A title whose runtime the catalog corrects has other views, although no counter has moved."""
        before, self._shown_catalog = self._shown_catalog, self._catalog()
        if before is self._shown_catalog:
            return
        for title_id in before.keys() | self._shown_catalog.keys():
            if runtime_ms(before, title_id) != runtime_ms(self._shown_catalog, title_id):
                self._let_wait(TallyKey(TITLE, 0, title_id))

    def _let_wait(self, key: TallyKey) -> None:
        for partition, tallies in self._committed.items():
            if key in tallies:
                self._waiting[partition].add(key)

    def _let_everything_wait(self) -> None:
        for partition, tallies in self._committed.items():
            self._waiting[partition].update(tallies)

    async def _turn_complete(self) -> bool:
        """Once all partitions are through after a loss, let everything wait again, to be said complete."""
        complete = await self._sink.is_complete()
        turned = complete and not self._complete
        if turned:
            self._let_everything_wait()
            self._something.set()
        self._complete = complete
        return turned

    async def drain(self, within_s: float) -> bool:
        """Publish until nothing waits; returns whether that was done within so many seconds.

        Call when `run` has ended: a round under way holds keys that wait no more and are not published yet.
        """
        try:
            async with asyncio.timeout(within_s):
                while self._left():
                    await self.publish()
                    if self._hold.is_on:
                        break
                    if not self._left() and not self._complete:
                        # That may have been the last share that was missing: one more round says so.
                        await self.publish()
        except (Unreachable, TimeoutError) as problem:
            log.warning("%d keys are left for the next owner to publish: %s", self._left(), problem)
        return not self._left()

    async def _write(self, shares: dict[TallyKey, list[Share]]) -> None:
        """Write chunk after chunk, a few at once: while Redis works on one, another is made ready."""
        # Titles first: they are what most readers look at, and two keys of three are their windows.
        keys = sorted(shares, key=lambda key: key.kind in (HOUR, DAY))
        state = await self._sink.read_state()
        chunks = iter([keys[first : first + _CHUNK] for first in range(0, len(keys), _CHUNK)])

        async def write_the_rest() -> None:
            for chunk in chunks:
                await self._write_chunk(chunk, [shares[key] for key in chunk], state)

        writers = [asyncio.create_task(write_the_rest()) for _ in range(_CHUNKS_AT_ONCE)]
        try:
            await asyncio.gather(*writers)
        finally:
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)

    async def _write_chunk(self, chunk: list[TallyKey], shares: list[list[Share]], state: PrefixState) -> None:
        hashes = [self._rendering.hash_key(key) for key in chunk]
        lives = [self._rendering.time_to_live_ms(key) for key in chunk]
        totals = await self._sink.add_shares(hashes, lives, shares)
        if totals.refused:
            self.refused_shares += totals.refused
            log.warning("Redis refused %d shares: their partitions have another worker by now", totals.refused)
        status, catalog = self._status(state), self._shown_catalog
        common = ["as_of_ms", str(state.as_of_ms), "complete", "1" if self._complete else "0"]
        fields = [
            [*self._rendering.fields(key, total, catalog, status), *common]
            for key, total in zip(chunk, totals.totals, strict=True)
        ]
        await self._sink.write_hashes(hashes, totals.revisions, lives, fields)

    def _status(self, state: PrefixState) -> list[str]:
        incarnation = max((version[0] for version in self._versions.values()), default=0)
        return [*state.status, "rebuilding", "0", "incarnation", str(incarnation)]

    def _wait_again(self, taken: Mapping[int, set[TallyKey]]) -> None:
        # A partition given up meanwhile is its next owner's to publish.
        for partition in taken.keys() & self._waiting.keys():
            self._waiting[partition] |= taken[partition]
