"""Partitions are added: the source's records are copied into a topic with more of them, and workers move there.

Every counter equals that of an application whose topic had the new number from the start, and got the same records.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from subprocess import TimeoutExpired
from typing import Any, NamedTuple

import pytest
from application import Application, Ended, until
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from playback import EVENING_MS, MINUTE_MS, whole_viewing

pytestmark = pytest.mark.system

RATE = 400
COUNTED = ("events", "dead_letters", "late_events", "late_hour_events", "misrouted_events", "stale_events")


class Stored(NamedTuple):
    """A record as it is stored: what a copy of it must have, too."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes], ...]


class Grown(NamedTuple):
    """An application whose topic gets more partitions, and one whose topic had them from the start."""

    app: Application
    from_the_start: Application
    old: str
    new: str

    def move(self) -> None:
        """All commands use the new topic from now on."""
        self.app.environment["ENCORE_SOURCE_TOPIC"] = self.new


def stored(application: Application, topic: str) -> dict[int, list[Stored]]:
    """The committed records of each partition."""
    consumer = KafkaConsumer(
        bootstrap_servers=application.environment["ENCORE_KAFKA"], group_id=None, isolation_level="read_committed"
    )
    try:
        parts = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends, found = consumer.end_offsets(parts), {part.partition: list[Stored]() for part in parts}
        while any(consumer.position(part) < ends[part] for part in parts):
            for part, records in consumer.poll(timeout_ms=200).items():
                found[part.partition] += [Stored(r.key, r.value, r.timestamp, tuple(r.headers)) for r in records]
        return found
    finally:
        consumer.close()


def all_stored(application: Application, topic: str) -> list[Stored]:
    return [record for records in stored(application, topic).values() for record in records]


def send(application: Application, records: Iterable[Stored], topics: list[str], rate: int = 0) -> None:
    """Send each record to all topics, as often in a second as `rate` says; return when they are there."""
    producer = KafkaProducer(bootstrap_servers=application.environment["ENCORE_KAFKA"], linger_ms=20)
    begun_s = time.monotonic()
    for number, each in enumerate(records):
        if rate:
            time.sleep(max(0.0, begun_s + number / rate - time.monotonic()))
        for topic in topics:
            producer.send(topic, each.value, each.key, list(each.headers), timestamp_ms=each.timestamp_ms)
    producer.close()


