"""State and source are lost, cut, made anew or of another form: refused by name, and rebuilt, never silently zero."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable
from typing import Any

from application import Application, until
from catalogue import Scene, strike
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic
from trial import Trial, Void, Worker

from models.rules import Rules

_REMEDY = re.compile("encore (rebuild|repartition)")
_REFUSED_S = 60
_FROZEN_S = 4.5
"""At most: shorter than a session, so that the worker keeps its partitions."""
_WAITING = 20
_MORE_S = 120
"""A feed begins late on a busy machine."""


class Kafka:
    """What an operator's hand does to topics by mistake."""

    def __init__(self, application: Application) -> None:
        servers = {"bootstrap.servers": application.environment["ENCORE_KAFKA"], "log_level": 0}
        self.admin = AdminClient(servers)
        self.consumer = Consumer(servers | {"group.id": "encore-campaign", "isolation.level": "read_uncommitted"})
        self.producer = Producer(servers)
        self.source = application.environment["ENCORE_SOURCE_TOPIC"]
        self.state = application.state_topic

    def delete(self, topic: str) -> None:
        self.admin.delete_topics([topic])[topic].result(30)
        until(lambda: topic not in self.admin.list_topics(timeout=5).topics, f"{topic} is gone")

    def create(self, topic: str, partitions: int) -> None:
        until(lambda: self._created(topic, partitions), f"{topic} is made")

    def _created(self, topic: str, partitions: int) -> bool:
        problem = self.admin.create_topics([NewTopic(topic, partitions, 1)])[topic].exception(30)
        return problem is None

    def partitions(self, topic: str) -> int:
        return len(self.admin.list_topics(topic, timeout=5).topics[topic].partitions)

    def ends(self, topic: str) -> dict[int, int]:
        return {
            number: self.consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=5, cached=False)[1]
            for number in range(self.partitions(topic))
        }

    def set_policy(self, topic: str, policy: str) -> None:
        """How the topic's old records go. Kafka lets nobody cut one that is only compacted."""
        entry = ConfigEntry("cleanup.policy", policy, incremental_operation=AlterConfigOpType.SET)
        asked = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        for future in self.admin.incremental_alter_configs([asked]).values():
            future.result(30)

    def cut(self, topic: str, ends: dict[int, int]) -> None:
        """Delete all records below these offsets."""
        places = [TopicPartition(topic, number, end) for number, end in ends.items() if end]
        for future in self.admin.delete_records(places).values():
            future.result(30)

    def close(self) -> None:
        self.consumer.close()


def _begin(trial: Trial) -> None:
    trial.set_up()


def _end(trial: Trial) -> None:
    _at_work(trial)
    trial.verify()


def _go_on(trial: Trial) -> None:
    """Each strike makes work for itself."""


ONE_WORKER = Scene("one worker", _begin, end=_end, go_on=_go_on)
"""Its faults hide what was wrong before: a rebuild counts everything anew."""


SHOWN_BY_A_TEST = 0
"""Hits in the shortened campaign of what `tests/system/test_worker_state.py` shows, and no load makes harder."""


def _refused_then_rebuilt(
    name: str, lose: Callable[[Trial, Kafka], dict[str, str]], short: int, first: Callable[[Trial], None] | None = None
) -> None:
    """`lose` breaks what the workers left; it may give further settings for those that come. `first` comes before the
    rebuild."""

    @strike(f"state: {name}", ONE_WORKER, per_trial=4, short=short, hides=True)
    def lost(trial: Trial, number: int) -> None:
        worker = _at_work(trial)
        trial.stop_feeds()
        worker.supervised = False
        assert worker.process.stopped().code == 0
        trial.forget_follower()
        kafka = Kafka(trial.application)
        trial.application.environment |= lose(trial, kafka)
        kafka.close()
        must_refuse(trial)
        if first is not None:
            first(trial)
        rebuild(trial)


def _at_work(trial: Trial) -> Worker:
    """A feed, and a worker that is to be found mid-work: the one that there is, or else a new one."""
    trial.feed()
    worker = next((worker for worker in trial.workers if worker.supervised), None) or trial.worker()
    trial.until_working()
    trial.mid_work()
    return worker


def must_refuse(trial: Trial) -> None:
    """A worker that starts now ends with one error, which names the remedy."""
    begun_s = time.monotonic()
    failure = trial.application.worker().ended(_REFUSED_S).failure()
    trial.note("refused_after_s", time.monotonic() - begun_s)
    assert _REMEDY.search(failure), failure


def rebuild(trial: Trial) -> None:
    """Follow the remedy."""
    ended = trial.application.start("rebuild", "--yes", "--json").ended(60)
    assert ended.code == 0, ended.log


def _moved(trial: Trial) -> None:
    """Copy the source into a topic of its present number of partitions, and move there."""
    environment = trial.application.environment
    source = environment["ENCORE_SOURCE_TOPIC"]
    kafka = Kafka(trial.application)
    partitions = kafka.partitions(source)
    kafka.close()
    copy = f"{source}-{partitions}"
    ended = trial.application.start("repartition", copy, "--partitions", str(partitions), "--last").ended(120)
    assert ended.code == 0, ended.log
    environment["ENCORE_SOURCE_TOPIC"] = copy


def _deleted(trial: Trial, kafka: Kafka) -> dict[str, str]:
    kafka.delete(kafka.state)
    return {}


