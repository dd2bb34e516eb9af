"""Records set aside, as they are written."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from models.fold_changes import FoldChanges, Milestone
from models.pseudonyms import Pseudonyms
from models.reading import read_event
from models.rules import LARGEST_KEPT_BYTES
from models.viewing import COMPLETED, PLAYED, SKIMMED, STARTED, STREAK, VIEWED, WATCHED, Fact
from streams.config.settings import Settings
from streams.state.side_outputs import kept_records
from streams.state.transactions import SideRecord

TOPIC_ID = "00000000-0000-0007-0000-000000000009"
WHERE = [("topic", b"playback-events"), ("topic_id", TOPIC_ID.encode()), ("partition", b"3"), ("offset", b"7")]
EVENT = {
    "event_id": "e-1", "event_type": "stop", "event_time_ms": 5, "household_id": "hôme", "title_id": "film",
    "play_session_id": "s", "position_ms": 0,
}  # fmt: skip


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def kept(changes: FoldChanges) -> list[SideRecord]:
    return kept_records(changes, Settings(), 3, TOPIC_ID)


def milestones(*facts: Fact) -> FoldChanges:
    event = read_event("hôme".encode(), json.dumps(EVENT).encode())
    return FoldChanges([], {}, [], [], [Milestone(fact, event, 7) for fact in facts])


def test_a_dead_letter_is_as_it_came_and_says_where_from_and_why() -> None:
    record = Record(7, 0, b"h", b"{")
    assert kept(FoldChanges([], {}, [(record, "not JSON")], [], [])) == [
        SideRecord("encore-dead-letters", b"h", b"{", [*WHERE, ("error", b"not JSON")])
    ]


def test_a_late_event_is_as_it_came_and_says_where_from() -> None:
    assert kept(FoldChanges([], {}, [], [Record(7, 0, b"h", b"{}")], [])) == [
        SideRecord("encore-late", b"h", b"{}", WHERE)
    ]


@pytest.mark.parametrize(
    ("fact", "milestone", "ordinal", "more"),
    [
        (STARTED, "starter", 1, {}),
        (VIEWED, "viewer", 1, {}),
        (Fact(COMPLETED, 1), "completion", 1, {"rewatch": False}),
        (Fact(COMPLETED, 12), "completion", 12, {"rewatch": True}),
        (Fact(STREAK, 5, "evening"), "streak", 5, {"daypart": "evening"}),
    ],
)
def test_a_milestone_tells_who_crossed_it_and_by_which_event(
    fact: Fact, milestone: str, ordinal: int, more: dict[str, object]
) -> None:
    (told,) = kept(milestones(fact))
    assert (told.topic, told.key, told.headers) == ("encore-milestones", "hôme".encode(), WHERE)
    assert json.loads(told.value or b"") == {
        "milestone": milestone, "household_id": "hôme", "title_id": "film", "event_id": "e-1", "event_time_ms": 5,
        "ordinal": ordinal, **more,
    }  # fmt: skip


def test_no_other_fact_is_a_milestone() -> None:
    assert kept(milestones(PLAYED, WATCHED, SKIMMED)) == []


@pytest.mark.parametrize(
    ("size", "kept_size", "more"),
    [
        (LARGEST_KEPT_BYTES - 1, LARGEST_KEPT_BYTES - 1, []),
        (LARGEST_KEPT_BYTES, LARGEST_KEPT_BYTES, []),
        (LARGEST_KEPT_BYTES + 1, LARGEST_KEPT_BYTES, [("value_bytes", b"5000001")]),
    ],
)
def test_a_value_that_no_topic_would_take_is_cut_and_says_so(
    size: int, kept_size: int, more: list[tuple[str, bytes]]
) -> None:
    record = Record(7, 0, b"h", b"x" * size)
    (letter,) = kept(FoldChanges([], {}, [(record, "too large")], [], []))
    assert (letter.key, len(letter.value or b"")) == (b"h", kept_size)
    assert letter.headers == [*WHERE, ("error", b"too large"), *more]


def test_a_tombstone_is_kept_as_one() -> None:
    (letter,) = kept(FoldChanges([], {}, [(Record(0, 0, None, None), "null")], [], []))
    assert (letter.key, letter.value) == (None, None)


# -- households under pseudonyms ----------------------------------------------------------------------------------

PSEUDONYMS = Pseudonyms(b"k" * 32)


def kept_under_pseudonyms(changes: FoldChanges) -> list[SideRecord]:
    return kept_records(changes, Settings(), 3, TOPIC_ID, PSEUDONYMS)


def test_of_a_dead_letter_nothing_is_kept_that_may_hold_an_id() -> None:
    pairs = [("hôme".encode(), b'{"event_type": "x"}'), (None, None), (b"", b""), (None, None)]
    records = [Record(7, 0, key, value) for key, value in pairs]
    reasons = [
        "Invalid enum value 'it's hôme' - at `$.event_type`", "the value is null", "it's malformed",
        "no household is known for " + repr("o'hôme"),
    ]  # fmt: skip

    letters = kept_under_pseudonyms(FoldChanges([], {}, list(zip(records, reasons, strict=True)), [], []))

    assert letters == [
        SideRecord(
            "encore-dead-letters", PSEUDONYMS.of("hôme".encode()).encode(), b"",
            [*WHERE, ("error", b"Invalid enum value '...' - at `$.event_type`"), ("value_bytes", b"19")],
        ),
        SideRecord("encore-dead-letters", None, None, [*WHERE, ("error", b"the value is null")]),
        SideRecord("encore-dead-letters", PSEUDONYMS.of(b"").encode(), b"", [*WHERE, ("error", b"it's malformed")]),
        SideRecord("encore-dead-letters", None, None, [*WHERE, ("error", b"no household is known for '...'")]),
    ]  # fmt: skip


def test_nor_of_a_late_event() -> None:
    (late,) = kept_under_pseudonyms(FoldChanges([], {}, [], [Record(7, 0, b"home", b"{}")], []))

    assert late == SideRecord("encore-late", PSEUDONYMS.of(b"home").encode(), b"", [*WHERE, ("value_bytes", b"2")])
