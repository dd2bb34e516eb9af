"""Writes records to Kafka, and tells when it has them.

Owns the producer and the thread that calls it: its calls block. The producer is idempotent and waits for all replicas
that are in sync, so what is told to be written is there, once.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, Producer

from models.sources.posted import Posted
from streams.config.kafka_security import Heard, KafkaAddress
from streams.kafka.topics import LARGEST_MESSAGE_BYTES
from streams.observability.logs import LIBRDKAFKA

_TURN_S, _IDLE_S = 0.005, 0.2
_ASKED_S = 4.0
_LINGER_MS = 10


class Write:
    """The records of one request. `error`: of the first one that Kafka does not have; None: it has all."""

    __slots__ = ("_done", "_left", "answer", "error", "received_ms", "records", "topic")

    def __init__(
        self, topic: str, records: Sequence[Posted], received_ms: int, answer: asyncio.Future[KafkaError | None]
    ) -> None:
        self.topic, self.records, self.received_ms, self.answer = topic, records, received_ms, answer
        self.error: KafkaError | None = None
        self._left = len(records)
        self._done: list[Write] = []

    def begin(self, done: list[Write]) -> None:
        """Put this into `done` once the last record is told of."""
        self._done = done

    def delivered(self, error: KafkaError | None, _: object = None) -> None:
        """Note that a record was delivered, or was not."""
        self._left -= 1
        if error is not None and self.error is None:
            self.error = error
        if not self._left:
            self._done.append(self)


class CollectWriter:
    """Writes until `stop`. `failed`, called in the thread, says why nothing can be written any more."""

    def __init__(self, kafka: KafkaAddress, timeout_s: float, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._heard = Heard()
        self._waiting: queue.SimpleQueue[Write] = queue.SimpleQueue()
        self._done: list[Write] = []
        self._open = 0
        self._is_stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._producer = Producer(
            {
                **kafka.for_librdkafka(),
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2",
                "linger.ms": _LINGER_MS,
                "message.timeout.ms": int(timeout_s * 1000),
                "message.max.bytes": LARGEST_MESSAGE_BYTES,
                "queue.buffering.max.messages": 1_000_000,
                "queue.buffering.max.kbytes": 1_048_576,
                "socket.timeout.ms": 10_000,
                "error_cb": self._heard,
                "log_level": 2,
                "logger": logging.getLogger(LIBRDKAFKA),
            }
        )

    def start(self) -> None:
        """Begin; the answers are given in the event loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def write(self, topic: str, records: Sequence[Posted], received_ms: int) -> asyncio.Future[KafkaError | None]:
        """Write records, at least one, with this timestamp. The answer comes once Kafka has them all, or not."""
        assert self._loop is not None
        answer: asyncio.Future[KafkaError | None] = self._loop.create_future()
        self._waiting.put(Write(topic, records, received_ms, answer))
        return answer

    def why_away(self, topics: Sequence[str]) -> str:
        """Why records of these topics cannot be written now; empty if they can. Blocks for seconds."""
        for topic in topics:
            try:
                found = self._producer.list_topics(topic, timeout=_ASKED_S).topics[topic]
            except KafkaException as problem:
                return f"Kafka does not answer: {self._heard.refusal or problem.args[0].str()}"
            if found.error is not None:
                return f"topic {topic}: {found.error.str()}"
        return ""

    def stop(self) -> None:
        """End once all that was given is told of. Blocks."""
        self._is_stopping = True
        self._thread.join()

    # -- in the thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._open or not self._is_stopping or not self._waiting.empty():
                self._poll()
        except Exception as problem:
            self._failed(f"the writer ended: {problem!r}")

    def _poll(self) -> None:
        """Pass on what waits, then let librdkafka tell what became of what it has."""
        with suppress(queue.Empty):
            self._produce(self._waiting.get(not self._open, _IDLE_S))
            while True:
                self._produce(self._waiting.get_nowait())
        self._producer.poll(_TURN_S if self._open else 0)
        if self._done:
            done = self._done.copy()
            self._done.clear()
            self._open -= len(done)
            self._notify(done)

    def _produce(self, write: Write) -> None:
        self._open += 1
        write.begin(self._done)
        for record in write.records:
            try:
                self._produce_one(write, record)
            except KafkaException as problem:
                write.delivered(problem.args[0])

    def _produce_one(self, write: Write, record: Posted) -> None:
        while True:
            try:
                self._producer.produce(
                    write.topic, record.value, record.key, timestamp=write.received_ms, on_delivery=write.delivered
                )
                return
            except BufferError:
                self._producer.poll(_TURN_S)

    def _notify(self, done: list[Write]) -> None:
        for write in done:
            if write.error is not None and write.error.fatal():
                self._failed(f"Kafka's client cannot go on: {write.error.str()}")
        assert self._loop is not None
        # The loop is closed where the process ends without waiting.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_answer, done)


def _answer(done: list[Write]) -> None:
    for write in done:
        if not write.answer.done():
            write.answer.set_result(write.error)
