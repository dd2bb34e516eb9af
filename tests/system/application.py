"""One application as its operator and its readers see it: commands, topics, keys, log lines.

Owns how system tests start workers, produce, read and verify. It imports nothing of Encore: commands run as
processes of their own, Kafka is written and read by kafka-python, Redis by redis-py.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from redis import Redis, RedisError

COMMAND = [sys.executable, "-m", "streams.cli"]
BRISK = {
    "ENCORE_CHECKPOINT_S": "0.2",
    "ENCORE_PUBLISH_S": "0.1",
    "ENCORE_CHART_PUBLISH_S": "0",
    "ENCORE_SESSION_TIMEOUT_S": "6",
    "ENCORE_STARTUP_TIMEOUT_S": "30",
    "ENCORE_LOG_FORMAT": "text",
}
"""Settings of the tests' workers: everything happens soon."""

INTERNAL = "internal:"


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    log: str

    def count_errors(self) -> int:
        """Lines of the log that say ERROR; fails where it holds a traceback."""
        assert "Traceback" not in self.log, self.log
        return sum(" ERROR " in line for line in self.log.splitlines())

    def failure(self) -> str:
        """The one error of a worker that failed, its log's last line."""
        assert (self.code, self.count_errors()) == (1, 1), self.log
        last = self.log.splitlines()[-1]
        assert " ERROR " in last, self.log
        return last


class Record(NamedTuple):
    """A record of a topic; `headers` as text."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, str]


def until(condition: Callable[[], Any], what: str | Callable[[], str], within_s: float = 30) -> Any:
    """The first true answer of `condition`, polled. Fails after `within_s`, naming `what`, as it is then."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what if isinstance(what, str) else what()}"
        time.sleep(0.05)
    return answer


def fresh_names(kafka: str, redis: str, purpose: str) -> dict[str, str]:
    """The ENCORE_* environment of an application that nothing else on these servers shares a name with."""
    app = f"{purpose}-{secrets.token_hex(6)}"
    return {
        "ENCORE_KAFKA": kafka,
        "ENCORE_REDIS": redis,
        "ENCORE_APP_ID": app,
        "ENCORE_SOURCE_TOPIC": f"{app}-events",
        "ENCORE_TITLES_TOPIC": f"{app}-titles",
        "ENCORE_MILESTONES_TOPIC": f"{app}-milestones",
        "ENCORE_DEAD_LETTERS_TOPIC": f"{app}-dead-letters",
        "ENCORE_LATE_TOPIC": f"{app}-late",
        "ENCORE_ERASURES_TOPIC": f"{app}-erasures",
        "ENCORE_REDIS_PREFIX": f"{app}:",
    }


def remove(environment: dict[str, str]) -> None:
    """Remove an environment's topics and keys, on servers that may be gone by now."""
    try:
        with KafkaAdminClient(bootstrap_servers=environment["ENCORE_KAFKA"], bootstrap_timeout_ms=1000) as admin:
            mine = [name for name in admin.list_topics() if name.startswith(environment["ENCORE_APP_ID"])]
            admin.delete_topics(mine)
        with Redis.from_url(environment["ENCORE_REDIS"]) as redis:
            for key in redis.scan_iter(f"{environment['ENCORE_REDIS_PREFIX']}*", count=1000):
                redis.unlink(key)
    except (KafkaError, RedisError, OSError) as gone:
        print(f"not cleaned up: {gone}")


