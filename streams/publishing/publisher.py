"""Publishing: from committed checkpoints to the hashes that readers read, at the sink's own pace.

Owns what is pending, the rounds that publish it, and what to do if the sink is away or has lost its data. It sends a
partition's absolute share with its version: sending it twice changes nothing, and the sink refuses a zombie's (the
design, section 4: Redis). It must not know Faust, nor that the sink is Redis.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping

from models.catalog import CatalogRow
from models.rules import DAY_MS
from models.tally import CURVE, FRANCHISE, TITLE, TallyKey
from streams.config.failpoints import Failpoint, reached
from streams.config.settings import Settings
from streams.observability.metrics import Metrics
from streams.publishing.hashes import STATUS, Rendering
from streams.publishing.legs_round import LegsRound
from streams.publishing.legs_schedule import LegsDue
from streams.publishing.outage import WholeAgain
from streams.publishing.pace import Pace
from streams.publishing.partition_status import PartitionHealth, now_ms
from streams.publishing.pending import PendingChanges, Taken
from streams.publishing.rebuild_gate import Hold
from streams.publishing.round import RoundWriter, Stamp, side_by_side
from streams.publishing.shown_catalog import ShownCatalog
from streams.publishing.sink import NOT_COMPLETE, DataLost, PrefixState, Share, Sink, Unreachable
from streams.state.committed import Committed

log = logging.getLogger(__name__)

_NOTHING = (0, 0)
_STATUS_S = 2.0
_HELD_S = 0.05


class Publisher:
    """Publishes the partitions of one worker. Lives on the event loop; never blocks it."""

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        catalog: Callable[[], Mapping[str, CatalogRow]],
        partitions: int,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self._metrics = metrics
        self._partitions = partitions
        self._sink = sink
        self._catalog = catalog
        self._shown = ShownCatalog()
        self._topic_id = ""
        rendering = Rendering(settings)
        self._writer = RoundWriter(sink, rendering, self._metrics)
        self._legs = LegsDue(self._shown.release_ms, settings.age_retention_days * DAY_MS)
        self._pending = PendingChanges()
        self._legs_round = LegsRound(
            self._legs, self._writer, lambda title_id: self._pending.has(TallyKey(TITLE, 0, title_id))
        )
        # By partition, the sequence of the checkpoint up to which everything is published.
        self.published: dict[int, int] = {}
        self._health: dict[int, PartitionHealth] = {}
        self._pace = Pace(settings, lambda: sum(health.lag for health in self._health.values()))
        # Franchises whose hashes must be computed again, besides those whose titles are pending.
        self._franchises: set[str] = set()
        self._hold = Hold(sink, rendering.keys.status)
        self._something = asyncio.Event()
        self._complete = True
        # All hashes are being written again, to be marked as complete.
        self._marking = False
        # The last round left something to the next one.
        self._is_part = False
        self._charts_due_s = 0.0
        self._whole_again = WholeAgain()

    @property
    def waiting_keys(self) -> int:
        """How many keys and titles are pending."""
        return self._pending.left

    def lag(self, partition: int) -> int:
        """How many records a partition is behind its source, as of its last checkpoint."""
        health = self._health.get(partition)
        return health.lag if health is not None else 0

    @property
    def is_far_behind(self) -> bool:
        """Whether the backlog is so large that publishing a second later makes no difference to readers."""
        return self._pace.is_far_behind

    async def join(self) -> None:
        """Join the publishers of the prefix, at the start and after a loss of data.

        Raises `Unreachable`, and `ForeignPrefix` if another application publishes under the prefix.
        """
        self._hold.ask_again()
        if not await self._sink.join(self._partitions):
            self._writer.forget_names()
            # At the start nothing of this worker can be missing yet: hashes that are complete need not be marked again.
            self._complete = not self.published and await self._is_complete()
            self.published = dict.fromkeys(self.published, 0)
            self._requeue_all()

    async def _is_complete(self) -> bool:
        try:
            return await self._sink.is_complete()
        except DataLost:
            return False

    async def open_partition(self, state: Committed) -> None:
        """Start to publish a partition that was just restored: queue what its former owner had not published.

        If Redis is away, that is not known, and everything is queued.
        """
        try:
            published = await self._sink.published_version(state.partition)
        except Unreachable as problem:
            log.warning("Redis is away, all counters of partition %d wait: %s", state.partition, problem)
            published = None
        self._hold.ask_again()
        # Its former owner may have written names by an older catalog.
        self._writer.forget_names()
        told, sequence = published or _NOTHING
        self.published[state.partition] = sequence if told == state.incarnation else 0
        self._pending.open(state)
        missing = state.after(published)
        titles = (key.title_id for key in missing.tallies if key.kind == TITLE)
        self._legs.note_opened(titles, published not in (None, _NOTHING))
        self.on_committed(missing)
        if published is not None:
            self._pending.age(state.partition, published)
        if not self._shown.rows:
            self._show_catalog()
        titles_shown = self._shown.may_show_other_lengths(state.catalog)
        self._pending.requeue_in(state.partition, {TallyKey(CURVE, 0, title_id) for title_id in titles_shown})

    def close_partition(self, partition: int) -> None:
        """Stop publishing a partition; its next owner publishes what is still pending."""
        self._pending.close(partition)
        self._health.pop(partition, None)
        self._hold.forget(partition)

    def on_committed(self, state: Committed) -> None:
        """Queue a checkpoint's changes."""
        self._topic_id = state.topic_id
        self._pending.commit(state)
        self._hold.note(state.partition, state.recounts)
        lag = self._health[state.partition].lag if state.partition in self._health else 0
        self._health[state.partition] = PartitionHealth(state.stream_time_ms, lag, now_ms())
        self._something.set()

    def on_lag(self, partition: int, lag: int) -> None:
        """Note how many records a partition, which has just been checkpointed, is behind its source."""
        if partition in self._health:
            self._health[partition] = self._health[partition]._replace(lag=lag, checkpointed_ms=now_ms())

    async def run(self) -> None:
        """Publish round after round, until cancelled. While Redis is away, changes stay pending."""
        while True:
            await self._work_to_do()
            begun = time.monotonic()
            try:
                await self.publish()
                self._pace.note_round()
            except Unreachable as problem:
                log.warning("Redis is away, counters wait (%d keys): %s", self._pending.left, problem)
                self._pace.note_away()
            await asyncio.sleep(self._pace.pause_s(time.monotonic() - begun, self._hold.is_on, self._is_part))

    async def _work_to_do(self) -> None:
        nothing_waits = not self._pending.left
        until_charts_s = self._charts_due_s - time.monotonic()
        is_idle = nothing_waits or (until_charts_s > 0 and self._pending.is_charts_alone)
        if is_idle and not self._legs.left:
            self._something.clear()
            try:
                # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with the event.
                async with asyncio.timeout(_STATUS_S if nothing_waits else until_charts_s):
                    await self._something.wait()
            except TimeoutError:
                # The lag in the status hash may have changed although no counter has.
                self._pending.requeue(STATUS)

    async def publish(self) -> None:
        """Publish what is pending, unless a rebuild holds it back. Raises `Unreachable`; the rest stays pending.

        A round takes a quarter of a second: what changes during it must not wait for a whole catalog. Charts (curves
        and weeks' audiences) are published less often: nobody watches them second by second, and a curve is as long as
        ten other hashes.
        """
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
        begun = time.monotonic()
        self._show_catalog()
        # Until hashes are complete again, charts are not held back: readers are waiting for all of them.
        with_charts = not self._complete or self._marking or begun >= self._charts_due_s
        taken = self._pending.take(self._pace.round_keys, with_charts=with_charts)
        if with_charts and not taken.unfinished:
            self._charts_due_s = begun + self._pace.charts_pause_s
        try:
            found = await self._sink.begin_round(self._health, taken.ends, self._topic_id)
            if found.is_held:
                self._charts_due_s = 0.0
                self._pending.put_back(taken)
                await asyncio.sleep(_HELD_S)
                return
            turned = self._mark_complete(found.is_complete)
            reached(Failpoint.SHARES)
            written = await self._write(taken.shares, found.state)
            if not self._complete:
                found = await self._sink.begin_round(self._health, taken.ends, self._topic_id)
                turned = self._mark_complete(found.is_complete)
                if turned:
                    # Others completed meanwhile what this worker, if it was frozen, has just marked as incomplete.
                    self._show_catalog()
                    written += await self._write(taken.shares, found.state)
            is_said = await self._note_published(taken, turned)
            self._whole_again.note(written, is_said)
        except DataLost:
            self._pending.put_back(taken)
            await self._begin_again()
            return
        except (Unreachable, asyncio.CancelledError):
            self._pending.put_back(taken)
            raise
        self._is_part = bool(taken.unfinished or self._legs.left)
        took_s = time.monotonic() - begun
        self._pace.note_written(written, took_s)
        log.debug("published %d keys in %.3f s", written, took_s)
        await asyncio.sleep(max(0.0, written / self.settings.publish_keys_per_s - took_s))

    async def _note_published(self, taken: Taken, turned: bool) -> bool:
        """Note up to which version partitions are published. Returns whether all their hashes are marked as complete.

        If this worker ends before they are, the next owner must write all of them again.
        """
        versions = taken.versions
        if not self._complete:
            versions = {p: version for p, version in versions.items() if p not in taken.unfinished}
            # Delete older shares that nothing replaced. All newer shares of these partitions are in Redis by now; of a
            # state without a checkpoint there is none.
            incarnations = {p: incarnation or now_ms() for p, (incarnation, _) in versions.items()}
            await self._sink.sweep(incarnations, self._partitions)
        reached(Failpoint.PUBLISHED)
        self._marking = turned or (self._marking and bool(taken.unfinished or self._legs.left))
        is_said = self._complete and not self._marking
        if is_said:
            await self._sink.note_published(versions, taken.seen)
        else:
            incomplete = dict.fromkeys(versions, NOT_COMPLETE)
            await self._sink.note_published(dict.fromkeys(versions, _NOTHING), incomplete)
        if is_said:
            self.published |= {partition: sequence for partition, (_, sequence) in versions.items()}
            self._pending.note_published(versions)
            self._note_latency(taken)
        else:
            self._pending.keep_age(taken)
        return is_said

    def _note_latency(self, taken: Taken) -> None:
        told_ms = time.time() * 1000
        for oldest_ms in taken.oldest_ms.values():
            self._metrics.event_to_redis_seconds.observe(max(0.0, told_ms - oldest_ms) / 1000)

    async def _begin_again(self) -> None:
        self._metrics.redis_rebuilds.inc()
        log.warning("Redis lost its data, or is another one: everything is published again")
        self._whole_again.begin()
        await self.join()

    def _show_catalog(self) -> None:
        """Queue what a correction of the catalog changes, such as names and legs, although no counter has changed."""
        corrected = self._shown.replace(self._catalog())
        for title_id in corrected.titles:
            self._pending.requeue(TallyKey(TITLE, 0, title_id))
        for title_id in corrected.lengths:
            self._pending.requeue(TallyKey(CURVE, 0, title_id))
        self._franchises.update(f for f in corrected.franchises if self._pending.has(TallyKey(FRANCHISE, 0, f)))
        self._legs.note_releases(corrected.releases)

    def _requeue_all(self) -> None:
        self._pending.requeue_all()
        self._charts_due_s = 0.0
        self._legs.note_all()

    def _mark_complete(self, complete: bool) -> bool:
        """Once all partitions are published after a loss, queue everything again, to be marked as complete.

        Returns whether that happened now.
        """
        turned = complete and not self._complete
        if turned:
            self._requeue_all()
            self._something.set()
        self._complete = complete
        return turned

    async def drain(self, within_s: float) -> bool:
        """Publish until nothing is pending. Returns whether that succeeded within `within_s` seconds.

        Call it after `run` has ended: a round in progress has keys that are neither pending nor published.
        """
        why = "a rebuild holds publishing back"
        try:
            async with asyncio.timeout(within_s):
                await self._publish_the_rest()
        except Unreachable as problem:
            why = str(problem)
        except TimeoutError:
            why = f"Redis did not take them within {within_s:g} s"
        if self._pending.left:
            log.warning("left for the next owner to publish (%s): %s", self._pending.summary(), why)
        return not self._pending.left

    async def _publish_the_rest(self) -> None:
        # The last round, here or in `run`, may have written the last share that was missing after a loss. Only the next
        # round marks hashes as complete and notes the version up to which they are published.
        has_said = self._complete
        while self._pending.left or self._legs.left or not has_said:
            has_said = self._complete or not self._pending.left
            self._charts_due_s = 0.0
            await self.publish()
            if self._hold.is_on:
                break

    async def _write(self, shares: dict[TallyKey, list[Share]], state: PrefixState) -> int:
        """Write the shares, and every hash that changes by them or by time. Returns about how many hashes that were.

        `state`: that of all workers when the round began.
        """
        stamp = self._stamp(state)
        refused = await self._writer.write(shares, self._shown, stamp)
        franchises = self._franchises | {self._shown.franchise_of(key) for key in shares.keys() - refused} - {""}
        franchises -= {key.title_id for key in refused if key.kind == FRANCHISE}
        refused_titles = {key.title_id for key in refused if key.kind == TITLE}
        # Both need the totals of all shares, and neither needs what the other one writes.
        _, legs = await side_by_side(
            self._writer.write_franchises(franchises, self._shown, stamp),
            self._write_legs(shares.keys() - refused, refused_titles),
        )
        self._franchises -= franchises
        return len(shares) + len(franchises) + int(legs)

    async def _write_legs(self, written: Collection[TallyKey], left: Collection[str]) -> int:
        state = await self._sink.read_state()
        return await self._legs_round.write(written, left, state, self._stamp(state), self._pace.round_keys)

    def _stamp(self, state: PrefixState) -> Stamp:
        status = [*state.status, "rebuilding", "0", "incarnation", str(self._pending.incarnation)]
        return Stamp(state.as_of_ms, self._complete, status)
