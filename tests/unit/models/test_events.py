"""What can be read as an event, field by field, and what is a dead letter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.events import BadEvent, Event
from models.reading import read_event
from models.rules import DEEPEST_NESTING, LARGEST_EVENT_BYTES, LONGEST_MEDIA_MS

LEAST: dict[str, Any] = {
    "event_id": "e-1", "event_type": "play", "event_time_ms": 0, "household_id": "haus", "title_id": "film",
    "play_session_id": "s", "position_ms": 0,
}  # fmt: skip
MOST: dict[str, Any] = LEAST | {
    "profile_id": "p", "profile_kind": "kids", "device_id": "tv", "seq": 5, "playback_rate": 1.5, "seek_from_ms": 3,
    "runtime_ms": 7, "credits_start_ms": 6, "time_zone": "Europe/Berlin", "country": "DE", "content_kind": "main",
    "autoplay": True, "offline": False, "sent_time_ms": 9,
}  # fmt: skip
OPTIONAL = sorted(MOST.keys() - LEAST.keys())
MISSING = object()


def read(key: bytes | None = b"haus", **changed: Any) -> Event:
    fields = {name: value for name, value in (LEAST | changed).items() if value is not MISSING}
    return read_event(key, json.dumps(fields).encode())


def refuses(key: bytes | None = b"haus", **changed: Any) -> str:
    """The reason that a record is refused with."""
    with pytest.raises(BadEvent) as refused:
        read(key, **changed)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_every_listed_field_is_read() -> None:
    assert read(**MOST) == Event(**MOST)


def test_seven_fields_are_enough_and_unknown_ones_are_ignored() -> None:
    assert read(player={"version": [1, 2]}, x=5.0) == Event(**LEAST)


@pytest.mark.parametrize("name", OPTIONAL)
def test_null_in_an_optional_field_means_missing(name: str) -> None:
    assert read(**{name: None}) == Event(**LEAST)


@pytest.mark.parametrize("name", sorted(LEAST))
@pytest.mark.parametrize("value", [MISSING, None])
def test_a_required_field_is_there(name: str, value: Any) -> None:
    assert name in refuses(**{name: value})


@pytest.mark.parametrize("name", ["event_id", "household_id", "title_id", "play_session_id"])
def test_an_id_is_not_empty(name: str) -> None:
    assert name in refuses(b"" if name == "household_id" else b"haus", **{name: ""})


@pytest.mark.parametrize("name", ["profile_id", "device_id", "time_zone", "country"])
def test_other_texts_may_be_empty(name: str) -> None:
    assert getattr(read(**{name: ""}), name) == ""


WRONG_TYPES = {
    str: [5, 5.0, True, [], {}],
    int: [5.0, True, "5", [], 10**30],
    float: ["1.5", True, [], 10**400],
    bool: [1, 0, "true", [], 1.0],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, good in MOST.items() for value in WRONG_TYPES[type(good)]]
)
def test_a_field_has_its_type(name: str, value: Any) -> None:
    assert refuses(**{name: value})


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("event_type", "Play"),
        ("event_type", ""),
        ("profile_kind", "adult"),
        ("content_kind", "film"),
        ("content_kind", ""),
    ],
)
def test_an_unlisted_word_is_refused(name: str, word: str) -> None:
    assert name in refuses(**{name: word})


@pytest.mark.parametrize("rate", [0, 5, -1, 1e300])
def test_a_rate_may_be_any_number(rate: float) -> None:
    assert read(playback_rate=rate).playback_rate == float(rate)


END_MS = 253_402_300_800_000


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("position_ms", -1, False), ("position_ms", 0, True), ("position_ms", 1, True),
        ("position_ms", LONGEST_MEDIA_MS - 1, True), ("position_ms", LONGEST_MEDIA_MS, True),
        ("position_ms", LONGEST_MEDIA_MS + 1, False),
        ("seek_from_ms", -(2**63), True), ("seek_from_ms", LONGEST_MEDIA_MS, True),
        ("seek_from_ms", LONGEST_MEDIA_MS + 1, False),
        ("runtime_ms", LONGEST_MEDIA_MS, True), ("runtime_ms", LONGEST_MEDIA_MS + 1, False),
        ("credits_start_ms", LONGEST_MEDIA_MS, True), ("credits_start_ms", LONGEST_MEDIA_MS + 1, False),
        ("event_time_ms", -1, False), ("event_time_ms", 0, True), ("event_time_ms", 1, True),
        ("event_time_ms", END_MS - 1, True), ("event_time_ms", END_MS, False),
        ("seq", -(2**63) - 1, False), ("seq", -(2**63), True), ("seq", 2**63 - 1, True), ("seq", 2**63, False),
        ("sent_time_ms", -(2**63), True), ("sent_time_ms", 2**63 - 1, True), ("sent_time_ms", 2**63, False),
    ],
)  # fmt: skip
def test_numbers_have_bounds(name: str, value: int, accepted: bool) -> None:
    if accepted:
        assert getattr(read(**{name: value}), name) == value
    else:
        assert name in refuses(**{name: value})


@pytest.mark.parametrize(
    ("key", "reason"),
    [(None, "the key is null"), (b"", "the key differs"), (b"Haus", "the key differs"), (b"\xff", "the key differs")],
)
def test_the_key_is_the_household(key: bytes | None, reason: str) -> None:
    assert reason in refuses(key)


def test_the_key_is_the_households_utf8() -> None:
    assert read("häus".encode(), household_id="häus").household_id == "häus"


@pytest.mark.parametrize(
    "value",
    [
        None, b"", b" ", b"null", b"5", b"[]", b'"text"', b"{", b'{"event_id": "e"', b"{}", b"\xef\xbb\xbf{}",
        b"\x00", b"not json", b"\xff\xfe",
    ],
)  # fmt: skip
def test_bytes_that_are_no_object_are_refused(value: bytes | None) -> None:
    with pytest.raises(BadEvent, match=r"."):
        read_event(b"haus", value)


@pytest.mark.parametrize("more", [b', "playback_rate": NaN}', b', "x": Infinity}', b', "seq": 01}', b"} x", b",}"])
def test_what_json_does_not_know_is_refused(more: bytes) -> None:
    with pytest.raises(BadEvent, match=r"."):
        read_event(b"haus", json.dumps(LEAST).encode()[:-1] + more)


@pytest.mark.parametrize("field", [b'"title_id": "\xff"', b'"x": "\xff"', b'"\xc3": 1', b'"x": ["\xed\xa0\x80"]'])
def test_text_that_is_no_utf8_is_refused_in_unknown_fields_too(field: bytes) -> None:
    with pytest.raises(BadEvent, match=r"."):
        read_event(b"haus", json.dumps(LEAST).encode()[:-1] + b", " + field + b"}")


@pytest.mark.parametrize("more", [{"device_id": "\ud800"}, {"x": "\udc00"}, {"x": [{"\ud800": 1}]}, {"\ud800": 1}])
def test_a_lone_surrogate_is_refused_wherever_it_stands(more: dict[str, Any]) -> None:
    assert refuses(**more)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert read(device_id="😀").device_id == "😀"


@pytest.mark.parametrize(("over", "accepted"), [(-1, True), (0, True), (1, False)])
def test_a_value_has_64_kib_at_most(over: int, accepted: bool) -> None:
    value = json.dumps(LEAST).encode()
    value += b" " * (LARGEST_EVENT_BYTES + over - len(value))
    if accepted:
        assert read_event(b"haus", value) == Event(**LEAST)
    else:
        with pytest.raises(BadEvent, match="65537 bytes"):
            read_event(b"haus", value)


@pytest.mark.parametrize(("depth", "accepted"), [(499, True), (500, True), (501, False)])
def test_a_value_nests_500_levels_at_most_brackets_in_texts_do_not_count(depth: int, accepted: bool) -> None:
    nested = "[" * (depth - 1) + "]" * (depth - 1)
    texts = '"' + "[{" * 600 + '\\"["'
    value = f'{json.dumps(LEAST)[:-1]}, "x": {nested}, "y": {texts}, "z": [{", ".join(["{}"] * 600)}]}}'.encode()
    if accepted:
        assert read_event(b"haus", value) == Event(**LEAST)
    else:
        with pytest.raises(BadEvent, match="nests deeper than 500 levels"):
            read_event(b"haus", value)


@pytest.mark.parametrize("stack", [0, 200])
def test_nesting_is_judged_alike_on_any_stack(stack: int) -> None:
    if stack:
        test_nesting_is_judged_alike_on_any_stack(stack - 1)
    else:
        for depth in (DEEPEST_NESTING, DEEPEST_NESTING + 1):
            test_a_value_nests_500_levels_at_most_brackets_in_texts_do_not_count(depth, depth <= DEEPEST_NESTING)


def test_a_name_given_twice_is_the_last_one() -> None:
    value = json.dumps(LEAST).encode()[:-1] + b', "title_id": "other"}'
    assert read_event(b"haus", value).title_id == "other"


# -- how long ids are ---------------------------------------------------------------------------------------------

LONGEST = {
    **dict.fromkeys(("event_id", "household_id", "title_id", "play_session_id", "profile_id", "device_id"), 256),
    **dict.fromkeys(("time_zone", "country"), 64),
}


def with_text(name: str, text: str, *, escaped: bool) -> tuple[bytes, bytes]:
    """The key and value of an event that has this text in this field."""
    event = {**LEAST, name: text}
    return event["household_id"].encode(), json.dumps(event, ensure_ascii=escaped).encode()


@pytest.mark.parametrize(("name", "longest"), LONGEST.items())
@pytest.mark.parametrize(("over", "accepted"), [(-1, True), (0, True), (1, False)])
@pytest.mark.parametrize("letter", ["x", "é", "€", "😀"], ids=["one byte", "two", "three", "four"])
@pytest.mark.parametrize("escaped", [False, True])
def test_a_text_has_so_many_bytes_of_utf8_at_most_however_it_is_written(
    name: str, longest: int, over: int, accepted: bool, letter: str, escaped: bool
) -> None:
    room = longest + over
    letters = room // len(letter.encode())
    text = letter * letters + "y" * (room - letters * len(letter.encode()))
    key, value = with_text(name, text, escaped=escaped)
    if accepted:
        assert getattr(read_event(key, value), name) == text
    else:
        with pytest.raises(BadEvent, match=name):
            read_event(key, value)


def test_what_is_too_long_is_told_with_both_numbers() -> None:
    with pytest.raises(BadEvent, match="device_id has 258 bytes, accepted are 256"):
        read_event(*with_text("device_id", "é" * 129, escaped=True))


def test_short_escapes_are_one_byte_each() -> None:
    assert read_event(*with_text("device_id", "\n" * 256, escaped=True)).device_id == "\n" * 256
    with pytest.raises(BadEvent):
        read_event(*with_text("device_id", "\n" * 257, escaped=True))


def test_texts_that_no_field_lists_may_be_longer() -> None:
    assert read_event(*with_text("user_agent", "é" * 1_000, escaped=False)).event_id == LEAST["event_id"]
