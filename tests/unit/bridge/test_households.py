"""The households topic: what becomes of its records."""

from __future__ import annotations

import logging

import pytest

from models.sources.told import id_text
from streams.bridge.households import take_household


class Message:
    """A record of the households topic."""

    def __init__(self, key: bytes | None, value: bytes | None) -> None:
        self._key, self._value = key, value

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def topic(self) -> str:
        return "households"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7


def taken(*records: tuple[bytes | None, bytes | None]) -> dict[str, str]:
    rows: dict[str, str] = {}
    for key, value in records:
        take_household(rows, Message(key, value))  # type: ignore[arg-type]
    return rows


def test_a_user_has_the_household_that_was_said_last_until_null_ends_it() -> None:
    assert taken((b"a", b'{"household_id":"one"}'), (b"a", b'{"household_id":"two"}')) == {"a": "two"}
    assert taken((b"a", b'{"household_id":"one"}'), (b"a", None)) == {}


def test_a_long_user_is_found_as_messages_state_it() -> None:
    user = "u" * 300
    assert taken((user.encode(), b'{"household_id":"one"}')) == {id_text(user): "one"}


@pytest.mark.parametrize(
    "record", [(b"a", b"home"), (b"a", b"{}"), (b"a", b'{"household_id":1}'), (b"\xff", b'{"household_id":"one"}')]
)
def test_what_is_no_household_is_left_out_with_its_place(
    record: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert taken(record) == {}
    assert "households/0 offset 7 is no household of a user" in caplog.text
