"""What the copy of a topic relies on in a real Kafka: records and progress are committed together, by one copier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from application import fresh_names
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from models.partitioner import partition_of
from streams.config.kafka_security import KafkaAddress
from streams.kafka import copy_writer
from streams.kafka.admin import KafkaView
from streams.kafka.copy_writer import CopyFailed, CopyWriter
from streams.kafka.merged_topic import MergedTopic
from streams.kafka.reader import TopicReader

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

KEPT = {"retention.ms": "-1"}  # the records are of 1970: Kafka removes such ones when it next looks for old ones


class Message:
    """A record that is to be copied."""

    def __init__(self, key: bytes | None, timestamp_ms: int = 1) -> None:
        self._key, self._timestamp_ms = key, timestamp_ms

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes:
        return b"value"

    def headers(self) -> list[tuple[str, bytes]]:
        return [("h", b"\xff"), ("h", b"")]

    def timestamp(self) -> tuple[int, int]:
        return 1, self._timestamp_ms


class Copying:
    """A source of two partitions, a new topic of three, and copiers of the one into the other."""

    def __init__(self, kafka: str, name: str) -> None:
        self.address, self.view = KafkaAddress(kafka), KafkaView(KafkaAddress(kafka))
        self.source, self.topic, self.name = f"{name}-source", f"{name}-copy", f"{name}-repartition"
        self.writers: list[CopyWriter] = []
        self.admin = AdminClient({"bootstrap.servers": kafka})
        for made in self.admin.create_topics(
            [NewTopic(self.source, 2, 1, config=KEPT), NewTopic(self.topic, 3, 1, config=KEPT)]
        ).values():
            made.result(20)

    def writer(self) -> CopyWriter:
        writer = CopyWriter(self.address, self.name, self.topic, 20, self.progress)
        self.writers.append(writer)
        writer.open()
        return writer

    def progress(self) -> dict[int, int]:
        return {n: offset for n, (offset, _) in self.view.commits(self.name, self.source, range(2)).items()}

    def copy(self, writer: CopyWriter, *keys: bytes | None) -> None:
        for key in keys:
            writer.send(Message(key))

    def commit(self, writer: CopyWriter, read: Mapping[int, int]) -> None:
        writer.commit(read, [TopicPartition(self.source, number, offset, "note") for number, offset in read.items()])

    def copied(self) -> list[Any]:
        with TopicReader(self.address, self.topic) as topic:
            return list(topic.read(topic.ends()))

    def keys(self) -> list[bytes | None]:
        return sorted((message.key() for message in self.copied()), key=lambda key: key or b"none")

    def close(self) -> None:
        for writer in self.writers:
            writer.close()
        for deleted in self.admin.delete_topics([self.source, self.topic]).values():
            deleted.result(20)


@pytest.fixture
def copying(servers: Any) -> Iterator[Copying]:
    copying = Copying(servers.kafka, fresh_names(servers.kafka, servers.redis, "copies")["ENCORE_APP_ID"])
    yield copying
    copying.close()


def test_a_record_keeps_what_it_has_and_comes_where_javas_producer_would_put_it(copying: Copying) -> None:
    writer = copying.writer()
    keys = [b"home-%d" % number for number in range(30)]
    copying.copy(writer, *keys)
    copying.commit(writer, {0: 10, 1: 20})
    found = {m.key(): (m.partition(), m.value(), m.headers(), m.timestamp()) for m in copying.copied()}
    assert found == {
        key: (partition_of(key, 3), b"value", [("h", b"\xff"), ("h", b"")], (1, 1)) for key in keys
    }  # fmt: skip
    assert copying.view.commits(copying.name, copying.source, range(2)) == {0: (10, "note"), 1: (20, "note")}


@pytest.mark.parametrize(("timestamp_ms", "kept_ms"), [(0, 1), (1, 1), (2, 2)])
def test_a_timestamp_of_zero_is_not_taken_for_now(copying: Copying, timestamp_ms: int, kept_ms: int) -> None:
    writer = copying.writer()
    writer.send(Message(b"home", timestamp_ms))
    copying.commit(writer, {})
    assert [message.timestamp() for message in copying.copied()] == [(1, kept_ms)]


def test_what_was_not_committed_is_neither_copied_nor_progress(copying: Copying) -> None:
    frozen = copying.writer()
    copying.copy(frozen, b"first")
    copying.commit(frozen, {0: 1})
    copying.copy(frozen, b"second")
    frozen._producer.flush(10)

    successor = copying.writer()
    assert copying.progress() == {0: 1}
    copying.copy(successor, b"second", None)
    copying.commit(successor, {0: 2, 1: 1})
    with pytest.raises(CopyFailed, match=r"another `encore repartition` of .* has taken over"):
        copying.commit(frozen, {0: 2})

    assert (copying.keys(), copying.progress()) == ([b"first", None, b"second"], {0: 2, 1: 1})


def test_after_a_commit_that_may_have_been_repeated_a_new_producer_goes_on_unless_another_copier_has(
    copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy_writer, "UNREPEATED_S", 0.0)
    writer = copying.writer()
    producers = {id(writer._producer)}
    for number in range(3):
        copying.copy(writer, b"%d" % number)
        copying.commit(writer, {0: number + 1})
        producers.add(id(writer._producer))
    assert len(producers) > 1
    assert (copying.keys(), copying.progress()) == ([b"0", b"1", b"2"], {0: 3})

    monkeypatch.setattr(writer, "_committed", lambda: {0: 4})
    copying.copy(writer, b"3")
    with pytest.raises(CopyFailed, match="has taken over"):
        copying.commit(writer, {0: 5})


def test_partitions_are_merged_by_time_and_each_keeps_its_order(copying: Copying) -> None:
    times = {0: [10, 30, 20, 40], 1: [15, 25, 26, 50]}
    writer = copying.writer()
    for number, of_partition in times.items():
        for time_ms in of_partition:
            writer._producer.begin_transaction() if not writer._is_open else None
            writer._is_open = True
            writer._producer.produce(copying.source, b"", b"", partition=number, timestamp=time_ms)
    copying.commit(writer, {})

    merged = MergedTopic(copying.address, copying.source, {0: 0, 1: 1})
    try:
        first = [message.timestamp()[1] for message in merged.below({0: 3, 1: 2})]
        rest = [message.timestamp()[1] for message in merged.below(merged.ends())]
    finally:
        merged.close()
    assert (first, rest) == ([10, 25, 30, 20], [26, 40, 50])
