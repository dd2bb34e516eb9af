"""A Faust transport on which one message is a batch of records of one partition.

Stock Faust spends 60 to 80 µs of CPU on each record before user code runs (four asyncio tasks and a lock). This
transport is registered for the URL scheme `encore` by the entry point group `faust.transports`. Each override has a
contract test, and Faust and aiokafka are pinned exactly (the design, section 4: record batches).

Owns delivery: batches, the fetch position that each was read from, and the gate that pauses a partition.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import islice
from typing import Any, ClassVar, Protocol

import aiokafka
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.kafka.record_batch import RecordBatch

_IDLE_S = 0.05
_FETCH_AT_LEAST_BYTES = 262_144
_FETCH_WITHIN_MS = 50
_METADATA_AGE_MS = 10_000


class Gate(Protocol):
    """Decides which partitions may be delivered. Each seek changes a partition's epoch: earlier fetches are stale."""

    def epoch(self, partition: int) -> int | None:
        """The partition's epoch; None: it must not be delivered now."""
        ...


class Consumer(driver.Consumer):
    """Delivers record batches of the partitions that the app's gate allows."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch once, and yield a message for each batch. Raises the error that ended the client's group membership."""
        self._check_membership()
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        gate: Gate = self.app.gate
        epochs = {tp: gate.epoch(tp.partition) for tp in self._get_active_partitions()}
        deliverable = {tp: epoch for tp, epoch in epochs.items() if epoch is not None}
        if not deliverable:
            await self.sleep(_IDLE_S)
            return
        generation = self.app.consumer_generation_id
        for tp, batches in (await self._getmany(deliverable, timeout)).items():
            for batch in batches:
                if not self.flow_active or self.app.consumer_generation_id != generation:
                    return
                yield tp, self._to_message(tp, batch)

    def _check_membership(self) -> None:
        """Raise the error with which aiokafka's group coordination has ended.

        A fetch would report it, but a client without partitions does not fetch. Coordination ends for good after an odd
        answer, for example one without the address of any broker; the client would then get no partitions any more.
        """
        client = self._thread._consumer
        coordination = getattr(client and client._coordinator, "_coordination_task", None)
        if coordination is not None and coordination.done() and not coordination.cancelled():
            coordination.result()

    def _to_message(self, tp: TP, batch: RecordBatch) -> ConsumerMessage:
        # The last offset stands for the batch: acknowledging it acknowledges all before it.
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            batch.end - 1,
            0.0,
            0,
            (),
            None,
            batch,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def perform_seek(self) -> None:
        """Do nothing: whoever opens a partition seeks it to its state's position."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: the offsets between the last ones of two batches were delivered with these batches."""

    def _new_offset(self, tp: TP) -> int | None:
        # Correct only because a partition's batches are acknowledged in order, at its checkpoints.
        acked = self._acked[tp]
        if not acked:
            return None
        assert acked == sorted(acked), f"batches of {tp} were acknowledged out of order"
        newest: int = acked[-1]
        acked.clear()
        self._acked_index[tp].clear()
        return newest + 1


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The aiokafka consumer in its thread, with the settings that exactness needs."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        self._assignor = StickyPartitionAssignor
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=self.app.group_instance_id or None,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials),
            partition_assignment_strategy=[StickyPartitionAssignor],
            enable_auto_commit=False,
            # The group's offsets do not matter: each partition is sought to its state's position.
            # After an offset out of range the next batch starts elsewhere, and the worker ends (a gap).
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            # A fetch costs as much as hundreds of records, so waiting a little for more of them pays.
            fetch_min_bytes=_FETCH_AT_LEAST_BYTES,
            fetch_max_wait_ms=_FETCH_WITHIN_MS,
            # Partitions that were unknown at the last assignment belong to nobody until metadata is refreshed.
            metadata_max_age_ms=_METADATA_AGE_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: Mapping[TP, int],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Mapping[TP, list[RecordBatch]]:
        fetcher = consumer._fetcher
        if not self.consumer.flow_active:
            return {}
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError()
        with fetcher._subscriptions.fetch_context():
            drained = self._drain(fetcher, active_partitions, max_records)
            if not drained and await _something_fetched(fetcher, timeout):
                drained = self._drain(fetcher, active_partitions, max_records)
            return drained

    def _drain(self, fetcher: Any, epochs: Mapping[TP, int], batch_records: int | None) -> dict[TP, list[RecordBatch]]:
        if fetcher._subscriptions.reassignment_in_progress:
            return {}
        drained = {}
        for tp in [TP(*tp) for tp in fetcher._records if tp in epochs]:
            # A call that has waited through a rebalance must not take records that were fetched after the new seek.
            if self.app.gate.epoch(tp.partition) != epochs[tp]:
                continue
            fetched = fetcher._records.pop(tp)
            fetcher._notify(fetcher._wait_consume_future)
            if not isinstance(fetched, FetchResult):
                fetched.check_raise()
            drained[tp] = list(_batches(fetched, tp.partition, epochs[tp], batch_records))
        return drained

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust would miss commits that it did not make itself; checkpoints have limits of their own."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit offsets. A failure does no harm: they are only a hint, and a gauge of lag."""
        try:
            await self._ensure_consumer().commit(
                {TopicPartition(*tp): offset for tp, offset in offsets.items() if tp in self.assignment()}
            )
        except KafkaError as problem:
            self.log.info("Offsets not committed, the next commit will do: %s", problem)
            return False
        return True


async def _something_fetched(fetcher: Any, timeout: float | None) -> bool:
    waiter = fetcher._create_fetch_waiter()
    done, _ = await asyncio.wait([waiter], timeout=timeout)
    if not done:
        waiter.cancel()
        return False
    waiter.result()
    return True


def _batches(fetched: FetchResult, partition: int, epoch: int, batch_records: int | None) -> Iterable[RecordBatch]:
    """All batches of a fetch. Records stay as the parser made them, without a further object for each."""
    # As `FetchResult.getall` does, without two calls for each record. A seek or a rebalance makes the fetch stale.
    while fetched.has_more() and fetched.check_assignment(fetched._topic_partition):
        parts = fetched._partition_records
        parts._consumer_record = _as_parsed
        start = parts.next_fetch_offset
        records = list(islice(parts._records_iterator, batch_records))
        fetched._update_position()
        if parts.next_fetch_offset > start:
            yield RecordBatch(partition, start, parts.next_fetch_offset, epoch, records)
        else:
            fetched._partition_records = None


def _as_parsed(tp: Any, record: Any) -> Any:
    return record


class Transport(driver.Transport):
    """`encore://HOST:PORT`: aiokafka, delivering record batches."""

    Consumer: ClassVar[type[driver.Consumer]] = Consumer
