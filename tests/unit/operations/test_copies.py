"""What a copy's offsets say of it, and how far its records were told."""

from __future__ import annotations

from typing import Any

import pytest

from streams.config.settings import Settings
from streams.kafka.admin import TopicNow
from streams.operations.copies import Copy, CopyNote, copy_into, told_in_copy

NOTE = CopyNote("events", "old", "new")
COPY = Copy("events-3", NOTE, {0: 10, 1: 20}, {0: 7, 1: 8, 2: 9})


class View:
    """A Kafka with these commits of the copy's group, and records of `events` a second apart, from offset 0 on."""

    def __init__(self, *copies: Copy, topic_id: str = "old") -> None:
        self._topic_id = topic_id
        self._commits: dict[tuple[str, int], tuple[int, str]] = {}
        for copy in copies:
            for is_finished, ends in ((False, {0: 0}), (True, copy.ends or {})):
                for place in [*copy.places(copy.read), *copy.places_of_ends(ends, is_finished=is_finished)]:
                    self._commits[place.topic, place.partition] = place.offset, place.metadata

    def topic(self, name: str) -> TopicNow:
        assert name == "events"
        return TopicNow(self._topic_id, 2)

    def commits(self, group: str, topic: str, partitions: Any) -> dict[int, tuple[int, str]]:
        assert group == "encore-repartition-events-3"
        return {number: self._commits[topic, number] for number in partitions if (topic, number) in self._commits}

    def spans(self, topic: str, partitions: Any) -> dict[int, tuple[int, int]]:
        return dict.fromkeys(partitions, (0, 100))

    def time_of(self, topic: str, partition: int, offset: int) -> int | None:
        assert topic == "events"
        return offset * 1_000 + partition

    def offsets_at(self, topic: str, times_ms: dict[int, int]) -> dict[int, int | None]:
        assert topic == "events-3"
        return {number: at_ms // 1_000 if number else None for number, at_ms in times_ms.items()}


def found(view: View, copy_id: str = "new") -> Copy | None:
    return copy_into(Settings(), view, "events-3", TopicNow(copy_id, 3))  # type: ignore[arg-type]


@pytest.mark.parametrize("copy", [COPY, COPY._replace(ends=None), COPY._replace(read={1: 5}, ends=None)])
def test_what_was_committed_of_a_copy_comes_back(copy: Copy) -> None:
    assert found(View(copy)) == copy


def test_a_topic_without_offsets_or_that_was_made_anew_is_no_copy() -> None:
    assert found(View()) is None
    assert found(View(COPY), "newer") is None


def test_of_a_copy_whose_source_was_told_all_is_told() -> None:
    assert told_in_copy(View(), COPY, {0: 10, 1: 20}) == COPY.ends  # type: ignore[arg-type]
    assert told_in_copy(View(), COPY, {0: 11, 1: 99}) == COPY.ends  # type: ignore[arg-type]


def test_otherwise_what_is_earlier_than_the_first_record_that_was_not_told() -> None:
    # The first one is that of partition 0 at offset 4, of second 4; nothing of partition 0 of the copy is as late.
    assert told_in_copy(View(), COPY, {0: 4, 1: 5}) == {0: 7, 1: 4, 2: 4}  # type: ignore[arg-type]
    assert told_in_copy(View(), COPY, {0: 10}) == {0: 7, 1: 0, 2: 0}  # type: ignore[arg-type]
