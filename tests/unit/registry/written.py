"""Events as producers write them in Avro and in Protobuf, by the contracts or by schemas of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

from models.events import BadEvent, Event
from models.reading import read_event
from streams.registry.protobuf import message_class
from streams.tools.simulate.plan import Plan
from streams.tools.simulate.stream import stream

CONTRACTS = Path(__file__).parents[3] / "deploy/contracts"
AVSC = (CONTRACTS / "playback-event.avsc").read_text()
PROTO = (CONTRACTS / "playback_event.proto").read_text()
EXAMPLES: list[dict[str, Any]] = json.loads((CONTRACTS / "playback-event.schema.json").read_text())["examples"]
LEAST = EXAMPLES[0]

Fields = dict[str, Any]


def prefix(number: int = 7) -> bytes:
    return b"\0" + number.to_bytes(4)


def in_avro(fields: Fields, schema: str | dict[str, Any] = AVSC, number: int = 7) -> bytes:
    """Fields by a schema, in the wire format."""
    written = BytesIO()
    parsed = fastavro.parse_schema(json.loads(schema) if isinstance(schema, str) else schema)
    fastavro.schemaless_writer(written, parsed, fields)
    return prefix(number) + written.getvalue()


def in_protobuf(fields: Fields, indexes: bytes = b"\0", number: int = 7) -> bytes:
    """Fields by the contract, in the wire format."""
    return prefix(number) + indexes + message_class()(**fields).SerializeToString()


def simulated(events: int, seed: int = 1) -> Iterator[tuple[bytes, Event, Fields]]:
    """Readable events of simulated households: the record's key, the event, and the fields that it states."""
    found = 0
    for item in stream(Plan(households=40, seed=seed), 1_763_625_600_000):
        try:
            event = read_event(item.key, item.value)
        except BadEvent:
            continue
        fields = json.loads(item.value)
        yield item.key, event, {name: fields[name] for name in Event.__struct_fields__ if fields.get(name) is not None}
        found += 1
        if found == events:
            return
