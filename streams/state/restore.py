"""Restores a partition's state from its changelog, up to the last stable offset.

Owns the reading; the keys' meaning is in `streams.state.changelog`. Every function blocks: call them in a thread. It
must not know Faust or Redis.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from typing import Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from models.fold import Fold
from streams.config.failpoints import Failpoint, reached
from streams.config.kafka_security import KafkaAddress
from streams.kafka.last_record import state_consumer
from streams.kafka.topics import REMEDY
from streams.state.changelog import Restored, StateError

_BATCH = 10_000
_BATCH_S = 0.05
_CALL_S = 10.0


class ReadState(Protocol):
    """Takes the records of a changelog."""

    def add(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Add records, as keys and values; None is a tombstone. Raises `StateError`."""

    def finish(self) -> None:
        """Finish, after all records were added. Raises `StateError`."""


def restore(kafka: KafkaAddress, topic: str, partition: int, fold: Fold, *, timeout_s: float) -> Restored:
    """Read a changelog partition into a fold, up to its present end. Raises what `read_state` does."""
    restored = Restored(fold)
    read_state(kafka, topic, partition, restored, timeout_s=timeout_s)
    return restored


def read_state(
    kafka: KafkaAddress, topic: str, partition: int, restored: ReadState, *, timeout_s: float, remedy: str = REMEDY
) -> None:
    """Read a changelog partition, up to its present end. `remedy`: what helps where its records are gone.

    Raises `StateError` after any error, after `timeout_s` seconds without a record, and if the changelog lost its
    beginning (compaction alone leaves a partition's first offset at 0). Call it after the former owner is fenced;
    otherwise it may miss that owner's last transaction.
    """
    reader = _reader(kafka)
    try:
        first, end = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=_CALL_S, cached=False)
        if first > 0:
            raise StateError(f"{topic}/{partition} lost its records before offset {first}; {remedy}")
        reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING)])
        _read_to_end(reader, restored, end, f"{topic}/{partition}", timeout_s)
        _finish(restored, f"{topic}/{partition}")
    except KafkaException as problem:
        raise _unreadable(f"{topic}/{partition}", problem.args[0], remedy) from None
    finally:
        reader.close()
        _return_memory()


def _finish(restored: ReadState, where: str) -> None:
    try:
        restored.finish()
    except StateError as problem:
        raise StateError(f"{where}: {problem}") from None


def _return_memory() -> None:
    """Return the memory of the reader's queues to the system: the C library would keep it, for no further use."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _unreadable(where: str, error: KafkaError, remedy: str) -> StateError:
    if error.code() in (KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART):
        return StateError(f"{where} is gone: the topic was deleted; {remedy}")
    return StateError(f"{where} cannot be read: {error.str()}")


def _reader(kafka: KafkaAddress) -> Consumer:
    return state_consumer(
        kafka,
        {
            # When this much is queued, librdkafka pauses: by default for a second, which is most of a restore.
            "queued.min.messages": 20_000,
            "queued.max.messages.kbytes": 32_768,
            "fetch.queue.backoff.ms": 5,
            "max.partition.fetch.bytes": 4_194_304,
        },
    )


def _read_to_end(reader: Consumer, restored: ReadState, end: int, where: str, timeout_s: float) -> None:
    at, last_progress = 0, time.monotonic()
    while at < end:
        messages = reader.consume(_BATCH, timeout=_BATCH_S)
        rows = [(message.key(), message.value()) for message in messages if message.error() is None]
        for message in messages:
            error = message.error()
            if error is None:
                continue
            if error.code() != KafkaError._PARTITION_EOF:
                raise StateError(f"{where} cannot be read at offset {message.offset()}: {error.str()}")
            at = max(at, message.offset())
        restored.add(rows)
        if rows:
            reached(Failpoint.RESTORING)
            last_progress = time.monotonic()
        elif at < end and time.monotonic() - last_progress > timeout_s:
            raise StateError(f"{where} gave no record for {timeout_s:g} s before its end {end}: restart the worker")
