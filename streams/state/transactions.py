"""Kafka transactions of one partition: everything that a checkpoint writes, or nothing of it.

Owns the partition's librdkafka transactional producer, and what to do if it fails (the design, section 4: checkpoints).
Every method blocks: call them in a thread.

After a commit that may have been repeated the next transaction is made by a new producer
(`streams.kafka.transactional_producer`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.config.failpoints import Failpoint, reached
from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.last_record import LastRecord, last_record
from streams.kafka.reader import CannotRead
from streams.kafka.transactional_producer import CALL_S, FENCED, UNREPEATED_S, transactional_producer
from streams.state.refused_record import REFUSED, refused

log = logging.getLogger(__name__)

ATTEMPTS = 3
_WHO_FENCED_S = 3.0

_OWNED_BY_ANOTHER = "another worker owns the partition by now, this one wrote nothing more; restart it"
_FENCED_BY_NOBODY_SEEN = (
    "Kafka refused this producer, and no other worker has written since its last checkpoint: a request of its own came"
    " late, its transaction timed out, or another worker has just begun; it wrote nothing more; restart it"
)


class CheckpointFailed(Exception):
    """A checkpoint is not known to be committed: all of it is, or nothing. The process must end."""


class Fenced(CheckpointFailed):
    """Another worker owns the partition now; this one must not write, publish or acknowledge any more."""


class RecordRefused(CheckpointFailed):
    """Kafka refused a record of the checkpoint. Nothing of it is written, nor would it be if it were tried at once."""


class SideRecord(NamedTuple):
    """A record for a side topic, as it will be written."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class CheckpointBatch(NamedTuple):
    """One checkpoint's messages: one partition's changelog messages, the position last, and records for side topics.

    `sent`: further messages, by topic: key, value and timestamp in ms (above 0). Each goes to its key's partition.
    """

    state: list[dict[str, Any]]
    kept: Sequence[SideRecord]
    sent: Mapping[str, Sequence[tuple[bytes, bytes, int]]] = MappingProxyType({})


