"""Kafka transactions of one partition: everything that a checkpoint writes, or nothing of it.

Owns one librdkafka transactional producer, and what to do if it fails (the design, section 4: checkpoints). Every
method blocks: call them in a thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.config.failpoints import Failpoint, reached
from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.topics import LARGEST_MESSAGE_BYTES
from streams.observability.logs import LIBRDKAFKA

log = logging.getLogger(__name__)

ATTEMPTS = 3
_CALL_S = 10.0


class CheckpointFailed(Exception):
    """A checkpoint could not be written; nothing of it is in the topics. The process must end."""


class Fenced(CheckpointFailed):
    """Another worker owns the partition now; this one must not write, publish or acknowledge any more."""


class Kept(NamedTuple):
    """A record set aside, as it is to be written: original key and value, and headers."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Batch(NamedTuple):
    """One checkpoint's messages: changelog messages of one partition, and records set aside."""

    state: list[dict[str, Any]]
    kept: Sequence[Kept]


class TransactionalWriter:
    """Writes a partition's checkpoints, each in one transaction; fences any writer before it."""

    def __init__(
        self, kafka: KafkaAddress, transactional_id: str, topic: str, partition: int, timeout_s: float
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.timeout_s = timeout_s
        self.name = transactional_id
        self._producer = Producer(
            {
                **kafka.for_librdkafka(),
                "transactional.id": transactional_id,
                "transaction.timeout.ms": int(timeout_s * 1000),
                "linger.ms": 5,
                "batch.size": 1_000_000,
                "message.max.bytes": LARGEST_MESSAGE_BYTES,
                "queue.buffering.max.messages": 2_000_000,
                "queue.buffering.max.kbytes": 1_000_000,
                "delivery.report.only.error": True,
                # A broker that is frozen answers nothing: what waits for it goes to its successor.
                "socket.timeout.ms": 10_000,
                "log_level": 2,
                "logger": logging.getLogger(LIBRDKAFKA),
            }
        )

    @classmethod
    def of(cls, settings: Settings, partition: int) -> TransactionalWriter:
        """The writer of a partition of the state: whoever has it open last, writes."""
        name = f"{settings.app_id}-{partition}"
        return cls(settings.kafka_address, name, settings.state_topic, partition, settings.transaction_timeout_s)

    def open(self) -> None:
        """Fence the partition's former owner and end what it left open. Raises `CheckpointFailed`."""
        self._persist("init_transactions", lambda: self._producer.init_transactions(_CALL_S))

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction; returns when it is committed. Raises `CheckpointFailed`."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._producer.begin_transaction()
                self._send(batch)
                self._persist("commit", lambda: self._producer.commit_transaction(_CALL_S))
                return
            except KafkaException as problem:
                error = _error_of(problem)
                if not error.txn_requires_abort() or attempt == ATTEMPTS:
                    raise self._failure("checkpoint", error) from None
                log.warning("checkpoint of %s aborted and sent again: %s", self.name, error.str())
                self._persist("abort", lambda: self._producer.abort_transaction(_CALL_S))

    def close(self) -> None:
        """Close the producer without waiting."""
        self._producer.purge()
        self._producer.close()

    def _send(self, batch: Batch) -> None:
        half = len(batch.state) // 2
        self._send_state(batch.state[:half])
        reached(Failpoint.WRITTEN, prepare=self._producer.flush)
        self._send_state(batch.state[half:])
        for kept in batch.kept:
            self._produce(kept)
        self._producer.poll(0)

    def _send_state(self, remaining: list[dict[str, Any]]) -> None:
        while remaining:
            self._producer.produce_batch(self.topic, remaining, partition=self.partition)
            refused = [(message.pop("_error"), message) for message in remaining if "_error" in message]
            for error, _ in refused:
                if error.code() != KafkaError._QUEUE_FULL:
                    raise KafkaException(error)
            remaining = [message for _, message in refused]
            if remaining:
                self._producer.poll(0.1)

    def _produce(self, kept: Kept) -> None:
        while True:
            try:
                self._producer.produce(kept.topic, kept.value, kept.key, headers=kept.headers)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _persist(self, what: str, call: Any) -> None:
        """Repeat a call whose outcome is unknown until it is known, at most the transaction's timeout."""
        end = time.monotonic() + self.timeout_s
        while True:
            try:
                call()
                return
            except KafkaException as problem:
                error = _error_of(problem)
                if error.txn_requires_abort() and what == "commit":
                    raise
                if not error.retriable() or time.monotonic() > end:
                    raise self._failure(what, error) from None
                log.warning("%s of %s is tried again: %s", what, self.name, error.str())

    def _what_was_fatal(self) -> KafkaError | None:
        """A call that fails of it may say no more than that it was; the client raises it whole where it polls."""
        try:
            self._producer.poll(0)
        except KafkaException as problem:
            return _error_of(problem)
        return None

    def _failure(self, what: str, error: KafkaError) -> CheckpointFailed:
        if error.code() == KafkaError._FATAL:
            error = self._what_was_fatal() or error
        fenced = error.code() in (
            KafkaError._FENCED,
            KafkaError.PRODUCER_FENCED,
            KafkaError.INVALID_PRODUCER_EPOCH,
        )
        said = f"{what} of {self.name} failed: {error.str()} ({error.name()})"
        if fenced:
            return Fenced(f"another worker owns the partition by now, this one wrote nothing more; restart it. {said}")
        return CheckpointFailed(said)


def _error_of(problem: KafkaException) -> KafkaError:
    error: KafkaError = problem.args[0]
    return error
