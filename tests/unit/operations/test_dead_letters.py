"""A dead letter is read whatever its headers hold: others may write to the topic, too."""

from __future__ import annotations

import pytest

from streams.operations.dead_letters import _letter


class Message:
    """A dead letter as Kafka's client gives it."""

    def __init__(self, offset: str) -> None:
        self._offset = offset

    def key(self) -> bytes:
        return b"home"

    def value(self) -> bytes:
        return b"{"

    def timestamp(self) -> tuple[int, int]:
        return 1, 5

    def headers(self) -> list[tuple[str, bytes]]:
        return [("topic", b"events"), ("partition", b"1"), ("offset", self._offset.encode())]


@pytest.mark.parametrize(("text", "offset"), [("7", 7), ("", -1), ("-7", -1), ("²", -1), ("٣", -1), ("9" * 5_000, -1)])
def test_a_header_that_is_no_number_says_nothing(text: str, offset: int) -> None:
    assert _letter(Message(text)).offset == offset
