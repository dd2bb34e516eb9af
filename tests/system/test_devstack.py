"""The devstack, from outside: servers answer, keep data, stand side by side, leave no process behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from confluent_kafka import Consumer, Producer
from kafka import KafkaAdminClient

pytestmark = pytest.mark.system

STARTS_AND_WAITS = """
import json, signal, sys, time
from streams.tools.devstack import Devstack
signal.signal(signal.SIGINT, signal.default_int_handler)  # who started the tests may have it ignored
with Devstack.start(kafka=False) as stack:
    print(json.dumps({"pid": stack.redis_server.pid, "folder": str(stack.folder)}), flush=True)
    time.sleep(600)
"""


def gone(pids: list[int], within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(psutil.pid_exists, pids))


def started_by_a_child() -> tuple[subprocess.Popen[str], int, Path]:
    child = subprocess.Popen([sys.executable, "-c", STARTS_AND_WAITS], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    told = json.loads(child.stdout.readline())
    return child, told["pid"], Path(told["folder"])


# That Kafka does too is seen where a demo is killed, test_demo.py: it is started and kept the same way.
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_server_ends_with_the_process_that_started_it(how: signal.Signals) -> None:
    child, pid, folder = started_by_a_child()
    assert psutil.pid_exists(pid)

    child.send_signal(how)
    child.communicate()

    assert gone([pid])
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_server_ends_with_the_process_that_watches_over_it(private_redis) -> None:
    server = psutil.Process(private_redis.redis_server.pid)

    server.parent().kill()

    assert gone([server.pid])


def test_a_paused_server_ends_when_it_is_stopped(private_redis) -> None:
    pid = private_redis.redis_server.pid
    private_redis.redis_server.pause()

    private_redis.redis_server.stop()

    assert gone([pid])


def test_instances_stand_side_by_side(private_redis, redis_in) -> None:
    with redis.Redis.from_url(private_redis.redis) as one, redis.Redis.from_url(redis_in("other").address) as other:
        one.set("devstack-test", "one")

        assert one.get("devstack-test") == b"one"
        assert other.get("devstack-test") is None


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_redis_keeps_port_and_data_over_a_restart(private_redis, end: str) -> None:
    server, address = private_redis.redis_server, private_redis.redis
    with redis.Redis.from_url(address) as client:
        client.set("kept", "yes")
    getattr(server, end)()

    server.start()

    with redis.Redis.from_url(address) as client:
        assert (private_redis.redis, client.get("kept")) == (address, b"yes")


def test_wiped_redis_starts_empty(private_redis) -> None:
    with redis.Redis.from_url(private_redis.redis) as client:
        client.set("kept", "yes")
    private_redis.redis_server.stop()
    private_redis.redis_server.wipe()

    private_redis.redis_server.start()

    with redis.Redis.from_url(private_redis.redis) as client:
        assert client.dbsize() == 0


def test_redis_without_persistence_loses_everything_when_it_is_killed(redis_in) -> None:
    server = redis_in("one", persistent=False)
    with redis.Redis.from_url(server.address) as client:
        client.set("kept", "no")

    server.kill()
    server.start()

    with redis.Redis.from_url(server.address) as client:
        assert client.dbsize() == 0


def test_a_replica_that_is_promoted_has_lost_what_came_after_it_fell_behind(redis_in) -> None:
    primary = redis_in("primary")
    with redis.Redis.from_url(primary.address) as client:
        client.set("before", "copied in whole")
        replica = redis_in("replica", replica_of=primary)
        client.set("since", "sent on")
        assert client.wait(1, 5000) == 1
        replica.fall_behind()
        client.set("tail", "acknowledged")
    primary.kill()

    replica.promote()

    with redis.Redis.from_url(replica.address) as client:
        assert client.mget("before", "since", "tail") == [b"copied in whole", b"sent on", None]
        assert client.set("after", "written")
    replica.kill()
    replica.start()
    with redis.Redis.from_url(replica.address) as client:
        assert client.info("replication")["role"] == "master"
        assert sorted(client.keys()) == [b"after", b"before", b"since"]


def test_paused_redis_does_not_answer_until_it_is_resumed(private_redis) -> None:
    with redis.Redis.from_url(private_redis.redis, socket_timeout=0.3) as client:
        private_redis.redis_server.pause()
        with pytest.raises(redis.TimeoutError):
            client.ping()

        private_redis.redis_server.resume()

        assert client.ping()


def test_another_port_is_taken_where_the_former_one_is_lost(private_redis) -> None:
    server = private_redis.redis_server
    lost = server.port
    server.stop()
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", lost))
        thief.listen()

        server.start()

    assert server.port != lost
    with redis.Redis.from_url(private_redis.redis) as client:
        assert client.ping()


# What is killed and comes back, one of three brokers below shows too.
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the files of a process that runs")
def test_kafka_ends_when_its_files_may_not_grow_and_keeps_port_and_what_it_acknowledged(private_servers) -> None:
    server, kafka = private_servers.kafka_server, private_servers.kafka
    make_topic(kafka, "kept")
    acknowledged: list[str] = []
    producer = Producer({"bootstrap.servers": kafka, "enable.idempotence": True, "message.max.bytes": 16_000_000})
    write(producer, os.urandom(5 * 1024 * 1024).hex(), acknowledged)
    write_until_the_files_may_not_grow(server, producer, acknowledged)

    server.start()

    assert private_servers.kafka == kafka
    assert producer.flush(30) == 0
    assert committed_values(kafka, len(acknowledged)) == acknowledged


def write(producer: Producer, text: str, acknowledged: list[str]) -> None:
    producer.produce("kept", text, on_delivery=lambda failed, _: acknowledged.append(str(failed or text)))
    producer.poll(0)


def write_until_the_files_may_not_grow(server, producer: Producer, acknowledged: list[str]) -> None:
    """A limit that is lifted again does no harm; one that is reached ends Kafka while it acknowledges."""
    assert producer.flush(30) == 0
    server.limit_file_size(10_500_000)
    server.limit_file_size(None)
    for _ in range(150):
        write(producer, os.urandom(500).hex(), acknowledged)
    assert producer.flush(20) == 0

    server.limit_file_size(11_000_000)
    deadline = time.monotonic() + 20
    while server.running and time.monotonic() < deadline:
        write(producer, os.urandom(5_000).hex(), acknowledged)
        producer.poll(0.02)
    assert not server.running
    assert 151 < len(acknowledged) < 200


def make_topic(kafka: str, name: str, replication: int = 1) -> None:
    with KafkaAdminClient(bootstrap_servers=kafka) as admin:
        topic = {"num_partitions": 1, "replication_factor": replication}
        admin.create_topics({name: topic}, wait_for_metadata=True)


def leader_of(kafka: str, topic: str) -> int:
    with KafkaAdminClient(bootstrap_servers=kafka) as admin:
        (described,) = admin.describe_topics([topic])
        return int(described["partitions"][0]["leader_id"])


def write_in_a_transaction(producer: Producer, value: str) -> None:
    """Raises where it is not acknowledged by all replicas in sync and committed within 20 s."""
    producer.begin_transaction()
    producer.produce("kept", value, partition=0)
    producer.commit_transaction(20)


def committed_values(kafka: str, count: int) -> list[str]:
    options = {
        "bootstrap.servers": kafka,
        "group.id": "reader",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
    reader = Consumer(options | {"isolation.level": "read_committed"})
    reader.subscribe(["kept"])
    values = [message.value().decode() for message in reader.consume(count, 20)]
    reader.close()
    return values


def test_of_three_brokers_any_one_may_be_killed_and_comes_back(three_brokers) -> None:
    kafka = three_brokers.kafka
    make_topic(kafka, "kept", replication=3)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": "writer"})
    producer.init_transactions(20)
    write_in_a_transaction(producer, "before")
    first = three_brokers.brokers[leader_of(kafka, "kept") - 1]

    first.kill()
    write_in_a_transaction(producer, "one is away")
    first.start()
    three_brokers.cluster.wait_until_in_sync()
    second = three_brokers.brokers[leader_of(kafka, "kept") - 1]
    second.kill()
    write_in_a_transaction(producer, "another is away")

    assert first is not second
    assert three_brokers.kafka == kafka
    assert [broker.running for broker in three_brokers.brokers].count(True) == 2
    assert committed_values(kafka, 3) == ["before", "one is away", "another is away"]


@pytest.fixture
def devstack(tmp_path: Path) -> Iterator[Callable[[str], subprocess.CompletedProcess[str]]]:
    """Runs `encore devstack …` on a folder of the test's own."""

    def run(command: str) -> subprocess.CompletedProcess[str]:
        given = {name: value for name, value in os.environ.items() if not name.startswith("ENCORE_")}
        environment = given | {"ENCORE_DEVSTACK_DIR": str(tmp_path)}
        line = [sys.executable, "-c", "from streams.cli import main; main()", "devstack", command]
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)

    yield run
    if not gone(recorded(tmp_path), within_s=0):
        run("down")


