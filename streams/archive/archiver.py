"""The archiver: a member of a consumer group that copies its partitions of the source to the archive.

Owns the process's life: partitions come and go, files are written when they are due, days become one file. Where a
partition continues, the archive alone says; nothing is committed to Kafka. So a process may die at any moment.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Collection
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.pseudonymous_record import Pseudonymizer
from streams.archive.chain import last_file
from streams.archive.compaction import compact
from streams.archive.partition_writer import Overtaken, PartitionWriter, Wrote
from streams.archive.source_note import check_fits, claim, source_of
from streams.archive.store import ArchiveFailed, Store, open_store
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView
from streams.kafka.topics import KafkaFailed
from streams.observability.archive_metrics import ArchiveMetrics
from streams.observability.logs import LIBRDKAFKA
from streams.registry.decoder import decoder_of

log = logging.getLogger(__name__)

_MIB = 1024 * 1024
_AT_ONCE = 10_000
_POLL_S = 0.1
_ASK_S = 10.0
_METADATA_MS = 10_000
_LAG_S = 5.0
_PASSING = (
    *(KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE),
    *(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError._PARTITION_EOF),
)
"""Errors after which the client tries again by itself."""


class Archiver:
    """One process of `encore archive`. `run` returns after `stop`, which may be called from a signal's handler.

    `accept_gap`: go on where Kafka has forgotten records that are not archived, and note the gap in the archive.
    """

    def __init__(self, settings: Settings, metrics: ArchiveMetrics, *, accept_gap: bool = False) -> None:
        self._settings, self._metrics, self._accept_gap = settings, metrics, accept_gap
        self._topic, self._pseudonyms = settings.source_topic, settings.pseudonyms()
        self._pseudonymizer: Pseudonymizer | None = None
        self._store: Store = open_store(settings.archive)
        self._view = KafkaView(settings.kafka_address)
        self._stopped = threading.Event()
        self._writers: dict[int, PartitionWriter] = {}
        self._assigned: list[int] = []
        self._is_to_open = False
        self._lag_told_s = 0.0
        self._compactor = _Compactor(self._store, self._topic, metrics)
        self.moved_s = time.monotonic()

    def stop(self) -> None:
        """Have `run` write what waits, and return."""
        self._stopped.set()

    def run(self) -> None:
        """Archive until `stop`. Raises `ArchiveFailed`, `KafkaFailed`, `CannotRead`."""
        self._source = source_of(self._view.topic_there(self._topic), self._pseudonyms)
        claim(self._store, self._topic, self._source)
        if self._pseudonyms is not None:
            decode = decoder_of(self._settings)
            self._pseudonymizer = Pseudonymizer(self._pseudonyms, self._source.partitions, decode=decode)
        log.info("households are archived %s", "by their ids" if self._pseudonyms is None else "under pseudonyms")
        self._consumer = self._subscribed()
        self._compactor.start()
        try:
            while not self._stopped.is_set():
                self._step()
            self._write(list(self._writers))
        except Overtaken:
            pass  # while it stopped: another process has these records
        except KafkaException as problem:
            raise KafkaFailed(f"Kafka at {self._settings.kafka}: {problem.args[0].str()}") from None
        finally:
            self._compactor.stop()
            self._writers = {}
            self._consumer.close()

    def _subscribed(self) -> Consumer:
        consumer = Consumer(
            {
                **self._settings.kafka_address.for_librdkafka(),
                "group.id": f"{self._settings.app_id}-archive",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                # A position that Kafka has no more is a gap, and never passed over.
                "auto.offset.reset": "error",
                "partition.assignment.strategy": "range",
                "session.timeout.ms": int(self._settings.session_timeout_s * 1000),
                "topic.metadata.refresh.interval.ms": _METADATA_MS,
                "queued.max.messages.kbytes": 32 * 1024,
                "log_level": 2,
                "logger": logging.getLogger(LIBRDKAFKA),
            }
        )
        consumer.subscribe([self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost)
        return consumer

    def _step(self) -> None:
        messages = self._consumer.consume(_AT_ONCE, timeout=_POLL_S)
        self.moved_s = time.monotonic()
        try:
            if self._compactor.failure is not None:
                raise self._compactor.failure
            if self._is_to_open:
                # What was read before the assignment, in the same call, comes again.
                self._open()
                return
            self._take(messages)
            self._write(self._due())
        except Overtaken as told:
            log.warning("another process has archived %s: going on after what it wrote", told)
            self._open()
        if self.moved_s - self._lag_told_s > _LAG_S:
            self._tell_lag()

    # -- partitions come and go -----------------------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned = sorted(place.partition for place in partitions)
        log.info("assigned partitions %s", self._assigned or "none")
        self._is_to_open = True
        # Nothing is fetched until the archive has said from where.
        consumer.assign([])

    def _on_revoke(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        try:
            self._write(list(self._writers))
        except Overtaken as told:
            log.warning("another process has archived %s meanwhile", told)
        self._close(consumer)

    def _on_lost(self, consumer: Consumer, _: list[TopicPartition]) -> None:
        self._close(consumer)

    def _close(self, consumer: Consumer) -> None:
        self._writers, self._assigned, self._is_to_open = {}, [], False
        self._metrics.forget()
        consumer.unassign()

    def _open(self) -> None:
        """Continue every assigned partition where its archive ends; what waits in memory is read again."""
        self._is_to_open = False
        self._check_topic()
        self._consumer.unassign()
        self._writers = {number: self._writer(number) for number in self._assigned}
        places = [TopicPartition(self._topic, number, each.next_offset) for number, each in self._writers.items()]
        self._consumer.assign(places)
        for number, writer in self._writers.items():
            log.info("partition %d is archived from offset %d on", number, writer.next_offset)
            self._compactor.look_at(number)

    def _writer(self, number: int) -> PartitionWriter:
        last = last_file(self._store, self._topic, number)
        place = TopicPartition(self._topic, number)
        first, end = self._consumer.get_watermark_offsets(place, timeout=_ASK_S)
        position = first if last is None else last.footer.next_offset
        gaps: tuple[tuple[int, int], ...] = ()
        if position > end:
            raise ArchiveFailed(
                f"{self._topic}/{number} ends at offset {end}, but its archive ends at {position}: the topic has lost"
                " its end. Restore it, or archive it elsewhere (ENCORE_ARCHIVE)"
            )
        if position < first:
            gaps = self._accepted(number, position, first)
        stream_time_ms = -1 if last is None else last.footer.stream_time_ms
        return PartitionWriter(
            self._store,
            self._topic,
            self._source.topic_id,
            number,
            position,
            stream_time_ms,
            gaps,
            self._check_topic,
            self._note,
            self._pseudonymizer,
        )

    def _accepted(self, number: int, position: int, first: int) -> tuple[tuple[int, int], ...]:
        gap = (
            f"Kafka has forgotten offsets {position} to {first - 1} of {self._topic}/{number}, and no archive has them"
        )
        if not self._accept_gap:
            raise ArchiveFailed(
                f"{gap}. Nothing can bring them back: `encore archive --accept-gap` goes on at offset {first} and notes"
                " the gap in the archive. Keep more in Kafka than an archiver is ever away (retention.ms)"
            )
        log.warning("%s: going on, and noting it", gap)
        return ((position, first),)

    # -- records --------------------------------------------------------------------------------------------

    def _take(self, messages: list[Message]) -> None:
        by_partition: dict[int, list[Any]] = {}
        for message in messages:
            error = message.error()
            if error is None:
                by_partition.setdefault(message.partition(), []).append(message)
            elif error.code() not in _PASSING:
                raise ArchiveFailed(f"{self._topic}/{message.partition()}: {error.str()}")
        for number, some in by_partition.items():
            if number in self._writers:
                self._writers[number].take(some)

    def _due(self) -> list[int]:
        """The partitions whose file is old or large enough; and the largest while all take too much memory."""
        settings, writers = self._settings, self._writers
        most = settings.archive_file_mib * _MIB
        due = [
            number
            for number, each in writers.items()
            if each.waits_s >= settings.archive_file_s or each.waiting_bytes >= most
        ]
        if sum(each.waiting_bytes for each in writers.values()) >= settings.archive_memory_mib * _MIB:
            due.append(max(writers, key=lambda number: writers[number].waiting_bytes))
        return due

    def _write(self, numbers: Collection[int]) -> None:
        for number in numbers:
            self._writers[number].write()

    def _check_topic(self) -> None:
        """Raise `ArchiveFailed` if the topic was made anew or, under pseudonyms, has grown. Called after records were
        read, so they are of this one."""
        now = source_of(self._view.topic_there(self._topic), self._pseudonyms)
        if now != self._source:
            check_fits(self._store, self._topic, now)

    def _note(self, wrote: Wrote) -> None:
        self._metrics.note_file(wrote.partition, wrote.records, wrote.size_bytes)
        if wrote.begins_day:
            self._compactor.look_at(wrote.partition)
        log.info("partition %d: %d records to a file of %s", wrote.partition, wrote.records, wrote.day)

    def _tell_lag(self) -> None:
        self._lag_told_s = self.moved_s
        for number, writer in self._writers.items():
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), cached=True)
            self._metrics.note_lag(number, max(0, end - writer.position), writer.waits_s)


class _Compactor:
    """Makes one file of days that are over, in a thread of its own, so that reading goes on."""

    def __init__(self, store: Store, topic: str, metrics: ArchiveMetrics) -> None:
        self.failure: ArchiveFailed | None = None
        self._store, self._topic, self._metrics = store, topic, metrics
        self._asked: queue.Queue[int | None] = queue.Queue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="compactor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def look_at(self, partition: int) -> None:
        self._asked.put(partition)

    def stop(self) -> None:
        """End after the partition that is worked on."""
        self._stopped.set()
        self._asked.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _work(self) -> None:
        while (partition := self._asked.get()) is not None and not self._stopped.is_set():
            try:
                done = compact(self._store, self._topic, partition)
            except ArchiveFailed as problem:
                self.failure = problem
                return
            if done.made or done.gone:
                self._metrics.compacted_files.inc(done.gone)
                log.info(
                    "partition %d: %d files of days that are over became %d",
                    partition,
                    done.gone + done.made,
                    done.made,
                )
