"""Reads a request's parameters into the type that declares them, or names the one that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

import msgspec

from streams.api.answers import BadArgument
from streams.api.asked import Asked

A = TypeVar("A", bound=Asked)

_MOST_GIVEN = 200
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_AT = re.compile(r"`\$\.(\w+)|field `(.*)`")

DATE, TIME = "a day such as 2026-11-23", "a time with its zone, such as 2026-11-23T15:00:00Z"


@cache
def declared(asked: type[Asked]) -> Mapping[str, dict[str, Any]]:
    """The JSON Schemas of the parameters of a type, by name."""
    _, schemas = msgspec.json.schema_components([asked])
    found: dict[str, dict[str, Any]] = schemas[asked.__name__]["properties"]
    return found


def read_parameters(asked: type[A], path: Mapping[str, str], query: bytes) -> A:
    """The parameters of a path, still percent-encoded, and of a query. Raises `BadArgument`."""
    schemas = declared(asked)
    given: dict[str, Any] = {name: _decoded(name, text) for name, text in path.items()}
    for name, text in _pairs(query):
        schema = schemas.get(name)
        if schema is None or name in path:
            accepted = ", ".join(each for each in schemas if each not in path)
            raise BadArgument(name, text, accepted or "no parameter in the query")
        if schema.get("type") == "array":
            given.setdefault(name, []).append(text)
        elif name in given:
            raise BadArgument(name, text, "to be given once")
        else:
            given[name] = _integer(text) if schema.get("type") == "integer" else text
    try:
        return msgspec.convert(given, asked)
    except msgspec.ValidationError as problem:
        raise _bad_argument(str(problem), given, schemas) from None


def _decoded(name: str, text: str) -> str:
    """A segment of a path. It is decoded after the path was cut, so that an id may hold a slash."""
    try:
        if _ENCODED.fullmatch(text) is None:
            raise ValueError
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except ValueError:
        raise BadArgument(name, text, "percent-encoded UTF-8, as encodeURIComponent makes it") from None


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_GIVEN, separator="&"
        )
    except ValueError:
        text = query.decode("ascii", "replace")
        raise BadArgument("query", text[:200], f"at most {_MOST_GIVEN} parameters, percent-encoded UTF-8") from None


def _integer(text: str) -> int | str:
    return int(text) if _INTEGER.fullmatch(text) else text


def _bad_argument(said: str, given: Mapping[str, Any], schemas: Mapping[str, dict[str, Any]]) -> BadArgument:
    found = _AT.search(said)
    assert found is not None, said
    name = found[1] or found[2]
    return BadArgument(name, given.get(name, ""), accepted_by(schemas[name]))


def accepted_by(schema: Mapping[str, Any]) -> str:
    """What a parameter's schema accepts, in words."""
    if "enum" in schema:
        return ", ".join(schema["enum"])
    kind, form = schema.get("type"), schema.get("format")
    if kind == "integer":
        return f"an integer from {schema['minimum']:,} to {schema['maximum']:,}"
    if kind == "array":
        of = accepted_by(schema["items"]) if "enum" in schema["items"] else "ids"
        return f"{schema.get('minItems', 0)} to {schema['maxItems']} {of}" if "maxItems" in schema else of
    if form is not None:
        return DATE if form == "date" else TIME
    most = f" to {schema['maxLength']}" if "maxLength" in schema else " or more"
    return f"text of {schema.get('minLength', 0)}{most} characters"
