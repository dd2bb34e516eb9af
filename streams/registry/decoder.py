"""Decodes the values of the source topic into JSON, whatever format they have.

Owns Confluent's wire format (a byte 0, the schema's id in four bytes, the data), and what becomes of values that it
does not fit. A value that begins otherwise is JSON: what a topic held before its producers changed stays readable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from models.rules import LARGEST_EVENT_BYTES
from streams.config.rule_settings import JSON
from streams.config.schema_registry import RegistryAddress
from streams.registry.avro import avro_reader
from streams.registry.client import PATIENCE_S, Registry
from streams.registry.protobuf import Protobuf
from streams.registry.values import UndecodableValue, UnusableSchema

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema

    from streams.config.settings import Settings

Reader = Callable[[bytes], bytes]

MAGIC = 0
_PREFIX_BYTES = 5
_ID = slice(1, _PREFIX_BYTES)
_ASKED_AGAIN_S = 1.0
_MOST_SCHEMAS = 20_000
"""More than a batch has records. Ids are four bytes that anybody can write: they must not fill the memory."""

_MOST_REFERENCES = 100


def decoder_of(settings: Settings) -> SourceDecoder | None:
    """The decoder of the source topic; None: all of it is JSON, and nothing needs decoding."""
    if settings.source_format == JSON:
        return None
    return SourceDecoder(settings.source_format, settings.registry_address)


class SourceDecoder:
    """Decodes values; call it with one. It asks the registry once for each schema, which never changes.

    Raises `UndecodableValue` if the value is at fault, and `RegistryAway` if the registry did not answer for
    `patience_s`. It can be pickled: its copy asks anew.
    """

    def __init__(self, source_format: str, address: RegistryAddress, patience_s: float = PATIENCE_S) -> None:
        self._made_of = source_format, address, patience_s
        self._registry = Registry(address, patience_s)
        self._type = source_format.upper()
        self._protobuf = Protobuf() if source_format == "protobuf" else None
        self._readers: dict[bytes, Reader] = {}

    def __reduce__(self) -> tuple[type[SourceDecoder], tuple[str, RegistryAddress, float]]:
        return SourceDecoder, self._made_of

    def __call__(self, value: bytes | None) -> bytes | None:
        """The value as JSON: only fields that an event can have. What is JSON already comes back as it is."""
        if not value or value[0] in _BEGINS_TEXT:
            return value
        if value[0] != MAGIC:
            raise UndecodableValue(f"the magic byte is {value[0]}, accepted: {MAGIC}, or JSON")
        if len(value) > LARGEST_EVENT_BYTES:
            raise UndecodableValue(f"the value has {len(value)} bytes, accepted are {LARGEST_EVENT_BYTES}")
        if len(value) < _PREFIX_BYTES:
            raise UndecodableValue("the value ends within the schema's id")
        number = value[_ID]
        if number not in self._readers:
            self.load([number])
        return self._readers[number](value)

    def unknown(self, values: Iterable[bytes | None]) -> set[bytes]:
        """The ids in these values of schemas that `load` has not got yet."""
        begins = {value[:_PREFIX_BYTES] for value in values if value}
        whole = {begin[_ID] for begin in begins if begin[0] == MAGIC and len(begin) == _PREFIX_BYTES}
        return whole - self._readers.keys()

    def load(self, numbers: Iterable[bytes]) -> None:
        """Ask the registry for schemas. Blocks. Raises `RegistryAway`."""
        wanted = set(numbers)
        if len(self._readers) + len(wanted) > _MOST_SCHEMAS:
            self._readers.clear()
        if missing := [number for number in wanted if not self._found(number)]:
            # A replica of the registry may lag behind the one that the producer registered the schema with.
            time.sleep(_ASKED_AGAIN_S)
            for number in missing:
                if not self._found(number):
                    self._readers[number] = _refuses(f"schema {_integer(number)} is unknown to the registry")

    def check(self) -> None:
        """Ask whether the registry answers. Blocks. Raises `RegistryAway`."""
        self._registry.check()

    def _found(self, number: bytes) -> bool:
        schema = self._registry.schema(_integer(number))
        if schema is None:
            return False
        try:
            self._readers[number] = self._reader(_integer(number), schema)
        except UnusableSchema as problem:
            self._readers[number] = _refuses(f"schema {_integer(number)} cannot be used: {problem}")
        return True

    def _reader(self, number: int, schema: Schema) -> Reader:
        if (found := schema.schema_type or "AVRO") != self._type:
            raise UnusableSchema(f"it is {found}, accepted: {self._type}")
        if self._protobuf is not None:
            return self._protobuf.reader(number, schema.schema_str or "")
        texts: list[str] = []
        self._resolve(schema, texts, set())
        return avro_reader(number, texts)

    def _resolve(self, schema: Schema, texts: list[str], seen: set[tuple[str, int]]) -> None:
        """Append the schemas that a schema refers to, and last its own."""
        for each in schema.references or ():
            place = str(each.subject), int(each.version or 0)
            if place in seen:
                continue
            seen.add(place)
            referenced = self._registry.referenced(*place)
            if referenced is None or len(seen) > _MOST_REFERENCES:
                raise UnusableSchema("what it refers to is not there")
            self._resolve(referenced, texts, seen)
        texts.append(schema.schema_str or "")


_BEGINS_TEXT = frozenset(b"\t\n\r") | frozenset(range(32, 256))


def _integer(number: bytes) -> int:
    return int.from_bytes(number)


def _refuses(reason: str) -> Reader:
    def refuse(_: bytes) -> bytes:
        raise UndecodableValue(reason)

    return refuse