def _cut_at_its_start(trial: Trial, kafka: Kafka) -> dict[str, str]:
    kafka.set_policy(kafka.state, "delete")
    kafka.cut(kafka.state, {number: max(1, end // 2) for number, end in kafka.ends(kafka.state).items()})
    kafka.set_policy(kafka.state, "compact")
    return {}


def _cut_at_its_end(trial: Trial, kafka: Kafka) -> dict[str, str]:
    """As if the last checkpoints had been lost: positions from before them are written again."""
    for record in _last_positions(trial.application):
        position = json.loads(record.value)
        past = position | {"next_offset": position["next_offset"] // 2, "sequence": position["sequence"] - 1}
        kafka.producer.produce(kafka.state, json.dumps(past), b"p", partition=record.partition)
    assert kafka.producer.flush(30) == 0
    return {}


def _half_a_transaction(trial: Trial, kafka: Kafka) -> dict[str, str]:
    """Records of titles as they were before, and no position: half of a transaction was committed by itself."""
    first: dict[tuple[int, bytes], Any] = {}
    for record in trial.application.read(kafka.state):
        if record.key is not None and record.key.startswith(b"t"):
            first.setdefault((record.partition, record.key), record)
    assert {partition for partition, _ in first} == set(range(kafka.partitions(kafka.state)))
    for record in first.values():
        kafka.producer.produce(kafka.state, record.value, record.key, partition=record.partition)
    assert kafka.producer.flush(30) == 0
    return {}


def _of_an_older_form(trial: Trial, kafka: Kafka) -> dict[str, str]:
    for record in _last_positions(trial.application):
        old = json.dumps(json.loads(record.value) | {"format": 0})
        kafka.producer.produce(kafka.state, old, b"p", partition=record.partition)
    assert kafka.producer.flush(30) == 0
    return {}


def _last_positions(application: Application) -> list[Any]:
    records = application.read(application.state_topic)
    return list({record.partition: record for record in records if record.key == b"p"}.values())


def _source_made_anew(trial: Trial, kafka: Kafka) -> dict[str, str]:
    partitions = kafka.partitions(kafka.source)
    kafka.delete(kafka.source)
    kafka.create(kafka.source, partitions)
    return {}


def _source_cut(trial: Trial, kafka: Kafka) -> dict[str, str]:
    """Records that no worker has read yet go, and all before them."""
    before = kafka.ends(kafka.source)
    trial.feed()
    ends = kafka.ends
    until(lambda: min(ends(kafka.source)[n] - end for n, end in before.items()) > 10, "more came", _MORE_S)
    trial.stop_feeds()
    kafka.cut(kafka.source, {number: end + 5 for number, end in before.items()})
    return {}


def _source_grown(trial: Trial, kafka: Kafka) -> dict[str, str]:
    count = kafka.partitions(kafka.source) + 1
    kafka.admin.create_partitions([NewPartitions(kafka.source, count)])[kafka.source].result(30)
    until(lambda: kafka.partitions(kafka.source) == count, "it has grown")
    return {}


def _other_rules(trial: Trial, kafka: Kafka) -> dict[str, str]:
    before = trial.application.environment.get("ENCORE_COMPLETION_PERCENT", str(Rules().completion_percent))
    others = [percent for percent in map(str, range(75, 90)) if percent != before]
    return {"ENCORE_COMPLETION_PERCENT": trial.rng.choice(others)}


for _name, _strike, _short in (
    ("its topic deleted", _deleted, SHOWN_BY_A_TEST),
    ("its topic cut at its start", _cut_at_its_start, SHOWN_BY_A_TEST),
    ("its topic cut at its end", _cut_at_its_end, SHOWN_BY_A_TEST),
    ("half of a transaction at its end", _half_a_transaction, 1),
    ("of an older format", _of_an_older_form, SHOWN_BY_A_TEST),
    ("of other rules", _other_rules, SHOWN_BY_A_TEST),
    ("source topic made anew", _source_made_anew, SHOWN_BY_A_TEST),
    ("source records gone that were not read", _source_cut, SHOWN_BY_A_TEST),
):
    _refused_then_rebuilt(_name, _strike, _short)

_refused_then_rebuilt("source grown by a partition", _source_grown, SHOWN_BY_A_TEST, first=_moved)


def _ends_once_records_wait(trial: Trial, kafka: Kafka) -> dict[int, int]:
    """The source's ends, once so many records wait in each partition that some are left of them. Raises `Void`."""
    deadline = time.monotonic() + _FROZEN_S
    while time.monotonic() < deadline:
        ends = kafka.ends(kafka.source)
        if all(ends[number] - at > _WAITING for number, at in trial.follower.positions.items()):
            return ends
        time.sleep(0.1)
    raise Void("no records waited in some partition")


@strike("state: source records cut under a running worker", ONE_WORKER, per_trial=2, hides=True)
def cut_under_a_worker(trial: Trial, number: int) -> None:
    """While a worker is frozen for a moment the records go that it would read next: it must end, and not go on."""
    worker = _at_work(trial)
    worker.supervised = False
    worker.process.signal(signal.SIGSTOP)
    kafka = Kafka(trial.application)
    trial.on_close(kafka.close)
    ends = _ends_once_records_wait(trial, kafka)
    kafka.cut(kafka.source, {number: end - 5 for number, end in ends.items()})
    worker.process.signal(signal.SIGCONT)
    failure = worker.process.ended(trial.wait_s).failure()
    assert "a gap" in failure or _REMEDY.search(failure), failure
    trial.stop_feeds()
    trial.forget_follower()
    must_refuse(trial)
    rebuild(trial)
