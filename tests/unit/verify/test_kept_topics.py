"""Which records of the three topics a verification looks at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.verify.kept import KeptRecord, Milestone
from streams.verify.kept_topics import KeptTopic, SourceTopic, _kept, _milestone


class Message:
    """A dead letter as Kafka's client gives it."""

    def key(self) -> bytes:
        return b"home"

    def value(self) -> bytes:
        return b"{"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7


def looked_at(**headers: str) -> list[tuple[int, int]]:
    """Where those records come from that a record with these headers is counted as."""
    topic = KeptTopic("nowhere:1", "dead-letters", SourceTopic(b"events", b"id-1", {1: 100}), _kept)
    topic._take(Message(), {name: text.encode() for name, text in headers.items()})
    assert not topic.odd
    return [(record.partition, record.offset) for record in topic.found if isinstance(record, KeptRecord)]


@pytest.mark.parametrize(("offset", "judged"), [("99", []), ("100", [(1, 100)]), ("101", [(1, 101)])])
def test_what_came_of_source_records_that_are_gone_is_not_judged(offset: str, judged: list[tuple[int, int]]) -> None:
    assert looked_at(topic="events", topic_id="id-1", partition="1", offset=offset) == judged


@pytest.mark.parametrize(
    ("topic", "topic_id", "judged"),
    [("events", "id-1", [(1, 100)]), ("events", "id-2", []), ("others", "id-1", [])],
)
def test_only_what_came_of_the_present_source_topic_is_judged(
    topic: str, topic_id: str, judged: list[tuple[int, int]]
) -> None:
    assert looked_at(topic=topic, topic_id=topic_id, partition="1", offset="100") == judged


class Told(Message):
    """A milestone as Kafka's client gives it."""

    def __init__(self, **value: Any) -> None:
        self._value = value

    def value(self) -> bytes:
        return json.dumps(MILESTONE | self._value).encode()


MILESTONE = {
    "milestone": "completion", "household_id": "home", "title_id": "film", "event_id": "e", "event_time_ms": 5,
    "ordinal": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    ("more", "read"),
    [
        ({}, (None, None)), ({"rewatch": True}, (True, None)), ({"daypart": "evening"}, (None, "evening")),
        ({"rewatch": 1}, None), ({"rewatch": None}, None), ({"daypart": 3}, None), ({"ordinal": 2.0}, None),
        ({"ordinal": True}, None), ({"more": 1}, None),
    ],
)  # fmt: skip
def test_a_milestone_has_its_fields_a_completion_and_a_streak_one_more(
    more: dict[str, Any], read: tuple[bool | None, str | None] | None
) -> None:
    topic = KeptTopic("nowhere:1", "milestones", SourceTopic(b"events", b"id-1", {}), _milestone)
    topic._take(Told(**more), {"topic": b"events", "partition": b"0", "offset": b"1"})
    found = [(record.rewatch, record.daypart) for record in topic.found if isinstance(record, Milestone)]
    assert (found, len(topic.odd)) == (([read], 0) if read is not None else ([], 1))
