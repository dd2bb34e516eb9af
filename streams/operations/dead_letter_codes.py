"""Codes for the reasons of dead letters: one for each kind of fault, whatever the record holds.

Owns which reason has which code. Reasons are in `models.reading`, in `models.fold`, and msgspec's own.
"""

from __future__ import annotations

import re

OTHER = "other"
_FIELD = r"`\$\.(?P<field>\w+)`"

CODES: dict[str, str] = {
    "value_null": r"the value is null",
    "value_too_large": r"the value has \d+ bytes",
    "value_too_deep": r"the value nests deeper",
    "magic_byte": r"the magic byte is \d+",
    "schema_unknown": r"schema \d+ is unknown",
    "schema_unusable": r"schema \d+ cannot be used|the message of schema",
    "not_avro": r"the value is no Avro",
    "not_protobuf": r"the value is no Protobuf|(?:the|-?\d+) message indexes",
    "schema_cut": r"the value ends within",
    "number_not_finite": r"\w+ is (?:nan|-?inf)",
    "not_utf8": r"'utf-8' codec|Invalid UTF-8",
    "not_json": r"JSON is malformed|Input data was truncated|Invalid (?:escape|unicode)",
    "not_an_object": r"Expected `object`, got `\w+`$",
    "field_missing": r"Object missing required field `(?P<field>\w+)`",
    "field_null": rf"Expected `[^`]*`, got `null` - at {_FIELD}",
    "field_type": rf"Expected `[^`]*`, got `\w+` - at {_FIELD}",
    "field_word": rf"Invalid enum value .* - at {_FIELD}",
    "field_range": rf"(?:Expected `\w+` (?:of length )?[<>=]|(?:Integer value|Number) out of range).*{_FIELD}",
    "field_too_long": r"(?P<field>\w+) has \d+ bytes",
    "key_null": r"the key is null",
    "key_differs": r"the key differs from the field",
    "event_ahead": r"event_time_ms is \d+ ms ahead",
    "record_timestamp": r"the record's timestamp is",
}
"""How the reasons begin that have a code. Those about one field say which: `field_missing:title_id`."""

_PATTERNS = {code: re.compile(pattern, re.DOTALL) for code, pattern in CODES.items()}


def code_of(reason: str) -> str:
    """The code of a dead letter's reason; `other` if it has none."""
    for code, pattern in _PATTERNS.items():
        if found := pattern.match(reason):
            field = found.groupdict().get("field")
            return f"{code}:{field}" if field else code
    return OTHER
