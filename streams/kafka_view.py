"""What Kafka knows of an application: its topics' ids, how far its group has committed, who is in the group.

Owns the questions, asked anew each time; every method blocks: call them in a thread. It must not know what the
answers prove.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from streams.logs import LIBRDKAFKA
from streams.topics import KafkaFailed

T = TypeVar("T")

_ONE_TRY_S = 5.0
_ANSWERS_WITHIN_S = 20.0
_PAUSE_S = 0.2
_AGAIN = (
    *(KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT, KafkaError._TRANSPORT, KafkaError.NOT_COORDINATOR),
    *(KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS),
    # A partition that was just made has no leader yet, nor one whose leader has just gone.
    *(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE),
)
_UNKNOWN = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)


class TopicNow(NamedTuple):
    """A topic as it is: the id that Kafka gave it (another one after it was made anew), and its partitions."""

    topic_id: str
    partitions: int


class KafkaView:
    """Questions to one Kafka. Every method raises `KafkaFailed` where it does not answer."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._options: dict[str, Any] = {
            "bootstrap.servers": servers,
            "log_level": 2,
            "logger": logging.getLogger(LIBRDKAFKA),
        }
        self._admin = AdminClient(self._options)

    def topic(self, name: str) -> TopicNow | None:
        """A topic; None where there is none of the name."""
        try:
            found = self._answer(lambda: self._admin.describe_topics(TopicCollection([name]), **self._limit)[name])
        except KafkaRefused as refusal:
            if refusal.code in _UNKNOWN:
                return None
            raise
        most, least = found.topic_id.get_most_significant_bits(), found.topic_id.get_least_significant_bits()
        return TopicNow(str(UUID(int=(most % 2**64) << 64 | least % 2**64)), len(found.partitions))

    def topic_there(self, name: str) -> TopicNow:
        """A topic that must be there."""
        topic = self.topic(name)
        if topic is None:
            raise KafkaFailed(f"Kafka at {self._servers} has no topic {name}")
        return topic

    def delete(self, name: str) -> None:
        """Delete a topic; its name may stay taken for a moment."""
        self._answer(lambda: self._admin.delete_topics([name], **self._limit)[name])

    def readable_ends(self, topic: str, partitions: Collection[int]) -> dict[int, int]:
        """The offset after the last that can be read, of each partition: open transactions hold it back."""
        places = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}
        options = {"isolation_level": IsolationLevel.READ_COMMITTED, **self._limit}

        def ask() -> dict[int, int]:
            answers = self._admin.list_offsets(places, **options)
            return {place.partition: answer.result().offset for place, answer in answers.items()}

        return self._until_answered(ask)

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """The offset that a group has committed for a partition; None: it has not, or that has expired."""
        # Not the admin client: librdkafka's aborts the process where a group's coordinator does not answer in time.
        asking = Consumer({**self._options, "group.id": group, "enable.auto.commit": False})
        try:
            (place,) = self._until_answered(lambda: asking.committed([TopicPartition(topic, partition)], _ONE_TRY_S))
        finally:
            asking.close()
        if place.error is not None:
            raise KafkaFailed(f"Kafka at {self._servers}: offsets of group {group}: {place.error.str()}")
        return int(place.offset) if place.offset >= 0 else None

    def commit(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Commit offsets for a group, which must have no members."""
        places = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
        asked = ConsumerGroupTopicPartitions(group, places)
        answer = self._answer(lambda: self._admin.alter_consumer_group_offsets([asked], **self._limit)[group])
        for place in answer.topic_partitions:
            if place.error is not None:
                raise KafkaFailed(f"Kafka at {self._servers}: offsets of group {group}: {place.error.str()}")

    def members(self, group: str) -> int:
        """How many members a group has; one that died counts until its session is over."""
        return len(self._answer(lambda: self._admin.describe_consumer_groups([group], **self._limit)[group]).members)

    @property
    def _limit(self) -> dict[str, float]:
        return {"request_timeout": _ONE_TRY_S}

    def _answer(self, ask: Callable[[], Any]) -> Any:
        return self._until_answered(lambda: ask().result())

    def _until_answered(self, ask: Callable[[], T]) -> T:
        try:
            return until_answered(ask, _AGAIN, _ANSWERS_WITHIN_S)
        except KafkaException as problem:
            error = problem.args[0]
            raise KafkaRefused(f"Kafka at {self._servers}: {error.str()}", error.code()) from None


def until_answered(ask: Callable[[], T], again: Collection[int], within_s: float) -> T:
    """The answer of a call, which is made again for so long where it fails by one of these codes.

    The broker that was asked may be frozen and another one have its part by now, or it may just have come back.
    Raises the last `KafkaException`.
    """
    until = time.monotonic() + within_s
    while True:
        try:
            return ask()
        except KafkaException as problem:
            if problem.args[0].code() not in again or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)


class KafkaRefused(KafkaFailed):
    """Kafka's answer is an error, or there is none; `code` is librdkafka's number for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
