"""Others are kept out: users, certificates, rights and TLS, at a Kafka and a Redis that insist on them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from application import Application, Ended, until
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import NewTopic
from playback import TEN_MINUTES, whole_viewing
from redis.backoff import NoBackoff
from redis.retry import Retry
from secured import SecuredServers, secured_servers

pytestmark = pytest.mark.system

SOON = {"ENCORE_STARTUP_TIMEOUT_S": "3"}


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServers]:
    """Secured servers with the topics and rights of an application of the usual names."""
    folder = tmp_path_factory.mktemp("secured")
    with secured_servers(folder) as started:
        application = Application(started.environment("admin", "worker"), folder)
        made = application.start("topics", "ensure").ended()
        assert (made.code, made.log) == (0, ""), made
        admin = started.kafka.admin()
        admin.create_topics([NewTopic("of-others", 1)])["of-others"].result()
        started.give_rights()
        yield started
        application.close()


@pytest.fixture
def application(servers: SecuredServers, tmp_path: Path) -> Iterator[Application]:
    """Commands of whoever the environment that they get says; a worker's where it says nothing."""
    made = Application(servers.environment("worker"), tmp_path)
    yield made
    made.close()


def one_line(ended: Ended) -> str:
    """The one line on stderr of a command that failed."""
    (line,) = ended.log.strip().splitlines()
    assert ended.out == ""
    return line


# -- let in -------------------------------------------------------------------------------------------------------


def send(servers: SecuredServers, events: Iterable[dict[str, Any]]) -> None:
    """Send events as the producer, who shows its password."""
    producer = Producer(servers.kafka.client("producer") | {"partitioner": "murmur2_random"})
    for event in events:
        key, value = event["household_id"].encode(), json.dumps(event).encode()
        producer.produce("playback-events", value, key, timestamp=event["event_time_ms"])
    assert producer.flush(20) == 0


