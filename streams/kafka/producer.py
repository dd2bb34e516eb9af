"""The open-loop sender: records go out when they are due, however slowly the broker answers.

Owns pacing, the producer and the count of delivered records. If sending falls behind (a slow broker, a busy machine),
it catches up without leaving anything out, and reports how far it was behind.
"""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.config.kafka_security import KafkaAddress


class Outgoing(NamedTuple):
    """One record to send at `due_ms` of the simulated clock; the record's timestamp is the same time."""

    due_ms: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int


Pace = Callable[[int, Outgoing], float]
"""Returns at how many seconds after the start record number n (from 0) must be sent."""

Progress = Callable[[int, float, float], None]
"""Called about every `PROGRESS_S` seconds: records sent, seconds since the start, seconds behind."""

PROGRESS_S = 0.1
POLL_EVERY = 1000
FLUSH_S = 0.5
PRODUCER_OPTIONS = {
    "partitioner": "murmur2_random",
    "enable.idempotence": True,
    "queue.buffering.max.messages": 500_000,
    "message.timeout.ms": 120_000,
    # If one of several brokers is frozen, librdkafka polls without a pause until it gives up the requests to it.
    "socket.timeout.ms": 10_000,
    "log_level": 0,
}


class SendFailed(Exception):
    """Records were not delivered. The message says how many and why."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent and delivered. `behind_s`: the largest delay of a record after its time, in seconds."""

    events: int
    elapsed_s: float
    behind_s: float
    last_timestamp_ms: int
    interrupted: bool


def by_speed(speed: float, origin_ms: int) -> Pace:
    """A pace of `speed` seconds of the simulated clock, which starts at `origin_ms`, per real second."""
    return lambda number, item: (item.due_ms - origin_ms) / 1000 / speed


def by_rate(events_per_s: float) -> Pace:
    """A pace of `events_per_s` records per second, whatever the simulated clock says."""
    return lambda number, item: number / events_per_s


def at_once(number: int, item: Outgoing) -> float:
    """A pace as fast as the broker accepts records."""
    return 0.0


def send(
    items: Iterable[Outgoing],
    kafka: KafkaAddress,
    topic: str,
    pace: Pace = at_once,
    *,
    for_s: float | None = None,
    stamp: bool = True,
    progress: Progress | None = None,
    largest_bytes: int = 1_000_000,
    linger_ms: int = 100,
) -> Sent:
    """Send the records that are due within `for_s` seconds (None: all), then wait until all are delivered.

    `stamp`: write into the events' `sent_time_ms` when they should be sent. `largest_bytes`: the largest record that is
    tried. `linger_ms`: how long a record may wait for others; with 20 instead of 100, some hundred records a second
    cost the broker three times as much. Ctrl-C ends it early and delivers what was sent; a second one does not wait for
    that. Raises `SendFailed`.
    """
    delivery = _Delivery(kafka, topic, {"message.max.bytes": largest_bytes, "linger.ms": linger_ms})
    items = _begun(items)
    # All households exist by now and stay: a collector that keeps walking them costs more than they do.
    gc.freeze()
    loop = OpenLoop(pace, delivery, progress)
    with _stopped_by_signals(loop):
        loop.run(items, for_s, stamp)
        delivery.finish(lambda: loop.stops > 1)
    loop.report()
    return Sent(loop.sent, loop.elapsed_s, loop.behind_s, loop.last_timestamp_ms, loop.stopped)


@contextmanager
def _stopped_by_signals(loop: OpenLoop) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM end the run between two records: an exception in a producer's call breaks it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, loop.stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _begun(items: Iterable[Outgoing]) -> Iterator[Outgoing]:
    """The items, with the first one already made: the time that this takes must not count as falling behind."""
    rest = iter(items)
    return chain(list(islice(rest, 1)), rest)


class Delivery(Protocol):
    """Accepts records. A call that takes long makes the loop fall behind."""

    def produce(self, key: bytes | None, value: bytes | None, timestamp_ms: int) -> None: ...

    def poll(self) -> None: ...


