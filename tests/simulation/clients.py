"""Stand-ins for confluent_kafka's `Producer` and `Consumer` on the simulated network, as far as a worker uses them.

Owns what librdkafka does with a request whose answer is lost: it sends it again, in the same producer epoch. Every call
that waits must be made in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException
from log import BAD_STATE, CONCURRENT, FENCED, OK, OLD_EPOCH, Broker, Place, Sent
from loop import SimulatedLoop
from network import CUT, Network

_AGAIN_S = (0.8, 1.2)
_SOON_AGAIN_S = (0.02, 0.06)
_READ_AT_ONCE = 8


class Kafka(NamedTuple):
    """What clients need: the servers, the way to them, and the loop whose threads wait."""

    broker: Broker
    network: Network
    loop: SimulatedLoop


def _failed(code: int, reason: str, *, fatal: bool = False, retriable: bool = False, abort: bool = False) -> Exception:
    return KafkaException(KafkaError(code, reason, fatal, retriable, abort))


class Producer:
    """A producer; with the `transactional.id` of its configuration a transactional one."""

    def __init__(self, kafka: Kafka, config: dict[str, Any]) -> None:
        self._kafka = kafka
        self._name: str = config.get("transactional.id", "")
        self._timeout_s = config.get("transaction.timeout.ms", 60_000) / 1000
        self._id, self._epoch = (kafka.broker.new_producer(), 0) if not self._name else (-1, -1)
        self._buffer: list[tuple[Place, Sent]] = []
        self._added: list[Place] = []
        self._sequences: dict[Place, int] = {}
        self._is_open = False
        self._fatal: Exception | None = None
        self._abortable: Exception | None = None

    # -- transactions ---------------------------------------------------------------------------------------

    def init_transactions(self, timeout: float) -> None:
        self._check()
        _, self._id, self._epoch = self._ask(
            "InitProducerId", timeout, lambda: self._kafka.broker.init(self._name, self._timeout_s)
        )
        self._sequences.clear()

    def begin_transaction(self) -> None:
        self._check()
        self._is_open, self._added = True, []

    def commit_transaction(self, timeout: float) -> None:
        self.flush(timeout)
        if self._abortable is not None:
            raise self._abortable
        self._end(timeout, commits=True)

    def abort_transaction(self, timeout: float = 10.0) -> None:
        self._buffer.clear()
        self._end(timeout, commits=False)
        self._abortable = None

    def _end(self, timeout: float, commits: bool) -> None:
        error, *_ = self._ask("EndTxn", timeout, lambda: (self._end_txn(commits),))
        if error == BAD_STATE:
            raise _failed(BAD_STATE, "the transaction is in another state", abort=True)
        self._is_open = False

    def _end_txn(self, commits: bool) -> int:
        return self._kafka.broker.end(self._name, self._id, self._epoch, commits)

    # -- records --------------------------------------------------------------------------------------------

    def produce_batch(self, topic: str, messages: list[dict[str, Any]], partition: int) -> int:
        self._buffer += [((topic, partition), Sent(each["key"], each["value"])) for each in messages]
        if self._kafka.loop.random.random() < 0.5:
            with suppress(KafkaException):  # whoever polls, flushes or commits next is told
                self._send()
        return len(messages)

    def produce(self, topic: str, value: bytes | None, key: bytes | None, headers: Any = ()) -> None:
        self._buffer.append(((topic, 0), Sent(key, value, tuple(headers))))

    def poll(self, timeout: float = 0.0) -> int:
        self._check()
        return 0

    def flush(self, timeout: float = 10.0) -> int:
        self._check()
        self._send()
        self._check()
        return 0

    def purge(self) -> None:
        self._buffer.clear()

    def close(self) -> None:
        """Abort an open transaction, without waiting."""
        if self._is_open and self._fatal is None and self._name:
            self._kafka.network.ask("Close", self._name, lambda: self._end_txn(False), lambda answer: None)
        self._is_open = False

    def _send(self) -> None:
        """Send what is buffered, one request for each partition."""
        while self._buffer and self._fatal is None and self._abortable is None:
            place = self._buffer[0][0]
            records = [sent for where, sent in self._buffer if where == place]
            self._buffer = [(where, sent) for where, sent in self._buffer if where != place]
            if self._name and place not in self._added:
                self._add(place)
            self._produce(place, records)

    def _add(self, place: Place) -> None:
        add = self._kafka.broker.add_partitions
        self._ask("AddPartitions", inf, lambda: (add(self._name, self._id, self._epoch, [place]),))
        self._added.append(place)

    def _produce(self, place: Place, records: list[Sent]) -> None:
        sequence = self._sequences.get(place, 0)
        self._sequences[place] = sequence + len(records)
        produce, random = self._kafka.broker.produce, self._kafka.loop.random
        try:
            error, *_ = self._ask(
                "Produce",
                inf,
                lambda: (produce(self._name, self._id, self._epoch, place, sequence, records),),
                fences=random.random() < 0.5,
            )
        except KafkaException as problem:
            if problem.args[0].fatal():
                return  # whoever polls, flushes or commits next is told
            self._abortable = _failed(problem.args[0].code(), "not delivered", abort=True)
            return
        if error != OK:
            self._abortable = _failed(error, "not delivered", abort=True)

    # -- requests -------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._fatal is not None:
            raise self._fatal

    def _ask(
        self, api: str, timeout: float, execute: Callable[[], tuple[int, ...]], *, fences: bool = True
    ) -> tuple[int, ...]:
        """Send a request until it is answered. What `fences` makes of an old epoch a fatal error."""
        loop = self._kafka.loop
        end_s = loop.now_s + timeout
        while True:
            answer = self._kafka.network.call(api, self._name, execute)
            if answer is not CUT and answer[0] in (FENCED, OLD_EPOCH) and (fences or answer[0] == FENCED):
                self._fatal = _failed(KafkaError._FENCED, f"{api}: fenced", fatal=True)
                raise self._fatal
            if answer is not CUT and answer[0] != CONCURRENT:
                return tuple(answer)
            loop.sleep(loop.random.uniform(*(_AGAIN_S if answer is CUT else _SOON_AGAIN_S)))
            if loop.now_s > end_s:
                raise _failed(KafkaError._TIMED_OUT, f"{api}: no answer in time", retriable=True)


class Message:
    """A record, an error or the end of a partition, as a consumer returns it."""

    def __init__(self, place: Place, offset: int, sent: Sent | None) -> None:
        self._place, self._offset, self._sent = place, offset, sent

    def error(self) -> KafkaError | None:
        return KafkaError(KafkaError._PARTITION_EOF) if self._sent is None else None

    def key(self) -> bytes | None:
        return self._sent and self._sent.key

    def value(self) -> bytes | None:
        return self._sent and self._sent.value

    def offset(self) -> int:
        return self._offset

    def partition(self) -> int:
        return self._place[1]

    def topic(self) -> str:
        return self._place[0]


class Consumer:
    """Reads one partition's committed records, a few at once."""

    def __init__(self, kafka: Kafka, config: dict[str, Any]) -> None:
        assert config["isolation.level"] == "read_committed"
        self._kafka = kafka
        self._place: Place = ("", 0)
        self._at = 0
        self._read: list[Message] = []

    def list_topics(self, topic: str, timeout: float) -> None: ...

    def get_watermark_offsets(self, place: Any, timeout: float = 10.0, cached: bool = False) -> tuple[int, int]:
        where = place.topic, place.partition
        return self._ask("ListOffsets", timeout, lambda: (0, self._kafka.broker.at(where).stable))

    def assign(self, places: list[Any]) -> None:
        (place,) = places
        self._place = place.topic, place.partition
        self._at = 0 if place.offset == OFFSET_BEGINNING else place.offset
        self._read = []

    def consume(self, most: int, timeout: float) -> list[Message]:
        if not self._read:
            self._fetch(10.0)
        read, self._read = self._read[:_READ_AT_ONCE], self._read[_READ_AT_ONCE:]
        return read

    def poll(self, timeout: float) -> Message | None:
        if not self._read:
            self._fetch(timeout)
        return self._read.pop(0)

    def close(self) -> None: ...

    def _fetch(self, timeout: float) -> None:
        log, place, at = self._kafka.broker.at(self._place), self._place, self._at
        found, self._at = self._ask("Fetch", timeout, lambda: (log.committed(at), log.stable))
        self._read = [*(Message(place, offset, sent) for offset, sent in found), Message(place, self._at, None)]

    def _ask(self, api: str, timeout: float, execute: Callable[[], Any]) -> Any:
        loop = self._kafka.loop
        end_s = loop.now_s + timeout
        while True:
            answer = self._kafka.network.call(api, "reader", execute)
            if answer is not CUT:
                return answer
            loop.sleep(0.1)
            if loop.now_s > end_s:
                raise _failed(KafkaError._TIMED_OUT, f"{api}: no answer in time", retriable=True)
