"""A Kafka in memory, as far as transactions need it: logs of partitions, and the coordinator of their transactions.

Owns what a request does when it arrives; `kafka_client` sends them. Epochs, markers that are written after the answer,
the last stable offset and compaction are as in Kafka 4 (`tests/contract/test_log.py` holds both to the same).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from confluent_kafka import KafkaError

CONCURRENT = KafkaError.CONCURRENT_TRANSACTIONS
OLD_EPOCH = KafkaError.INVALID_PRODUCER_EPOCH
FENCED = KafkaError.PRODUCER_FENCED
BAD_STATE = KafkaError.INVALID_TXN_STATE
OUT_OF_ORDER = KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE
OK = 0

Place = tuple[str, int]
"""A topic and a partition."""


class Sent(NamedTuple):
    """A record as it is sent."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int = 0


@dataclass(slots=True)
class Entry:
    """A record in a log, or the marker of a transaction's end (no `sent`)."""

    offset: int
    sent: Sent | None
    producer: int
    is_aborted: bool = False


@dataclass
class Partition:
    """The log of one partition. `open` holds the first offset of each producer's open transaction."""

    entries: list[Entry] = field(default_factory=list)
    end: int = 0
    open: dict[int, int] = field(default_factory=dict)
    epochs: dict[int, int] = field(default_factory=dict)
    sequences: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def stable(self) -> int:
        """The last stable offset: readers of committed records get no further."""
        return min(self.open.values(), default=self.end)

    def append(self, sent: Sent | None, producer: int = -1) -> None:
        self.entries.append(Entry(self.end, sent, producer))
        self.end += 1

    def committed(self, first: int = 0) -> list[tuple[int, Sent]]:
        """The committed records from an offset on, below the last stable offset."""
        stable = self.stable
        return [
            (entry.offset, entry.sent)
            for entry in self.entries
            if entry.sent is not None and not entry.is_aborted and first <= entry.offset < stable
        ]

    def end_transaction(self, producer: int, epoch: int, commits: bool) -> None:
        """Write the marker of a transaction's end."""
        first = self.open.pop(producer, None)
        if first is not None and not commits:
            for entry in self.entries:
                if entry.producer == producer and entry.offset >= first:
                    entry.is_aborted = True
        self.epochs[producer] = max(epoch, self.epochs.get(producer, 0))
        self.append(None, producer)

    def compact(self, random: Random) -> None:
        """Remove some of what newer records replace, below the last stable offset; never the last record."""
        committed = [(offset, sent.key) for offset, sent in self.committed()]
        newest = {key: offset for offset, key in committed}
        share = random.choice((0.5, 1.0))
        gone = {offset for offset, key in committed if newest[key] > offset and random.random() < share}
        stable, last = self.stable, self.end - 1
        self.entries = [
            entry
            for entry in self.entries
            if entry.offset >= stable or entry.offset == last or not (entry.is_aborted or entry.offset in gone)
        ]


EMPTY, ONGOING, ENDING, ENDED = "empty", "ongoing", "ending", "ended"


@dataclass
class Transactional:
    """What the coordinator knows of one transactional id."""

    producer: int
    epoch: int = -1
    state: str = EMPTY
    commits: bool = False
    places: list[Place] = field(default_factory=list)
    number: int = 0
    timeout_s: float = 60.0
    markers: int = 0


