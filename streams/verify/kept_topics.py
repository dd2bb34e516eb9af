"""Reads the topics of dead letters, late events and milestones, and follows them.

Owns which of their records belong to the present source topic, and how often each occurs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView
from streams.kafka.reader import CannotRead, OptionalTopic
from streams.kafka.topics import KafkaFailed
from streams.verify.comparison import Difference
from streams.verify.kept import NOWHERE, KeptRecord, Milestone, held

R = TypeVar("R", KeptRecord, Milestone)
Headers = dict[str, bytes]

PLACE = {"topic", "partition", "offset"}
MILESTONE = {
    "milestone": str, "household_id": str, "title_id": str, "event_id": str, "event_time_ms": int, "ordinal": int,
}  # fmt: skip
MAYBE = {"rewatch": bool, "daypart": str}
"""Fields that only some milestones have. Those that a former state wrote may lack them."""


_decode = msgspec.json.Decoder(dict[str, Any]).decode


class SourceTopic(NamedTuple):
    """The source topic: its name, and the id that Kafka gave it. A topic that was created again has another id.

    `beginnings` maps a partition to its first offset: what became of records before it cannot be verified.
    """

    topic: bytes
    topic_id: bytes
    beginnings: Mapping[int, int]


class KeptTopics:
    """The three topics. `read_on` reads what was committed since the last call."""

    def __init__(self, kafka: KafkaAddress, settings: Settings, beginnings: Mapping[int, int]) -> None:
        source = _source(kafka, settings.source_topic, beginnings)
        self.dead_letters = KeptTopic(kafka, settings.dead_letters_topic, source, _dead_letter)
        self.late = KeptTopic(kafka, settings.late_topic, source, _kept)
        self.milestones = KeptTopic(kafka, settings.milestones_topic, source, _milestone)

    def read_on(self) -> None:
        for topic in (self.dead_letters, self.late, self.milestones):
            topic.read_on()

    def odd_records(self) -> list[Difference]:
        """The records that cannot be read, as differences."""
        return [*self.dead_letters.odd, *self.late.odd, *self.milestones.odd]

    def close(self) -> None:
        for topic in (self.dead_letters, self.late, self.milestones):
            topic.close()


class KeptTopic(Generic[R]):
    """Counts how often each record of one topic occurs, of those that came from `source`; none without the topic.

    A record that names no topic id counts as coming from the present source topic. `elsewhere` counts those of other
    topics, without their place: the source may be a copy of one.
    """

    def __init__(self, kafka: KafkaAddress, topic: str, source: SourceTopic, read: Callable[[Any, Headers], R]) -> None:
        self.found: Counter[R] = Counter()
        self.elsewhere: Counter[R] = Counter()
        self.odd: list[Difference] = []
        self._topic = topic
        self._source = source
        self._read: Callable[[Any, Headers], R] = read
        self._messages = OptionalTopic(kafka, topic)

    def read_on(self) -> None:
        for message in self._messages.read_on():
            self._take(message, dict(message.headers() or ()))

    def _take(self, message: Any, headers: Headers) -> None:
        topic, topic_id, beginnings = self._source
        if headers.get("topic", topic) != topic or headers.get("topic_id", topic_id) != topic_id:
            with suppress(_Odd):
                self.elsewhere[self._read(message, headers)._replace(partition=NOWHERE, offset=NOWHERE)] += 1
            return
        try:
            record = self._read(message, headers)
            if record.offset >= beginnings.get(record.partition, 0):
                self.found[record] += 1
        except _Odd as odd:
            self.odd.append(Difference(f"{self._topic} {message.partition()}:{message.offset()}", *odd.args))

    def close(self) -> None:
        self._messages.close()


class _Odd(Exception):
    """A record that does not have its topic's form. The arguments are a difference's field, expected and found."""


def _source(kafka: KafkaAddress, topic: str, beginnings: Mapping[int, int]) -> SourceTopic:
    try:
        now = KafkaView(kafka).topic(topic)
    except KafkaFailed as problem:
        raise CannotRead(str(problem)) from None
    if now is None:
        raise CannotRead(f"Kafka at {kafka} has no topic {topic}")
    return SourceTopic(topic.encode(), now.topic_id.encode(), beginnings)


def _place(headers: Headers) -> tuple[int, int]:
    """The source record's partition and offset. Raises `_Odd` if the headers for them are missing."""
    if not headers.keys() >= PLACE:
        raise _Odd("headers", ", ".join(sorted(PLACE)), ", ".join(headers) or "none")
    return _number(headers, "partition"), _number(headers, "offset")


def _number(headers: Headers, name: str) -> int:
    text = headers[name] or b""
    if not text.isdigit():
        raise _Odd(f"header {name}", "an integer", repr(text))
    return int(text)


def _dead_letter(message: Any, headers: Headers) -> KeptRecord:
    if not headers.get("error"):
        raise _Odd("header error", "a reason", "none")
    return _kept(message, headers)


def _kept(message: Any, headers: Headers) -> KeptRecord:
    lengths = [_number(headers, name) if name in headers else None for name in ("key_bytes", "value_bytes")]
    return KeptRecord(*_place(headers), held(message.key()), held(message.value()), *lengths)


def _milestone(message: Any, headers: Headers) -> Milestone:
    partition, offset = _place(headers)
    try:
        value = _decode(message.value() or b"")
    except msgspec.DecodeError:
        value = {}
    given = {name: type(each) for name, each in value.items()}
    if not MILESTONE.items() <= given.items() <= (MILESTONE | MAYBE).items():
        raise _Odd("value", "JSON of " + ", ".join(MILESTONE), repr(held(message.value())))
    return Milestone(partition, offset, message.key(), **value)
