"""Kafka's requests and answers as they pass on the wire: what a fault must know of them to choose the one to hit.

Owns the reading of frames, less their four bytes of length.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Api(IntEnum):
    """The requests that are told apart, by Kafka's API keys."""

    PRODUCE = 0
    FETCH = 1
    METADATA = 3
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS = 24
    END_TXN = 26
    DESCRIBE_CLUSTER = 60


TRANSACTIONAL = frozenset({Api.PRODUCE, Api.INIT_PRODUCER_ID, Api.ADD_PARTITIONS, Api.END_TXN})
TELLS_ADDRESSES = frozenset({Api.PRODUCE, Api.METADATA, Api.FIND_COORDINATOR, Api.DESCRIBE_CLUSTER})
"""Answers to these name brokers; that to a Produce does where the leader has moved."""

_FLEXIBLE_FROM = {Api.PRODUCE: 9, Api.INIT_PRODUCER_ID: 2, Api.ADD_PARTITIONS: 3, Api.END_TXN: 3}

FENCED = frozenset({47, 90})
"""INVALID_PRODUCER_EPOCH and PRODUCER_FENCED: the request is of an epoch that is over."""


@dataclass(eq=False)
class Request:
    """A request on its way. `api` is a plain number where it is none of `Api`'s.

    Those of a transaction tell its `transactional_id`, `epoch` (not a Produce), whether an end is a `commit`, and the
    `topics` (of a Produce, the first). `frame` is empty once it has passed and is not kept; `error` is Kafka's code, of
    the first partition that has one, once it is answered.
    """

    frame: bytes
    broker: int
    """The port that it was addressed to."""
    api: int = 0
    version: int = 0
    correlation: int = 0
    client: str | None = None
    transactional_id: str | None = None
    epoch: int = -1
    commit: bool | None = None
    topics: tuple[str, ...] = ()
    error: int | None = None
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """For judges of the same broker's requests."""

    def __str__(self) -> str:
        name = Api(self.api).name if self.api in list(Api) else str(self.api)
        end = "" if self.commit is None else " commit" if self.commit else " abort"
        return (
            f"{name} v{self.version} #{self.correlation}{end} epoch {self.epoch} {' '.join(self.topics)}: {self.error}"
        )


class _Reader:
    """Kafka's types, one after the other. `flexible`: lengths are varints, and tagged fields may follow."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.flexible = False

    def take(self, form: str) -> Any:
        (value,) = struct.unpack_from(f">{form}", self._data, self._at)
        self._at += struct.calcsize(form)
        return value

    def string(self) -> str | None:
        length = self._varint() - 1 if self.flexible else self.take("h")
        return None if length < 0 else self._raw(length).decode()

    def count(self) -> int:
        """The length of an array that follows."""
        return self._varint() - 1 if self.flexible else int(self.take("i"))

    def tags(self) -> None:
        for _ in range(self._varint() if self.flexible else 0):
            self._varint()
            self._raw(self._varint())

    def _raw(self, length: int) -> bytes:
        piece = self._data[self._at : self._at + length]
        self._at += length
        return piece

    def _varint(self) -> int:
        value = shift = 0
        while (byte := int(self.take("B"))) & 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift


def read_request(frame: bytes, broker: int) -> Request:
    """What a request's frame says; of those that are no transaction's, the head."""
    reader = _Reader(frame)
    request = Request(frame, broker, *(reader.take(form) for form in "hhi"), client=reader.string())
    read = _BODIES.get(request.api)
    if read is not None:
        reader.flexible = request.version >= _FLEXIBLE_FROM[Api(request.api)]
        reader.tags()
        read(reader, request)
    return request


def _read_produce(reader: _Reader, request: Request) -> None:
    request.transactional_id = reader.string()
    _, _ = reader.take("h"), reader.take("i")
    request.topics = (reader.string() or "",) if reader.count() else ()


def _read_init(reader: _Reader, request: Request) -> None:
    request.transactional_id = reader.string()
    reader.take("i")
    if request.version >= 3:
        _, request.epoch = reader.take("q"), reader.take("h")


def _read_add(reader: _Reader, request: Request) -> None:
    if request.version > 3:
        return  # a broker's own
    request.transactional_id, _, request.epoch = reader.string(), reader.take("q"), reader.take("h")
    topics = []
    for _ in range(reader.count()):
        topics.append(reader.string() or "")
        for _ in range(reader.count()):
            reader.take("i")
        reader.tags()
    request.topics = tuple(topics)


def _read_end(reader: _Reader, request: Request) -> None:
    request.transactional_id, _, request.epoch = reader.string(), reader.take("q"), reader.take("h")
    request.commit = bool(reader.take("b"))


_BODIES = {
    Api.PRODUCE: _read_produce,
    Api.INIT_PRODUCER_ID: _read_init,
    Api.ADD_PARTITIONS: _read_add,
    Api.END_TXN: _read_end,
}


def correlation_of(answer: bytes) -> int:
    """Which request a frame answers."""
    return int(_Reader(answer).take("i"))


def error_in(answer: bytes, request: Request) -> int:
    """The error code of an answer: 0 is none, and what is said where the request is no transaction's."""
    if request.api not in _BODIES:
        return 0
    reader = _Reader(answer)
    reader.take("i")
    reader.flexible = request.version >= _FLEXIBLE_FROM[Api(request.api)]
    reader.tags()
    if request.api == Api.PRODUCE:
        return _error_of_partition(reader) if reader.count() else 0
    reader.take("i")
    if request.api == Api.ADD_PARTITIONS:
        return _error_of_partition(reader) if reader.count() else 0
    return int(reader.take("h"))


def _error_of_partition(reader: _Reader) -> int:
    """Of the first topic's first partition; where one fails, the others do too."""
    reader.string()
    reader.count()
    reader.take("i")
    return int(reader.take("h"))
