"""The proxies before Kafka, between a real one and its clients: what passes, what is kept, and what comes late."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_frames import FENCED, Api, Request
from kafka_proxy import Judge, ProxiedKafka, Verdict

pytestmark = pytest.mark.system


@pytest.fixture
def kafka(servers) -> Iterator[ProxiedKafka]:
    with ProxiedKafka.before(servers.kafka) as proxied:
        yield proxied


@pytest.fixture
def topic(servers) -> Iterator[str]:
    admin, name = AdminClient({"bootstrap.servers": servers.kafka}), f"proxied-{secrets.token_hex(6)}"
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(10)
    yield name
    admin.delete_topics([name])[name].result(10)


@pytest.fixture
def producer_of(kafka, topic) -> Callable[[], Producer]:
    def make() -> Producer:
        producer = Producer(
            {"bootstrap.servers": kafka.address, "transactional.id": topic, "socket.timeout.ms": 10_000, "log_level": 0}
        )
        producer.init_transactions(10)
        return producer

    return make


def the(number: int, api: Api, verdict: Verdict) -> Judge:
    """The number-th request of an API."""
    seen = 0

    async def judge(request: Request) -> Verdict:
        nonlocal seen
        seen += request.api == api
        return verdict if request.api == api and seen == number else Verdict.PASS

    return judge


def send(producer: Producer, topic: str, *keys: str) -> None:
    for key in keys:
        producer.produce(topic, key=key, partition=0)
    assert producer.flush(10) == 0


def commit(producer: Producer, topic: str, *keys: str) -> None:
    producer.begin_transaction()
    send(producer, topic, *keys)
    producer.commit_transaction(30)


def committed(address: str, topic: str) -> list[str]:
    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": "look", "enable.partition.eof": True, "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    keys = []
    while (message := consumer.poll(10)) is not None and message.error() is None:
        keys.append(message.key().decode())
    consumer.close()
    return keys


def test_clients_that_begin_at_the_proxy_stay_behind_it(kafka, topic, producer_of) -> None:
    commit(producer_of(), topic, "a", "b")

    assert committed(kafka.address, topic) == ["a", "b"]
    (proxy,) = kafka.proxies.values()
    told = AdminClient({"bootstrap.servers": kafka.address}).list_topics(timeout=10).brokers.values()
    assert {broker.port for broker in told} == {proxy.port}


def test_the_requests_of_a_transaction_are_read(kafka, topic, producer_of) -> None:
    commit(producer_of(), topic, "a")

    # A broker that has only just begun lets a client ask again.
    seen = [each for each in kafka.seen if not each.error]
    init, add, produce, end = seen
    assert [each.api for each in seen] == [Api.INIT_PRODUCER_ID, Api.ADD_PARTITIONS, Api.PRODUCE, Api.END_TXN]
    assert {each.transactional_id for each in seen} == {topic}
    assert (init.epoch, add.epoch, end.epoch) == (-1, 0, 0)
    assert (add.topics, produce.topics, end.commit) == ((topic,), (topic,), True)


@pytest.mark.parametrize("verdict", [Verdict.CUT, Verdict.HOLD])
def test_an_end_that_is_kept_is_sent_again_by_the_client_and_ends_a_later_transaction(
    kafka, topic, producer_of, servers, verdict: Verdict
) -> None:
    producer = producer_of()
    kafka.judge = the(1, Api.END_TXN, verdict)
    commit(producer, topic, "a")
    producer.begin_transaction()
    send(producer, topic, "half")
    assert committed(servers.kafka, topic) == ["a"]

    (end,) = kafka.held
    assert kafka.deliver(end) == 0

    assert committed(servers.kafka, topic) == ["a", "half"]


def test_an_end_of_an_epoch_that_is_over_is_refused(kafka, topic, producer_of, servers) -> None:
    kafka.judge = the(1, Api.END_TXN, Verdict.REPEAT)
    commit(producer_of(), topic, "a")
    heir = producer_of()
    heir.begin_transaction()
    send(heir, topic, "half")

    (end,) = kafka.held
    assert kafka.deliver(end) in FENCED

    assert committed(servers.kafka, topic) == ["a"]


def test_while_a_judge_waits_the_request_does_and_others_connections_go_on(kafka, topic, producer_of) -> None:
    told = threading.Event()

    async def judge(request: Request) -> Verdict:
        if request.api == Api.END_TXN:
            await asyncio.to_thread(told.wait, 10)
        return Verdict.PASS

    producer = producer_of()
    kafka.judge = judge
    late = threading.Thread(target=commit, args=(producer, topic, "a"))
    late.start()
    late.join(0.5)

    assert late.is_alive()
    assert committed(kafka.address, topic) == []
    told.set()
    late.join(10)
    assert committed(kafka.address, topic) == ["a"]


def test_nothing_is_left_when_it_ends(servers, topic) -> None:
    threads = set(threading.enumerate())
    with ProxiedKafka.before(servers.kafka) as kafka:
        ports = {proxy.port for proxy in kafka.proxies.values()}
        assert committed(kafka.address, topic) == []

    assert set(threading.enumerate()) == threads
    assert not {each.laddr.port for each in psutil.Process().net_connections("tcp") if each.status == "LISTEN"} & ports
