"""The decoder on a real schema registry: Confluent's own serializers write, and what is at fault says so."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from schema_registry import schema_registry
from written import AVSC, EXAMPLES, LEAST, PROTO, in_avro, in_protobuf, prefix

from models.events import Event
from models.reading import read_event
from streams.config.schema_registry import RegistryAddress
from streams.registry import client, decoder
from streams.registry.client import RegistryAway
from streams.registry.decoder import SourceDecoder
from streams.registry.protobuf import message_class
from streams.registry.values import UndecodableValue

NOWHERE = RegistryAddress("http://127.0.0.1:9/")
MORE = {name: value for name, value in EXAMPLES[1].items() if name in Event.__struct_fields__}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryAddress]:
    with schema_registry(tmp_path_factory.mktemp("registry")) as url:
        yield RegistryAddress(url)


@pytest.fixture
def registry(address: RegistryAddress) -> Iterator[SchemaRegistryClient]:
    with SchemaRegistryClient({"url": address.urls}) as found:
        yield found


@pytest.fixture
def decodes(address: RegistryAddress) -> Callable[[str, bytes], Any]:
    def decode(source_format: str, value: bytes) -> Any:
        return SourceDecoder(source_format, address)(value)

    return decode


def read(value: bytes | None) -> Event:
    return read_event(LEAST["household_id"].encode(), value)


def refused(decode: Callable[[], object]) -> str:
    with pytest.raises(UndecodableValue) as problem:
        decode()
    return str(problem.value)


def test_avro_by_confluents_serializer_is_read(registry, decodes) -> None:
    write = AvroSerializer(registry, AVSC)
    times = {name: datetime.fromtimestamp(MORE[name] / 1000, UTC) for name in ("event_time_ms", "sent_time_ms")}
    value = write(MORE | times, SerializationContext("written-avro", MessageField.VALUE))
    assert value[0] == 0
    assert read(decodes("avro", value)) == Event(**MORE)


def test_protobuf_by_confluents_serializer_is_read(registry, decodes) -> None:
    played = message_class()
    write = ProtobufSerializer(played, registry)
    value = write(played(**MORE), SerializationContext("written-protobuf", MessageField.VALUE))
    assert value[0] == 0
    assert read(decodes("protobuf", value)) == Event(**MORE)


def test_the_contracts_are_schemas_to_the_registry(registry, decodes) -> None:
    avro = registry.register_schema("contract-avro", Schema(AVSC, "AVRO"))
    protobuf = registry.register_schema("contract-protobuf", Schema(PROTO, "PROTOBUF"))
    assert read(decodes("avro", in_avro(MORE, number=avro))) == Event(**MORE)
    assert read(decodes("protobuf", in_protobuf(MORE, number=protobuf))) == Event(**MORE)


def test_a_schema_that_refers_to_another_one_is_read(registry, decodes) -> None:
    kind = {"type": "enum", "name": "Kind", "namespace": "other", "symbols": ["start", "end"]}
    types = {name: "long" if name.endswith("_ms") else "string" for name in LEAST}

    def played(event_type: Any) -> dict[str, Any]:
        fields = [{"name": name, "type": of} for name, of in (types | {"event_type": event_type}).items()]
        return {"type": "record", "name": "Played", "fields": fields}

    registry.register_schema("kinds", Schema(json.dumps(kind), "AVRO"))
    refers = [SchemaReference("other.Kind", "kinds", 1)]
    number = registry.register_schema("refers", Schema(json.dumps(played("other.Kind")), "AVRO", refers))
    assert read(decodes("avro", in_avro(LEAST, played(kind), number))) == Event(**LEAST)


def test_a_schema_of_another_kind_is_refused(registry, decodes) -> None:
    avro = registry.register_schema("kind-avro", Schema(AVSC, "AVRO"))
    protobuf = registry.register_schema("kind-protobuf", Schema(PROTO, "PROTOBUF"))
    assert refused(lambda: decodes("protobuf", in_avro(LEAST, number=avro))) == (
        f"schema {avro} cannot be used: it is AVRO, accepted: PROTOBUF"
    )
    assert refused(lambda: decodes("avro", in_protobuf(LEAST, number=protobuf))) == (
        f"schema {protobuf} cannot be used: it is PROTOBUF, accepted: AVRO"
    )


def test_a_schema_that_the_registry_does_not_have_is_refused_once_it_was_asked_again(address, monkeypatch) -> None:
    monkeypatch.setattr(decoder, "_ASKED_AGAIN_S", 0)
    decode = SourceDecoder("avro", address)
    assert refused(lambda: decode(in_avro(LEAST, number=987_654))) == "schema 987654 is unknown to the registry"
    assert refused(lambda: decode(in_avro(LEAST, number=2**31))) == "schema 2147483648 is unknown to the registry"


def test_a_schema_that_comes_to_a_replica_a_moment_later_is_found(address, registry, monkeypatch) -> None:
    found = iter([None])
    real = client.Registry.schema
    monkeypatch.setattr(decoder, "_ASKED_AGAIN_S", 0)
    monkeypatch.setattr(
        client.Registry, "schema", lambda self, number: None if next(found, 0) is None else real(self, number)
    )
    number = registry.register_schema("late", Schema(AVSC, "AVRO"))
    assert read(SourceDecoder("avro", address)(in_avro(LEAST, number=number))) == Event(**LEAST)


def test_schemas_are_asked_for_once_and_beforehand(address, registry) -> None:
    number = registry.register_schema("beforehand", Schema(AVSC, "AVRO"))
    decode, value = SourceDecoder("avro", address), in_avro(LEAST, number=number)
    assert decode.unknown([None, b"", b"{}", b"\0", b"\0\0\0\0", b"\1\0\0\0\1", value]) == {number.to_bytes(4)}
    decode.load([number.to_bytes(4)])
    assert decode.unknown([value]) == set()
    decode._registry = None  # type: ignore[assignment]
    assert read(decode(value)) == Event(**LEAST)


def test_a_copy_in_another_process_asks_anew(address, registry) -> None:
    number = registry.register_schema("copied", Schema(AVSC, "AVRO"))
    copy = pickle.loads(pickle.dumps(SourceDecoder("avro", address)))
    assert read(copy(in_avro(LEAST, number=number))) == Event(**LEAST)


@pytest.mark.parametrize("value", [None, b"", b"{}", b" {}", b"[]", b"\xff", json.dumps(LEAST).encode()])
def test_what_is_json_comes_back_as_it_is(value: bytes | None) -> None:
    assert SourceDecoder("avro", NOWHERE)(value) is value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\1\0\0\0\1", "the magic byte is 1, accepted: 0, or JSON"),
        (b"\x1f", "the magic byte is 31, accepted: 0, or JSON"),
        (b"\0", "the value ends within the schema's id"),
        (b"\0\0\0\0", "the value ends within the schema's id"),
        (prefix() + b"x" * 65_532, "the value has 65537 bytes, accepted are 65536"),
    ],
)
def test_bytes_that_are_no_wire_format_are_refused_without_asking(value: bytes, reason: str) -> None:
    assert refused(lambda: SourceDecoder("avro", NOWHERE)(value)) == reason


def test_a_registry_that_is_away_is_no_records_fault(monkeypatch) -> None:
    monkeypatch.setattr(client, "_RETRY_S", 0.01)
    decode = SourceDecoder("avro", NOWHERE, patience_s=0.05)
    with pytest.raises(RegistryAway, match=r"ENCORE_SCHEMA_REGISTRY=http://127.0.0.1:9/ gives no usable answer: "):
        decode(in_avro(LEAST))
    assert decode.unknown([in_avro(LEAST)])


def test_an_address_of_something_else_is_no_records_fault_either(address) -> None:
    elsewhere = RegistryAddress(f"{address.urls}/nothing-here")
    with pytest.raises(RegistryAway, match="gives no usable answer"):
        SourceDecoder("avro", elsewhere, patience_s=0)(in_avro(LEAST))
    with pytest.raises(RegistryAway):
        SourceDecoder("avro", elsewhere).check()


def test_a_registry_that_answers_is_there(address) -> None:
    SourceDecoder("avro", address).check()
