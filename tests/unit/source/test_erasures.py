"""Erasures on their way: what of a record of their topic reaches a partition."""

from __future__ import annotations

import logging

import pytest

from streams.source.erasures import Erasure, take_erasure

HERE = Erasure("here", [5, 0, 7])


class Message:
    """A Kafka message, as far as it is looked at."""

    def __init__(self, key: bytes | None, value: bytes | None) -> None:
        self._key, self._value = key, value

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return "encore-erasures"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 9


@pytest.mark.parametrize(
    ("topic_id", "partition", "until"), [("here", 0, 5), ("here", 1, 0), ("here", 2, 7), ("here", 3, 0), ("anew", 0, 0)]
)
def test_an_erasure_reaches_as_far_as_the_topic_did_and_no_topic_that_was_made_anew(
    topic_id: str, partition: int, until: int
) -> None:
    assert HERE.reaches(topic_id, partition) == until


@pytest.mark.parametrize(("topic_id", "partition", "until"), [("here", 1, 0), ("copy", 1, 8), ("copy", 2, 0)])
def test_it_also_reaches_what_was_copied_to_another_topic_before(topic_id: str, partition: int, until: int) -> None:
    assert Erasure("here", [5, 0, 7], {"copy": [9, 8]}).reaches(topic_id, partition) == until


def test_the_latest_of_a_digest_holds_and_an_empty_one_takes_it_back() -> None:
    rows = {"other": HERE}
    take_erasure(rows, Message(b"digest", b'{"topic_id": "here", "until": [1, 2]}'))
    assert rows == {"other": HERE, "digest": Erasure("here", [1, 2])}
    take_erasure(rows, Message(b"digest", b'{"topic_id": "here", "until": [3], "more": 1}'))
    assert rows["digest"] == Erasure("here", [3])
    take_erasure(rows, Message(b"digest", None))
    assert rows == {"other": HERE}


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[]", b"{}", b'{"topic_id": 1, "until": []}', b'{"topic_id":"h","until":[1.5]}']
)
def test_what_is_no_erasure_is_reported_with_its_place_and_left_out(
    value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    rows = {"digest": HERE}
    with caplog.at_level(logging.WARNING):
        take_erasure(rows, Message(b"digest", value))
        take_erasure(rows, Message(b"\xff", b"{}"))
    assert rows == {"digest": HERE}
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "encore-erasures/0 offset 9 is no erasure and is left out"
    ] * 2
