"""Others are kept out: users, certificates, rights and TLS, at a Kafka and a Redis that insist on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from application import Application, Ended, until
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import NewTopic
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


@pytest.mark.parametrize("by", ["password", "certificate"])
def test_whoever_shows_what_is_asked_for_counts_sends_and_verifies(
    servers: SecuredServers, application: Application, by: str
) -> None:
    def shown(principal: str) -> dict[str, str]:
        own = servers.environment(principal, {"producer": "auditor", "eraser": "auditor"}.get(principal, principal))
        return own | (servers.by_certificate(principal) if by == "certificate" else {})

    worker = application.start("worker", **shown("worker"))
    worker.until_logged("restored:", times=4)
    sending = ["simulate", "--events", "2000", "--rate", "1000", "--households", "20", "--titles", "5", "--json"]
    sent = application.start(*sending, "--seed", str(len(by)), **shown("producer")).ended()
    assert sent.code == 0, sent.log

    verified = application.start("verify", "--json", "--wait", "30", **shown("auditor")).ended(120)

    assert verified.code == 0, f"{verified.out}\n{verified.log}\n{worker.log}"
    assert json.loads(verified.out)["events"] >= 1000
    forgotten = application.start("forget", "nobody", "--json", **shown("eraser")).ended()
    assert (forgotten.code, forgotten.log) == (0, "")
    stopped = worker.stopped()
    assert stopped.code == 0, stopped.log
    everything = "\n".join(file.read_text() for file in application.folder.glob("*.log"))
    assert [name for name, password in servers.passwords.items() if password in everything] == []


def test_readers_look_operators_ask_and_services_get_milestones(
    servers: SecuredServers, application: Application
) -> None:
    top = application.start("top", "--json", **servers.environment("worker", "reader")).ended()
    assert top.code == 0, top.log
    for command in (["lag"], ["doctor"]):
        looked = application.start(*command, "--json", **servers.environment("auditor")).ended()
        assert looked.log == "", looked
        assert "authorization" not in looked.out.lower()
    consumer = Consumer(
        servers.kafka.client("milestones") | {"group.id": "encore-milestones-mail", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["encore-milestones"])
    try:
        message = until(lambda: consumer.poll(1), "a milestone")
        assert message.error() is None
    finally:
        consumer.close()


# -- kept out -----------------------------------------------------------------------------------------------------


def wrong_password(servers: SecuredServers) -> dict[str, str]:
    return {"ENCORE_KAFKA_PASSWORD_FILE": str(servers.folder / "producer.password")}


def nobody(servers: SecuredServers) -> dict[str, str]:
    return {"ENCORE_KAFKA_USER": "", "ENCORE_KAFKA_PASSWORD_FILE": ""}


def wrong_ca(servers: SecuredServers) -> dict[str, str]:
    return {"ENCORE_KAFKA_CA_FILE": str(servers.strangers.ca_file)}


def no_certificate(servers: SecuredServers) -> dict[str, str]:
    return servers.by_certificate("worker") | {"ENCORE_KAFKA_CERT_FILE": "", "ENCORE_KAFKA_KEY_FILE": ""}


def strangers_certificate(servers: SecuredServers) -> dict[str, str]:
    theirs = servers.strangers.issue("worker")
    files = {"ENCORE_KAFKA_CERT_FILE": str(theirs.certificate), "ENCORE_KAFKA_KEY_FILE": str(theirs.key)}
    return servers.by_certificate("worker") | files


WITHOUT_RIGHT = [wrong_password, nobody, wrong_ca, no_certificate, strangers_certificate]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        *((["lag"], shown) for shown in WITHOUT_RIGHT),
        *((["topics", "ensure"], shown) for shown in (wrong_password, wrong_ca)),
        *((["verify", "--wait", "1"], shown) for shown in (wrong_password, wrong_ca)),
    ],
)
def test_a_command_that_kafka_keeps_out_says_so_in_one_line(
    servers: SecuredServers, application: Application, command: list[str], shown: Any
) -> None:
    ended = application.start(*command, **shown(servers)).ended()
    line = one_line(ended)
    assert ended.code == 1
    assert line.startswith("Error: Kafka at 127.0.0.1:")
    if shown is wrong_password:
        assert "SCRAM-SHA-512" in line
    if shown is wrong_ca:
        assert "certificate verify failed" in line


@pytest.mark.parametrize("shown", WITHOUT_RIGHT)
def test_a_worker_that_kafka_keeps_out_gives_up_and_names_the_setting(
    servers: SecuredServers, application: Application, shown: Any
) -> None:
    failure = application.start("worker", **SOON, **shown(servers)).ended().failure()
    assert "ENCORE_KAFKA=127.0.0.1:" in failure
    assert "not reachable for 3 s" in failure


REDIS_WITHOUT_RIGHT = {
    "wrong password": {"ENCORE_REDIS_PASSWORD_FILE": "{folder}/producer.password"},
    "nobody": {"ENCORE_REDIS_USER": "", "ENCORE_REDIS_PASSWORD_FILE": ""},
    "wrong CA": {"ENCORE_REDIS_CA_FILE": "{folder}/strangers/ca.pem"},
}


@pytest.mark.parametrize("shown", REDIS_WITHOUT_RIGHT)
def test_whom_redis_keeps_out_is_told_in_one_line(
    servers: SecuredServers, application: Application, shown: str
) -> None:
    own = {name: text.format(folder=servers.folder) for name, text in REDIS_WITHOUT_RIGHT[shown].items()}
    top = application.start("top", **servers.environment("worker", "reader") | own).ended()
    assert top.code == 1
    assert one_line(top).startswith(
        "Error: Redis at rediss://***@127.0.0.1:" if shown != "nobody" else "Error: Redis at"
    )
    failure = application.start("worker", **SOON, **own).ended().failure()
    assert "ENCORE_REDIS=rediss://127.0.0.1:" in failure


def test_without_tls_nobody_gets_anywhere_and_another_machine_is_not_even_asked(
    servers: SecuredServers, application: Application
) -> None:
    files = dict.fromkeys(("ENCORE_KAFKA_CA_FILE", "ENCORE_KAFKA_USER", "ENCORE_KAFKA_PASSWORD_FILE"), "")
    ended = application.start("topics", "ensure", **files).ended()
    assert ended.code == 1
    assert one_line(ended).startswith("Error: Kafka at 127.0.0.1:")

    ended = application.start("worker", **files, ENCORE_KAFKA="kafka.example:9092").ended()

    assert ended.code == 2
    assert one_line(ended).startswith("Error: ENCORE_KAFKA='kafka.example:9092': without TLS others on the way")


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
    with redis.Redis(port=servers.redis.port) as client, pytest.raises(redis.exceptions.AuthenticationError):
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
