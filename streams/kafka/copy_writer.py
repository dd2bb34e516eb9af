"""Writes copies of records, and how far they were read, in transactions: each record is copied once or not at all.

Owns the producer. A copier that was killed, or frozen, is fenced by the next one, which goes on where the last
transaction that was committed has ended. Every method blocks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from streams.config.kafka_security import KafkaAddress
from streams.kafka.transactional_producer import CALL_S, FENCED, UNREPEATED_S, transactional_producer

_AGAIN = "nothing is lost or copied twice: run it again to continue"


class CopyFailed(Exception):
    """The last transaction is not known to be committed: all of it is, or nothing. The message says what to do."""


class CopyWriter:
    """Copies records into `topic`. `name`: of the transactional id, and of the group whose offsets are the progress.

    `committed` returns the progress that Kafka has, by partition of the topic that is read.
    """

    def __init__(
        self, kafka: KafkaAddress, name: str, topic: str, timeout_s: float, committed: Callable[[], Mapping[int, int]]
    ) -> None:
        self.name, self.topic = name, topic
        self._kafka, self._timeout_s, self._committed = kafka, timeout_s, committed
        self._group = Consumer({**kafka.for_librdkafka(), "group.id": name, "enable.auto.commit": False})
        self._is_open = self._is_fenced = False
        self._producer = self._new_producer()

    def _new_producer(self) -> Producer:
        options: dict[str, Any] = {
            "partitioner": "murmur2",
            "linger.ms": 20,
            "batch.size": 500_000,
            "queue.buffering.max.messages": 200_000,
            "queue.buffering.max.kbytes": 262_144,
        }
        return transactional_producer(self._kafka, self.name, self._timeout_s, options)

    def open(self) -> None:
        """Fence every earlier writer of this name. Only then the progress is final."""
        self._persist("init_transactions", lambda: self._producer.init_transactions(CALL_S))

    def send(self, message: Any) -> None:
        """Copy a message: key, value, headers and timestamp, into the partition that Java's producer would choose."""
        if not self._is_open:
            self._begin()
        # librdkafka takes 0 for "now", which would move the time of a partition by decades.
        timestamp_ms = message.timestamp()[1] or 1
        key, value, headers = message.key(), message.value(), message.headers()
        while True:
            try:
                self._producer.produce(self.topic, value, key, headers=headers, timestamp=timestamp_ms)
                return
            except BufferError:
                self._producer.poll(0.05)
            except KafkaException as problem:
                raise self._failure("copy", problem.args[0]) from None

    def _begin(self) -> None:
        self._call("begin", self._producer.begin_transaction)
        self._is_open = True

    def commit(self, read: Mapping[int, int], places: Iterable[TopicPartition]) -> None:
        """Commit what was sent, together with these places, which say the progress: `read`, and what goes with it."""
        if not self._is_open:
            self._begin()
        places = list(places)
        metadata = self._group.consumer_group_metadata()
        self._persist("offsets", lambda: self._producer.send_offsets_to_transaction(places, metadata, CALL_S))
        self._call("flush", lambda: self._producer.flush(CALL_S))
        begun_s = time.monotonic()
        tries = self._persist("commit", lambda: self._producer.commit_transaction(CALL_S))
        self._is_open = False
        if tries > 1 or time.monotonic() - begun_s >= UNREPEATED_S:
            self._renew(read)

    def _renew(self, read: Mapping[int, int]) -> None:
        """Go on in a new epoch: a commit that was repeated may come late, and end a later transaction (decision 20)."""
        former, self._producer = self._producer, self._new_producer()
        self.open()
        former.purge()
        # Another copier may have gone on meanwhile, and was fenced just now.
        if self._committed() != read:
            raise CopyFailed(f"another `encore repartition` of {self.topic} has taken over")

    def close(self) -> None:
        """Close the connections; what is not committed is aborted."""
        self._producer.purge()
        # Closing a producer aborts its transaction, which is not a fenced one's to end any more.
        if not self._is_fenced:
            self._producer.close()
        self._group.close()

    def _persist(self, what: str, call: Callable[[], object]) -> int:
        """Repeat a call until its outcome is known, for at most the transaction's timeout. Returns how many it took."""
        end, tries = time.monotonic() + self._timeout_s, 0
        while True:
            tries += 1
            try:
                call()
                return tries
            except KafkaException as problem:
                error = problem.args[0]
                if error.txn_requires_abort() or not error.retriable() or time.monotonic() > end:
                    raise self._failure(what, error) from None

    def _call(self, what: str, call: Callable[[], object]) -> None:
        try:
            call()
        except KafkaException as problem:
            raise self._failure(what, problem.args[0]) from None

    def _failure(self, what: str, error: KafkaError) -> CopyFailed:
        if error.code() in FENCED:
            self._is_fenced = True
            return CopyFailed(f"another `encore repartition` of {self.topic} has taken over")
        return CopyFailed(f"topic {self.topic}: {what} failed: {error.str()} ({error.name()}); {_AGAIN}")
