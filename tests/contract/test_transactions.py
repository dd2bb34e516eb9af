"""What a writer of checkpoints relies on in a real Kafka: who may write next, and what a reader then finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from application import fresh_names
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from streams.config.kafka_security import KafkaAddress
from streams.kafka.last_record import LastRecord, last_record
from streams.kafka.reader import CannotRead, TopicReader
from streams.state.transactions import CheckpointBatch, Fenced, RecordRefused, SideRecord, TransactionalWriter

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

ROWS = 50


class Topics:
    """A state topic of one partition and one of milestones, on a real Kafka; each `writer()` fences those before."""

    def __init__(self, kafka: str, name: str, **options: str) -> None:
        self.address, self.name = KafkaAddress(kafka), name
        self.state, self.milestones = f"{name}-state", f"{name}-milestones"
        self.renewals = 0
        self.writers: list[TransactionalWriter] = []
        self.admin = AdminClient({"bootstrap.servers": kafka})
        for made in self.admin.create_topics(
            [NewTopic(each, 1, 1, config=options) for each in (self.state, self.milestones)]
        ).values():
            made.result(20)

    def writer(self) -> TransactionalWriter:
        writer = TransactionalWriter(self.address, f"{self.name}-0", self.state, 0, 20, self._on_renewed)
        self.writers.append(writer)
        writer.open()
        writer.continue_from(self.last())
        return writer

    def _on_renewed(self) -> None:
        self.renewals += 1

    def batch(self, position: str) -> CheckpointBatch:
        rows = [{"key": b"r%d" % number, "value": position.encode()} for number in range(ROWS)]
        milestone = SideRecord(self.milestones, position.encode(), b"", [])
        return CheckpointBatch([*rows, {"key": b"p", "value": position.encode()}], [milestone])

    def last(self) -> bytes | None:
        found = last_record(self.address, self.state, 0, 10)
        return None if found is None else found.value

    def committed(self) -> list[str]:
        """The milestones, and before them how many state records there are."""
        with TopicReader(self.address, self.state) as state, TopicReader(self.address, self.milestones) as milestones:
            records = sum(1 for _ in state.read(state.ends()))
            return [str(records), *(message.key().decode() for message in milestones.read(milestones.ends()))]

    def close(self) -> None:
        for writer in self.writers:
            writer.close()
        # Waited for: a client that is collected in a callback of its own aborts the process.
        for deleted in self.admin.delete_topics([self.state, self.milestones]).values():
            deleted.result(20)


@pytest.fixture
def topics(servers: Any) -> Iterator[Topics]:
    topics = Topics(servers.kafka, fresh_names(servers.kafka, servers.redis, "writers")["ENCORE_APP_ID"])
    yield topics
    topics.close()


def slowly(call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, answered as late as if it had been repeated."""

    def late(*arguments: Any) -> Any:
        answer = call(*arguments)
        time.sleep(0.85)
        return answer

    return late


