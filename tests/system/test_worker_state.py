"""A state that is lost, cut or foreign: refused in one line that names `encore rebuild`, which then mends it.

The tests of a module-wide application damage and mend it one after the other; each needs only that it was mended.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from application import Application, Ended, Record, until
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from playback import EVENING_MS, whole_viewing

pytestmark = pytest.mark.system

RATE = 500
REMEDY = "stop all workers and run `encore rebuild`"


@pytest.fixture(scope="module")
def counted(module_env, tmp_path_factory) -> Iterator[Application]:
    """An application whose worker counted some viewings and ended in order."""
    application = Application(module_env, tmp_path_factory.mktemp("counted"))
    count(application)
    yield application
    application.close()


def count(application: Application) -> None:
    """Let a worker count some more viewings."""
    worker = application.ready_worker()
    for number in range(2):
        watch_a_film(application, EVENING_MS + number * 3_600_000)
        application.until_checkpointed()
    assert worker.stopped().code == 0


def watch_a_film(application: Application, at_ms: int) -> None:
    """Eight households, in all partitions, watch it whole."""
    for home in range(8):
        application.send(whole_viewing(f"home-{home}", "film", at_ms))


def refused(application: Application, **settings: str) -> str:
    """The one error of a worker that is refused; it names the remedy."""
    line = application.worker(**settings).ended().failure()
    assert REMEDY in line
    return line


def rebuild(application: Application, *arguments: str, **settings: str) -> Ended:
    return application.start("rebuild", "--json", *arguments, **settings).ended()


def rebuilt(application: Application, *arguments: str) -> dict[str, Any]:
    """What a rebuild said that was done."""
    ended = rebuild(application, *arguments)
    assert (ended.code, ended.log) == (0, "")
    return json.loads(ended.out)


@contextmanager
def admin_of(application: Application) -> Iterator[KafkaAdminClient]:
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        yield admin


def delete(application: Application, topic: str) -> None:
    with admin_of(application) as admin:
        admin.delete_topics([topic])
        until(lambda: topic not in admin.list_topics(), f"{topic} is gone")


def make(application: Application, topic: str, partitions: int = 4) -> None:
    with admin_of(application) as admin:
        admin.create_topics({topic: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True)


def write_state(application: Application, *records: Record) -> None:
    """Put records into the state topic, as they are."""
    producer = KafkaProducer(bootstrap_servers=application.environment["ENCORE_KAFKA"])
    for record in records:
        producer.send(application.state_topic, record.value, record.key, partition=record.partition)
    producer.flush()
    producer.close()


def forget_group(application: Application) -> None:
    """As Kafka does when a group has had no member for a week."""
    with admin_of(application) as admin:
        admin.delete_groups([application.app_id])


# -- what is no loss --------------------------------------------------------------------------------------------


def test_a_first_start_and_restarts_with_partitions_that_never_had_a_record_are_no_loss(
    application: Application,
) -> None:
    application.send(whole_viewing("home", "film", EVENING_MS))
    for _ in range(2):
        worker = application.ready_worker()
        application.verify()
        assert worker.stopped().code == 0


# -- what a worker that starts refuses ---------------------------------------------------------------------------


def test_a_state_that_lost_its_end_is_refused_by_what_the_group_and_redis_remember(counted: Application) -> None:
    state = counted.read(counted.state_topic)
    delete(counted, counted.state_topic)
    make(counted, counted.state_topic)
    firsts: dict[int, Record] = {}
    for record in state:
        if record.key == b"p" and json.loads(record.value or b"")["sequence"]:
            firsts.setdefault(record.partition, record)
    write_state(counted, *firsts.values())

    line = refused(counted)
    assert f"{counted.state_topic}/" in line and "ends too early: the group" in line
    forget_group(counted)
    assert "ends too early: Redis was told of checkpoint" in refused(counted)

    assert rebuilt(counted)["partitions"] == 4


@pytest.mark.parametrize("remembers", ["the group", "Redis"])
def test_a_state_topic_that_was_deleted_is_refused(counted: Application, remembers: str) -> None:
    delete(counted, counted.state_topic)
    if remembers == "Redis":
        forget_group(counted)

    line = refused(counted)

    assert "holds no state, and there was one" in line
    assert f"({remembers}" in line
    rebuilt(counted)


def test_a_state_that_lost_its_beginning_is_refused(counted: Application) -> None:
    part = TopicPartition(counted.state_topic, 2)
    with admin_of(counted) as admin:
        resource = [ConfigResource(ConfigResourceType.TOPIC, counted.state_topic, {"cleanup.policy": "compact,delete"})]
        admin.alter_configs(resource)
        until(lambda: _deleted(admin, part), "records are deleted")

    assert f"{counted.state_topic}/2 lost its records before offset 1" in refused(counted)
    rebuilt(counted)


def _deleted(admin: KafkaAdminClient, part: TopicPartition) -> bool:
    try:
        admin.delete_records({part: 1})
    except Exception as not_yet:
        assert "Policy" in str(not_yet), not_yet
        return False
    return True


def test_another_format_is_refused(counted: Application) -> None:
    *_, position = (record for record in counted.read(counted.state_topic) if record.key == b"p")
    other = json.dumps(json.loads(position.value or b"") | {"format": 0}).encode()
    write_state(counted, position._replace(value=other))

    assert "the format of the state is 0, this worker reads 5 and 6" in refused(counted)
    rebuilt(counted)


def test_other_zone_data_is_taken_in_where_the_state_continues(counted: Application) -> None:
    """As if the worker before had had another version installed, in which Berlin was as Tokyo is."""
    count(counted)
    state = counted.read(counted.state_topic)
    positions = {record.partition: record for record in state if record.key == b"p"}
    tokyo = next(record.value for record in state if (record.key or b"").endswith(b"|Asia/Tokyo"))
    ends = {number: json.loads(record.value or b"") for number, record in positions.items()}
    for number, record in positions.items():
        key = b"z%020d|Europe/Berlin" % max(0, ends[number]["next_offset"] - 1)
        other = json.dumps(ends[number] | {"zones": "1999z"}).encode()
        write_state(counted, record._replace(key=key, value=tokyo), record._replace(value=other))

    count(counted)

    taken_in = [record.key for record in counted.read(counted.state_topic) if (record.key or b"")[:1] == b"z"]
    berlin = b"z%020d|Europe/Berlin"
    assert {berlin % end["next_offset"] for end in ends.values() if end["next_offset"]} <= set(taken_in)
    counted.verify()


def test_a_state_of_format_5_is_continued_and_its_zone_data_applies_from_offset_0_on(counted: Application) -> None:
    count(counted)
    state = [record for record in counted.read(counted.state_topic) if (record.key or b"")[:1] != b"z"]
    delete(counted, counted.state_topic)
    make(counted, counted.state_topic)
    write_state(counted, *map(as_of_format_5, state))

    worker = counted.ready_worker()
    watch_a_film(counted, EVENING_MS + 7_200_000)
    counted.until_checkpointed()

    taken_in = [record for record in counted.read(counted.state_topic) if (record.key or b"")[:1] == b"z"]
    assert {(record.key or b"")[1:21] for record in taken_in} == {b"%020d" % 0}
    assert {record.partition for record in taken_in} == {record.partition for record in state if record.key == b"p"}
    counted.verify()
    assert worker.stopped().code == 0


def as_of_format_5(record: Record) -> Record:
    """A record as it was before there was zone data; the id of the topic that is made anew is not known yet."""
    if record.key != b"p":
        return record
    position = json.loads(record.value or b"") | {"format": 5, "state_id": ""}
    return record._replace(value=json.dumps(position).encode())


def test_other_rule_settings_are_refused_and_a_rebuild_with_them_takes_them(counted: Application) -> None:
    others = {"ENCORE_STARTER_S": "80000"}
    assert "computed with other rule settings, ENCORE_STARTER_S 120, here 80000: " in refused(counted, **others)
    doctor = counted.start("doctor", "--json", **others).ended(60)
    (found,) = [line for line in map(json.loads, doctor.out.splitlines()) if line["what"].startswith("state of")]
    assert (doctor.code, found["level"], "ENCORE_STARTER_S 120, here 80000" in found["found"]) == (1, "wrong", True)
    assert counted.published()["title:film"]["starters"] == "8"

    assert rebuild(counted, **others).code == 0

    worker = counted.ready_worker(**others)
    until(lambda: counted.published()["title:film"]["starters"] == "0", "the new rules count")
    assert worker.stopped().code == 0
    rebuilt(counted)


# -- what ends a worker that runs --------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["state", "source"])
@pytest.mark.parametrize("then", ["deleted", "deleted and made anew"])
def test_a_topic_that_goes_while_a_worker_runs_ends_it(application: Application, topic: str, then: str) -> None:
    name = application.state_topic if topic == "state" else application.environment["ENCORE_SOURCE_TOPIC"]
    worker = application.ready_worker()
    application.send(whole_viewing("home", "film", EVENING_MS))
    application.until_checkpointed()

    delete(application, name)
    if "anew" in then:
        make(application, name)
    if topic == "state":
        application.send(whole_viewing("home", "film", EVENING_MS + 3_600_000))

    line = worker.ended(40).failure()
    if "anew" in then or topic == "source":
        # Where a rebalance comes first, the partition is opened again, and its position is past the new topic's end.
        seen_first = (f"topic {name} was {then} while this worker ran; ", "the records between are gone; ")
        assert any(words + REMEDY in line for words in seen_first), line
    else:
        assert name in line or "checkpoint" in line
    if "anew" in then:
        refused(application)


def test_a_source_that_is_cut_while_a_worker_runs_ends_it(counted: Application) -> None:
    worker = counted.ready_worker()
    counted.until_checkpointed()
    worker.signal(signal.SIGSTOP)
    time.sleep(0.5)  # a fetch under way is answered, with nothing
    counted.send(whole_viewing("home-1", "film", EVENING_MS + 7_200_000))
    (place, *_) = counted.send(whole_viewing("home-1", "film", EVENING_MS + 10_800_000))
    with admin_of(counted) as admin:
        admin.delete_records({TopicPartition(place.topic, place.partition): place.offset})
    worker.signal(signal.SIGCONT)

    assert "(a gap)" in worker.ended(40).failure()
    assert "the records between are gone" in refused(counted)

    no = rebuild(counted)
    assert (no.code, no.out) == (1, "")
    assert f"{place.offset} records are gone from the start of {place.topic}" in no.log and "--yes" in no.log
    assert rebuilt(counted, "--yes")["gone"] == place.offset
    count(counted)


def test_offsets_of_the_group_that_expired_are_no_loss(counted: Application) -> None:
    forget_group(counted)
    worker = counted.ready_worker()
    counted.verify()
    assert worker.stopped().code == 0


# -- the rebuild -------------------------------------------------------------------------------------------------


def test_a_rebuild_waits_for_no_worker(counted: Application) -> None:
    worker = counted.ready_worker()
    ended = rebuild(counted)
    assert (ended.code, ended.out) == (1, "")
    assert "stop the workers first: 1 is running" in ended.log
    counted.verify()
    assert worker.stopped().code == 0


def test_a_rebuild_that_dies_is_run_again_and_nothing_is_told_twice_nor_shown_as_zero(application: Application) -> None:
    application.feed(RATE, 3).ended()
    worker = application.ready_worker()
    application.verify()
    assert worker.stopped().code == 0
    told, before = milestones(application), application.published()
    assert max(told.values()) == 1
    application.feed(RATE, 1, seed=2).ended()  # so that old counters and new ones differ
    delete(application, application.state_topic)

    assert rebuild(application, ENCORE_FAILPOINT="written:3").code == -signal.SIGKILL
    refused(application)
    answer = rebuilt(application)
    assert answer["records"] == application.produced() and answer["gone"] == 0
    assert application.published() == before
    # Restarted under its name, a worker need not wait for its own session's end.
    name = {"ENCORE_GROUP_INSTANCE_ID": "one"}
    with watched(application, before) as seen:
        for failpoint in ("committed:3", "shares:1", "published:2"):
            assert application.worker(**name, ENCORE_FAILPOINT=failpoint).ended().code == -signal.SIGKILL
        worker = application.ready_worker(**name)
        application.verify()
    assert seen["0"] > 0 and seen["1"] > 0
    again = milestones(application)
    assert max(again.values()) == 1
    assert told.keys() <= again.keys()
    assert int(application.status()["incarnation"]) == answer["incarnation"]
    assert application.status()["rebuilding"] == "0"
    assert worker.stopped().code == 0


def milestones(application: Application) -> Counter[tuple[str, ...]]:
    """How often each milestone was told."""
    told: Counter[tuple[str, ...]] = Counter()
    for record in application.read(application.environment["ENCORE_MILESTONES_TOPIC"]):
        value = json.loads(record.value or b"")
        told[value["milestone"], value["household_id"], value["title_id"], str(value["ordinal"])] += 1
    return told


@contextmanager
def watched(application: Application, before: dict[str, dict[str, str]]) -> Iterator[Counter[str]]:
    """Read all titles again and again meanwhile: none is missing, and none that says complete falls."""
    seen: Counter[str] = Counter()
    wrong: list[str] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            for name, was in before.items():
                now = application.hash(name)
                seen[now.get("complete", "missing")] += 1
                if not now or (now["complete"] == "1" and int(now.get("plays", 0)) < int(was.get("plays", 0))):
                    wrong.append(f"{name}: {was} became {now}")
            time.sleep(0.002)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield seen
    finally:
        over.set()
        reader.join()
    assert wrong == []


def test_a_topic_that_was_made_anew_with_fewer_partitions_is_refused_and_a_rebuild_follows_it(
    application: Application,
) -> None:
    source = application.environment["ENCORE_SOURCE_TOPIC"]
    watch_a_film(application, EVENING_MS)
    application.send(whole_viewing("home", "only-before", EVENING_MS))
    worker = application.ready_worker()
    application.until_checkpointed()
    assert worker.stopped().code == 0
    delete(application, source)
    make(application, source, 2)

    line = application.worker().ended().failure()
    assert f"has 4 partitions, {source} has 2: {REMEDY}" in line
    assert rebuilt(application)["partitions"] == 2
    # A process of its own: this one's producer knows the partitions that there were.
    application.feed(RATE, 1, seed=3).ended()
    worker = application.ready_worker(2)

    application.verify()
    assert "title:only-before" not in application.published()
    assert worker.stopped().code == 0