@contextmanager
def load(application: Application, records: list[Stored], topics: list[str], rate: int = RATE) -> Iterator[None]:
    """Records come while the block runs; at its end all of them are there."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send, application, records, topics, rate)
        yield
        sending.result()


def repartition(application: Application, topic: str, *arguments: str) -> dict[str, Any]:
    """What a run said that it did."""
    ended = application.start("repartition", topic, *arguments, "--json").ended(120)
    assert (ended.code, "Error" in ended.log) == (0, False), ended.log
    return json.loads(ended.out)


def ran(application: Application, *arguments: str) -> Ended:
    return application.start(*arguments).ended(120)


@contextmanager
def admin_of(application: Application) -> Iterator[KafkaAdminClient]:
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        yield admin


@pytest.fixture
def viewing(env_on, servers, application_of) -> tuple[list[Stored], str]:
    """What households did, in the order of the timestamps, and the topic of their titles."""
    simulated = application_of(env_on(servers, 1))
    ended = simulated.feed(RATE, 25, seed=7, households=150).ended(120)
    assert ended.code == 0, ended.log
    records = all_stored(simulated, simulated.environment["ENCORE_SOURCE_TOPIC"])
    return sorted(records, key=lambda each: each.timestamp_ms), simulated.environment["ENCORE_TITLES_TOPIC"]


@pytest.fixture
def growing(env_on, servers, application_of, viewing) -> Callable[[int, int], Grown]:
    """`growing(2, 4)`: both applications, with the same titles."""

    def make(before: int, after: int) -> Grown:
        titles = {"ENCORE_TITLES_TOPIC": viewing[1]}
        app, other = (application_of(env_on(servers, count) | titles) for count in (before, after))
        source = app.environment["ENCORE_SOURCE_TOPIC"]
        return Grown(app, other, source, f"{source}-{after}")

    return make


def rest(application: Application) -> None:
    """Wait until workers have read everything, and stop them."""
    until(lambda: ran(application, "lag", "--at-most", "0").code == 0, "nothing waits", 120)


def assert_equal(grown: Grown) -> None:
    """Both hold: each equals its recomputation, and one the other, in everything that readers and listeners get."""
    app, other = grown.app, grown.from_the_start
    for each in (app, other):
        each.verify(60, 240)
    shown, wanted = (
        {key: without_watching(fields) for key, fields in each.published().items()} for each in (app, other)
    )
    assert shown == wanted
    assert len(shown) > 20
    of_app, of_other = ({name: each.status()[name] for name in COUNTED} for each in (app, other))
    assert of_app == of_other
    assert of_app["misrouted_events"] == "0"
    for topic in ("MILESTONES", "DEAD_LETTERS", "LATE"):
        told, wanted_told = (
            Counter((record.key, record.value) for record in each.read(each.environment[f"ENCORE_{topic}_TOPIC"]))
            for each in (app, other)
        )
        assert told == wanted_told, topic


def without_watching(fields: dict[str, str]) -> dict[str, str]:
    """A hash without what falls while nothing comes."""
    return {name: text for name, text in fields.items() if name != "watching_now"}


@pytest.mark.parametrize(("before", "after"), [(2, 4), (4, 6)])
def test_under_load_all_that_readers_and_listeners_get_is_as_if_the_partitions_had_been_there(
    growing, viewing, before: int, after: int
) -> None:
    grown, records = growing(before, after), viewing[0]
    app, other, half = grown.app, grown.from_the_start, len(records) // 2
    worker, others_worker = app.ready_worker(before), other.ready_worker(after)
    others_topic = other.environment["ENCORE_SOURCE_TOPIC"]

    with load(app, records[:half], [grown.old, others_topic]):
        copied = repartition(app, grown.new, "--partitions", str(after))["records"]
        copied += repartition(app, grown.new)["records"]
    answer = repartition(app, grown.new, "--last")
    assert (answer["is_finished"], copied + answer["records"]) == (True, half)
    rest(app)
    assert worker.stopped().code == 0
    grown.move()
    rebuilt = ran(app, "rebuild")
    assert (rebuilt.code, rebuilt.log) == (0, "")
    with load(app, records[half:], [grown.new, others_topic]):
        worker = app.ready_worker(after)
    for each in (app, other):
        each.until_checkpointed(120)

    assert_equal(grown)
    assert [each.stopped().code for each in (worker, others_worker)] == [0, 0]


def test_partitions_that_were_added_in_place_are_refused_and_a_copy_mends_it(growing, viewing) -> None:
    grown, records = growing(2, 4), viewing[0]
    app, other, third = grown.app, grown.from_the_start, len(records) // 3
    worker, others_worker = app.ready_worker(2), other.ready_worker(4)
    others_topic = other.environment["ENCORE_SOURCE_TOPIC"]
    # A producer that learns of the new partitions only after five minutes, as is the default.
    with load(app, records[: 2 * third], [grown.old, others_topic]):
        until(lambda: app.produced() > third, "a third is there")
        with admin_of(app) as admin:
            admin.create_partitions({grown.old: 4})
        ended = worker.ended()
        assert "run `encore repartition`" in ended.failure()
    assert "run `encore repartition`" in app.worker().ended().failure()
    send(app, records[2 * third :], [grown.old, others_topic])

    refused = ran(app, "rebuild")
    assert (refused.code, refused.out) == (1, "")
    assert "had 2 partitions when it was counted, and has 4: households would count in two of them; run" in refused.log
    unfinished = repartition(app, grown.new, "--partitions", "4")
    assert unfinished["is_finished"] is False
    old = grown.old
    grown.move()
    assert f"a copy of {old} that is not finished" in ran(app, "rebuild").log
    repartition(app, grown.new, "--last", "--source-topic", old)
    assert ran(app, "rebuild").code == 0
    worker = app.ready_worker(4)
    for each in (app, other):
        each.until_checkpointed(120)

    for each in (app, other):
        each.verify(60, 240)
    shown, wanted = (
        {key: without_watching(fields) for key, fields in each.published().items()} for each in (app, other)
    )
    assert shown == wanted
    # No milestone is missing; those of the moment in which the workers ended may be there twice.
    told, wanted_told = (
        {record.value for record in each.read(each.environment["ENCORE_MILESTONES_TOPIC"])} for each in (app, other)
    )
    assert told == wanted_told
    assert [each.stopped().code for each in (worker, others_worker)] == [0, 0]


def fifty(begin_ms: int = EVENING_MS) -> list[Stored]:
    """Fifty households watch a film: 550 records, with headers, in the order of their timestamps."""
    viewings = (whole_viewing(f"home-{n}", "film", begin_ms + n, runtime_ms=10 * MINUTE_MS) for n in range(50))
    events = [event for viewing in viewings for event in viewing]
    records = [
        Stored(
            event["household_id"].encode(),
            json.dumps(event).encode(),
            event["event_time_ms"],
            (("trace", b"\x00\xff"),),
        )
        for event in events
    ]
    return sorted(records, key=lambda each: each.timestamp_ms)


def test_a_copy_that_is_killed_again_and_again_has_each_record_once_as_it_was(env_on, servers, application_of) -> None:
    app = application_of(
        env_on(servers, 3, **{"message.timestamp.type": "LogAppendTime", "retention.ms": "86400000000"})
    )
    old = app.environment["ENCORE_SOURCE_TOPIC"]
    new, chance = f"{old}-5", random.Random(5)
    odd = [Stored(None, b"no key", 1, ()), Stored(b"k", None, 1, ()), Stored(b"", b"empty key", 1, ())]
    send(app, [*fifty(), *odd], [old])
    abort_some(app, old)

    # A run takes one or two seconds: it dies at its start, in the copy, or not at all.
    codes = []
    for number in range(6):
        with load(app, fifty(EVENING_MS + (number + 1) * MINUTE_MS), [old], 0):
            copying = app.start("repartition", new, "--partitions", "5")
            with suppress(TimeoutExpired):
                copying.popen.wait(chance.uniform(0.3, 1.5))
            copying.popen.kill()
            codes.append(copying.popen.wait(30))
    answer = repartition(app, new, "--last", "--partitions", "5")

    assert -9 in codes
    assert (answer["is_finished"], answer["partitions"], answer["left_out"]) == (True, 5, 0)
    before, after = stored(app, old), stored(app, new)
    assert Counter(record for records in after.values() for record in records) == Counter(all_stored(app, old))
    for records in after.values():
        assert [record.timestamp_ms for record in records] == sorted(record.timestamp_ms for record in records)
    of_old, of_new = (
        {key: [r.value for rs in every for r in rs if r.key == key] for key in (b"home-7", b"home-31")}
        for every in (before.values(), after.values())
    )
    assert of_new == of_old
    assert all(len({number for number, rs in after.items() for r in rs if r.key == key}) == 1 for key in of_new)
    assert ran(app, "repartition", new).code == 0
    send(app, fifty()[:1], [old])
    after_all = ran(app, "repartition", new)
    assert (after_all.code, f"something still writes to {old}" in after_all.log) == (1, True)


def begun_transaction(application: Application, topic: str) -> KafkaProducer:
    """A producer whose transaction has some records and is open."""
    producer = KafkaProducer(
        bootstrap_servers=application.environment["ENCORE_KAFKA"], transactional_id=f"{topic}-producer"
    )
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(20):
        producer.send(topic, b"in a transaction", b"home-%d" % number)
    producer.flush()
    return producer


def abort_some(application: Application, topic: str) -> None:
    """Records of a transaction that is aborted are no records."""
    producer = begun_transaction(application, topic)
    producer.abort_transaction()
    producer.close()


def test_a_copy_is_refused_where_it_could_not_be_whole(env_on, servers, application_of) -> None:
    app = application_of(env_on(servers, 2))
    old = app.environment["ENCORE_SOURCE_TOPIC"]
    send(app, fifty(), [old])
    other = f"{old}-other"
    with admin_of(app) as admin:
        admin.create_topics({other: {"num_partitions": 4, "replication_factor": 1}}, wait_for_metadata=True)
    send(app, fifty()[:1], [other])

    assert "give its number of partitions by --partitions" in ran(app, "repartition", f"{old}-4").log
    assert "is the source topic itself" in ran(app, "repartition", old, "--partitions", "4").log
    assert "holds records that are no copy of" in ran(app, "repartition", other).log
    new = f"{old}-4"
    repartition(app, new, "--partitions", "4")
    assert "has 4 partitions, not 5" in ran(app, "repartition", new, "--partitions", "5").log
    producer = begun_transaction(app, old)
    assert "a transaction there is still open" in ran(app, "repartition", new, "--last").log
    producer.commit_transaction()
    producer.close()
    with load(app, fifty(EVENING_MS + MINUTE_MS)[:450], [old], rate=10):
        assert "records still come" in ran(app, "repartition", new, "--last").log
    assert repartition(app, new)["is_finished"] is False
    send(app, fifty(EVENING_MS + 2 * MINUTE_MS), [old])
    with admin_of(app) as admin:
        parts = [TopicPartition(old, number) for number in range(2)]
        admin.delete_records(dict.fromkeys(parts, -1))
    assert "before they were copied" in ran(app, "repartition", new).log


def test_a_household_that_is_forgotten_before_or_during_a_copy_is_forgotten_in_it(
    env_on, servers, application_of
) -> None:
    app = application_of(env_on(servers, 2))
    old = app.environment["ENCORE_SOURCE_TOPIC"]
    new = f"{old}-4"
    worker = app.ready_worker(2)
    send(app, fifty(), [old])
    app.until_checkpointed()
    assert ran(app, "forget", "home-1", "--yes").code == 0
    assert repartition(app, new, "--partitions", "4")["left_out"] == 11
    send(app, fifty(EVENING_MS + 20 * MINUTE_MS), [old])
    app.until_checkpointed()
    for household in ("home-2", "home-3"):
        assert ran(app, "forget", household, "--yes").code == 0
    send(app, fifty(EVENING_MS + 40 * MINUTE_MS), [old])
    assert repartition(app, new, "--last")["left_out"] == 22
    rest(app)
    expected = app.hash("title:film")["completers"]
    assert worker.stopped().code == 0
    app.environment["ENCORE_SOURCE_TOPIC"] = new

    assert ran(app, "rebuild").code == 0
    worker = app.ready_worker(4)
    app.until_checkpointed()
    app.verify()
    # All fifty have watched it since; of the forgotten ones no completion is left from before.
    assert app.hash("title:film")["completers"] == expected == "50"
    assert [app.hash("title:film")[f"rewatch_hist_{times}"] for times in ("1", "2", "3_4")] == ["2", "1", "47"]
    assert worker.stopped().code == 0