class TransactionalWriter:
    """Writes a partition's checkpoints, each in one transaction. Fences every earlier writer.

    `on_renewed` is called whenever a new producer has taken over. Different writers must write different positions: a
    writer recognizes the last committed record as its own by its value. `partitioner`: that of all other topics, by
    librdkafka's name for it.
    """

    def __init__(
        self,
        kafka: KafkaAddress,
        transactional_id: str,
        topic: str,
        partition: int,
        timeout_s: float,
        on_renewed: Callable[[], None] = lambda: None,
        *,
        partitioner: str = "consistent_random",
    ) -> None:
        self.topic = topic
        self.partition = partition
        self.timeout_s = timeout_s
        self.name = transactional_id
        self._kafka, self._partitioner = kafka, partitioner
        self._on_renewed = on_renewed
        self._may_come_late = False
        self._is_fenced = False
        # The values that the state's last record may have while nobody else writes: those of the last two checkpoints,
        # and of the one being written. A commit is answered before its records can be read.
        self._own: tuple[bytes | None, ...] = (None,)
        self._producer = self._new_producer()

    def _new_producer(self) -> Producer:
        options: dict[str, Any] = {
            "partitioner": self._partitioner,
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 1_000_000,
        }
        return transactional_producer(self._kafka, self.name, self.timeout_s, options)

    @classmethod
    def of(
        cls, settings: Settings, partition: int, on_renewed: Callable[[], None] = lambda: None
    ) -> TransactionalWriter:
        """The writer of a partition of the state. The last one that was opened may write."""
        name = f"{settings.app_id}-{partition}"
        timeout_s = settings.transaction_timeout_s
        return cls(settings.kafka_address, name, settings.state_topic, partition, timeout_s, on_renewed)

    def open(self) -> None:
        """Fence the partition's former owner, and abort a transaction that it left open. Raises `CheckpointFailed`."""
        self._persist("init_transactions", lambda: self._producer.init_transactions(CALL_S))

    def continue_from(self, last: bytes | None) -> None:
        """Say with which value the state ends (None: it is empty). Call it after `open`, before the first `write`."""
        self._own = (last,)

    def write(self, batch: CheckpointBatch) -> None:
        """Write a batch in one transaction; returns when it is committed.

        Raises `CheckpointFailed`; then do not write with this writer any more.
        """
        position = batch.state[-1]["value"]
        self._own = (*self._own[-2:], position)
        for attempt in range(1, ATTEMPTS + 1):
            if self._may_come_late and self._renew() == position:
                break
            try:
                self._write_once(batch)
                break
            except KafkaException as problem:
                error = _error_of(problem)
                if error.code() in REFUSED:
                    self._abort()
                    raise RecordRefused(refused(batch, self.topic, self.partition, error)) from None
                if not error.txn_requires_abort() or attempt == ATTEMPTS:
                    raise self._failure("checkpoint", error) from None
                log.warning("checkpoint of %s is written again by a new producer: %s", self.name, error.str())

    def _write_once(self, batch: CheckpointBatch) -> None:
        self._may_come_late = True
        self._producer.begin_transaction()
        self._send(batch)
        # After the flush, the commit is a single request, and its duration shows whether it was repeated.
        _served(lambda: self._producer.flush(CALL_S))
        begun_s = time.monotonic()
        tries = self._persist("commit", lambda: self._producer.commit_transaction(CALL_S))
        self._may_come_late = tries > 1 or time.monotonic() - begun_s >= UNREPEATED_S

    def _abort(self) -> None:
        """End the transaction: readers of its topics wait for that. If it fails, Kafka ends it after its timeout."""
        self._producer.purge()
        try:
            self._producer.abort_transaction(CALL_S)
        except KafkaException as problem:
            log.warning("the transaction of %s is not aborted yet: %s", self.name, _error_of(problem).str())

    def _renew(self) -> bytes | None:
        """Replace the producer; the new one aborts what the former one left open. Returns the last committed value.

        Raises `Fenced` if another worker has written. That is checked twice: before the new epoch, which would fence
        that worker, and after it, when no earlier producer can write any more.
        """
        begun_s = time.monotonic()
        self._check_the_end_is(self._own)
        former, self._producer = self._producer, self._new_producer()
        self._persist("init_transactions", lambda: self._producer.init_transactions(CALL_S))
        # Not closed: closing would send another request to end its transaction.
        former.purge()
        last = self._check_the_end_is(self._own[-2:])
        self._may_come_late = False
        log.info("%s goes on with a new producer, made in %.0f ms", self.name, (time.monotonic() - begun_s) * 1000)
        self._on_renewed()
        return last

    def _check_the_end_is(self, own: tuple[bytes | None, ...]) -> bytes | None:
        last = self._last_record(self.timeout_s)
        if _value_of(last) not in own:
            at = "gone" if last is None else f"at offset {last.offset}"
            self._is_fenced = True
            raise Fenced(f"{_OWNED_BY_ANOTHER}. The end of {self.topic}/{self.partition} is not its own: {at}")
        return _value_of(last)

    def _last_record(self, within_s: float) -> LastRecord | None:
        try:
            return last_record(self._kafka, self.topic, self.partition, within_s)
        except CannotRead as problem:
            raise CheckpointFailed(f"{self.name}: {problem}") from None

    def close(self) -> None:
        """Close the producer without waiting."""
        self._producer.purge()
        # Closing a producer aborts its transaction, which is not a fenced one's to end any more.
        if not self._is_fenced:
            self._producer.close()

    def _send(self, batch: CheckpointBatch) -> None:
        for topic, messages in batch.sent.items():
            self._send_by_key(topic, messages)
        half = len(batch.state) // 2
        self._send_state(batch.state[:half])
        reached(Failpoint.WRITTEN, prepare=self._producer.flush)
        self._send_state(batch.state[half:-1])
        # Sent separately: if the queue is full, messages are sent again, and the position must be the last one.
        self._send_state(batch.state[-1:])
        for kept in batch.kept:
            self._produce(kept)
        _served(lambda: self._producer.poll(0))

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

    def _produce(self, kept: SideRecord) -> None:
        while True:
            try:
                self._producer.produce(kept.topic, kept.value, kept.key, headers=kept.headers)
                return
            except BufferError:
                self._producer.poll(0.1)

    def _send_by_key(self, topic: str, messages: Sequence[tuple[bytes, bytes, int]]) -> None:
        # One by one: a batch takes no timestamps.
        produce = self._producer.produce
        for key, value, timestamp_ms in messages:
            while True:
                try:
                    produce(topic, value, key, timestamp=timestamp_ms)
                    break
                except BufferError:
                    self._producer.poll(0.1)

    def _persist(self, what: str, call: Callable[[], object]) -> int:
        """Repeat a call until its outcome is known, for at most the transaction's timeout. Returns how many it took."""
        end, tries = time.monotonic() + self.timeout_s, 0
        while True:
            tries += 1
            try:
                call()
                return tries
            except KafkaException as problem:
                error = _error_of(problem)
                if error.txn_requires_abort() and what == "commit":
                    raise
                if not error.retriable() or time.monotonic() > end:
                    raise self._failure(what, error) from None
                log.warning("%s of %s is tried again: %s", what, self.name, error.str())

    def _what_was_fatal(self) -> KafkaError | None:
        """The fatal error itself: a failed call may only say that there was one; polling raises it."""
        try:
            _served(lambda: self._producer.poll(0))
        except KafkaException as problem:
            return _error_of(problem)
        return None

    def _failure(self, what: str, error: KafkaError) -> CheckpointFailed:
        if error.code() == KafkaError._FATAL:
            error = self._what_was_fatal() or error
        said = f"{what} of {self.name} failed: {error.str()} ({error.name()})"
        if error.code() not in FENCED:
            return CheckpointFailed(said)
        self._is_fenced = True
        return Fenced(f"{self._who_fenced()}. {said}")

    def _who_fenced(self) -> str:
        """A message that says who fenced this producer, judged by the last record in the state."""
        try:
            is_own = _value_of(self._last_record(_WHO_FENCED_S)) in self._own
        except CheckpointFailed:
            is_own = False
        return _FENCED_BY_NOBODY_SEEN if is_own else _OWNED_BY_ANOTHER


def _value_of(record: LastRecord | None) -> bytes | None:
    return None if record is None else record.value


def _served(call: Callable[[], object]) -> None:
    """Make a call in which the client also emits log lines. A line after a fatal error hides that error's exception
    behind a `SystemError`; raise the exception itself."""
    try:
        call()
    except SystemError as problem:
        if isinstance(problem.__cause__, KafkaException):
            raise problem.__cause__ from None
        raise


def _error_of(problem: KafkaException) -> KafkaError:
    error: KafkaError = problem.args[0]
    return error
