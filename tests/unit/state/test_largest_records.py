"""Whatever a checkpoint writes fits into a record that Kafka takes by default, however long ids are."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest

from models.audience import WatchedWeeks
from models.current_windows import CurrentWindows
from models.dayparts import MOST_DAYPARTS
from models.events import LONGEST_ID_BYTES
from models.fold_changes import FoldChanges
from models.habits import Habit
from models.rows import pack, unpack
from models.rules import LONGEST_MEDIA_MS, MOST_IDS, MOST_PROFILES, MOST_SESSIONS, MOST_SLICES
from models.session import Session
from models.streaks import PART
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE, WATCHING, TallyKey
from models.viewing import Row
from models.windows import KINDS
from streams.state.changelog import state_messages

KAFKA_TAKES = 1_048_588
"""Kafka's own `message.max.bytes`."""

OVERHEAD_BYTES = 100
"""What a batch of one record adds to its key and value."""

LARGEST = 2**63 - 1
TITLE_ID, HOUSEHOLD_ID = "t" * LONGEST_ID_BYTES, "h" * LONGEST_ID_BYTES


def long_ids(count: int, letter: str) -> tuple[str, ...]:
    return tuple(f"{number:0>{LONGEST_ID_BYTES - 1}}{letter}" for number in range(count))


def uuids(count: int, letter: str) -> tuple[str, ...]:
    drawn = Random(letter)
    return tuple(str(UUID(int=drawn.getrandbits(128))) for _ in range(count))


def short_ids(count: int, letter: str) -> tuple[str, ...]:
    return tuple(f"{number:0>15}{letter}" for number in range(count))


def fullest_row(ids: Callable[[int, str], tuple[str, ...]]) -> Row:
    """All that a row may hold, each part as large as it can be."""
    row, plane = Row(LARGEST), int("10" * (LONGEST_MEDIA_MS // 5_000 // 2), 2)
    row.flags, row.completions, row.watched_ms, row.mark_ms = 2**31, LARGEST, LARGEST, 0
    row.once, row.twice, row.owed, row.owed_by = plane, plane, plane, long_ids(1, "s")[0]
    row.profiles, row.completed_ms = long_ids(MOST_PROFILES, "p"), 0
    row.weeks = WatchedWeeks(
        0, LARGEST, LARGEST, LARGEST, 2**52, 2**53, dict.fromkeys(range(100_000, 100_060), LARGEST)
    )
    credited = dict.fromkeys(range(100_000, 100_400), LARGEST)
    row.habits = [Habit(100_000, LARGEST, 100_000, 2**63, LARGEST, credited) for _ in range(MOST_DAYPARTS + 1)]
    for session_id in long_ids(MOST_SESSIONS, "s"):
        row.sessions[session_id] = Session(
            session_id, 0, LARGEST, True, True, LARGEST, LARGEST, ids(MOST_IDS, "t"), LARGEST, 4_000, LARGEST,
            ids(MOST_IDS, "q"), LARGEST, True, True, LARGEST,
        )  # fmt: skip
    return row


def sizes(changes: FoldChanges) -> list[int]:
    return [
        OVERHEAD_BYTES + len(message["key"] or b"") + len(message["value"] or b"")
        for message in state_messages(changes)
    ]


@pytest.mark.parametrize("ids", [long_ids, uuids, short_ids])
def test_the_fullest_row_fits(ids: Callable[[int, str], tuple[str, ...]]) -> None:
    packed = pack(fullest_row(ids))

    (size,) = sizes(FoldChanges([(TITLE_ID, HOUSEHOLD_ID, packed)], {}, [], [], []))
    assert 600_000 < size < KAFKA_TAKES
    assert len(unpack(packed).sessions) == MOST_SESSIONS


def test_the_largest_tallies_fit() -> None:
    whole = dict.fromkeys((TallyKey(kind, 0, TITLE_ID) for kind in (TITLE, FRANCHISE)), [LARGEST] * (WATCHING + 1))
    parts = {TallyKey(DAYPARTS, 0, TITLE_ID): [LARGEST] * (1 + PART * (MOST_DAYPARTS + 1))}
    curve = {TallyKey(CURVE, 0, TITLE_ID): [LARGEST] * (1 + MOST_SLICES)}
    windows = {TallyKey(kind, 2**32 - 1, TITLE_ID): [LARGEST] * (WATCHING + 1) for kind in KINDS}
    current = {TITLE_ID: CurrentWindows(LARGEST, windows)}
    streaks: dict[tuple[str, int], list[int] | None] = {(TITLE_ID, 2**32 - 1): [LARGEST] * PART * (MOST_DAYPARTS + 1)}

    written = sizes(FoldChanges([], whole | parts | curve | windows, [], [], [], streaks, current))
    assert len(written) == 4 + len(KINDS) + 1 + 1
    assert max(written) < 10_000
