"""A bridge that is killed at any moment: what it wrote is what one pass over the foreign topic makes of it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from application import BRISK, Process, fresh_names, until
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from models.partitioner import partition_of
from models.sources.foreign_partition import FORGOTTEN_EVERY, ForeignPartition
from models.sources.identities import Identities
from models.sources.schemas import schemas
from streams.config.kafka_security import KafkaAddress
from streams.kafka.reader import TopicReader

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

FOREIGN, PARTITIONS = 3, 4
HOUR_MS = 3_600_000
BEGAN_MS = 1_777_917_600_000
MOMENTS = ("cut:3", "written:3", "committed:3", "assigned", "restoring")
"""Of ten deaths, five are at these moments, and five whenever they come."""


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Viewers:
    """Players that send all the time: each goes on where it was, now and then with what nobody understands."""

    def __init__(self, kafka: str, topic: str) -> None:
        self._producer = Producer({"bootstrap.servers": kafka, "linger.ms": 5, "log_level": 0})
        self._topic, self._chance = topic, random.Random(1)
        self._positions: dict[tuple[int, int], int] = defaultdict(int)
        self.sent = [0] * FOREIGN
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Viewers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        assert self._producer.flush(60) == 0

    def _send(self) -> None:
        while not self._stopped.wait(0.02):
            for _ in range(30):
                self._send_one(self._chance.randrange(FOREIGN))
            self._producer.poll(0)

    def _send_one(self, partition: int) -> None:
        number = self.sent[partition]
        self.sent[partition] += 1
        # A hundred viewers at a time, for as long as a session lasts: then come others.
        viewer = self._chance.randrange(100) + number // 2_000 * 100
        position_s = self._positions[partition, viewer]
        self._positions[partition, viewer] += self._chance.choice((0, 10, 10, 60))
        at_ms = BEGAN_MS + number * 40_000
        message = {
            "type": "track",
            "event": self._chance.choice(("Video Content Playing",) * 8 + ("Video Playback Paused", "Video Started")),
            "messageId": f"{partition}-{number}",
            "userId": f"user-{partition}-{viewer}",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms / 1000)),
            "properties": {"session_id": f"s{viewer}", "content_asset_id": f"t{viewer % 7}", "position": position_s},
        }
        value = json.dumps(message).encode() if number % 50 else b"{" + str(number).encode()
        self._producer.produce(self._topic, value, f"{viewer}".encode(), partition=partition, timestamp=at_ms)


class Bridged:
    """A foreign topic, the bridge over it, and what it must have written."""

    def __init__(self, kafka: str, redis: str, folder: Path) -> None:
        self.environment = {**BRISK, **fresh_names(kafka, redis, "bridged"), "ENCORE_GROUP_INSTANCE_ID": "one"}
        self.environment["ENCORE_BRIDGE_SESSION_HOURS"] = "5"
        self.address, self._folder, self._started = KafkaAddress(kafka), folder, 0
        self.topic = f"{self.environment['ENCORE_APP_ID']}-foreign"
        self.name = f"{self.environment['ENCORE_APP_ID']}-bridge-segment_video-{self.topic}"
        self.admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
        kept = {"retention.ms": "-1"}
        source = NewTopic(self.environment["ENCORE_SOURCE_TOPIC"], PARTITIONS, 1, config=kept)
        for made in self.admin.create_topics([NewTopic(self.topic, FOREIGN, 1, config=kept), source]).values():
            made.result(20)

    def start(self, failpoint: str = "") -> Process:
        self._started += 1
        arguments = ["bridge", "segment_video", "--from", self.topic]
        environment = {**self.environment, "ENCORE_FAILPOINT": failpoint}
        return Process(arguments, environment, self._folder, f"bridge-{self._started}")

    def read(self, topic: str) -> list[Any]:
        with TopicReader(self.address, topic) as reading:
            return list(reading.read(reading.ends()))

    def written(self) -> dict[tuple[int, str], list[tuple[bytes, bytes, int]]]:
        """The events, by partition and the foreign partition that their ids name."""
        found = defaultdict(list)
        for each in self.read(self.environment["ENCORE_SOURCE_TOPIC"]):
            foreign = json.loads(each.value())["event_id"].partition("-")[0]
            found[each.partition(), foreign].append((each.key(), each.value(), each.timestamp()[1]))
        return dict(found)

    def refused(self) -> list[tuple[str, ...]]:
        found = []
        for each in self.read(f"{self.name}-dead-letters"):
            headers = {name: value.decode() for name, value in each.headers()}
            found.append((headers["partition"], headers["offset"], headers["code"], each.value().decode()))
        return sorted(found)

    def recomputed(self) -> tuple[dict[tuple[int, str], list[tuple[bytes, bytes, int]]], list[tuple[str, ...]]]:
        """The same of one pass over each foreign partition."""
        records = defaultdict(list)
        for each in self.read(self.topic):
            records[each.partition()].append(Record(each.offset(), each.timestamp()[1], each.key(), each.value()))
        written, refused = defaultdict(list), []
        for number, own in records.items():
            partition = ForeignPartition(schemas()["segment_video"], Identities(), 5 * HOUR_MS)
            partition.take(own)
            output, _ = partition.drain()
            for event in output.events:
                written[partition_of(event[0], PARTITIONS), str(number)].append(event)
            for record, code, _ in output.refusals:
                refused.append((str(number), str(record.offset), code, (record.value or b"").decode()))
        return dict(written), sorted(refused)

    def waits(self) -> int:
        """Records of the foreign topic that the bridge has not committed yet."""
        arguments = ["lag", "--json", "--app-id", self.name, "--source-topic", self.topic]
        answer = Process(arguments, self.environment, self._folder, "lag").ended()
        return json.loads(answer.out)["records"] if answer.code == 0 else -1


@pytest.fixture
def bridged(servers, tmp_path: Path) -> Iterator[Bridged]:
    made = Bridged(servers.kafka, servers.redis, tmp_path)
    yield made
    mine = [name for name in made.admin.list_topics().topics if name.startswith(made.environment["ENCORE_APP_ID"])]
    for gone in made.admin.delete_topics(mine).values():
        gone.result(20)


def test_a_bridge_that_is_killed_ten_times_writes_each_event_once(bridged: Bridged) -> None:
    chance = random.Random(2)
    with ExitStack() as cleanup:
        viewers = cleanup.enter_context(Viewers(bridged.environment["ENCORE_KAFKA"], bridged.topic))
        for moment in MOMENTS:
            dies = bridged.start(moment)
            cleanup.callback(dies.kill)
            assert dies.ended(120).code == -9, f"it was killed at {moment}:\n{dies.log}"
            killed = bridged.start()
            cleanup.callback(killed.kill)
            killed.until_logged("restored:", 120, times=FOREIGN)
            time.sleep(chance.uniform(0, 2))
            killed.kill()
        until(lambda: min(viewers.sent) > FORGOTTEN_EVERY * 1.2, "sessions are forgotten", 300)
    last = bridged.start()
    try:
        until(lambda: bridged.waits() == 0, lambda: f"all is translated:\n{last.log}", 200)
        ended = last.stopped()
    finally:
        last.kill()

    assert (ended.code, ended.count_errors()) == (0, 0), ended.log
    written, refused = bridged.recomputed()
    assert bridged.refused() == refused
    assert bridged.written() == written
    assert sum(map(len, written.values())) > FORGOTTEN_EVERY
