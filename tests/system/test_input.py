"""Input seen from outside: what the commands write into a real Kafka, and what they say about it."""

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

pytestmark = pytest.mark.system

COLUMNS = ("Profile Name", "Title Description", "Device", "Playback Start Utc Ts", "Country", "Playtraces")


def _encore(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams.cli", *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=120)


def _records(environment: dict[str, str], topic: str) -> list:
    consumer = KafkaConsumer(bootstrap_servers=environment["ENCORE_KAFKA"], group_id=None)
    try:
        parts = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends, found = consumer.end_offsets(parts), []
        while any(consumer.position(part) < ends[part] for part in parts):
            found += [record for records in consumer.poll(timeout_ms=500).values() for record in records]
        return found
    finally:
        consumer.close()


def _send(environment: dict[str, str], topic: str, key: bytes, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=environment["ENCORE_KAFKA"])
    try:
        producer.send(topic, value, key).get(30)
    finally:
        producer.close()


def _titles(environment: dict[str, str]) -> dict[str, dict]:
    records = _records(environment, environment["ENCORE_TITLES_TOPIC"])
    return {record.key.decode(): json.loads(record.value) for record in records}


def _export(path: Path) -> Path:
    def row(title: str, start: str, last_ms: int) -> list[str]:
        step = {"eventType": "start", "sessionOffsetMs": 0, "mediaOffsetMs": 0}
        steps = [step, step | {"eventType": "stopped", "sessionOffsetMs": last_ms, "mediaOffsetMs": last_ms}]
        return ["Mia", title, "TV", start, "US", json.dumps(steps)]

    rows = [
        row("Paper Boats", "2020-03-15 18:00:00", 300_000),
        row("Paper Boats", "2020-03-14 18:00:00", 600_000),
        ["Mia", "Paper Boats", "TV", "yesterday", "US", "[]"],
        row("Paper Boats (Trailer)", "2020-03-14 17:58:00", 61_000),
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def test_simulate_sends_its_catalog_and_as_many_events_as_asked_for_in_order_to_the_partition_of_their_household(
    encore_env,
) -> None:
    done = _encore(encore_env, "simulate", "--rate", "5000", "--events", "2000", "--bad-share", "0", "--json")
    assert done.returncode == 0, done.stderr
    records = _records(encore_env, encore_env["ENCORE_SOURCE_TOPIC"])
    assert (len(records), json.loads(done.stdout)["events"]) == (2000, 2000)
    assert "the-film-that-will-not-stop" in _titles(encore_env)
    partitions, timestamps = defaultdict(set), defaultdict(list)
    for record in records:
        partitions[record.key].add(record.partition)
        timestamps[record.partition].append(record.timestamp)
    assert {len(places) for places in partitions.values()} == {1}
    assert all(times == sorted(times) for times in timestamps.values())


def test_a_story_is_told_from_its_friday_on_and_to_a_topic_without_records_only(encore_env) -> None:
    told = _encore(encore_env, "simulate", "--story", "--events", "500", "--households", "20", "--json")
    assert told.returncode == 0, told.stderr
    origin = datetime.fromtimestamp(json.loads(told.stdout)["origin_ms"] / 1000, UTC)
    assert (origin.strftime("%A %H:%M"), (datetime.now(UTC) - origin).days // 7) == ("Friday 08:00", 8)
    titles = _titles(encore_env)
    released = {title_id for title_id, row in titles.items() if row["release_time_ms"] == origin.timestamp() * 1000}
    assert released == {"the-film-that-will-not-stop", "the-big-opening"}
    again = _encore(encore_env, "simulate", "--story", "--events", "500", "--households", "20")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert f"topic {encore_env['ENCORE_SOURCE_TOPIC']} has records" in again.stderr


def test_import_writes_events_by_time_and_the_runtimes_that_the_catalog_lacks(encore_env, tmp_path) -> None:
    done = _encore(encore_env, "import", str(_export(tmp_path / "e.csv")), "--household", "home")
    assert done.returncode == 0, done.stderr
    records = _records(encore_env, encore_env["ENCORE_SOURCE_TOPIC"])
    events = [json.loads(record.value) for record in records]
    assert [record.timestamp for record in records] == sorted(event["event_time_ms"] for event in events)
    assert [event.get("content_kind") for event in events] == ["trailer"] * 2 + [None] * 4
    assert _titles(encore_env) == {
        "Paper Boats": {"name": "Paper Boats", "title_id": "Paper Boats", "runtime_ms": 600_000}
    }
    assert "line 4: Playback Start Utc Ts is 'yesterday'" in done.stderr
    assert "e.csv: Netflix playback events (PlaybackRelatedEvents.csv)" in done.stdout
    assert "3 rows read, 0 of them without viewing; 1 rows skipped" in done.stdout
    assert "1 titles had no runtime" in done.stdout


def test_import_keeps_the_runtime_of_a_title_that_the_topic_knows(encore_env, tmp_path) -> None:
    row = {"title_id": "pb", "name": "Paper Boats", "runtime_ms": 700_000}
    with KafkaAdminClient(bootstrap_servers=encore_env["ENCORE_KAFKA"]) as admin:
        admin.create_topics({encore_env["ENCORE_TITLES_TOPIC"]: {"num_partitions": 1, "replication_factor": 1}})
    _send(encore_env, encore_env["ENCORE_TITLES_TOPIC"], b"pb", json.dumps(row).encode())
    done = _encore(encore_env, "import", str(_export(tmp_path / "e.csv")), "--household", "home")
    assert (done.returncode, _titles(encore_env)) == (0, {"pb": row})
    events = [json.loads(record.value) for record in _records(encore_env, encore_env["ENCORE_SOURCE_TOPIC"])]
    assert {event["title_id"] for event in events} == {"pb", "Paper Boats (Trailer)"}


def test_import_into_a_topic_too_young_is_refused_with_the_way_out_or_sent_with_yes(encore_env, tmp_path) -> None:
    _send(encore_env, encore_env["ENCORE_SOURCE_TOPIC"], b"home", b"{}")
    command = ("import", str(_export(tmp_path / "e.csv")), "--household", "home")
    refused = _encore(encore_env, *command)
    assert refused.returncode == 1
    assert "6 of 6 events are more than 30 days older than the newest record" in refused.stderr
    assert "  export ENCORE_APP_ID=" in refused.stderr and f"  encore import {command[1]}" in refused.stderr
    assert len(_records(encore_env, encore_env["ENCORE_SOURCE_TOPIC"])) == 1
    sent = _encore(encore_env, *command, "--yes")
    assert (sent.returncode, len(_records(encore_env, encore_env["ENCORE_SOURCE_TOPIC"]))) == (0, 7)
    assert "warning: 6 of 6 events" in sent.stderr


def test_import_into_a_topic_that_its_broker_stamps_is_refused_though_it_has_no_records(encore_env, tmp_path) -> None:
    source, stamped = encore_env["ENCORE_SOURCE_TOPIC"], {"message.timestamp.type": "LogAppendTime"}
    with KafkaAdminClient(bootstrap_servers=encore_env["ENCORE_KAFKA"]) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, source, stamped)])
    refused = _encore(encore_env, "import", str(_export(tmp_path / "e.csv")), "--household", "home")
    assert (refused.returncode, _records(encore_env, source)) == (1, [])
    assert "6 of 6 events are more than 30 days older" in refused.stderr


