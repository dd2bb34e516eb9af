"""Avro and Protobuf by a real registry: the numbers of JSON, and a registry that is away loses no event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from application import Application, Process, until
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from playback import event
from proxy import Proxy
from schema_registry import schema_registry

pytestmark = pytest.mark.system

CONTRACTS = Path(__file__).parents[2] / "deploy/contracts"
AVSC = json.loads((CONTRACTS / "playback-event.avsc").read_text())
PROTO = (CONTRACTS / "playback_event.proto").read_text()
FIELDS = [field["name"] for field in AVSC["fields"]]
OF_THE_CLOCK = {"as_of_ms", "version", "watching_now"}
"""Fields that depend on when a hash was written."""

BY_TOPIC = {"subject.name.strategy.type": "TOPIC"}
"""The default asks the registry of each message what its subject is."""

Write = Callable[[dict[str, Any]], bytes]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with schema_registry(tmp_path_factory.mktemp("registry")) as url:
        yield url


def avro_writer(url: str, topic: str, **more: str) -> Write:
    """Confluent's serializer with the contract's schema; `more`: fields of the producer's own, all text."""
    own = [{"name": name, "type": "string"} for name in more]
    schema = json.dumps(AVSC | {"fields": [*AVSC["fields"], *own]})
    write = AvroSerializer(SchemaRegistryClient({"url": url}), schema, conf=BY_TOPIC)
    return lambda fields: write(fields | more, SerializationContext(topic, MessageField.VALUE))


def protobuf_writer(url: str, topic: str) -> Write:
    """Confluent's serializer with the contract's message."""
    file = descriptor_pb2.FileDescriptorProto(name="played.proto", package="shop", syntax="proto3")
    message = file.message_type.add(name="PlaybackEvent")
    for optional, of, name, number in re.findall(r"^  (optional )?(\w+) (\w+) = (\d+);", PROTO, re.MULTILINE):
        kind = descriptor_pb2.FieldDescriptorProto.Type.Value(f"TYPE_{of.upper()}")
        field = message.field.add(name=name, number=int(number), type=kind, label=1)
        if optional:
            field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    played = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.PlaybackEvent"))
    write = ProtobufSerializer(played, SchemaRegistryClient({"url": url}), BY_TOPIC)
    return lambda fields: write(played(**fields), SerializationContext(topic, MessageField.VALUE))


def rewritten(value: bytes | None, write: Write) -> bytes | None:
    """The same event in another format; what is no event that the format can hold stays as it is."""
    try:
        fields = json.loads(value or b"")
        return write({name: fields[name] for name in FIELDS if fields.get(name) is not None})
    except Exception:
        return value


def copied(source: Application, target: Application, write: Write) -> int:
    """Copy the catalog, and the events in another format: partition, time and key stay. Returns how many changed."""
    target.load_titles(*(json.loads(row.value) for row in source.read(source.environment["ENCORE_TITLES_TOPIC"])))
    topic, into = (app.environment["ENCORE_SOURCE_TOPIC"] for app in (source, target))
    reading = KafkaConsumer(bootstrap_servers=source.environment["ENCORE_KAFKA"], isolation_level="read_committed")
    writing = KafkaProducer(bootstrap_servers=target.environment["ENCORE_KAFKA"])
    changed = 0
    for number in sorted(reading.partitions_for_topic(topic)):
        part = TopicPartition(topic, number)
        reading.assign([part])
        reading.seek_to_beginning(part)
        end = reading.end_offsets([part])[part]
        while reading.position(part) < end:
            for record in reading.poll(timeout_ms=500).get(part, []):
                value = rewritten(record.value, write)
                changed += value != record.value
                writing.send(into, value, record.key, timestamp_ms=record.timestamp, partition=number)
    writing.flush()
    writing.close()
    reading.close()
    return changed


def started(application: Application) -> Process:
    """A worker that has its partitions. It imports more than others: that takes longer on a busy machine."""
    worker = application.worker(ENCORE_STARTUP_TIMEOUT_S="120")
    worker.until_logged("restored:", within_s=120, times=4)
    return worker


