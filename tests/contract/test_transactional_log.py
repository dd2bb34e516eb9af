"""What the simulated Kafka and a real one both do with transactions: fences, last stable offset, late ends, aborts."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, Protocol

import clients
import confluent_kafka
import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_frames import Api, Request
from kafka_proxy import ProxiedKafka, Verdict
from log import Broker
from loop import SimulatedLoop
from network import LATE, Fate, Network

TOPIC = "state"
_SETTLED_S = 0.5
"""Markers are written after the answer to a commit."""


class Kafka(Protocol):
    """A Kafka with one topic; `keep_the_next_end` and `deliver` are of a request that comes late."""

    topic: str

    def producer(self, name: str) -> Any: ...
    def consumer(self) -> Any: ...
    def settle(self) -> None: ...
    def keep_the_next_end(self) -> None: ...
    def deliver(self) -> None: ...
    def run(self, test: Callable[[], None]) -> None: ...


class Simulated:
    topic = TOPIC

    def __init__(self) -> None:
        self.loop = SimulatedLoop(Random(1))
        self.network = Network(self.loop)
        broker = Broker(self.network.later, lambda place: None)
        self._kafka = clients.Kafka(broker, self.network, self.loop)

    def producer(self, name: str) -> Any:
        return clients.Producer(self._kafka, {"transactional.id": name} if name else {})

    def consumer(self) -> Any:
        return clients.Consumer(self._kafka, {"isolation.level": "read_committed"})

    def settle(self) -> None:
        self.loop.sleep(_SETTLED_S)

    def keep_the_next_end(self) -> None:
        self.network.meet("EndTxn", Fate(LATE, -1_000))

    def deliver(self) -> None:
        self.network.deliver_late()

    def run(self, test: Callable[[], None]) -> None:
        self.loop.run_until_complete(self.loop.run_in_executor(None, test))


class Real:
    def __init__(self, proxied: ProxiedKafka, topic: str) -> None:
        self.topic, self._proxied = topic, proxied

    def producer(self, name: str) -> Any:
        transactional = {"transactional.id": f"{self.topic}-{name}"} if name else {}
        return confluent_kafka.Producer({"bootstrap.servers": self._proxied.address, "log_level": 0, **transactional})

    def consumer(self) -> Any:
        return confluent_kafka.Consumer(
            {
                "bootstrap.servers": self._proxied.address,
                "group.id": "look",
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )

    def settle(self) -> None:
        time.sleep(_SETTLED_S)

    def keep_the_next_end(self) -> None:
        async def judge(request: Request) -> Verdict:
            return Verdict.CUT if request.api == Api.END_TXN and not self._proxied.held else Verdict.PASS

        self._proxied.judge = judge

    def deliver(self) -> None:
        (end,) = self._proxied.held
        self._proxied.deliver(end)

    def run(self, test: Callable[[], None]) -> None:
        test()


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.system)])
def kafka(request: pytest.FixtureRequest) -> Iterator[Kafka]:
    if request.param == "simulated":
        yield Simulated()
        return
    servers = request.getfixturevalue("servers")
    topic, admin = f"log-{secrets.token_hex(6)}", AdminClient({"bootstrap.servers": servers.kafka})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
    with ProxiedKafka.before(servers.kafka) as proxied:
        yield Real(proxied, topic)
    admin.delete_topics([topic])[topic].result(20)


def begun(kafka: Kafka, name: str) -> Any:
    producer = kafka.producer(name)
    producer.init_transactions(20)
    return producer


def send(kafka: Kafka, producer: Any, *keys: str) -> None:
    producer.produce_batch(kafka.topic, [{"key": key.encode(), "value": b""} for key in keys], partition=0)
    producer.flush(20)


def commit(kafka: Kafka, producer: Any, *keys: str) -> None:
    producer.begin_transaction()
    send(kafka, producer, *keys)
    producer.commit_transaction(30)
    kafka.settle()


def visible(kafka: Kafka) -> list[str]:
    """The keys that a reader of committed records finds."""
    consumer, keys = kafka.consumer(), []
    consumer.assign([TopicPartition(kafka.topic, 0, OFFSET_BEGINNING)])
    while (message := consumer.poll(20)) is not None and message.error() is None:
        keys.append(message.key().decode())
    consumer.close()
    return keys


def test_a_producer_of_the_same_id_fences_the_one_before_and_ends_what_it_left_open(kafka: Kafka) -> None:
    def test() -> None:
        former = begun(kafka, "a")
        former.begin_transaction()
        send(kafka, former, "open")
        heir = begun(kafka, "a")
        with pytest.raises(KafkaException):
            former.commit_transaction(20)
        commit(kafka, heir, "heir")
        assert visible(kafka) == ["heir"]

    kafka.run(test)


def test_readers_stop_at_the_first_transaction_that_is_open_and_see_nothing_of_an_aborted_one(kafka: Kafka) -> None:
    def test() -> None:
        commit(kafka, begun(kafka, "a"), "first")
        slow = begun(kafka, "b")
        slow.begin_transaction()
        send(kafka, slow, "open")
        commit(kafka, begun(kafka, "c"), "behind it")
        assert visible(kafka) == ["first"]
        slow.abort_transaction(20)
        kafka.settle()
        assert visible(kafka) == ["first", "behind it"]

    kafka.run(test)


def test_an_end_that_comes_late_ends_the_next_transaction_of_its_epoch(kafka: Kafka) -> None:
    def test() -> None:
        producer = begun(kafka, "a")
        kafka.keep_the_next_end()
        commit(kafka, producer, "first")
        producer.begin_transaction()
        send(kafka, producer, "half")
        assert visible(kafka) == ["first"]
        kafka.deliver()
        kafka.settle()
        assert visible(kafka) == ["first", "half"]

    kafka.run(test)


def test_an_end_that_comes_after_a_new_producer_ends_nothing(kafka: Kafka) -> None:
    def test() -> None:
        kafka.keep_the_next_end()
        commit(kafka, begun(kafka, "a"), "first")
        heir = begun(kafka, "a")
        heir.begin_transaction()
        send(kafka, heir, "half")
        kafka.deliver()
        kafka.settle()
        assert visible(kafka) == ["first"]
        heir.commit_transaction(20)
        kafka.settle()
        assert visible(kafka) == ["first", "half"]

    kafka.run(test)