def test_import_of_a_file_that_tells_nothing_makes_no_topic_and_fails_in_one_line(encore_env, tmp_path) -> None:
    (tmp_path / "h.csv").write_text('Title,Date\n"Paper Boats","3/14/20"\n', "utf-8")
    (tmp_path / "v.csv").write_text("Profile Name,Start Time,Duration,Title\nMia,then,00:10:00,Paper Boats\n", "utf-8")
    own = {
        f"ENCORE_{name}_TOPIC": f"{encore_env['ENCORE_APP_ID']}-unmade-{name.lower()}" for name in ("SOURCE", "TITLES")
    }
    for name, said in (("h.csv", "Netflix viewing history"), ("v.csv", "nothing was delivered")):
        done = _encore(encore_env | own, "import", str(tmp_path / name), "--household", "home")
        assert (done.returncode, done.stderr.count("Error: ")) == (1, 1)
        assert said in done.stderr.splitlines()[-1]
    consumer = KafkaConsumer(bootstrap_servers=encore_env["ENCORE_KAFKA"], group_id=None)
    try:
        assert not set(own.values()) & consumer.topics()
    finally:
        consumer.close()


def test_titles_load_writes_the_good_rows_reports_the_bad_ones_and_fails(encore_env, tmp_path) -> None:
    (tmp_path / "titles.jsonl").write_text('{"title_id":"a"}\n{"title_id":7}\n{"title_id":"c"}\n', "utf-8")
    done = _encore(encore_env, "titles", "load", str(tmp_path / "titles.jsonl"))
    assert (done.returncode, sorted(_titles(encore_env))) == (1, ["a", "c"])
    assert "titles.jsonl: line 2: " in done.stderr
    assert "2 titles written" in done.stdout and "1 rows skipped" in done.stdout


def test_an_unreachable_kafka_is_one_line_and_exit_code_1(encore_env) -> None:
    nobody = os.environ | encore_env | {"ENCORE_KAFKA": "127.0.0.1:9"}
    commands = (["simulate", "--events", "1"], ["titles", "load", __file__])
    asking = [
        subprocess.Popen([sys.executable, "-m", "streams.cli", *command], env=nobody, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    for command in asking:
        _, said = command.communicate(timeout=120)
        assert (command.returncode, said.count("\n"), "Kafka at 127.0.0.1:9" in said) == (1, 1, True), said
