"""Which records of the changelog say what of a title's tallies, and that the last ones say all of it."""

from __future__ import annotations

import pytest
from partition_log import SAGA, Log
from playing import T0

from models.fold import Fold
from models.fold_changes import FoldChanges
from models.rules import DAY_MS, HOUR_MS, Rules
from models.tally import TallyKey
from streams.state.changelog import Position, Restored, position_message, state_messages
from streams.state.tally_records import read_tally_key, tally_key

HOUR, DAY = 3_600.0, 86_400.0
POSITION = position_message(Position(5, "topic", 1, 7, 3, "rules", "zones", 1, [4, *[0] * 11]))
TITLE, PARTS, CURVE, CURRENT = b"tfilm", b"lfilm", b"vfilm", b"nfilm"


def hour(number: int) -> bytes:
    return tally_key(TallyKey("h", T0 // HOUR_MS + number, "film"))


class Kept:
    """A log, and the last record of each key that its checkpoints made; None: a tombstone."""

    def __init__(self) -> None:
        self.log = Log(SAGA)
        self.records: dict[bytes, bytes | None] = {}

    def checkpoint(self, sequence: int) -> set[bytes]:
        """The keys of the records written, besides rows."""
        written = state_messages(self.log.drained(sequence))
        self.records |= {message["key"] or b"": message["value"] for message in written}
        restored = self.restored().fold.tallies
        assert (restored.own, restored.current) == (self.log.fold.tallies.own, self.log.fold.tallies.current)
        return {key for key in (message["key"] or b"" for message in written) if key[:1] not in b"rs"}

    def restored(self) -> Restored:
        restored = Restored(Fold(Rules()))
        restored.add([*self.records.items(), (POSITION["key"] or b"", POSITION["value"])])
        restored.finish()
        return restored


def test_within_an_hour_a_title_is_written_and_none_of_its_windows() -> None:
    kept = Kept()
    kept.log.watches(0, 100)
    assert kept.checkpoint(1) == {TITLE, PARTS, CURVE, CURRENT}
    kept.log.watches(300, 100, household_id="other")
    assert kept.checkpoint(2) == {TITLE, PARTS, CURVE}


def test_an_hour_that_is_over_is_written_once() -> None:
    kept = Kept()
    kept.log.watches(0, 100)
    kept.checkpoint(1)
    kept.log.watches(HOUR, 100, household_id="other")
    assert kept.checkpoint(2) == {TITLE, PARTS, CURVE, CURRENT, hour(0)}
    kept.log.watches(HOUR + 300, 100, household_id="third")
    assert kept.checkpoint(3) == {TITLE, PARTS, CURVE}


def test_what_comes_late_is_written_beside_the_current_windows() -> None:
    kept = Kept()
    kept.log.watches(HOUR, 100)
    kept.checkpoint(1)
    kept.log.watches(0, 100, arrives=HOUR + 200, household_id="late")
    assert kept.checkpoint(2) == {TITLE, PARTS, CURVE, CURRENT, hour(0)}


def test_a_weeks_audience_is_written_when_it_changes() -> None:
    kept = Kept()
    kept.log.watches(0, 100)
    kept.checkpoint(1)
    kept.log.watches(300, 100)
    assert kept.checkpoint(2) == {TITLE, PARTS, CURVE, tally_key(TallyKey("u", 2_894, "film"))}
    kept.log.watches(600, 100)
    assert kept.checkpoint(3) == {TITLE, PARTS, CURVE}


def test_what_leaves_is_in_no_record() -> None:
    kept = Kept()
    kept.log.watches(0, 100)
    kept.checkpoint(1)
    kept.log.waits(10 * DAY)
    day = tally_key(TallyKey("d", T0 // DAY_MS, "film"))
    assert kept.checkpoint(2) == {hour(0), CURRENT, day}
    assert (kept.records[hour(0)], kept.records[CURRENT]) == (None, None)


def test_a_window_that_moves_with_its_title_holds_over_its_older_own_record() -> None:
    kept = Kept()
    kept.log.watches(0, 100).watches(HOUR, 100, household_id="other")
    kept.checkpoint(1)
    kept.log.watches(100, 50, arrives=HOUR + 200, household_id="late")
    kept.checkpoint(2)
    kept.log.watches(2 * HOUR, 100)
    kept.checkpoint(3)
    found = {
        key.number - T0 // HOUR_MS: tally[0] for key, tally in kept.restored().fold.tallies.items() if key.kind == "h"
    }
    assert found == {0: 2, 1: 2, 2: 3}


@pytest.mark.parametrize(
    "key",
    [TallyKey("t", 0, "film"), TallyKey("h", 258, "f"), TallyKey("f", 0, "häus"), TallyKey("u", 2_894, "film"),
     TallyKey("v", 0, "film")],
)  # fmt: skip
def test_the_key_of_a_record_names_its_tally(key: TallyKey) -> None:
    assert read_tally_key(tally_key(key)) == key


def test_nothing_that_changed_is_no_record() -> None:
    assert state_messages(FoldChanges([], {}, [], [], [])) == []
