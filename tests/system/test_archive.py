"""The archive as its operator has it: every record once, whatever dies, and all numbers from it after Kafka forgot."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from application import Application, Record, until
from kafka import KafkaAdminClient, TopicPartition
from object_storage import BUCKET, is_missing, s3_server
from playback import DAY_MS, EVENING_MS, TEN_MINUTES, whole_viewing

pytestmark = pytest.mark.system

KILLS = int(os.environ.get("ARCHIVE_KILLS", "3"))
FOLDER, S3 = "a folder", "S3"


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    if is_missing():
        pytest.skip("no S3 server: `make` installs it")
    with s3_server() as environment:
        yield environment


@pytest.fixture
def application(encore_env: dict[str, str], tmp_path: Path) -> Iterator[Application]:
    """An application with an archive in a folder, whose files are written soon."""
    with closing(Application(with_archive(encore_env, str(tmp_path / "archive")), tmp_path)) as application:
        yield application


def with_archive(environment: dict[str, str], address: str) -> dict[str, str]:
    return {**environment, "ENCORE_ARCHIVE": address, "ENCORE_ARCHIVE_FILE_S": "1"}


def listed(application: Application) -> list[dict[str, Any]]:
    """What `encore archive list` says."""
    ended = application.start("archive", "list", "--json").ended()
    assert ended.code == 0, ended.log
    return [json.loads(line) for line in ended.out.splitlines()]


def archived(application: Application) -> list[tuple[Any, ...]]:
    """Every record of the archive, as DuckDB reads the files that are listed."""
    files = [each["file"] for each in listed(application)]
    if not files:
        return []
    columns = 'partition, "offset", key, value, timestamp_ms, timestamp_type'
    return duckdb.connect().execute(f"select {columns} from read_parquet(?) order by 1, 2", [files]).fetchall()


def in_kafka(application: Application) -> list[tuple[Any, ...]]:
    records: list[Record] = application.read(application.environment["ENCORE_SOURCE_TOPIC"])
    return sorted((each.partition, each.offset, each.key, each.value) for each in records)


def until_archived(application: Application, within_s: float = 60) -> None:
    """Wait until as many records are archived as the source has."""
    produced = application.produced()

    def is_archived() -> bool:
        return sum(each["records"] for each in listed(application)) >= produced

    until(is_archived, f"{produced} records archived", within_s)


def forget_in_kafka(application: Application, keep: int) -> dict[int, int]:
    """Have Kafka forget all but the last `keep` records of each partition. Returns the first offsets that it has."""
    topic = application.environment["ENCORE_SOURCE_TOPIC"]
    ends: dict[int, int] = {}
    for record in application.read(topic):
        ends[record.partition] = record.offset + 1
    firsts = {TopicPartition(topic, number): max(0, end - keep) for number, end in ends.items()}
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        admin.delete_records(firsts)
    return {place.partition: first for place, first in firsts.items()}


def test_every_record_is_archived_once_as_it_is_in_kafka(application: Application) -> None:
    application.send(whole_viewing("home", "film", EVENING_MS))
    application.produce(None, b"", EVENING_MS).get(30)
    application.produce(b"", None, EVENING_MS).get(30)
    application.produce(b"\xff", b"no json", EVENING_MS + DAY_MS).get(30)
    archiver = application.start("archive")
    until_archived(application)
    found = archived(application)
    assert [record[:4] for record in found] == in_kafka(application)
    assert {record[4:] for record in found} >= {(EVENING_MS + DAY_MS, "CreateTime")}
    assert archiver.stopped().code == 0


def test_what_waits_is_written_when_it_is_stopped(application: Application) -> None:
    archiver = application.start("archive", ENCORE_ARCHIVE_FILE_S="3600")
    archiver.until_logged("is archived from", times=4)
    application.send(whole_viewing("home", "film", EVENING_MS))
    time.sleep(2)
    assert archived(application) == []
    assert archiver.stopped().code == 0
    assert [record[:4] for record in archived(application)] == in_kafka(application)


def test_no_record_is_lost_or_there_twice_whenever_archivers_are_killed(application: Application) -> None:
    chance = random.Random(KILLS)
    feed = application.feed(rate=2_000, seconds=KILLS * 20)
    running = [application.start("archive") for _ in range(2)]
    for _ in range(KILLS):
        victim = running.pop(chance.randrange(2))
        victim.until_logged("is archived from", within_s=60)
        time.sleep(chance.uniform(0, 3))
        victim.kill()
        running.append(application.start("archive"))
    assert feed.stopped().code == 0
    until_archived(application, 120)
    assert [record[:4] for record in archived(application)] == in_kafka(application)
    for each in running:
        assert each.stopped().code == 0, each.log


def test_two_archivers_share_the_partitions_and_one_takes_over_from_the_other(application: Application) -> None:
    one, other = application.start("archive"), application.start("archive")
    one.until_logged("is archived from", times=2)
    other.until_logged("is archived from", times=2)
    application.send(whole_viewing("home", "film", EVENING_MS))
    one.signal(signal.SIGTERM)
    assert one.ended().code == 0
    application.send(whole_viewing("home", "film", EVENING_MS + DAY_MS))
    until_archived(application)
    assert [record[:4] for record in archived(application)] == in_kafka(application)
    assert other.stopped().code == 0


def test_an_archiver_that_was_frozen_writes_nothing_that_is_there_already(application: Application) -> None:
    feed = application.feed(rate=1_000, seconds=120)
    frozen = application.start("archive", ENCORE_ARCHIVE_FILE_S="3")
    frozen.until_logged("is archived from", times=4, within_s=60)
    time.sleep(1.5)  # it holds records that are in no file yet
    frozen.signal(signal.SIGSTOP)
    other = application.start("archive")
    other.until_logged("to a file of", within_s=60)
    frozen.signal(signal.SIGCONT)
    frozen.until_logged("is archived from", times=5, within_s=60)
    assert feed.stopped().code == 0
    until_archived(application, 60)
    assert [record[:4] for record in archived(application)] == in_kafka(application)
    assert (frozen.stopped().code, other.stopped().code) == (0, 0)


def test_a_gap_is_refused_with_its_offsets_and_accepted_on_demand(application: Application) -> None:
    application.send(whole_viewing("home", "film", EVENING_MS))
    application.start("archive").until_logged("to a file of")
    for process in application._processes:
        process.stopped()
    (before,) = listed(application)
    application.send(whole_viewing("home", "film", EVENING_MS + DAY_MS))
    number = before["partition"]
    first = forget_in_kafka(application, keep=1)[number]
    finding = doctor(application)
    assert (finding["level"], f"{first - before['next_offset']} records of partition" in finding["found"]) == (
        "wrong",
        True,
    )
    refused = application.start("archive").ended()
    assert refused.code == 1
    assert f"offsets {before['next_offset']} to {first - 1} of" in refused.log
    assert "--accept-gap" in refused.log
    application.start("archive", "--accept-gap").until_logged("to a file of")
    _, after = listed(application)
    assert (after["first"], after["gaps"]) == (before["next_offset"], [[before["next_offset"], first]])


def doctor(application: Application) -> dict[str, Any]:
    """What the doctor says of the archive."""
    said = application.start("doctor", "--json").ended().out.splitlines()
    (found,) = [each for each in map(json.loads, said) if each["what"] == "archive"]
    return found


def test_a_topic_that_was_made_anew_is_refused(application: Application) -> None:
    application.send(whole_viewing("home", "film", EVENING_MS))
    application.start("archive").until_logged("to a file of")
    assert application._processes[-1].stopped().code == 0
    topic = application.environment["ENCORE_SOURCE_TOPIC"]
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        admin.delete_topics([topic])
        until(lambda: topic not in admin.list_topics(), "the topic is gone")
        time.sleep(1)
        admin.create_topics({topic: {"num_partitions": 4, "replication_factor": 1}}, wait_for_metadata=True)
    refused = application.start("archive").ended()
    assert (refused.code, "archive of a former topic" in refused.log) == (1, True)


@pytest.fixture(params=[FOLDER, S3])
def history(
    request: pytest.FixtureRequest,
    encore_env: dict[str, str],
    tmp_path: Path,
    application_of: Callable[[dict[str, str]], Application],
) -> Application:
    """An application with an archive in a folder, or in a bucket of S3."""
    if request.param == FOLDER:
        return application_of(with_archive(encore_env, str(tmp_path / "archive")))
    bucket = request.getfixturevalue("s3")
    return application_of(with_archive(encore_env, f"s3://{BUCKET}/{encore_env['ENCORE_APP_ID']}") | bucket)


def test_after_kafka_has_forgotten_a_rebuild_and_verify_give_the_same_from_the_archive(history: Application) -> None:
    application = history
    application.load_titles({"title_id": "film", "runtime_ms": TEN_MINUTES, "franchise_id": "saga"})
    for day in range(3):
        for home in range(12):
            application.send(whole_viewing(f"home-{home}", "film", EVENING_MS + day * DAY_MS + home))
    application.produce(b"home-1", b"no json", EVENING_MS + 2 * DAY_MS).get(30)
    archiver = application.start("archive")
    worker = application.ready_worker()
    until_archived(application)
    before, published = application.verify(), application.published()
    assert published["title:film"]["completions"] == "36"
    assert worker.stopped().code == archiver.stopped().code == 0

    forget_in_kafka(application, keep=3)
    after = application.verify()
    assert {**after, "seconds": 0} == {**before, "seconds": 0}
    rebuilt = application.start("rebuild", "--json").ended(120)
    assert rebuilt.code == 0, rebuilt.log
    assert json.loads(rebuilt.out)["gone"] == 0
    application.ready_worker()
    assert {**application.verify(), "seconds": 0} == {**before, "seconds": 0}
    assert application.published() == published


@pytest.mark.parametrize("moment", ["cut", "committed"])
def test_a_rebuild_that_dies_while_it_counts_the_archive_is_refused_by_workers_and_run_again(
    application: Application, moment: str
) -> None:
    application.load_titles({"title_id": "film", "runtime_ms": TEN_MINUTES})
    for home in range(12):
        application.send(whole_viewing(f"home-{home}", "film", EVENING_MS))
    archiver = application.start("archive")
    until_archived(application)
    assert archiver.stopped().code == 0
    forget_in_kafka(application, keep=3)
    died = application.start("rebuild", ENCORE_FAILPOINT=f"{moment}:1:kill").ended()
    assert died.code == 1
    assert "ended too early, perhaps for lack of memory: run it again" in died.log
    refused = application.worker().ended()
    assert (refused.code, "ends too early" in refused.log) == (1, True)
    assert application.start("rebuild").ended().code == 0
    worker = application.ready_worker()
    assert application.verify()["completions"] == 12
    assert worker.stopped().code == 0


def test_a_forgotten_household_is_named_with_its_files_and_goes_from_them(application: Application) -> None:
    application.load_titles({"title_id": "film", "runtime_ms": TEN_MINUTES})
    for home in ("home", "other"):
        application.send(whole_viewing(home, "film", EVENING_MS))
    application.ready_worker()
    application.start("archive")
    until_archived(application)
    before = archived(application)
    files = {each["file"] for each in listed(application)}

    named = forgotten(application, "home")
    assert set(named["files"]) <= files
    assert (named["removed"], archived(application)) == (0, before)
    removed = forgotten(application, "home", "--archive")
    assert removed == {**named, "removed": sum(record[2] == b"home" for record in before)}
    assert archived(application) == [record for record in before if record[2] != b"home"]
    assert forgotten(application, "home")["files"] == []


def forgotten(application: Application, household: str, *words: str) -> dict[str, Any]:
    """What `encore forget` says of the archive."""
    ended = application.start("forget", household, "--yes", "--json", *words).ended()
    assert (ended.code, ended.log) == (0, "")
    found: dict[str, Any] = json.loads(ended.out)["archive"]
    return found


def test_records_that_neither_has_are_named_before_anything_is_changed(application: Application) -> None:
    application.send(whole_viewing("home", "film", EVENING_MS))
    application.start("archive").until_logged("to a file of")
    assert application._processes[-1].stopped().code == 0
    (before,) = listed(application)
    application.send(whole_viewing("home", "film", EVENING_MS + DAY_MS))
    first = forget_in_kafka(application, keep=1)[before["partition"]]
    refused = application.start("rebuild", "--yes").ended()
    assert refused.code == 1
    assert f"offsets {before['next_offset']} to {first - 1} of" in refused.log
    assert "neither in the archive" in refused.log
