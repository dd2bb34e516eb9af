"""Classifies one raw record: an event, a dead letter or a late event.

Reads a record's bytes with Python's own `json`, and one plain check for each field. It shares no code with `models` but
the limits in `models.rules`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, NamedTuple

from models.rules import DEEPEST_NESTING, LARGEST_EVENT_BYTES, LONGEST_MEDIA_MS

EVENT_TYPES = ("start", "play", "heartbeat", "pause", "seek", "rate", "buffer", "stop", "end")
PROFILE_KINDS = ("kids", "general")
CONTENT_KINDS = ("main", "trailer", "preview", "recap", "bonus")
INT64 = range(-(2**63), 2**63)
TIMES_MS = range(253_402_300_800_000)  # 1970 to the end of 9999, of events and of records
LONGEST_ID_BYTES, LONGEST_PLACE_BYTES = 256, 64


class Nameless(NamedTuple):
    """What an archive under pseudonyms says of a record whose bytes it has not.

    `value_bytes`: how long the value was. `refusal`: why it was no event.
    """

    value_bytes: int | None
    is_misrouted: bool
    refusal: str | None


class RawRecord(NamedTuple):
    """One record as Kafka holds it. `timestamp_ms` is the broker's or the producer's, depending on the topic.

    With `nameless`, key and value are those that an archive under pseudonyms has instead.
    """

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    nameless: Nameless | None = None


class UnreadableRecord(Exception):
    """The record is a dead letter; the message says why."""


def read_event(key: bytes | None, value: bytes | None) -> dict[str, Any]:
    """The listed fields of a record that it has and that are not null. Raises `UnreadableRecord`."""
    event = _listed_fields(value, CHECKS, REQUIRED)
    for name, longest_bytes in LONGEST_BYTES.items():
        if len(event.get(name, "").encode()) > longest_bytes:
            raise UnreadableRecord(f"{name} has more than {longest_bytes} bytes")
    if key != event["household_id"].encode():
        raise UnreadableRecord("the key is not the household_id")
    return event


def read_title(key: bytes | None, value: bytes | None) -> dict[str, Any]:
    """The same for a row of the titles topic."""
    title = _listed_fields(value, TITLE_CHECKS, ("title_id",))
    if key != title["title_id"].encode():
        raise UnreadableRecord("the key is not the title_id")
    return title


def _listed_fields(
    value: bytes | None, checks: Mapping[str, Callable[[Any], bool]], required: Collection[str]
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, given in _members(value):
        check = checks.get(name)
        if check is None:
            continue
        if given is None and name not in required:
            fields.pop(name, None)  # a name given twice: the last one holds
        elif check(given):
            fields[name] = given
        else:
            raise UnreadableRecord(f"{name} cannot be {str(given)[:40]!r}")
    for name in required:
        if name not in fields:
            raise UnreadableRecord(f"{name} is missing")
    return fields


class _JsonMembers(list[tuple[str, Any]]):
    """A JSON object as a list of its members in order, so that a repeated name stays visible."""


def _members(value: bytes | None) -> _JsonMembers:
    if value is None:
        raise UnreadableRecord("no value")
    if len(value) > LARGEST_EVENT_BYTES:
        raise UnreadableRecord(f"{len(value)} bytes are more than {LARGEST_EVENT_BYTES}")
    try:
        text = value.decode()
        if _is_nested_too_deep(text):
            raise UnreadableRecord(f"nested deeper than {DEEPEST_NESTING} levels")
        read = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(read, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise UnreadableRecord("not UTF-8") from None
    except UnicodeEncodeError:
        raise UnreadableRecord("a string holds a lone surrogate") from None
    except (ValueError, RecursionError) as error:
        raise UnreadableRecord(f"not JSON: {error}") from None
    if type(read) is not _JsonMembers:
        raise UnreadableRecord("not a JSON object")
    return read


def _is_nested_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST_NESTING:
        return False
    depth, quoted, escaped = 0, False, False
    for letter in text:
        if quoted:
            quoted = letter != '"' or escaped
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        else:
            depth += (letter in "[{") - (letter in "]}")
        if depth > DEEPEST_NESTING:
            return True
    return False


def _integer(digits: str) -> int | float:
    # More than 20 characters never fit in 64 bits. As a float it fails every check for an integer, but not the rate's.
    return int(digits) if len(digits) <= 20 else float(digits)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_JsonMembers, parse_int=_integer, parse_constant=_refuse)


def _is_text(given: Any) -> bool:
    return type(given) is str and (given.isascii() or not any("\ud800" <= c <= "\udfff" for c in given))


def _is_short(given: Any, longest: int) -> bool:
    """Whether it is text of at most `longest` characters. Bytes are checked later, and only of the last value if a name
    is repeated."""
    return _is_text(given) and len(given) <= longest


def _is_id(given: Any) -> bool:
    return _is_short(given, LONGEST_ID_BYTES)


def _is_name(given: Any) -> bool:
    return _is_text(given) and given != ""


def _is_short_name(given: Any) -> bool:
    return _is_name(given) and _is_id(given)


def _is_place(given: Any) -> bool:
    return _is_short(given, LONGEST_PLACE_BYTES)


def _is_int(given: Any) -> bool:
    return type(given) is int and given in INT64


def _is_event_time(given: Any) -> bool:
    return _is_int(given) and given in TIMES_MS


def _is_media_time(given: Any) -> bool:
    return _is_int(given) and given <= LONGEST_MEDIA_MS


def _is_position(given: Any) -> bool:
    return _is_media_time(given) and given >= 0


def _is_number(given: Any) -> bool:
    return type(given) in (int, float) and math.isfinite(given)


def _is_bool(given: Any) -> bool:
    return type(given) is bool


def _one_of(words: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda given: type(given) is str and given in words


REQUIRED: dict[str, Callable[[Any], bool]] = {
    "event_id": _is_short_name,
    "event_type": _one_of(EVENT_TYPES),
    "event_time_ms": _is_event_time,
    "household_id": _is_short_name,
    "title_id": _is_short_name,
    "play_session_id": _is_short_name,
    "position_ms": _is_position,
}
CHECKS: dict[str, Callable[[Any], bool]] = REQUIRED | {
    "profile_id": _is_id,
    "profile_kind": _one_of(PROFILE_KINDS),
    "device_id": _is_id,
    "seq": _is_int,
    "playback_rate": _is_number,
    "seek_from_ms": _is_media_time,
    "runtime_ms": _is_media_time,
    "credits_start_ms": _is_media_time,
    "time_zone": _is_place,
    "country": _is_place,
    "content_kind": _one_of(CONTENT_KINDS),
    "autoplay": _is_bool,
    "offline": _is_bool,
    "sent_time_ms": _is_int,
}
LONGEST_BYTES = dict.fromkeys(
    ("event_id", "household_id", "title_id", "play_session_id", "profile_id", "device_id"), LONGEST_ID_BYTES
) | dict.fromkeys(("time_zone", "country"), LONGEST_PLACE_BYTES)
TITLE_CHECKS: dict[str, Callable[[Any], bool]] = {
    "title_id": _is_name,
    "name": _is_text,
    "franchise_id": _is_text,
    "runtime_ms": _is_media_time,
    "credits_start_ms": _is_media_time,
    "release_time_ms": _is_int,
    "content_kind": _one_of(CONTENT_KINDS),
    "is_kids": _is_bool,
}


def pseudonym(key: bytes, household: bytes) -> str:
    """A household's pseudonym with a key: the first half of its HMAC-SHA-256, as 32 hexadecimal digits."""
    return hmac.new(key, household, "sha256").hexdigest()[:32]


def digest(household_id: str) -> str:
    """A household's digest in an erasure: its id's SHA-256, as 64 hexadecimal digits."""
    return hashlib.sha256(household_id.encode()).hexdigest()


@cache
def home_partition(key: bytes, partitions: int) -> int:
    """The partition that Java's default partitioner (murmur2) chooses for a key."""
    return (_murmur2(key) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    word, multiplier = 0xFFFFFFFF, 0x5BD1E995
    mixed = (0x9747B28C ^ len(data)) & word
    whole = len(data) - len(data) % 4
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * multiplier & word
        mixed = (mixed * multiplier & word) ^ ((k ^ k >> 24) * multiplier & word)
    if whole < len(data):
        mixed = (mixed ^ int.from_bytes(data[whole:], "little")) * multiplier & word
    mixed = (mixed ^ mixed >> 13) * multiplier & word
    return mixed ^ mixed >> 15
