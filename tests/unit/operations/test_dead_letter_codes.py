"""Each reason for which a record becomes a dead letter has a code, which says nothing of the record but the field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.events import BadEvent
from models.reading import read_event
from models.rules import DEEPEST_NESTING, LARGEST_EVENT_BYTES
from streams.operations.dead_letter_codes import CODES, OTHER, code_of

GOOD: dict[str, Any] = {
    "event_id": "e", "event_type": "start", "event_time_ms": 1_795_400_000_000, "household_id": "home",
    "title_id": "film", "play_session_id": "s", "position_ms": 0,
}  # fmt: skip


def reason(key: bytes | None, value: bytes | None) -> str:
    with pytest.raises(BadEvent) as problem:
        read_event(key, value)
    return str(problem.value)


def bad(**fields: Any) -> bytes:
    return json.dumps(GOOD | fields).encode()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "value_null"),
        (b"[" * LARGEST_EVENT_BYTES + b"]", "value_too_large"),
        (b'{"x":' + b"[" * (DEEPEST_NESTING + 1) + b"]" * (DEEPEST_NESTING + 1) + b"}", "value_too_deep"),
        (b"\xff", "not_utf8"),
        (b'{"event_id": "\xc3\x28"}', "not_utf8"),
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"nonsense", "not_json"),
        (b'{"event_id": "\x01"}', "not_json"),
        (b'{"event_id": "\\ud800"}', "not_json"),
        (b"7", "not_an_object"),
        (b"[]", "not_an_object"),
        (b"{}", "field_missing:event_id"),
        (bad(title_id=None), "field_null:title_id"),
        (bad(position_ms="7"), "field_type:position_ms"),
        (bad(position_ms=5.5), "field_type:position_ms"),
        (bad(event_type=7), "field_type:event_type"),
        (bad(autoplay=1), "field_type:autoplay"),
        (bad(event_type="rewind"), "field_word:event_type"),
        (bad(event_type="it's `odd`"), "field_word:event_type"),
        (bad(event_id=""), "field_range:event_id"),
        (bad(title_id="x" * 257), "field_range:title_id"),
        (bad(position_ms=-1), "field_range:position_ms"),
        (bad(seq=2**70), "field_range:seq"),
        (bad(country="é" * 33), "field_too_long:country"),
    ],
)
def test_a_value_that_cannot_be_read(value: bytes | None, code: str) -> None:
    assert code_of(reason(b"home", value)) == code


@pytest.mark.parametrize(("key", "code"), [(None, "key_null"), (b"other", "key_differs"), (b"\xff", "key_differs")])
def test_a_key_that_is_not_the_household(key: bytes | None, code: str) -> None:
    assert code_of(reason(key, bad())) == code


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ("event_time_ms is 300001 ms ahead of the record, accepted: 300000", "event_ahead"),
        ("the record's timestamp is -1, accepted: the years 1970 to 9999", "record_timestamp"),
        ("Invalid enum value '...' - at `$.event_type`", "field_word:event_type"),
        ("the magic byte is 1, accepted: 0, or JSON", "magic_byte"),
        ("the value ends within the schema's id", "schema_cut"),
        ("schema 7 is unknown to the registry", "schema_unknown"),
        ("schema 7 cannot be used: it is JSON, accepted: AVRO", "schema_unusable"),
        ("the message of schema 7 is Paused, accepted: PlaybackEvent", "schema_unusable"),
        ("the value is no Avro of schema 7 (EOFError)", "not_avro"),
        ("the value is no Protobuf of schema 7", "not_protobuf"),
        ("the message indexes end too early", "not_protobuf"),
        ("-1 message indexes cannot be", "not_protobuf"),
        ("playback_rate is nan, accepted are finite numbers", "number_not_finite"),
        ("a reason of another version", OTHER),
        ("?", OTHER),
    ],
)
def test_other_reasons_as_the_topic_holds_them(told: str, code: str) -> None:
    assert code_of(told) == code


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "events.md").read_text()
    for code in (*CODES, OTHER):
        assert f"`{code}`" in page
