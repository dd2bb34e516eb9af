"""Which record of the changelog says what of a title's tallies, and that the last ones say all of it."""

from __future__ import annotations

import pytest

from models.fold import Changes, Fold
from models.rules import Rules
from models.tallies import TallyKey
from streams.bundles import Bundles, tally_key
from streams.changelog import Position, Restored, position_message, state_messages

TITLE, DAY, PARTS = TallyKey("t", 0, "film"), TallyKey("d", 10, "film"), TallyKey("l", 0, "film")
NOON, ONE, SAGA = TallyKey("h", 252, "film"), TallyKey("h", 253, "film"), TallyKey("f", 0, "saga")
POSITION = position_message(Position(5, "topic", 1, 7, 3, "rules", "zones", 1, [4, 0, 0, 0, 0, 0]))
BUNDLE = b"bfilm"

Changed = dict[TallyKey, list[int] | None]


class Log:
    """A partition's tallies, and the last record of each key that their changes made; None: a tombstone."""

    def __init__(self) -> None:
        self.tallies: dict[TallyKey, list[int]] = {}
        self.records: dict[bytes, bytes | None] = {}
        self.bundles = Bundles(self.tallies)

    def checkpoint(self, **changed: int | None) -> set[bytes]:
        """Change tallies, by the names above; the keys of the records written."""
        changes: Changed = {globals()[name]: None if by is None else [by] for name, by in changed.items()}
        for key, tally in changes.items():
            if tally is None:
                del self.tallies[key]
            else:
                self.tallies[key] = tally
        written = state_messages(Changes([], changes, [], [], []), self.bundles)
        self.records |= {message["key"] or b"": message["value"] for message in written}
        assert self.restored().fold.tallies == self.tallies
        return {message["key"] or b"" for message in written}

    def restored(self) -> Restored:
        restored = Restored(Fold(Rules()))
        restored.add([*self.records.items(), (POSITION["key"] or b"", POSITION["value"])])
        restored.finish()
        return restored


def test_what_changes_together_is_one_record_and_a_franchise_another() -> None:
    log = Log()
    assert log.checkpoint(TITLE=1, DAY=1, NOON=1, SAGA=1) == {BUNDLE, tally_key(SAGA)}
    assert log.checkpoint(TITLE=2, DAY=2, NOON=2) == {BUNDLE}


def test_where_less_changes_the_record_keeps_what_it_held() -> None:
    log = Log()
    log.checkpoint(TITLE=1, DAY=1, NOON=1)
    assert log.checkpoint(TITLE=2) == {BUNDLE}


def test_what_a_record_holds_no_more_gets_one_of_its_own() -> None:
    log = Log()
    log.checkpoint(TITLE=1, DAY=1, NOON=1)
    assert log.checkpoint(TITLE=2, DAY=2, ONE=2) == {BUNDLE, tally_key(NOON)}
    assert log.checkpoint(TITLE=3, DAY=3, ONE=3, PARTS=3) == {BUNDLE}


def test_what_comes_back_into_the_record_holds_over_its_older_own() -> None:
    log = Log()
    log.checkpoint(TITLE=1, NOON=1)
    log.checkpoint(TITLE=2, ONE=2)
    log.checkpoint(TITLE=3, NOON=3, DAY=3)
    assert log.restored().fold.tallies == {TITLE: [3], NOON: [3], ONE: [2], DAY: [3]}


def test_what_leaves_is_in_no_record() -> None:
    log = Log()
    log.checkpoint(TITLE=1, DAY=1, NOON=1)
    assert log.checkpoint(NOON=None) == {BUNDLE, tally_key(NOON)}
    log.checkpoint(TITLE=2, ONE=2)
    assert log.checkpoint(DAY=None) == {tally_key(DAY)}


def test_what_leaves_together_and_while_others_change_is_in_no_record() -> None:
    log = Log()
    log.checkpoint(TITLE=1, DAY=1, NOON=1)
    log.checkpoint(DAY=None, NOON=None, TITLE=2, ONE=2)
    assert log.checkpoint(TITLE=None, ONE=None) == {BUNDLE, tally_key(TITLE), tally_key(ONE)}
    assert log.records[BUNDLE] is None


@pytest.mark.parametrize("then", [{"TITLE": 4}, {"TITLE": 4, "ONE": 4}, {"NOON": None}, {"ONE": 4, "DAY": None}])
def test_a_restored_partition_writes_what_the_one_before_would_have(then: dict[str, int | None]) -> None:
    before, after = Log(), Log()
    for log in (before, after):
        log.checkpoint(TITLE=1, DAY=1, NOON=1)
    restored = after.restored()
    after.tallies, after.bundles = restored.fold.tallies, restored.bundles
    assert (after.checkpoint(**then), after.records) == (before.checkpoint(**then), before.records)
