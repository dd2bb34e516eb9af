"""Protobuf: what a producer wrote by the contract is read as the same event in JSON would be, or is refused."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import msgspec
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from written import EXAMPLES, LEAST, PROTO, in_protobuf, prefix, simulated

from models.events import BadEvent, Event
from models.reading import read_event
from streams.registry.protobuf import FIELDS, OPTIONAL, Protobuf, message_class
from streams.registry.values import UndecodableValue, UnusableSchema
from streams.verify.records import read_event as read_independently

SEVERAL = """
syntax = "proto3"; // message NotThis { }
package some.where;
/* message NorThis { */
enum Kind { message_UNKNOWN = 0; }
message Other { enum Inner { A = 0; } message PlaybackEvent { string a = 1; } oneof x { string y = 2; } }
message Envelope {
  option (note) = "message NorThat {";
  message First {} message PlaybackEvent { string event_id = 1; }
}
message PlaybackEvent { string event_id = 1; }
"""


def read(value: bytes, schema: str = PROTO) -> Event:
    return read_event(LEAST["household_id"].encode(), Protobuf().reader(7, schema)(value))


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_contract_are_the_same_events(example: dict[str, Any]) -> None:
    listed = {name: value for name, value in example.items() if name in FIELDS and value is not None}
    assert read(in_protobuf(listed)) == read_event(b"h-1", json.dumps(example).encode())


def test_simulated_events_are_the_same_field_by_field_to_both_of_its_readers() -> None:
    decode = Protobuf().reader(7, PROTO)
    for key, event, fields in simulated(2_000):
        value = decode(in_protobuf(fields))
        assert msgspec.structs.asdict(read_event(key, value)) == msgspec.structs.asdict(event)
        assert read_independently(key, value) == fields


def test_the_contract_has_the_fields_of_an_event_with_their_numbers() -> None:
    found = re.findall(r"^  (optional )?(\w+) (\w+) = (\d+);", PROTO, re.MULTILINE)
    assert [name for _, _, name, _ in found] == list(FIELDS) == list(Event.__struct_fields__)
    assert {name: of for _, of, name, _ in found} == FIELDS
    assert {name for word, _, name, _ in found if word} == OPTIONAL
    assert [int(number) for *_, number in found] == list(range(1, len(FIELDS) + 1))


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_an_optional_field_that_is_0_or_empty_is_given_and_one_that_is_not_there_is_missing(name: str) -> None:
    zero: Any = {"string": "", "int64": 0, "double": 0.0, "bool": False}[FIELDS[name]]
    decode = Protobuf().reader(7, PROTO)
    assert json.loads(decode(in_protobuf(LEAST | {name: zero}))) == LEAST | {name: zero}
    assert json.loads(decode(in_protobuf(LEAST))) == LEAST


def test_a_required_number_that_is_not_there_is_0_and_a_required_text_is_missing() -> None:
    decode = Protobuf().reader(7, PROTO)
    given = {name: value for name, value in LEAST.items() if name not in ("event_id", "event_time_ms", "position_ms")}
    assert json.loads(decode(in_protobuf(given))) == given | {"event_time_ms": 0, "position_ms": 0}
    with pytest.raises(BadEvent, match="Object missing required field `event_id`"):
        read(in_protobuf(given))


def test_fields_of_other_numbers_are_ignored() -> None:
    own = b"\xc2\x3e\x03abc" + b"\xc8\x3e\x05"  # 1000: a text, 1001: a number
    assert read(in_protobuf(LEAST) + own) == Event(**LEAST)


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), float("-inf")])
def test_a_rate_that_json_has_no_number_for_is_refused(rate: float) -> None:
    with pytest.raises(UndecodableValue, match=f"playback_rate is {rate}, accepted are finite numbers"):
        read(in_protobuf(LEAST | {"playback_rate": rate}))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (in_protobuf(LEAST)[:-1], "the value is no Protobuf of schema 7"),
        (in_protobuf(LEAST).replace(b"h-1", b"h\xff1"), "the value is no Protobuf of schema 7"),
        (prefix(), "the message indexes end too early"),
        (prefix() + b"\x80" * 9, "the message indexes end too early"),
        (prefix() + b"\x04\x02", "the message indexes end too early"),
        (prefix() + b"\x01", "-1 message indexes cannot be"),
        (prefix() + b"\xfe\x01" + b"\0" * 20, "127 message indexes cannot be"),
    ],
)
def test_bytes_that_are_no_message_are_refused(value: bytes, reason: str) -> None:
    with pytest.raises(UndecodableValue) as refused:
        read(value)
    assert str(refused.value) == reason


@pytest.mark.parametrize("schema", [SEVERAL, "base64"])
@pytest.mark.parametrize(
    ("indexes", "name"),
    [
        (b"\x02\x04", ""),  # [2]
        (b"\x04\x02\x02", ""),  # [1, 1]
        (b"\x04\x00\x00", ""),  # [0, 0]
        (b"\0", "Other"),  # the short form of [0]
        (b"\x02\x00", "Other"),  # [0]
        (b"\x02\x02", "Envelope"),  # [1]
        (b"\x02\x06", "not in it"),  # [3]
        (b"\x02\x01", "not in it"),  # [-1]
        (b"\x04\x04\x00", "not in it"),  # [2, 0]
    ],
)
def test_the_indexes_say_which_message_it_is_and_only_playback_events_are_read(
    schema: str, indexes: bytes, name: str
) -> None:
    if schema == "base64":
        schema = described()
    value = in_protobuf(LEAST, indexes)
    if not name:
        assert read(value, schema) == Event(**LEAST)
        return
    with pytest.raises(UndecodableValue, match=f"the message of schema 7 is {name}, accepted: PlaybackEvent"):
        read(value, schema)


def described() -> str:
    """The same messages as a descriptor."""
    file = FileDescriptorProto(name="several.proto", syntax="proto3")
    file.message_type.add(name="Other").nested_type.add(name="PlaybackEvent")
    envelope = file.message_type.add(name="Envelope")
    for name in ("First", "PlaybackEvent"):
        envelope.nested_type.add(name=name)
    file.message_type.add(name="PlaybackEvent")
    return base64.b64encode(file.SerializeToString()).decode()


@pytest.mark.parametrize("schema", ["message A { } }", base64.b64encode(b"\xff\xff").decode()])
def test_a_schema_that_cannot_be_read_is_refused(schema: str) -> None:
    with pytest.raises(UnusableSchema):
        Protobuf().reader(7, schema)


def test_the_message_is_the_contracts() -> None:
    assert message_class().DESCRIPTOR.full_name == "encore.PlaybackEvent"
