"""Asks Kafka about an application: its topics' ids, its group's committed offsets and members.

Nothing is cached. Every method blocks: call them in a thread.
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
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    OffsetSpec,
)

from streams.config.kafka_security import Heard, KafkaAddress
from streams.kafka.topics import KafkaFailed
from streams.observability.logs import LIBRDKAFKA

T = TypeVar("T")

_ONE_TRY_S = 5.0
_ANSWERS_WITHIN_S = 20.0
_PAUSE_S = 0.2
_AGAIN = (
    *(KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT, KafkaError._TRANSPORT, KafkaError.NOT_COORDINATOR),
    *(KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS),
    # A partition has no leader right after it was created, and right after its leader has gone.
    *(KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE),
)
_UNKNOWN = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)


class TopicNow(NamedTuple):
    """A topic's id, which changes if the topic is created again, and its number of partitions."""

    topic_id: str
    partitions: int


class KafkaView:
    """Questions to one Kafka. Every method raises `KafkaFailed` if it does not answer."""

    def __init__(self, kafka: KafkaAddress, new_client: Callable[[dict[str, Any]], AdminClient] = AdminClient) -> None:
        self._kafka = kafka
        self._options: dict[str, Any] = {
            **kafka.for_librdkafka(),
            "log_level": 2,
            "logger": logging.getLogger(LIBRDKAFKA),
        }
        self._heard, self._let_in = Heard(), False
        self._new_client = new_client
        self._admin = self._client()

    def _client(self) -> AdminClient:
        return self._new_client({**self._options, "error_cb": self._heard})

    def topic(self, name: str) -> TopicNow | None:
        """A topic; None if it does not exist."""
        try:
            found = self._answer(lambda admin: admin.describe_topics(TopicCollection([name]), **self._limit)[name])
        except KafkaRefused as refusal:
            if refusal.code in _UNKNOWN:
                return None
            raise
        most, least = found.topic_id.get_most_significant_bits(), found.topic_id.get_least_significant_bits()
        return TopicNow(str(UUID(int=(most % 2**64) << 64 | least % 2**64)), len(found.partitions))

    def topic_there(self, name: str) -> TopicNow:
        """A topic that must exist."""
        topic = self.topic(name)
        if topic is None:
            raise KafkaFailed(f"Kafka at {self._kafka} has no topic {name}")
        return topic

    def brokers(self) -> int:
        """How many brokers there are now."""
        return len(self._answer(lambda admin: admin.describe_cluster(**self._limit)).nodes)

    def broker_options(self) -> dict[str, str]:
        """The configuration of one of the brokers, including defaults."""
        nodes = self._answer(lambda admin: admin.describe_cluster(**self._limit)).nodes
        return self._options_of(ConfigResource(ConfigResource.Type.BROKER, str(nodes[0].id)))

    def feature(self, name: str) -> int | None:
        """The level of a feature that the cluster has finalized; None: none, as in clusters that do not know it.

        librdkafka's admin client cannot ask for it, kafka-python's can.
        """
        from kafka.admin import KafkaAdminClient
        from kafka.errors import KafkaError as PythonKafkaError

        try:
            admin = KafkaAdminClient(**self._kafka.for_python(), bootstrap_timeout_ms=int(_ONE_TRY_S * 1000))
            try:
                return _level(admin.describe_features(), name)
            finally:
                admin.close()
        except PythonKafkaError as problem:
            raise KafkaFailed(f"Kafka at {self._kafka}: its features cannot be read: {problem}") from None

    def options(self, name: str) -> dict[str, str]:
        """A topic's configuration, including defaults."""
        return self._options_of(ConfigResource(ConfigResource.Type.TOPIC, name))

    def _options_of(self, asked: ConfigResource) -> dict[str, str]:
        found = self._answer(lambda admin: admin.describe_configs([asked], **self._limit)[asked])
        return {option: entry.value for option, entry in found.items()}

    def own_options(self, name: str) -> dict[str, str]:
        """The configuration that a topic was given itself."""
        asked = ConfigResource(ConfigResource.Type.TOPIC, name)
        found = self._answer(lambda admin: admin.describe_configs([asked], **self._limit)[asked])
        given = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        return {option: entry.value for option, entry in found.items() if entry.source == given}

    def set_options(self, name: str, options: Mapping[str, str | None]) -> None:
        """Give a topic these options; None: the broker's default holds again."""
        entries = [
            ConfigEntry(
                option,
                value or "",
                incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET,
            )
            for option, value in options.items()
        ]
        asked = ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)
        self._answer(lambda admin: admin.incremental_alter_configs([asked], **self._limit)[asked])

    def create(self, name: str, partitions: int, replication: int, options: Mapping[str, str]) -> TopicNow:
        """Create a topic, and wait until it is there."""
        wanted = NewTopic(name, partitions, replication, config=dict(options))
        self._answer(lambda admin: admin.create_topics([wanted], **self._limit)[name])
        until = time.monotonic() + _ANSWERS_WITHIN_S
        while (made := self.topic(name)) is None:
            if time.monotonic() > until:
                raise KafkaFailed(
                    f"Kafka at {self._kafka}: topic {name} does not exist {_ANSWERS_WITHIN_S:g} s after it was created"
                )
            time.sleep(_PAUSE_S)
        return made

    def replication(self, name: str) -> int:
        """A topic's replication factor: the smallest one of its partitions."""
        found = self._answer(lambda admin: admin.describe_topics(TopicCollection([name]), **self._limit)[name])
        return min(len(partition.replicas) for partition in found.partitions)

    def delete(self, name: str) -> None:
        """Delete a topic; its name may stay taken for a moment."""
        self._answer(lambda admin: admin.delete_topics([name], **self._limit)[name])

    def readable_ends(self, topic: str, partitions: Collection[int]) -> dict[int, int]:
        """Each partition's last stable offset: open transactions hold it back."""
        return self._offsets(topic, partitions, OffsetSpec.latest())

    def spans(self, topic: str, partitions: Collection[int]) -> dict[int, tuple[int, int]]:
        """Each partition's first offset and last stable offset."""
        first, ends = self._offsets(topic, partitions, OffsetSpec.earliest()), self.readable_ends(topic, partitions)
        return {number: (first[number], ends[number]) for number in partitions}

    def written_ends(self, topic: str, partitions: Collection[int]) -> dict[int, int]:
        """Each partition's end, also of transactions that are still open."""
        return self._offsets(topic, partitions, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)

    def offsets_at(self, topic: str, times_ms: Mapping[int, int]) -> dict[int, int | None]:
        """For each partition, the first offset whose timestamp is at least this; None: it has none."""
        found = {
            number: self._offsets(topic, [number], OffsetSpec.for_timestamp(at_ms))[number]
            for number, at_ms in times_ms.items()
        }
        return {number: offset if offset >= 0 else None for number, offset in found.items()}

    def newest_record_ms(self, topic: str, partition: int) -> int:
        """The largest record timestamp of a partition, of open transactions too; 0 if it is empty."""
        asked = {TopicPartition(topic, partition): OffsetSpec.max_timestamp()}
        options = {"isolation_level": IsolationLevel.READ_UNCOMMITTED, **self._limit}

        def ask(admin: AdminClient) -> int:
            (answer,) = admin.list_offsets(asked, **options).values()
            return int(answer.result().timestamp)

        return max(0, self._until_answered(ask))

    def _offsets(
        self,
        topic: str,
        partitions: Collection[int],
        which: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> dict[int, int]:
        places = {TopicPartition(topic, number): which for number in partitions}
        options = {"isolation_level": isolation, **self._limit}

        def ask(admin: AdminClient) -> dict[int, int]:
            answers = admin.list_offsets(places, **options)
            return {place.partition: answer.result().offset for place, answer in answers.items()}

        return self._until_answered(ask)

    def time_of(self, topic: str, partition: int, offset: int) -> int | None:
        """The timestamp of the first record at or after an offset; None if none arrives soon."""
        reader = Consumer(
            {**self._options, "group.id": topic, "enable.auto.commit": False, "isolation.level": "read_committed"}
        )
        try:
            reader.assign([TopicPartition(topic, partition, offset)])
            message = reader.poll(_ONE_TRY_S)
            return message.timestamp()[1] if message is not None and message.error() is None else None
        except KafkaException as problem:
            raise KafkaFailed(f"Kafka at {self._kafka}: {problem.args[0].str()}") from None
        finally:
            reader.close()

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """The offset that a group has committed for a partition; None: it has not, or that has expired."""
        # Not by the admin client: librdkafka's aborts the process if a group's coordinator does not answer in time.
        asking = Consumer({**self._options, "group.id": group, "enable.auto.commit": False})
        try:
            (place,) = self._until_answered(lambda _: asking.committed([TopicPartition(topic, partition)], _ONE_TRY_S))
        finally:
            asking.close()
        if place.error is not None:
            raise KafkaFailed(f"Kafka at {self._kafka}: offsets of group {group}: {place.error.str()}")
        return int(place.offset) if place.offset >= 0 else None

    def commits(self, group: str, topic: str, partitions: Collection[int]) -> dict[int, tuple[int, str]]:
        """The offsets, each with its metadata, that a group has committed for these partitions; none where it has not.

        An offset in a transaction that is still open is waited for.
        """
        asking = Consumer(
            {**self._options, "group.id": group, "enable.auto.commit": False, "isolation.level": "read_committed"}
        )
        try:
            places = [TopicPartition(topic, partition) for partition in partitions]
            found = self._until_answered(lambda _: asking.committed(places, _ONE_TRY_S)) if places else []
        finally:
            asking.close()
        for place in found:
            if place.error is not None:
                raise KafkaFailed(f"Kafka at {self._kafka}: offsets of group {group}: {place.error.str()}")
        return {place.partition: (place.offset, place.metadata or "") for place in found if place.offset >= 0}

    def commit(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Commit offsets for a group, which must have no members."""
        places = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
        asked = ConsumerGroupTopicPartitions(group, places)
        answer = self._answer(lambda admin: admin.alter_consumer_group_offsets([asked], **self._limit)[group])
        for place in answer.topic_partitions:
            if place.error is not None:
                raise KafkaFailed(f"Kafka at {self._kafka}: offsets of group {group}: {place.error.str()}")

    def members(self, group: str) -> int:
        """How many members a group has. One that died counts until its session times out."""
        return len(self._answer(lambda admin: admin.describe_consumer_groups([group], **self._limit)[group]).members)

    def _asked(self, ask: Callable[[AdminClient], T]) -> T:
        # Keep a reference until the answer is there: when a client is deleted, its pending requests are lost.
        admin = self._admin
        try:
            answer = ask(admin)
            self._let_in = True
            return answer
        except KafkaException as problem:
            error = problem.args[0]
            admin.poll(0)
            # Later failures pass: a broker that stops or starts may cut a handshake short.
            if self._heard.refusal and not self._let_in:
                raise KafkaRefused(f"Kafka at {self._kafka}: {self._heard.refusal}", error.code()) from None
            # A client that takes a dead broker for the controller waits only for that one, and reconnects a thousand
            # times a second without asking the others who the controller is. A new client asks.
            if error.code() == KafkaError._TIMED_OUT and self._admin is admin:
                self._admin = self._client()
            raise

    @property
    def _limit(self) -> dict[str, float]:
        return {"request_timeout": _ONE_TRY_S}

    def _answer(self, ask: Callable[[AdminClient], Any]) -> Any:
        return self._until_answered(lambda admin: ask(admin).result())

    def _until_answered(self, ask: Callable[[AdminClient], T]) -> T:
        try:
            return until_answered(lambda: self._asked(ask), _AGAIN, _ANSWERS_WITHIN_S)
        except KafkaException as problem:
            error = problem.args[0]
            raise KafkaRefused(f"Kafka at {self._kafka}: {error.str()}", error.code()) from None


def _level(features: Mapping[str, Mapping[str, Any]], name: str) -> int | None:
    finalized = features.get(name, {}).get("finalized")
    return None if finalized is None else int(finalized[1])


def until_answered(ask: Callable[[], T], again: Collection[int], within_s: float) -> T:
    """Call until it answers, for at most `within_s`, while it fails with one of these error codes.

    The broker may be frozen and replaced by another one by now, or it may just have restarted.
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
    """Kafka answered with an error, or not at all. `code`: librdkafka's number for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
