"""Protobuf: a value becomes an event as JSON.

Owns the message `encore.PlaybackEvent`, as in deploy/contracts/playback_event.proto: fields are found by number. The
registry's schema only says which of its messages a value is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from math import isfinite
from operator import attrgetter
from typing import Any

import msgspec

from models.events import Event
from streams.registry.values import UndecodableValue, UnusableSchema

_PREFIX_BYTES = 5
MESSAGE = "PlaybackEvent"
FIELDS = {
    "event_id": "string", "event_type": "string", "event_time_ms": "int64", "household_id": "string",
    "title_id": "string", "play_session_id": "string", "position_ms": "int64", "profile_id": "string",
    "profile_kind": "string", "device_id": "string", "seq": "int64", "playback_rate": "double", "seek_from_ms": "int64",
    "runtime_ms": "int64", "credits_start_ms": "int64", "time_zone": "string", "country": "string",
    "content_kind": "string", "autoplay": "bool", "offline": "bool", "sent_time_ms": "int64",
}  # fmt: skip
"""The fields' types, in the order of their numbers, from 1 on. A new one comes last: numbers never change."""

OPTIONAL = frozenset(name for name in FIELDS if name in Event.__struct_fields__[-len(Event.__struct_defaults__) :])
"""Fields with presence: not given is another thing than 0 or empty."""

_encode = msgspec.json.Encoder().encode


class Protobuf:
    """Decodes the message. Needs the package `protobuf`."""

    def __init__(self) -> None:
        from google.protobuf.message import DecodeError

        self._parse, self._error = message_class().FromString, DecodeError
        self._values = attrgetter(*FIELDS)

    def reader(self, number: int, schema: str) -> Callable[[bytes], bytes]:
        """Reads values that were written with a schema."""
        messages, parse, values, error = _messages(schema), self._parse, self._values, self._error

        def read(value: bytes) -> bytes:
            path, start = _message_path(value)
            name = _named(messages, path)
            if name != MESSAGE:
                raise UndecodableValue(f"the message of schema {number} is {name or 'not in it'}, accepted: {MESSAGE}")
            try:
                message = parse(value[start:])
            except error:
                raise UndecodableValue(f"the value is no Protobuf of schema {number}") from None
            return _encode(_given(message, values(message)))

        return read


def _given(message: Any, values: Sequence[Any]) -> dict[str, Any]:
    # Without presence, 0 is not on the wire: a number that is not there is 0. An empty text is refused as missing.
    has = message.HasField
    fields = {
        name: value
        for name, value in zip(FIELDS, values, strict=True)
        if value or (has(name) if name in OPTIONAL else value == 0)
    }
    rate = fields.get("playback_rate", 0.0)
    if not isfinite(rate):  # JSON has no such numbers: it would become null, and count as missing
        raise UndecodableValue(f"playback_rate is {rate}, accepted are finite numbers")
    return fields


def message_class() -> Any:
    """The class of the message `encore.PlaybackEvent`."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="playback_event.proto", package="encore", syntax="proto3")
    message = file.message_type.add(name=MESSAGE)
    kinds = descriptor_pb2.FieldDescriptorProto
    for number, (name, kind) in enumerate(FIELDS.items(), 1):
        field = message.field.add(
            name=name, number=number, type=kinds.Type.Value(f"TYPE_{kind.upper()}"), label=kinds.LABEL_OPTIONAL
        )
        if name in OPTIONAL:
            # What protoc makes of the word `optional`.
            field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{name}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"encore.{MESSAGE}"))


# -- which message of the schema -----------------------------------------------------------------------------------

Messages = list[tuple[str, "Messages"]]
"""The messages of a schema in order, each with those inside it."""


def _named(messages: Messages, path: Sequence[int]) -> str:
    """The name of the message at a path of indexes; empty: there is none."""
    name = ""
    for index in path:
        if not 0 <= index < len(messages):
            return ""
        name, messages = messages[index]
    return name


def _message_path(value: bytes) -> tuple[list[int], int]:
    """The indexes after the schema's id, and where the message begins. A single 0 stands for the first message."""
    count, at = _zigzag(value, _PREFIX_BYTES)
    if not 0 <= count <= len(value):
        raise UndecodableValue(f"{count} message indexes cannot be")
    path = []
    for _ in range(count):
        index, at = _zigzag(value, at)
        path.append(index)
    return path or [0], at


def _zigzag(value: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(value) and shift < 35:
        byte = value[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number >> 1 ^ -(number & 1), at
    raise UndecodableValue("the message indexes end too early")


_SKIPPED = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", re.DOTALL)
_TOKENS = re.compile(r"\bmessage\s+(\w+)\s*\{|[{}]")


def _messages(schema: str) -> Messages:
    """The messages in the text of a .proto file, or in a descriptor in base64: registries give either."""
    try:
        return _described(base64.b64decode(schema, validate=True))
    except binascii.Error:
        pass
    outermost: Messages = []
    # What is open now: a message's list, or None where a block is something else, such as an enum.
    opened: list[Messages | None] = [outermost]
    for token in _TOKENS.finditer(_SKIPPED.sub(" ", schema)):
        if token[0] == "}":
            opened.pop()
            if not opened:
                raise UnusableSchema("its braces do not match")
        elif token[1] is None:
            opened.append(None)
        else:
            inner: Messages = []
            if (around := opened[-1]) is not None:
                around.append((token[1], inner))
            opened.append(inner)
    return outermost


def _described(descriptor: bytes) -> Messages:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto
    from google.protobuf.message import DecodeError

    def within(messages: Any) -> Messages:
        return [(each.name, within(each.nested_type)) for each in messages]

    try:
        return within(FileDescriptorProto.FromString(descriptor).message_type)
    except DecodeError:
        raise UnusableSchema("it is neither a .proto file nor a descriptor") from None