class Process:
    """A running command; what it writes on stderr is its `log`."""

    def __init__(self, arguments: Iterable[str], environment: dict[str, str], folder: Path, name: str) -> None:
        self._log, self._out = folder / f"{name}.log", folder / f"{name}.out"
        with self._log.open("wb") as log, self._out.open("wb") as out:
            self.popen = subprocess.Popen(
                [*COMMAND, *arguments], env={**os.environ, **environment}, stdout=out, stderr=log, cwd=folder
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def count(self, words: str) -> int:
        """How many log lines hold these words."""
        return sum(words in line for line in self.log.splitlines())

    def until_logged(self, words: str, within_s: float = 30, times: int = 1) -> None:
        """Wait for a log line; fails at once where the process ends without it."""

        def logged() -> bool:
            ended = self.popen.poll() is not None
            found = self.count(words) >= times
            assert found or not ended, f"ended with {self.popen.returncode} before {words!r}:\n{self.log}"
            return found

        until(logged, lambda: f"log line {words!r} in:\n{self.log}", within_s)

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        """SIGKILL: a crash."""
        self.popen.kill()
        self.popen.wait()

    def ended(self, within_s: float = 60) -> Ended:
        """Wait for its end."""
        until(lambda: self.popen.poll() is not None, lambda: f"it ends:\n{self.log}", within_s)
        return Ended(self.popen.returncode, self._out.read_text(), self.log)

    def stopped(self) -> Ended:
        """SIGTERM, and its end within the 30 s that are promised."""
        self.popen.terminate()
        return self.ended(30)


class TopicReading:
    """Reads the committed records of a topic, from its beginning on. `last`: of each partition only about so many."""

    def __init__(self, kafka: str, topic: str, last: int | None = None) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=kafka,
            group_id=None,
            isolation_level="read_committed",
            max_partition_fetch_bytes=16_000_000,
        )
        self._parts = [TopicPartition(topic, number) for number in sorted(self._consumer.partitions_for_topic(topic))]
        self._consumer.assign(self._parts)
        self._consumer.seek_to_beginning(*self._parts)
        if last is not None:
            begins, ends = (self._consumer.beginning_offsets(self._parts), self._consumer.end_offsets(self._parts))
            for part in self._parts:
                self._consumer.seek(part, max(begins[part], ends[part] - last))

    def __enter__(self) -> TopicReading:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read_on(self) -> list[Record]:
        """The records that were not read yet, up to the end as it is now."""
        ends, found = self._consumer.end_offsets(self._parts), []
        while any(self._consumer.position(part) < ends[part] for part in self._parts):
            for records in self._consumer.poll(timeout_ms=200).values():
                found += [_record(record) for record in records]
        return found


