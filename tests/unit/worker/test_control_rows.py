"""Zone data as control rows: what is written when a partition is opened, and from which record on it holds."""

from __future__ import annotations

from collections.abc import Mapping

from partition_log import FILM, Log

from models.fold import Fold
from models.rules import Rules
from streams.config.zones import installed_zones
from streams.state.changelog import Position, Restored, position_message
from streams.state.tally_records import Message
from streams.state.zone_records import zone_message
from streams.worker.control_rows import Controls, ControlSources

INSTALLED = installed_zones()
BERLIN, KATHMANDU = INSTALLED["Europe/Berlin"], INSTALLED["Asia/Kathmandu"]
POSITION = position_message(Position(0, "topic", 1, -1, 1, "rules", "zones", 1, [0] * 12))


def controls(fold: Fold) -> Controls:
    return Controls(0, "topic", fold, ControlSources(dict, dict))


def written(position: int, before: Mapping[str, bytes], now: Mapping[str, bytes]) -> list[Message]:
    waiting = controls(Fold(Rules()))
    waiting.apply_zones(position, before, now)
    return waiting.drain()


def test_a_state_that_begins_takes_in_all_zones_at_its_first_offset() -> None:
    assert written(7, {}, INSTALLED) == [zone_message(7, name, data) for name, data in INSTALLED.items()]


def test_a_state_that_goes_on_takes_in_what_differs() -> None:
    before = {"Europe/Berlin": BERLIN, "Asia/Kathmandu": BERLIN, "Mars/Base": BERLIN}
    now = {"Europe/Berlin": BERLIN, "Asia/Kathmandu": KATHMANDU, "Asia/Tokyo": INSTALLED["Asia/Tokyo"]}
    assert written(9, before, now) == [
        zone_message(9, "Asia/Kathmandu", KATHMANDU),
        zone_message(9, "Asia/Tokyo", INSTALLED["Asia/Tokyo"]),
    ]
    assert written(9, INSTALLED, INSTALLED) == []


def test_zone_data_is_handed_over_once_and_waits_for_a_record() -> None:
    waiting = controls(Fold(Rules()))
    waiting.apply_zones(0, {}, {"Europe/Berlin": BERLIN})
    assert not waiting and not waiting.are_urgent
    assert (len(waiting.drain()), waiting.drain()) == (1, [])


def test_zone_data_of_a_state_that_had_none_is_written_without_a_record() -> None:
    waiting = controls(Fold(Rules()))
    waiting.apply_zones(0, {}, {"Europe/Berlin": BERLIN}, waits=False)
    assert waiting and waiting.drain() == [zone_message(0, "Europe/Berlin", BERLIN)]
    assert not waiting


def test_a_record_is_judged_by_the_data_that_was_taken_in_before_it() -> None:
    """13:30 UTC is 15:30 in Berlin and 19:15 in Kathmandu; what is unknown is UTC, and `other`."""
    log, at = Log(FILM, zones={}), 13.5 * 3_600
    told = controls(log.fold)
    log.watches(at, 60, time_zone="Mars/Base")
    told.apply_zones(log.offset, {}, {"Mars/Base": BERLIN})
    log.watches(at + 60, 60, time_zone="Mars/Base")
    told.apply_zones(log.offset, {"Mars/Base": BERLIN}, {"Mars/Base": KATHMANDU})
    log.watches(at + 120, 60, time_zone="Mars/Base")
    log.drained()
    parts = {name: count for name, count in log.dayparts().items() if name.endswith("watched_ms")}
    assert parts == {"other_watched_ms": 60_000, "after_school_watched_ms": 60_000, "evening_watched_ms": 60_000}
    assert log.account()["unknown_zone_events"] == 2


def test_a_restored_fold_judges_by_the_newest_rows_and_by_nothing_that_is_installed() -> None:
    rows = [zone_message(9, "Mars/Base", KATHMANDU), zone_message(5, "Mars/Base", BERLIN), POSITION]
    log = Log(FILM, zones={})
    restored = Restored(log.fold)
    restored.add([(row["key"] or b"", row["value"]) for row in rows])
    restored.finish()
    log.takes_in(FILM).watches(13.5 * 3_600, 60, time_zone="Mars/Base")
    log.watches(13.6 * 3_600, 60, time_zone="Europe/Berlin")
    parts = {name: count for name, count in log.dayparts().items() if name.endswith("watched_ms")}
    assert restored.zones == {"Mars/Base": KATHMANDU}
    assert parts == {"other_watched_ms": 60_000, "evening_watched_ms": 60_000}
    assert log.account()["unknown_zone_events"] == 2