@pytest.fixture(scope="module")
def counted(servers: SecuredServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """Viewing that a worker counts that logged in by its certificate, after one that did by its password."""
    application = Application(servers.environment("worker"), tmp_path_factory.mktemp("counted"))
    producer = servers.environment("producer", "auditor") | servers.by_certificate("producer")
    sending = ["--events", "1000", "--rate", "2000", "--households", "20", "--titles", "5"]
    try:
        first = application.ready_worker()
        sent = application.start("simulate", *sending, **producer).ended()
        assert sent.code == 0, sent.log
        assert first.stopped().code == 0, first.log
        second = application.ready_worker(**servers.by_certificate("worker"))
        send(servers, whole_viewing("home", "film", time.time_ns() // 1_000_000 - TEN_MINUTES))
        yield application
        assert second.stopped().code == 0, second.log
    finally:
        application.close()


def test_whoever_shows_a_password_or_a_certificate_counts_sends_verifies_and_forgets(
    servers: SecuredServers, counted: Application
) -> None:
    auditor, eraser = (
        servers.environment(principal, "auditor") | servers.by_certificate(principal)
        for principal in ("auditor", "eraser")
    )
    forgetting = counted.start("forget", "nobody", "--yes", "--json", **eraser)
    verified = counted.start("verify", "--json", "--wait", "30", **auditor).ended(120)
    forgotten = forgetting.ended()

    assert verified.code == 0, f"{verified.out}\n{verified.log}\n{counted.logs()}"
    assert json.loads(verified.out)["events"] >= 500
    assert (forgotten.code, forgotten.log) == (0, "")
    everything = "\n".join(file.read_text() for file in counted.folder.glob("*.log"))
    assert [name for name, password in servers.passwords.items() if password in everything] == []


def test_readers_look_and_operators_ask(servers: SecuredServers, counted: Application) -> None:
    reader, auditor = servers.environment("worker", "reader"), servers.environment("auditor")
    top = counted.start("top", "--json", **reader)
    asking = [counted.start(command, "--json", **auditor) for command in ("lag", "doctor")]

    assert top.ended().code == 0, top.log
    for command in asking:
        looked = command.ended()
        assert looked.log == "", looked
        assert "authorization" not in looked.out.lower()


def test_services_get_milestones(servers: SecuredServers, counted: Application) -> None:
    group = {"group.id": "encore-milestones-mail", "auto.offset.reset": "earliest"}
    consumer = Consumer(servers.kafka.client("milestones") | group)
    consumer.subscribe(["encore-milestones"])
    try:
        message = until(lambda: consumer.poll(1), "a milestone")
        assert message.error() is None
    finally:
        consumer.close()


def test_who_may_sends_dead_letters_again(servers: SecuredServers, application: Application) -> None:
    event, *_ = whole_viewing("home", "film", time.time_ns() // 1_000_000 - TEN_MINUTES)
    place = {"topic": "playback-events", "topic_id": "x", "partition": "0", "offset": "7", "error": "of this test"}
    letters = Producer(servers.kafka.client("admin"))
    letters.produce("encore-dead-letters", json.dumps(event).encode(), b"home", headers=list(place.items()))
    assert letters.flush(20) == 0

    replayer = servers.environment("replayer", "auditor")
    # Others of these tests leave some, too, and a worker sets those aside again.
    replay = ("dead-letters", "replay", "--yes", "--error", "of this test")
    first, second = (application.start(*replay, **replayer).ended(120) for _ in range(2))
    assert (first.code, first.log, first.out) == (0, "", "1 sent to playback-events\n")
    assert (second.code, second.out[:30]) == (0, "no dead letters to send again ")


# -- kept out -----------------------------------------------------------------------------------------------------


def wrong_password(servers: SecuredServers) -> dict[str, str]:
    return {"ENCORE_KAFKA_PASSWORD_FILE": str(servers.folder / "producer.password")}


def nobody(servers: SecuredServers) -> dict[str, str]:
    return {"ENCORE_KAFKA_USER": "", "ENCORE_KAFKA_PASSWORD_FILE": ""}


def no_tls(servers: SecuredServers) -> dict[str, str]:
    return nobody(servers) | {"ENCORE_KAFKA_CA_FILE": ""}


def wrong_ca(servers: SecuredServers) -> dict[str, str]:
    return {"ENCORE_KAFKA_CA_FILE": str(servers.strangers.ca_file)}


def no_certificate(servers: SecuredServers) -> dict[str, str]:
    return servers.by_certificate("worker") | {"ENCORE_KAFKA_CERT_FILE": "", "ENCORE_KAFKA_KEY_FILE": ""}


def strangers_certificate(servers: SecuredServers) -> dict[str, str]:
    theirs = servers.strangers.issue("worker")
    files = {"ENCORE_KAFKA_CERT_FILE": str(theirs.certificate), "ENCORE_KAFKA_KEY_FILE": str(theirs.key)}
    return servers.by_certificate("worker") | files


REASONS = {wrong_password: "SCRAM-SHA-512", wrong_ca: "certificate verify failed"}
"""What whoever is kept out is told, where Kafka or TLS says it."""


def test_a_command_that_kafka_keeps_out_says_so_in_one_line(servers: SecuredServers, application: Application) -> None:
    lag, verify = ["lag"], ["verify", "--wait", "1"]
    # `lag` asks by the client that looks at topics and groups, `verify` by the one that reads.
    kept_out = [(lag, shown) for shown in (wrong_password, no_certificate, strangers_certificate)]
    kept_out.append((verify, wrong_ca))
    started = [(shown, application.start(*command, **shown(servers))) for command, shown in kept_out]

    for shown, process in started:
        ended = process.ended()
        assert ended.code == 1, shown
        assert one_line(ended).startswith("Error: Kafka at 127.0.0.1:"), shown
        assert REASONS.get(shown, "") in ended.log, shown


def test_a_worker_that_kafka_keeps_out_gives_up_and_names_the_setting(
    servers: SecuredServers, application: Application
) -> None:
    kept_out = (wrong_password, nobody, no_tls)
    started = [(shown, application.worker(**SOON, **shown(servers))) for shown in kept_out]

    for shown, worker in started:
        failure = worker.ended().failure()
        assert "ENCORE_KAFKA=127.0.0.1:" in failure, shown
        assert "not reachable for 3 s" in failure, shown
        assert REASONS.get(shown, "") in failure, shown


def test_whom_redis_keeps_out_is_told_in_one_line(servers: SecuredServers, application: Application) -> None:
    wrong_password = {"ENCORE_REDIS_PASSWORD_FILE": str(servers.folder / "producer.password")}
    nobody = {"ENCORE_REDIS_USER": "", "ENCORE_REDIS_PASSWORD_FILE": ""}
    reader = servers.environment("worker", "reader")
    looking = [application.start("top", **reader | shown) for shown in (wrong_password, nobody)]
    worker = application.worker(**wrong_password, ENCORE_STARTUP_TIMEOUT_S="5")

    for top, told in zip(looking, ("rediss://***@127.0.0.1:", "rediss://127.0.0.1:"), strict=True):
        ended = top.ended()
        assert ended.code == 1
        assert one_line(ended).startswith(f"Error: Redis at {told}"), ended
    assert "ENCORE_REDIS=rediss://127.0.0.1:" in worker.ended().failure()


# -- no more than is needed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "command"),
    [
        ("worker", "FLUSHALL"),
        ("worker", "FLUSHDB"),
        ("worker", "CONFIG GET *"),
        ("worker", "KEYS *"),
        ("worker", "ACL LIST"),
        ("worker", "SHUTDOWN"),
        ("worker", "GET other:key"),
        ("worker", "SET other:key 1"),
        ("worker", "PUBLISH other:changes 1"),
        ("reader", "HSET encore:title:film plays 1"),
        ("reader", "DEL encore:status"),
        ("reader", "FLUSHALL"),
        ("reader", "EVAL return 0"),
        ("reader", "PUBLISH encore:changes 1"),
        ("reader", "HGETALL other:key"),
        ("reader", "SUBSCRIBE other:changes"),
        ("auditor", "HSET encore:title:film plays 1"),
        ("auditor", "DEL encore:status"),
    ],
)
def test_a_user_of_redis_may_do_nothing_else(servers: SecuredServers, user: str, command: str) -> None:
    with servers.redis.client(user) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


def test_redis_knows_nobody_who_gives_no_name(servers: SecuredServers) -> None:
    once = Retry(NoBackoff(), 0)
    asking = redis.Redis(port=servers.redis.port, retry=once)
    with asking as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()


@pytest.mark.parametrize(
    ("principal", "topic"),
    [("worker", "of-others"), ("worker", "playback-events"), ("producer", "encore-state"), ("auditor", "titles")],
)
def test_a_principal_of_kafka_writes_to_no_other_topic(servers: SecuredServers, principal: str, topic: str) -> None:
    refused: list[KafkaError] = []
    producer = Producer(servers.kafka.client(principal))
    producer.produce(topic, b"x", on_delivery=lambda error, _: refused.append(error))
    producer.flush(20)
    assert [error.code() for error in refused] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]


@pytest.mark.parametrize(
    ("principal", "topic"),
    [
        ("worker", "of-others"),
        ("worker", "encore-milestones"),
        ("producer", "playback-events"),
        ("milestones", "encore-state"),
    ],
)
def test_a_principal_of_kafka_reads_no_other_topic(servers: SecuredServers, principal: str, topic: str) -> None:
    own = {"group.id": "encore-milestones-x", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    consumer = Consumer(servers.kafka.client(principal) | own)
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        # A topic that it may not even see has no partitions to read from.
        unseen = consumer.list_topics(topic, timeout=10).topics[topic].error
        errors = [unseen] if unseen else [message.error() for message in consumer.consume(2, 5)]
        codes = {error.code() if error else None for error in errors}
        assert KafkaError.TOPIC_AUTHORIZATION_FAILED in codes
        assert None not in codes
    finally:
        consumer.close()
