"""Avro: what a producer wrote by its schema is read as the same event in JSON would be, or is refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from written import AVSC, EXAMPLES, LEAST, in_avro, prefix, simulated

from models.events import BadEvent, Event
from models.reading import read_event
from streams.registry.avro import avro_reader
from streams.registry.values import UndecodableValue, UnusableSchema
from streams.verify.records import read_event as read_independently

Schema = dict[str, Any]


def schema(**other: Any) -> Schema:
    """A schema of the least fields; `other`: further ones, or other types of them."""
    types = {name: "long" if name.endswith("_ms") else "string" for name in LEAST} | other
    return {"type": "record", "name": "Played", "fields": [{"name": name, "type": of} for name, of in types.items()]}


def read(value: bytes, *texts: str | Schema) -> Event:
    given = [text if isinstance(text, str) else json.dumps(text) for text in texts or (AVSC,)]
    return read_event(LEAST["household_id"].encode(), avro_reader(7, given)(value))


def written(fields: dict[str, Any], of: Schema) -> Event:
    return read(in_avro(fields, of), of)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_contract_are_the_same_events(example: dict[str, Any]) -> None:
    listed = {name: value for name, value in example.items() if name in Event.__struct_fields__}
    assert read(in_avro(listed)) == read_event(b"h-1", json.dumps(example).encode())


def test_simulated_events_are_the_same_field_by_field_to_both_of_its_readers() -> None:
    decode = avro_reader(7, [AVSC])
    for key, event, fields in simulated(2_000):
        value = decode(in_avro(fields))
        assert msgspec.structs.asdict(read_event(key, value)) == msgspec.structs.asdict(event)
        assert read_independently(key, value) == fields


def test_a_producers_own_fields_are_ignored_whatever_they_hold() -> None:
    own = schema(
        tags={"type": "array", "items": "string"},
        numbers={"type": "map", "values": "double"},
        player={"type": "record", "name": "Player", "fields": [{"name": "version", "type": ["null", "bytes"]}]},
        nothing="null",
    )
    more = {"tags": ["a", "b"], "numbers": {"x": float("nan")}, "player": {"version": b"\0"}, "nothing": None}
    assert written(LEAST | more, own) == Event(**LEAST)


@pytest.mark.parametrize(
    ("field", "of", "value", "is_read_as"),
    [
        ("position_ms", "int", 5, 5),
        ("seq", ["null", "int"], 2, 2),
        ("seq", ["null", "long"], None, None),
        ("seq", ["long", "null"], -(2**63), -(2**63)),
        ("playback_rate", "float", 1.25, 1.25),
        ("playback_rate", "int", 2, 2.0),
        ("playback_rate", ["null", "int", "double"], 1.1, 1.1),
        ("event_type", "string", "seek", "seek"),
        ("event_type", {"type": "enum", "name": "Kind", "symbols": ["end", "start"]}, "end", "end"),
        ("event_id", {"type": "string", "logicalType": "uuid"}, "6f0c1f4e-0000-4000-8000-000000000000", ...),
        ("event_time_ms", {"type": "long", "logicalType": "timestamp-millis"}, 1_763_625_600_001, ...),
        ("sent_time_ms", ["null", {"type": "long", "logicalType": "local-timestamp-millis"}], 5, 5),
        ("title_id", "string", "é" * 128, ...),
        ("autoplay", ["boolean", "null"], False, False),
    ],
)
def test_a_field_may_have_any_type_that_holds_the_same_value(field: str, of: Any, value: Any, is_read_as: Any) -> None:
    found = getattr(written(LEAST | {field: value}, schema(**{field: of})), field)
    assert found == (value if is_read_as is ... else is_read_as)


@pytest.mark.parametrize(
    ("field", "of", "value", "reason"),
    [
        ("position_ms", "double", 5.0, "Expected `int`, got `float` - at `$.position_ms`"),
        ("position_ms", "string", "5", "Expected `int`, got `str` - at `$.position_ms`"),
        ("event_time_ms", "boolean", True, "Expected `int`, got `bool` - at `$.event_time_ms`"),
        ("position_ms", ["null", "long"], None, "Expected `int`, got `null` - at `$.position_ms`"),
        ("event_type", "string", "replay", "Invalid enum value 'replay' - at `$.event_type`"),
        ("playback_rate", "double", float("nan"), "playback_rate is nan, accepted are finite numbers"),
        ("runtime_ms", ["null", "float"], float("-inf"), "runtime_ms is -inf, accepted are finite numbers"),
        ("title_id", "string", "é" * 129, "title_id has 258 bytes, accepted are 256"),
        ("title_id", "string", "", "Expected `str` of length >= 1 - at `$.title_id`"),
    ],
)
def test_what_would_be_a_dead_letter_in_json_is_one_here(field: str, of: Any, value: Any, reason: str) -> None:
    with pytest.raises(BadEvent) as refused:
        written(LEAST | {field: value}, schema(**{field: of}))
    assert str(refused.value) == reason


def test_a_required_field_that_the_schema_lacks_is_missing() -> None:
    of = schema()
    del of["fields"][0]
    with pytest.raises(BadEvent, match="Object missing required field `event_id`"):
        written({name: LEAST[name] for name in LEAST if name != "event_id"}, of)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (in_avro(LEAST)[:-1], "EOFError"),
        (in_avro(LEAST) + b"\0", "1 bytes are left over"),
        (prefix(), "EOFError"),
        (in_avro(LEAST).replace(b"h-1", b"h\xff1"), "UnicodeDecodeError"),
        (prefix() + b"\xff" * 20, ""),
        (prefix() + b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", ""),
    ],
)
def test_bytes_that_the_schema_does_not_fit_are_refused(value: bytes, why: str) -> None:
    with pytest.raises(UndecodableValue, match="the value is no Avro of schema 7") as refused:
        read(value)
    assert why in str(refused.value)


def test_named_types_of_other_schemas_are_found() -> None:
    kind = {"type": "enum", "name": "Kind", "namespace": "other", "symbols": ["start", "end"]}
    both = schema(event_type=kind)
    assert read(in_avro(LEAST, both), kind, schema(event_type="other.Kind")) == Event(**LEAST)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("{", "it cannot be parsed"),
        ({"type": "unheard-of"}, "it cannot be parsed"),
        (schema(event_type="other.Kind"), "it cannot be parsed"),
        ("[" * 100_000, "it cannot be parsed"),
        ('"string"', "it is no record"),
        (["null", schema()], "it is no record"),
        (schema(title_id="bytes"), "title_id is bytes, accepted: string"),
        (schema(title_id=["null", {"type": "fixed", "name": "Id", "size": 16}]), "title_id is bytes"),
        (schema(event_time_ms={"type": "long", "logicalType": "timestamp-micros"}), "a field is timestamp-micros"),
        (schema(endless={"type": "array", "items": "null"}), "items of an array take no bytes"),
        (
            schema(endless={"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}}),
            "items of an array take no bytes",
        ),
        (
            schema(deep={"type": "record", "name": "Deep", "fields": [{"name": "in", "type": ["null", "Deep"]}]}),
            "Deep holds itself",
        ),
    ],
)
def test_a_schema_whose_values_cannot_be_events_or_could_hold_a_worker_up_says_why(given: Any, reason: str) -> None:
    with pytest.raises(UnusableSchema, match=reason):
        avro_reader(7, [given if isinstance(given, str) else json.dumps(given)])
