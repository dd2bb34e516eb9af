"""What readers see of the counters: the names and texts of section 3 of the design.

Owns the fields of the hashes, the rates and how numbers are written. It must not know keys, versions or
Redis.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from models.counters import WINDOW_FIELDS, Counters, StreamCounters

COUNTER_FIELDS = tuple(field.name for field in msgspec.structs.fields(Counters))
STREAM_FIELDS = tuple(field.name for field in msgspec.structs.fields(StreamCounters))
_SHOWN = tuple(name.replace("_ms", "_s") for name in COUNTER_FIELDS)
_IN_SECONDS = frozenset(place for place, name in enumerate(COUNTER_FIELDS) if name.endswith("_ms"))
_STARTERS, _COMPLETERS, _REPEATERS, _WATCHED = (
    COUNTER_FIELDS.index(name) for name in ("starters", "completers", "repeaters", "watched_ms")
)


def encoded_id(text: str) -> str:
    """An id as it stands in a key: RFC 3986 percent-encoding, unreserved characters stay."""
    return quote(text, safe="-._~")


def seconds(milliseconds: int) -> str:
    """Milliseconds as seconds with three decimals."""
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def rate(part: int, whole: int) -> str:
    """`part` ÷ `whole` with six decimals; empty where `whole` is 0."""
    return f"{part / whole:.6f}" if whole else ""


def window_fields(totals: Sequence[int]) -> list[str]:
    """The fields of a window's hash and their texts, in turn, of `WINDOW_FIELDS` counters."""
    fields: list[str] = []
    for place in range(WINDOW_FIELDS):
        value = totals[place]
        fields += (_SHOWN[place], seconds(value) if place in _IN_SECONDS else str(value))
    return fields


def title_fields(totals: Sequence[int], runtime_ms: int) -> list[str]:
    """The fields of a title's hash and their texts, in turn, of all counters and the catalog's runtime."""
    fields = window_fields(totals)
    for place in range(WINDOW_FIELDS, len(COUNTER_FIELDS)):
        fields += (_SHOWN[place], str(totals[place]))
    fields += ("views", rate(totals[_WATCHED], runtime_ms))
    fields += ("completion_rate", rate(totals[_COMPLETERS], totals[_STARTERS]))
    fields += ("repeat_rate", rate(totals[_REPEATERS], totals[_COMPLETERS]))
    return fields


def stream_fields(totals: Sequence[int]) -> list[str]:
    """The counters of the status hash and their texts, in turn."""
    return [text for name, value in zip(STREAM_FIELDS, totals, strict=True) for text in (name, str(value))]