def recorded(folder: Path) -> list[int]:
    """The process ids of the folder's servers."""
    return [json.loads(record.read_text())["pid"] for record in folder.glob("*/process.json")]


def test_servers_in_the_background_are_found_again_and_ended(devstack, tmp_path: Path) -> None:
    assert devstack("status").returncode == 1

    up = devstack("up")
    assert up.returncode == 0, up.stderr
    told = re.fullmatch(
        r"export ENCORE_KAFKA=(127\.0\.0\.1:\d+) ENCORE_REDIS=(redis://127\.0\.0\.1:\d+/0)\n", up.stdout
    )
    assert told
    with KafkaAdminClient(bootstrap_servers=told[1]) as admin, redis.Redis.from_url(told[2]) as client:
        assert (admin.list_topics(), client.ping()) == ([], True)
    assert devstack("up").stdout == up.stdout
    status = devstack("status")
    assert (status.returncode, status.stdout) == (0, up.stdout)

    pids = recorded(tmp_path)
    assert len(pids) == 2
    assert devstack("down").returncode == 0
    assert gone(pids)
    assert devstack("status").returncode == 1


def test_down_spares_a_process_that_took_a_recorded_id(devstack, tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / "redis").mkdir()
    record = {"pid": stranger.pid, "created": psutil.Process(stranger.pid).create_time() - 100, "port": 1}
    (tmp_path / "redis" / "process.json").write_text(json.dumps(record))

    try:
        assert devstack("down").returncode == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