class Application:
    """Commands, topics and keys of one ENCORE_* environment. `close` ends what was started."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = {**BRISK, **environment}
        self.folder = folder
        self.redis = Redis.from_url(environment["ENCORE_REDIS"], decode_responses=True)
        self._processes: list[Process] = []
        self._producer: KafkaProducer | None = None

    @property
    def app_id(self) -> str:
        return self.environment["ENCORE_APP_ID"]

    @property
    def state_topic(self) -> str:
        return f"{self.app_id}-state"

    # -- commands -------------------------------------------------------------------------------------------

    def start(self, *arguments: str, **settings: str) -> Process:
        """Start a command; `settings` are further environment variables."""
        name = f"{arguments[0]}-{len(self._processes)}"
        process = Process(arguments, {**self.environment, **settings}, self.folder, name)
        self._processes.append(process)
        return process

    def worker(self, *arguments: str, **settings: str) -> Process:
        """Start a worker, without waiting for it."""
        return self.start("worker", *arguments, **settings)

    def ready_worker(self, partitions: int = 4, **settings: str) -> Process:
        """Start a worker and wait until it has restored as many partitions."""
        worker = self.worker(**settings)
        worker.until_logged("restored:", times=partitions)
        return worker

    def feed(self, rate: int, seconds: float, seed: int = 1, households: int = 200) -> Process:
        """Start simulated viewing: everything that households do, and everything that goes wrong."""
        plan = ["--seed", str(seed), "--households", str(households), "--titles", "20"]
        pace = ["--rate", str(rate), "--for", str(seconds)]
        return self.start("simulate", *pace, *plan, "--json")

    def verify(self, wait_s: float = 30, within_s: float = 120) -> dict[str, Any]:
        """What `encore verify` found; fails with the differences where it does not hold."""
        answer = self.start("verify", "--json", "--wait", str(wait_s)).ended(within_s)
        assert answer.code == 0, f"{answer.out}\n{answer.log}\n{self.logs()}"
        return json.loads(answer.out)

    def logs(self) -> str:
        """The logs of all workers so far, for a failing test's message."""
        return "\n".join(f"--- {each._log.name}\n{each.log[-3000:]}" for each in self._processes)

    def close(self) -> None:
        for process in self._processes:
            if process.popen.poll() is None:
                process.kill()
        if self._producer:
            self._producer.close()
        self.redis.close()

    def remove(self) -> None:
        """Remove its topics and keys; call after `close`."""
        remove(self.environment)

    # -- Kafka ----------------------------------------------------------------------------------------------

    def make_topic(self, name: str, partitions: int = 2, **options: str) -> str:
        """A topic of the application's, which goes with it: its whole name. Its records stay, however old."""
        topic = f"{self.app_id}-{name}"
        with KafkaAdminClient(bootstrap_servers=self.environment["ENCORE_KAFKA"]) as admin:
            made = {"num_partitions": partitions, "replication_factor": 1, "configs": {"retention.ms": "-1", **options}}
            admin.create_topics({topic: made}, wait_for_metadata=True)
        return topic

    def produce(self, key: bytes | None, value: bytes | None, timestamp_ms: int, topic: str = "", **more: Any) -> Any:
        """Send one record (kafka-python's own partitioner is Java's murmur2); a future of its place.

        `more` are further arguments of its `send`.
        """
        if self._producer is None:
            self._producer = KafkaProducer(
                bootstrap_servers=self.environment["ENCORE_KAFKA"], max_request_size=4_000_000, linger_ms=5
            )
        topic = topic or self.environment["ENCORE_SOURCE_TOPIC"]
        return self._producer.send(topic, value, key, timestamp_ms=timestamp_ms, **more)

    def send(self, events: Iterable[dict[str, Any]], timestamp_ms: int | None = None) -> list[Any]:
        """Send events, as their household, stamped with their own time unless another is given; their places."""
        sent = [
            self.produce(
                event["household_id"].encode(),
                json.dumps(event).encode(),
                event["event_time_ms"] if timestamp_ms is None else timestamp_ms,
            )
            for event in events
        ]
        return [each.get(30) for each in sent]

    def load_titles(self, *rows: dict[str, Any]) -> None:
        """Put rows into the catalog."""
        file = self.folder / "titles.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        ended = self.start("titles", "load", str(file)).ended()
        assert ended.code == 0, ended.log

    def read(self, topic: str, last: int | None = None) -> list[Record]:
        """All committed records of a topic; `last`: of each partition only about so many."""
        with TopicReading(self.environment["ENCORE_KAFKA"], topic, last) as reading:
            return reading.read_on()

    def checkpointed(self) -> int:
        """Source records below the checkpointed positions, over all partitions."""
        return sum(_positions(self.read(self.state_topic)).values())

    def produced(self) -> int:
        """Source records, over all partitions."""
        consumer = KafkaConsumer(bootstrap_servers=self.environment["ENCORE_KAFKA"], group_id=None)
        try:
            topic = self.environment["ENCORE_SOURCE_TOPIC"]
            parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            return sum(consumer.end_offsets(parts).values())
        finally:
            consumer.close()

    def until_checkpointed(self, within_s: float = 30) -> None:
        """Wait until every record that is in the source now is checkpointed."""
        produced, positions = self.produced(), dict[int, int]()
        with TopicReading(self.environment["ENCORE_KAFKA"], self.state_topic) as state:

            def is_checkpointed() -> bool:
                positions.update(_positions(state.read_on()))
                return sum(positions.values()) >= produced

            until(is_checkpointed, f"{produced} records checkpointed", within_s)

    def members(self) -> int:
        """Members of the consumer group."""
        with KafkaAdminClient(bootstrap_servers=self.environment["ENCORE_KAFKA"]) as admin:
            return len(admin.describe_groups([self.app_id])[self.app_id]["members"])

    # -- Redis ----------------------------------------------------------------------------------------------

    def hash(self, name: str) -> dict[str, str]:
        """A hash that readers read, by its key less the prefix."""
        return self.redis.hgetall(self.environment["ENCORE_REDIS_PREFIX"] + name)

    def status(self) -> dict[str, str]:
        return self.hash("status")

    def published(self) -> dict[str, dict[str, str]]:
        """All hashes of titles, without what says when they were written."""
        prefix = self.environment["ENCORE_REDIS_PREFIX"]
        names = sorted(key.removeprefix(prefix) for key in self.redis.scan_iter(f"{prefix}title:*", count=1000))
        return {name: counters(self.hash(name)) for name in names}


def counters(found: dict[str, str]) -> dict[str, str]:
    """A hash without the fields that say when it was written."""
    return {field: text for field, text in found.items() if field not in ("as_of_ms", "version")}


def _positions(state: Iterable[Record]) -> dict[int, int]:
    """The next source offsets of partitions, by their last position records."""
    return {each.partition: json.loads(each.value or b"{}")["next_offset"] for each in state if each.key == b"p"}


def _record(record: Any) -> Record:
    headers = {name: value.decode() for name, value in record.headers}
    return Record(record.partition, record.offset, record.key, record.value, headers)
