"""What is archived of a record under pseudonyms: what a recount needs, and nothing that may hold an id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.events import END_OF_CALENDAR_MS, Event
from models.partitioner import partition_of
from models.pseudonymous_record import KEPT_FIELDS, Pseudonymizer, PseudonymousRecord
from models.pseudonyms import Pseudonyms
from models.rules import DAY_MS

HOME = "hôme"
PSEUDONYMS = Pseudonyms(b"k" * 32)
NAME = PSEUDONYMS.of(HOME.encode())
NOW_MS = 1_700_000_000_000
PARTITIONS = 5
AT_HOME = partition_of(HOME.encode(), PARTITIONS)
KEPT = {
    "event_id": "e-1", "event_type": "rate", "event_time_ms": NOW_MS, "household_id": HOME, "title_id": "film",
    "play_session_id": "s", "position_ms": 0, "profile_id": "p", "profile_kind": "kids", "seq": -1,
    "playback_rate": 1.5, "seek_from_ms": 4, "runtime_ms": 100_000, "credits_start_ms": 90_000,
    "time_zone": "Europe/Berlin", "content_kind": "main", "autoplay": False,
}  # fmt: skip
DROPPED = {"device_id": f"tv of {HOME}", "country": HOME, "offline": True, "sent_time_ms": NOW_MS}


def archived(
    event: dict[str, Any] | bytes | None,
    key: bytes | None = HOME.encode(),
    *,
    timestamp_ms: int = NOW_MS,
    stream_time_ms: int = NOW_MS,
    partition: int = AT_HOME,
) -> PseudonymousRecord:
    value = json.dumps(event).encode() if isinstance(event, dict) else event
    return Pseudonymizer(PSEUDONYMS, PARTITIONS).of(partition, 7, timestamp_ms, key, value, stream_time_ms)


def test_an_event_keeps_the_fields_that_the_rules_read_and_its_household_is_a_pseudonym() -> None:
    record = archived({**KEPT, **DROPPED, "unlisted": {"deep": [HOME]}, "title_id": "film", f"by {HOME}": 1})
    assert record == PseudonymousRecord(AT_HOME, 7, NOW_MS, NAME.encode(), record.value, None, False, None)
    assert json.loads(record.value or b"") == {**KEPT, "household_id": NAME}


def test_fields_that_are_not_given_stay_so() -> None:
    given = {name: KEPT[name] for name in KEPT_FIELDS[:7]}
    record = archived({**given, "profile_id": None, "time_zone": ""})
    assert json.loads(record.value or b"") == {**given, "household_id": NAME, "time_zone": ""}


def test_each_field_of_an_event_is_kept_or_known_to_be_dropped() -> None:
    assert set(KEPT) == set(KEPT_FIELDS)
    assert set(Event.__struct_fields__) == set(KEPT_FIELDS) | set(DROPPED)


@pytest.mark.parametrize(
    ("value", "key", "reason"),
    [
        (None, HOME.encode(), "the value is null"),
        (b"", None, "Input data was truncated"),
        (f"no {HOME}".encode(), b"", "JSON is malformed: invalid character (byte 4)"),
        ({**KEPT, "profile_kind": HOME}, HOME.encode(), "Invalid enum value '...' - at `$.profile_kind`"),
        (KEPT, b"other", "the key differs from the field household_id"),
        (KEPT, None, "the key is null"),
    ],
)
def test_of_what_is_no_event_only_the_reason_is_left(
    value: dict[str, Any] | bytes | None, key: bytes | None, reason: str
) -> None:
    record = archived(value, key)
    given = json.dumps(value).encode() if isinstance(value, dict) else value
    name = None if key is None else PSEUDONYMS.of(key).encode()
    length = None if given is None else len(given)
    assert record == PseudonymousRecord(AT_HOME, 7, NOW_MS, name, None, length, False, reason)


@pytest.mark.parametrize(("partition", "is_misrouted"), [(AT_HOME, False), ((AT_HOME + 1) % PARTITIONS, True)])
def test_it_says_whether_the_id_belongs_to_the_partition(partition: int, is_misrouted: bool) -> None:
    assert archived(KEPT, partition=partition).is_misrouted is is_misrouted


@pytest.mark.parametrize(
    ("time_ms", "timestamp_ms", "has_length"),
    [
        (NOW_MS - DAY_MS - 1, NOW_MS, True),
        (NOW_MS - DAY_MS, NOW_MS, False),
        (NOW_MS - DAY_MS + 1, NOW_MS, False),
        (NOW_MS - 1, NOW_MS, False),
        (NOW_MS, NOW_MS, False),
        (NOW_MS + 1, NOW_MS, True),
        (NOW_MS, -1, True),
        (NOW_MS, END_OF_CALENDAR_MS - 1, False),
        (NOW_MS, END_OF_CALENDAR_MS, True),
    ],
)
def test_only_of_what_some_settings_set_aside_the_length_of_the_value_is_kept(
    time_ms: int, timestamp_ms: int, has_length: bool
) -> None:
    event = {**KEPT, "event_time_ms": time_ms}
    length = len(json.dumps(event).encode())
    assert archived(event, timestamp_ms=timestamp_ms).value_bytes == (length if has_length else None)
