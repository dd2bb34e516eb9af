"""Avro: a schema of the registry becomes a function from bytes to an event as JSON.

Owns which schemas can be events: a record whose listed fields have types that JSON has. fastavro decodes, by the
schema that the producer wrote with; fields are found by name. Logical types are left out: a time stays the number that
was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from math import isfinite
from typing import Any

import msgspec

from models.events import Event
from streams.registry.values import UndecodableValue, UnusableSchema

_PREFIX_BYTES = 5
_encode = msgspec.json.Encoder().encode


def avro_reader(number: int, texts: list[str]) -> Callable[[bytes], bytes]:
    """Reads values that were written with a schema. `texts`: the schemas that it refers to, each after those that it
    refers to itself, and last its own. Raises `UnusableSchema`."""
    from fastavro import parse_schema, schemaless_reader
    from fastavro.schema import SchemaParseException, UnknownType

    named: dict[str, Any] = {}
    schema: Any = None
    try:
        for text in texts:
            schema = parse_schema(_plain(json.loads(text)), named_schemas=named)
    except (SchemaParseException, UnknownType, ValueError, TypeError, KeyError, RecursionError) as problem:
        raise UnusableSchema(f"it cannot be parsed ({type(problem).__name__})") from None
    names, floats = _fields(schema, named)

    def read(value: bytes) -> bytes:
        stream = BytesIO(value)
        stream.seek(_PREFIX_BYTES)
        try:
            record: Any = schemaless_reader(stream, schema, None)
        except Exception as problem:  # fastavro raises whatever the bytes lead to; none of it is a fault of ours
            raise UndecodableValue(f"the value is no Avro of schema {number} ({type(problem).__name__})") from None
        if stream.tell() != len(value):
            left = len(value) - stream.tell()
            raise UndecodableValue(f"the value is no Avro of schema {number} ({left} bytes are left over)")
        for name in floats:
            # JSON has no such numbers: they would become null, and a field that is null counts as missing.
            if record[name].__class__ is float and not isfinite(record[name]):
                raise UndecodableValue(f"{name} is {record[name]}, accepted are finite numbers")
        return _encode({name: record[name] for name in names})

    return read


def _plain(schema: Any) -> Any:
    """The schema without logical types. Raises `UnusableSchema` for times that are not in milliseconds."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if (unit := schema.get("logicalType")) in _OTHER_TIMES:
        raise UnusableSchema(f"a field is {unit}, accepted: timestamp-millis")
    return {name: _plain(part) for name, part in schema.items() if name != "logicalType"}


_OTHER_TIMES = {f"{local}timestamp-{unit}" for local in ("", "local-") for unit in ("micros", "nanos")}


def _fields(schema: Any, named: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The listed fields that a schema has, and those of them that may be floats. Raises `UnusableSchema`."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise UnusableSchema("it is no record")
    _check_size(schema, named, ())
    types = {each["name"]: each["type"] for each in schema["fields"] if each["name"] in Event.__struct_fields__}
    leaves = {name: _leaves(of, named) for name, of in types.items()}
    for name, of in leaves.items():
        if of & {"bytes", "fixed"}:
            raise UnusableSchema(f"{name} is bytes, accepted: string")
    return tuple(types), tuple(name for name, of in leaves.items() if of & {"float", "double"})


def _leaves(schema: Any, named: dict[str, Any]) -> set[str]:
    """The names of the types that a value of the schema may have."""
    if isinstance(schema, list):
        return {leaf for each in schema for leaf in _leaves(each, named)}
    if isinstance(schema, dict):
        return _leaves(schema["type"], named)
    return _leaves(named[schema], named) if schema in named else {schema}


def _check_size(schema: Any, named: dict[str, Any], within: tuple[str, ...]) -> bool:
    """Whether each value takes a byte at least. Raises `UnusableSchema` if a few bytes may stand for an endless value,
    or for one that nests without a bound: decoding it would hold up, or end, the worker."""
    if isinstance(schema, list):
        for each in schema:
            _check_size(each, named, within)
        return True  # a union begins with the number of its branch
    if isinstance(schema, str):
        return _check_size(named[schema], named, within) if schema in named else schema != "null"
    kind = schema["type"]
    if kind in ("record", "error"):
        if schema["name"] in within:
            raise UnusableSchema(f"{schema['name']} holds itself, accepted are types that nest to a bounded depth")
        within = (*within, schema["name"])
        sizes = [_check_size(each["type"], named, within) for each in schema["fields"]]
        return any(sizes)
    if kind == "array" and not _check_size(schema["items"], named, within):
        raise UnusableSchema("items of an array take no bytes")
    if kind == "map":
        _check_size(schema["values"], named, within)
    if kind == "fixed":
        return bool(schema["size"])
    return kind in ("array", "map", "enum") or _check_size(kind, named, within)