class LateCommits:
    """A producer whose commits are answered late."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self.commit_transaction = slowly(producer.commit_transaction)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)


class Aborting:
    """A producer that says after half of a batch, or after the commit, that its transaction must be aborted."""

    def __init__(self, producer: Any, moment: str) -> None:
        self._producer, self._moment = producer, moment

    def flush(self, within_s: float) -> None:
        self._producer.flush(within_s)
        self._break("flushed")

    def commit_transaction(self, within_s: float) -> None:
        self._producer.commit_transaction(within_s)
        self._break("committed")

    def _break(self, moment: str) -> None:
        if moment == self._moment:
            raise KafkaException(KafkaError(KafkaError.INVALID_TXN_STATE, "made up", False, False, True))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)


def test_commits_answered_at_once_are_all_made_by_one_producer(topics: Topics) -> None:
    writer = topics.writer()

    for position in ("one", "two", "three"):
        writer._may_come_late = False  # on a busy machine one may have been late
        writer.write(topics.batch(position))

    assert (topics.committed(), topics.renewals) == ([str(3 * ROWS + 3), "one", "two", "three"], 0)


def test_after_a_commit_that_was_answered_late_a_new_producer_writes_the_next_checkpoint(topics: Topics) -> None:
    writer = topics.writer()
    writer._producer = LateCommits(writer._producer)
    writer.write(topics.batch("one"))

    writer.write(topics.batch("two"))

    assert (topics.committed(), topics.renewals) == ([str(2 * ROWS + 2), "one", "two"], 1)


@pytest.mark.parametrize("moment", ["flushed", "committed"])
def test_a_checkpoint_that_must_be_aborted_is_written_by_a_new_producer_unless_it_was_committed(
    topics: Topics, moment: str
) -> None:
    writer = topics.writer()
    writer._producer = Aborting(writer._producer, moment)

    writer.write(topics.batch("one"))
    writer.write(topics.batch("two"))

    assert topics.committed() == [str(2 * ROWS + 2), "one", "two"]


def test_a_writer_whose_heir_has_written_ends_before_it_could_fence_that(topics: Topics) -> None:
    former = topics.writer()
    former.write(topics.batch("former"))
    former._may_come_late = True
    heir = topics.writer()
    heir.write(topics.batch("heir"))

    with pytest.raises(Fenced, match="another worker owns the partition by now"):
        former.write(topics.batch("late"))

    heir.write(topics.batch("heir again"))
    assert topics.committed()[1:] == ["former", "heir", "heir again"]


def test_a_writer_whose_heir_has_written_nothing_yet_may_go_on_and_the_heir_ends(topics: Topics) -> None:
    former = topics.writer()
    former.write(topics.batch("former"))
    former._may_come_late = True
    heir = topics.writer()
    former.write(topics.batch("goes on"))

    with pytest.raises(Fenced, match="another worker owns the partition by now"):
        heir.write(topics.batch("heir"))

    assert topics.committed()[1:] == ["former", "goes on"]


def test_a_writer_that_was_fenced_by_one_that_has_not_written_is_told_so(topics: Topics) -> None:
    former = topics.writer()
    former.write(topics.batch("former"))
    former._may_come_late = False
    topics.writer()

    with pytest.raises(Fenced, match="no other worker has written since its last checkpoint"):
        former.write(topics.batch("late"))


def test_of_a_topic_with_no_record_there_is_no_last_one(topics: Topics) -> None:
    assert last_record(topics.address, topics.state, 0, 10) is None


def test_behind_the_last_record_may_be_more_than_the_marker_of_its_commit(topics: Topics) -> None:
    writer = topics.writer()
    writer.write(topics.batch("one"))
    for _ in range(12):
        topics.writer()._producer.begin_transaction()
        topics.writers[-1]._send(topics.batch("never"))
        topics.writers[-1]._producer.flush()
        topics.writers[-1]._producer.abort_transaction()

    assert last_record(topics.address, topics.state, 0, 10) == LastRecord(ROWS, b"p", b"one")


def test_a_topic_that_is_not_there_has_no_last_record_to_read(topics: Topics) -> None:
    with pytest.raises(CannotRead, match=r"nowhere/0 at .* cannot be read"):
        last_record(topics.address, "nowhere", 0, 1)


def test_a_record_that_the_topic_refuses_for_its_size_is_named_by_topic_title_and_offset(servers: Any) -> None:
    name = fresh_names(servers.kafka, servers.redis, "writers")["ENCORE_APP_ID"]
    topics = Topics(servers.kafka, name, **{"max.message.bytes": "20000"})
    for size in (30_000, 12_000_001):
        writer = topics.writer()
        rows = [{"key": b"r\x00\x04filmhome", "value": b"x" * size}, {"key": b"tother", "value": b"x"}]
        with pytest.raises(RecordRefused) as refused:
            writer.write(CheckpointBatch([*rows, {"key": b"p", "value": b'{"next_offset": 7}'}], []))
        said = f"the largest is a household's row of title 'film' in {topics.state}, {size + 11:,} bytes"
        assert said in str(refused.value) and "offset 7 of source partition 0" in str(refused.value)
        assert "home" not in str(refused.value).replace("household", "")
        assert topics.committed() == ["0"], "the transaction is aborted: nobody waits for it"
    topics.close()