class OpenLoop:
    """One run: passes records to a delivery when they are due, and measures how far behind it was."""

    def __init__(self, pace: Pace, delivery: Delivery, progress: Progress | None) -> None:
        self._pace, self._delivery, self._progress = pace, delivery, progress
        self._began_s, self._began_wall_ms = time.monotonic(), int(time.time() * 1000)
        self._reported_s = 0.0
        self.sent, self.behind_s, self.last_timestamp_ms = 0, 0.0, 0
        self.stops = 0
        """How often it was told to end."""

    @property
    def stopped(self) -> bool:
        """Whether it was told to end."""
        return self.stops > 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began_s

    def stop(self, *_: object) -> None:
        """End the run before its next record. Safe to call from a signal handler."""
        self.stops += 1

    def run(self, items: Iterable[Outgoing], for_s: float | None, stamp: bool) -> None:
        """Send everything that is due within `for_s` seconds (None: everything)."""
        for item in items:
            intended_s = self._pace(self.sent, item)
            if for_s is not None and intended_s >= for_s:
                self._wait_until(for_s)
                return
            self._wait_until(intended_s)
            if self.stopped:
                return
            value = _stamped(item.value, self._began_wall_ms + int(intended_s * 1000)) if stamp else item.value
            self._delivery.produce(item.key, value, item.timestamp_ms)
            self.last_timestamp_ms = item.timestamp_ms
            self.sent += 1
            if self.sent % POLL_EVERY == 0:
                self._look_up(intended_s)

    def _wait_until(self, intended_s: float) -> None:
        while (left_s := intended_s - self.elapsed_s) > 0 and not self.stopped:
            time.sleep(min(left_s, PROGRESS_S))
            self._look_up(intended_s)
        if self._pace is not at_once:
            self.behind_s = max(self.behind_s, -left_s)

    def _look_up(self, intended_s: float) -> None:
        self._delivery.poll()
        if self.elapsed_s - self._reported_s >= PROGRESS_S:
            self.report(max(0.0, self.elapsed_s - intended_s) if self._pace is not at_once else 0.0)

    def report(self, behind_s: float = 0.0) -> None:
        """Report the run's progress."""
        self._reported_s = self.elapsed_s
        if self._progress:
            self._progress(self.sent, self.elapsed_s, behind_s)


class _Delivery:
    """A producer that remembers the first failure."""

    def __init__(self, kafka: KafkaAddress, topic: str, own_options: dict[str, int]) -> None:
        self._topic = topic
        self._failed, self._reason = 0, ""
        options = kafka.for_librdkafka() | PRODUCER_OPTIONS | own_options
        self._producer = Producer({**options, "on_delivery": self._delivered, "error_cb": self._error})

    def produce(self, key: bytes | None, value: bytes | None, timestamp_ms: int) -> None:
        while True:
            try:
                self._producer.produce(self._topic, value, key, timestamp=timestamp_ms)
                return
            except BufferError:
                self._producer.poll(0.05)
            except KafkaException as problem:
                raise SendFailed(f"Kafka topic {self._topic}: {problem.args[0].str()}") from None

    def poll(self) -> None:
        self._producer.poll(0)
        if self._failed:
            self.finish()

    def finish(self, is_abandoned: Callable[[], bool] = lambda: False) -> None:
        while self._producer.flush(FLUSH_S) and not is_abandoned():
            pass
        if self._failed:
            raise SendFailed(f"Kafka topic {self._topic}: {self._failed} records not delivered: {self._reason}")

    def _delivered(self, error: KafkaError | None, _: Any) -> None:
        if error is not None:
            self._failed += 1
            self._reason = self._reason or error.str()

    def _error(self, error: KafkaError) -> None:
        if error.fatal():
            self._failed += 1
            self._reason = error.str()


def _stamped(value: bytes | None, sent_time_ms: int) -> bytes | None:
    if value is None or not value.endswith(b"}"):
        return value
    return b'%s,"sent_time_ms":%d}' % (value[:-1], sent_time_ms)
