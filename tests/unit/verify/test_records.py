"""Which records the recomputation counts as dead letters, field by field."""

import json
from typing import Any

import pytest

from streams.verify.records import UnreadableRecord, home_partition, read_event

GOOD: dict[str, Any] = {
    "event_id": "e", "event_type": "play", "event_time_ms": 1, "household_id": "h", "title_id": "t",
    "play_session_id": "s", "position_ms": 0,
}  # fmt: skip
REQUIRED = sorted(GOOD)
IDS = ("event_id", "household_id", "title_id", "play_session_id", "profile_id", "device_id")
MISSING = object()


def read(key: bytes | None = b"h", **changed: Any) -> dict[str, Any]:
    event = {name: value for name, value in (GOOD | changed).items() if value is not MISSING}
    return read_event(key, json.dumps(event).encode())


def test_a_good_event_is_its_listed_fields() -> None:
    assert read(nobody="knows", seq=None, country="DE") == GOOD | {"country": "DE"}


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [MISSING, None, True, [], {}])
def test_a_required_field_is_there_and_of_its_type(name: str, value: Any) -> None:
    with pytest.raises(UnreadableRecord, match=name):
        read(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_id", ""), ("household_id", ""), ("title_id", ""), ("play_session_id", ""),
        ("event_type", "PLAY"), ("event_time_ms", 5.0), ("event_time_ms", "5"),
        ("event_time_ms", -1), ("event_time_ms", 253_402_300_800_000),
        ("position_ms", -1), ("position_ms", 604_800_001), ("position_ms", 5.0), ("position_ms", 10**30),
        ("seek_from_ms", 604_800_001), ("runtime_ms", 604_800_001), ("credits_start_ms", 604_800_001),
        ("runtime_ms", True), ("seq", 1.0), ("seq", -(2**63) - 1), ("seq", "1"), ("sent_time_ms", 2**63),
        *((name, "x" * 257) for name in IDS), *((name, "ü" * 129) for name in IDS),
        ("time_zone", "x" * 65), ("country", "x" * 65), ("country", "ü" * 33),
        ("playback_rate", "1"), ("playback_rate", True), ("playback_rate", 10**400),
        ("profile_kind", "adult"), ("content_kind", ""), ("content_kind", "MAIN"), ("autoplay", 1),
        ("offline", "true"), ("profile_id", 5), ("device_id", ["a"]), ("time_zone", 1), ("country", {}),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be(name: str, value: Any) -> None:
    with pytest.raises(UnreadableRecord, match=name):
        read(**{name: value})


@pytest.mark.parametrize(
    "where", [{"title_id": "\ud800"}, {"x": "a\udfffb"}, {"x": [{"\ud800": 1}]}, {"\udc00\ud800": 1}]
)
def test_no_string_anywhere_holds_a_lone_surrogate(where: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecord, match="surrogate"):
        read(**where)


@pytest.mark.parametrize(("depth", "readable"), [(498, True), (499, True), (500, False), (50_000, False)])
def test_the_object_and_what_is_in_it_nest_500_levels_deep_at_most(depth: int, readable: bool) -> None:
    value = json.dumps(GOOD)[:-1] + ', "x": ' + "[" * depth + "]" * depth + ', "y": "' + "[" * 600 + '"}'
    if readable:
        assert read_event(b"h", value.encode()) == GOOD
    else:
        with pytest.raises(UnreadableRecord, match="500 levels" if depth < 30_000 else "bytes"):
            read_event(b"h", value.encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("position_ms", 604_800_000), ("seek_from_ms", -5), ("seq", 2**63 - 1), ("seq", -(2**63)),
        ("playback_rate", 5), ("playback_rate", 1e300), ("playback_rate", -1.5), ("profile_id", ""),
        *((name, "x" * 256) for name in IDS if name != "household_id"),
        *((name, "ü" * 128) for name in IDS if name != "household_id"),
        ("time_zone", "x" * 64), ("country", "x" * 63), ("country", "ü" * 32),
        ("time_zone", ""), ("event_time_ms", 0), ("event_time_ms", 253_402_300_799_999), ("title_id", "😀\u0000"),
    ],
)  # fmt: skip
def test_a_field_at_its_limit(name: str, value: Any) -> None:
    assert read(**{name: value})[name] == value


@pytest.mark.parametrize("key", [None, b"", b"H", b"h ", b"\xff"])
def test_the_key_is_the_household(key: bytes | None) -> None:
    with pytest.raises(UnreadableRecord, match="key"):
        read(key)


@pytest.mark.parametrize(("letters", "readable"), [(127, True), (128, True), (129, False)])
def test_a_household_has_256_bytes_at_most(letters: int, readable: bool) -> None:
    name = "ü" * letters
    if readable:
        assert read(name.encode(), household_id=name)["household_id"] == name
    else:
        with pytest.raises(UnreadableRecord, match="household_id"):
            read(name.encode(), household_id=name)


TEXT = json.dumps(GOOD)


@pytest.mark.parametrize(
    "value",
    [
        None, b"", b"null", b"[]", b'"x"', TEXT[:-1].encode(), TEXT.encode() + b"}",
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace('"t"', '"\xff"').encode("latin-1"), TEXT.replace("}", ', "x": NaN}').encode(),
        TEXT.replace("}", ', "x": -Infinity}').encode(),
        TEXT.replace("}", ', "playback_rate": 1e400}').encode(),
        TEXT.replace("}", ', "x": "\n"}').encode(), TEXT.replace("{", "{'x': 1, ").encode(),
        TEXT.replace("}", ', "position_ms": "x"}').encode(),
        TEXT.replace("{", '{"seq": "x", "seq": 1,').encode(),
    ],
)  # fmt: skip
def test_a_value_that_is_no_json_object_of_an_event(value: bytes | None) -> None:
    with pytest.raises(UnreadableRecord):
        read_event(b"h", value)


def test_a_name_given_twice_holds_its_last_value() -> None:
    value = TEXT.replace("}", ', "seq": 1, "seq": 2, "device_id": "a", "device_id": null}')
    assert read_event(b"h", value.encode()) == GOOD | {"seq": 2}


def test_unknown_fields_may_hold_any_json() -> None:
    value = TEXT.replace("}", ', "x": [1e400, {"position_ms": "x"}, ' + "9" * 5000 + "]}")
    assert read_event(b"h", value.encode()) == GOOD


@pytest.mark.parametrize(("size", "readable"), [(65_535, True), (65_536, True), (65_537, False)])
def test_a_value_is_64_kib_at_most(size: int, readable: bool) -> None:
    value = TEXT.encode() + b" " * (size - len(TEXT))
    if readable:
        assert read_event(b"h", value) == GOOD
    else:
        with pytest.raises(UnreadableRecord, match="65537 bytes"):
            read_event(b"h", value)


@pytest.mark.parametrize(
    ("key", "murmur2"),
    # The hashes that Kafka's own tests state for its murmur2.
    [
        (b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971), (b"abc", 479470107),
    ],
)  # fmt: skip
def test_a_household_is_at_home_where_java_puts_it(key: bytes, murmur2: int) -> None:
    assert home_partition(key, 1_000_003) == (murmur2 & 0x7FFFFFFF) % 1_000_003
