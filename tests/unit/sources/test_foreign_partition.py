"""A foreign partition: what its records become does not depend on who translates which of them, and when."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from told_evenings import the_evening, told

from models.sources.foreign_partition import FORGOTTEN_EVERY, ForeignPartition, Forgetting, Output
from models.sources.identities import BY_THE_SCHEMA
from models.sources.schemas import schemas

HOUR_MS = 3_600_000
KEPT_MS = 5 * HOUR_MS


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def partition(schema: str = "segment_video", forgotten_every: int = FORGOTTEN_EVERY) -> ForeignPartition:
    return ForeignPartition(schemas()[schema], BY_THE_SCHEMA, KEPT_MS, forgotten_every=forgotten_every)


def evening(schema: str = "segment_video") -> list[Record]:
    messages = told(schema, list(the_evening()))
    return [Record(n, at_ms, b"s", json.dumps(message).encode()) for n, (at_ms, message) in enumerate(messages)]


def ping(offset: int, at_ms: int, session: str = "s") -> Record:
    message: dict[str, Any] = {
        "type": "track",
        "event": "Video Content Playing",
        "messageId": f"{offset}",
        "userId": "home",
        "timestamp": "2026-05-04T18:00:00Z",
        "properties": {"session_id": session, "content_asset_id": "film", "position": 1},
    }
    return Record(offset, at_ms, None, json.dumps(message).encode())


def taken(of: ForeignPartition, records: list[Record]) -> Output:
    of.take(records)
    return of.drain()[0]


@pytest.mark.parametrize("schema", schemas())
def test_another_process_goes_on_after_any_record(schema: str) -> None:
    records, whole = evening(schema), taken(partition(schema), evening(schema))
    for cut in (1, len(records) // 2, len(records) - 1):
        first, second = partition(schema), partition(schema)
        first.take(records[:cut])
        output, sessions = first.drain()
        for key, packed in sessions.items():
            second.restore(key, packed)
        second.forgetting = first.forgetting
        assert [*output.events, *taken(second, records[cut:]).events] == whole.events


def test_an_event_has_its_households_key_and_its_records_time() -> None:
    (first, *_), record = taken(partition(), evening()).events, evening()[0]
    key, value, written_ms = first
    assert (key, written_ms, json.loads(value)["household_id"]) == (b"home", record.timestamp, "home")


@pytest.mark.parametrize(("at_ms", "written_ms"), [(-1, 1), (0, 1), (1, 1), (2, 2)])
def test_a_record_without_a_time_is_of_1970_as_0_would_mean_now(at_ms: int, written_ms: int) -> None:
    assert [event[2] for event in taken(partition(), [ping(0, at_ms)]).events] == [written_ms]


def test_what_becomes_no_event_is_kept_by_its_reason() -> None:
    bad = Record(7, 1, b"k", b"no JSON")
    other = Record(8, 1, b"k", b'{"type": "page"}')
    output = taken(partition(), [bad, other, other])
    assert [(refusal.record, refusal.code) for refusal in output.refusals] == [(bad, "malformed")]
    assert (output.events, output.left_out) == ([], {"other_event": 2})
    assert taken(partition(), []) == Output([], [], {})


@pytest.mark.parametrize(("later_ms", "remembered"), [(KEPT_MS - 1, 4), (KEPT_MS, 4), (KEPT_MS + 1, 3)])
def test_a_session_is_forgotten_once_all_records_are_later_by_more_than_it_is_kept(
    later_ms: int, remembered: int
) -> None:
    one = partition(forgotten_every=3)
    one.take([ping(0, 1, "old"), ping(1, 1, "old"), ping(2, 1, "old")])
    one.take([ping(3 + n, 1 + later_ms + n, f"new {n}") for n in range(3)])
    assert one.sessions == remembered
    assert [key for key, packed in one.drain()[1].items() if packed is None] == ["home\x1fold"] * (4 - remembered)


def test_one_record_that_is_far_ahead_forgets_nothing() -> None:
    one = partition(forgotten_every=3)
    one.take([ping(0, 1), ping(1, 100 * KEPT_MS, "ahead"), ping(2, 2)])
    assert one.sessions == 2
    assert one.forgetting == Forgetting()


def test_when_is_forgotten_does_not_depend_on_batches() -> None:
    records = [ping(n, n * KEPT_MS // 2, f"session {n % 4}") for n in range(20)]
    at_once, one_by_one = partition(forgotten_every=3), partition(forgotten_every=3)
    at_once.take(records)
    for record in records:
        one_by_one.take([record])
    assert one_by_one.drain() == at_once.drain()
    assert one_by_one.forgetting == at_once.forgetting
