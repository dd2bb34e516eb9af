"""What a verification takes from the state changelog and from the titles topic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, NamedTuple

import pytest

from streams.kafka import reader
from streams.kafka.reader import CannotRead, NoTopic
from streams.verify import reading
from streams.verify.folding import CatalogRow
from streams.verify.reading import StateLog, TitlesTopic
from streams.verify.zones import ZoneRow


class Message(NamedTuple):
    """A record as Kafka's client gives it."""

    its_key: bytes
    its_value: bytes | None
    its_partition: int = 0

    def key(self) -> bytes:
        return self.its_key

    def value(self) -> bytes | None:
        return self.its_value

    def partition(self) -> int:
        return self.its_partition


class Topic:
    """Topics by name, and what was appended since they were read last."""

    appended: dict[str, list[Message]] = {}  # noqa: RUF012

    def __init__(self, kafka: str, topic: str) -> None:
        if topic not in self.appended:
            raise NoTopic(topic)
        self.topic = topic

    def ends(self) -> dict[int, int]:
        return {}

    def read(self, _: dict[int, int]) -> Iterator[Any]:
        while self.appended[self.topic]:
            yield self.appended[self.topic].pop(0)

    def close(self) -> None:
        pass


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Message]]:
    for module in (reader, reading):
        monkeypatch.setattr(module, "TopicReader", Topic)
    monkeypatch.setattr(Topic, "appended", {"state": []})
    return Topic.appended


def stored(zone: bytes) -> bytes:
    return sha256(zone).digest() + zone


def control(kind: str, offset: int, rest: str = "") -> bytes:
    return f"{kind}{offset:020}{rest}".encode()


def test_the_state_tells_positions_the_catalog_and_the_silent_clock(topics: dict[str, list[Message]]) -> None:
    topics["state"] += [
        Message(control("c", 5, "|film"), b'{"title_id":"film"}'),
        Message(control("c", 7, "|film"), b""),
        Message(control("k", 5), b"100"),
        Message(control("k", 9), b"300", 1),
        Message(b"p", b'{"next_offset": 9, "told": 3}', 1),
    ]
    state = StateLog("nowhere:1", "state")
    state.read_on()
    assert state.catalog() == {0: [CatalogRow(5, "film", b'{"title_id":"film"}'), CatalogRow(7, "film", b"")]}
    assert state.silent == {0: {5: 100}, 1: {9: 300}}
    assert (state.next_offset(1), state.next_offset(0), state.told()) == (9, 0, {1: 3})
    topics["state"] += [Message(control("k", 5), b"200")]  # still at that offset, later
    state.read_on()
    assert state.silent == {0: {5: 200}, 1: {9: 300}}


@pytest.mark.parametrize(
    "key", [b"afilm", b"w\0\0\0\1film", b"pfilm", b"p\0\0\0\0film", b"ffilm", b"k", b"kids", b"r\0\1ah", b"s"]
)
def test_the_state_takes_no_offence_at_rows_that_it_does_not_know(topics: dict[str, list[Message]], key: bytes) -> None:
    topics["state"] += [Message(key, b"\x93\1\2\3"), Message(key, None)]
    state = StateLog("nowhere:1", "state")
    state.read_on()
    assert (state.catalog(), state.silent, state.positions) == ({}, {}, {})


def test_the_catalog_now_is_the_last_readable_row_of_each_title(topics: dict[str, list[Message]]) -> None:
    titles = TitlesTopic("nowhere:1", "titles")
    titles.read_on()
    assert titles.rows == {}
    row, corrected = (json.dumps({"title_id": "film", "runtime_ms": ms}).encode() for ms in (1, 2))
    topics["titles"] = [Message(b"film", row), Message(b"film", b"{"), Message(b"other", row)]
    titles.read_on()
    assert titles.rows == {"film": row}
    topics["titles"] += [Message(b"film", corrected), Message(b"gone", None)]
    titles.read_on()
    assert titles.rows == {"film": corrected}
    topics["titles"] += [Message(b"film", None)]
    titles.read_on()
    assert titles.rows == {}


def test_zone_data_is_by_partition_in_the_order_of_its_offsets_and_the_last_of_a_key_holds(
    topics: dict[str, list[Message]],
) -> None:
    topics["state"] += [
        Message(b"z%020d|Europe/Berlin" % 9, stored(b"new")),
        Message(b"z%020d|Europe/Berlin" % 5, stored(b"older")),
        Message(b"z%020d|Europe/Berlin" % 5, stored(b"old")),
        Message(b"z%020d|Asia/Tokyo" % 0, stored(b"data"), 1),
    ]
    state = StateLog("nowhere:1", "state")
    state.read_on()
    assert state.zones() == {
        0: [ZoneRow(5, "Europe/Berlin", b"old"), ZoneRow(9, "Europe/Berlin", b"new")],
        1: [ZoneRow(0, "Asia/Tokyo", b"data")],
    }


@pytest.mark.parametrize("value", [b"", b"TZif2", stored(b"TZif2")[:-1], stored(b"TZif2") + b"\n"])
def test_damaged_zone_data_is_refused_by_its_key(topics: dict[str, list[Message]], value: bytes) -> None:
    topics["state"] += [Message(b"z%020d|Asia/Tokyo" % 5, value)]
    with pytest.raises(CannotRead, match=r"topic state, key b'z0{19}5\|Asia/Tokyo': the data of a zone does not match"):
        StateLog("nowhere:1", "state").read_on()


def test_partitions_with_the_same_zone_data_share_its_bytes(topics: dict[str, list[Message]]) -> None:
    topics["state"] += [Message(b"z%020d|Asia/Tokyo" % 5, stored(b"TZif2"), partition) for partition in (0, 1)]
    state = StateLog("nowhere:1", "state")
    state.read_on()
    (first,), (second,) = state.zones().values()
    assert first.zone is second.zone