def counted(application: Application, **settings: str) -> dict[str, dict[str, str]]:
    """What readers see of all titles once everything is counted, and verified."""
    application.environment |= settings
    worker = started(application)
    application.until_checkpointed(120)
    assert application.verify(60, 300)["verified"]
    prefix = application.environment["ENCORE_REDIS_PREFIX"]
    keys = [key for key in application.redis.scan_iter(f"{prefix}title:*") if application.redis.type(key) == "hash"]
    shown = {key.removeprefix(prefix): application.redis.hgetall(key) for key in keys}
    assert worker.stopped().code == 0
    return {
        key: {name: value for name, value in fields.items() if name not in OF_THE_CLOCK}
        for key, fields in shown.items()
    }


def test_avro_and_protobuf_give_the_numbers_of_json(registry, servers, env_on, application_of) -> None:
    json_app, avro_app, protobuf_app = (application_of(env_on(servers)) for _ in range(3))
    ended = json_app.start("simulate", "--events", "2000", "--rate", "2000", "--households", "20", "--titles", "8")
    assert ended.ended().code == 0
    for app, writer in ((avro_app, avro_writer), (protobuf_app, protobuf_writer)):
        assert copied(json_app, app, writer(registry, app.environment["ENCORE_SOURCE_TOPIC"])) > 1_500
    by_json = counted(json_app)
    assert len(by_json) > 20
    assert counted(avro_app, ENCORE_SOURCE_FORMAT="avro", ENCORE_SCHEMA_REGISTRY=registry) == by_json
    assert counted(protobuf_app, ENCORE_SOURCE_FORMAT="protobuf", ENCORE_SCHEMA_REGISTRY=registry) == by_json
    letters = [
        len(app.read(app.environment["ENCORE_DEAD_LETTERS_TOPIC"])) for app in (json_app, avro_app, protobuf_app)
    ]
    assert letters[0] == letters[1] == letters[2]


def test_bad_input_costs_one_event_and_a_registry_that_is_away_none(registry, application) -> None:
    at = urlsplit(registry)
    topic = application.environment["ENCORE_SOURCE_TOPIC"]
    before, later = (avro_writer(registry, topic, **more) for more in ({}, {"app_version": "2"}))
    events = [event("heartbeat", "home", "film", 1_763_625_600_000 + n * 60_000, n * 60_000) for n in range(4)]

    def send(value: bytes, at_ms: int) -> None:
        application.produce(b"home", value, at_ms).get(30)

    with Proxy((at.hostname, at.port)) as way:
        application.environment |= {
            "ENCORE_SOURCE_FORMAT": "avro",
            "ENCORE_SCHEMA_REGISTRY": f"http://127.0.0.1:{way.port}{at.path}",
        }
        worker = started(application)
        send(before(events[0]), events[0]["event_time_ms"])
        send(b"\0" + (2**30).to_bytes(4) + b"?", events[1]["event_time_ms"])
        send(json.dumps(events[1]).encode(), events[1]["event_time_ms"])
        until(lambda: application.status().get("events") == "2", "two events, one of them in JSON", 60)
        assert application.status()["dead_letters"] == "1"

        there, way.target = way.target, ("127.0.0.1", 9)
        way.cut()
        send(before(events[2]), events[2]["event_time_ms"])
        until(lambda: application.status().get("events") == "3", "an event by a schema that is known", 60)
        send(later(events[3]), events[3]["event_time_ms"])
        assert "RegistryAway: ENCORE_SCHEMA_REGISTRY=" in worker.ended(120).failure()

        way.target = there
        started(application)
        until(lambda: application.status().get("events") == "4", "the event by the new schema", 60)
        found = application.verify(60, 300)
    assert (found["events"], found["dead_letters"]) == (4, 1)
    (letter,) = application.read(application.environment["ENCORE_DEAD_LETTERS_TOPIC"])
    assert letter.headers["error"] == f"schema {2**30} is unknown to the registry"