class Broker:
    """The only broker. It takes no record into the places that it `refuses`.

    `later` calls back after a drawn short while: markers follow their answer.

    `on_end` is told where a transaction has just ended, and where records of none were appended.
    """

    def __init__(self, later: Callable[[Callable[[], object]], object], on_end: Callable[[Place], object]) -> None:
        self.partitions: dict[Place, Partition] = {}
        self.refuses: set[Place] = set()
        self._transactional: dict[str, Transactional] = {}
        self._producers = 0
        self._later, self._on_end = later, on_end
        self.after: Callable[[float, Callable[[], object]], object] = lambda seconds, call: None

    def at(self, place: Place) -> Partition:
        return self.partitions.setdefault(place, Partition())

    def new_producer(self) -> int:
        self._producers += 1
        return self._producers

    # -- requests -------------------------------------------------------------------------------------------

    def init(self, name: str, timeout_s: float) -> tuple[int, int, int]:
        """InitProducerId: an error, the producer's id and its new epoch."""
        known = self._transactional.get(name)
        if known is None:
            known = self._transactional[name] = Transactional(self.new_producer())
        if known.state == ONGOING:
            known.epoch += 1
            self._begin_end(known, commits=False)
        if known.state == ENDING:
            return CONCURRENT, 0, 0
        known.epoch += 1
        known.state, known.timeout_s = EMPTY, timeout_s
        return OK, known.producer, known.epoch

    def add_partitions(self, name: str, producer: int, epoch: int, places: list[Place]) -> int:
        known = self._transactional.get(name)
        if known is None or known.producer != producer or known.epoch != epoch:
            return FENCED
        if known.state == ENDING:
            return CONCURRENT
        if known.state != ONGOING:
            known.state, known.places = ONGOING, []
            known.number += 1
            number = known.number
            self.after(known.timeout_s, lambda: self._time_out(known, number))
        known.places += [place for place in places if place not in known.places]
        return OK

    def produce(self, name: str, producer: int, epoch: int, place: Place, sequence: int, records: list[Sent]) -> int:
        """Append records: of a transaction, or with the `name` "" of none."""
        log = self.at(place)
        if not name:
            error = self._append(log, producer, epoch, sequence, records)
            self._on_end(place)
            return error
        if epoch < log.epochs.get(producer, 0):
            return OLD_EPOCH
        if producer not in log.open:
            known = self._transactional[name]
            if known.epoch != epoch:
                return OLD_EPOCH
            if known.state != ONGOING or place not in known.places:
                return BAD_STATE
        if place in self.refuses:
            return TOO_LARGE
        before = log.end
        error = self._append(log, producer, epoch, sequence, records)
        if error == OK and log.end > before:
            log.open.setdefault(producer, before)
        return error

    def _append(self, log: Partition, producer: int, epoch: int, sequence: int, records: list[Sent]) -> int:
        expected = log.sequences.get((producer, epoch), 0)
        if sequence < expected:
            return OK  # a repetition
        if sequence > expected:
            return OUT_OF_ORDER
        log.epochs[producer] = epoch
        log.sequences[producer, epoch] = expected + len(records)
        for sent in records:
            log.append(sent, producer)
        return OK

    def end(self, name: str, producer: int, epoch: int, commits: bool) -> int:
        """EndTxn: the transaction that is open by now is committed or aborted, whichever that is."""
        known = self._transactional.get(name)
        if known is None or known.producer != producer or known.epoch != epoch:
            return FENCED
        if known.state == ONGOING:
            self._begin_end(known, commits)
            return OK
        if known.commits != commits or known.state == EMPTY:
            return BAD_STATE
        return CONCURRENT if known.state == ENDING else OK

    # -- the end of a transaction ---------------------------------------------------------------------------

    def _begin_end(self, known: Transactional, commits: bool) -> None:
        known.state, known.commits, known.markers = ENDING, commits, len(known.places)
        for place in known.places:
            self._later(lambda place=place: self._mark(known, place))  # type: ignore[misc]
        if not known.places:
            known.state = ENDED

    def _mark(self, known: Transactional, place: Place) -> None:
        self.at(place).end_transaction(known.producer, known.epoch, known.commits)
        known.markers -= 1
        if not known.markers:
            known.state = ENDED
        self._on_end(place)

    def _time_out(self, known: Transactional, number: int) -> None:
        if known.number == number and known.state == ONGOING:
            known.epoch += 1
            self._begin_end(known, commits=False)
