"""By which zone data the recomputation judges an event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recomputation_log import FILM, HOUR, MIN, Log

from streams.verify.zones import ZoneRow, ZonesInForce, installed_zones

ZONES = installed_zones()
BERLIN, KATHMANDU = ZONES["Europe/Berlin"], ZONES["Asia/Kathmandu"]


@pytest.mark.parametrize(("name", "zone"), [("Asia/Kathmandu", KATHMANDU), ("Mars/Base", b""), ("", b""), (None, b"")])
def test_without_rows_zones_are_those_installed_and_others_are_utc(name: str | None, zone: bytes) -> None:
    in_force = ZonesInForce([])
    in_force.reach(7)
    assert (in_force.of(name), in_force.has(name or "")) == (zone, bool(zone))


def test_a_row_holds_from_its_offset_on_until_the_next_one_of_its_name() -> None:
    rows = [ZoneRow(5, "Mars/Base", BERLIN), ZoneRow(9, "Mars/Base", KATHMANDU), ZoneRow(6, "Mars/Moon", BERLIN)]
    in_force, found = ZonesInForce(rows), {}
    for offset in (4, 5, 8, 9, 10):
        in_force.reach(offset)
        found[offset] = in_force.of("Mars/Base")
    assert found == {4: b"", 5: BERLIN, 8: BERLIN, 9: KATHMANDU, 10: KATHMANDU}
    assert in_force.has("Mars/Moon") and not in_force.has("Europe/Berlin")


def test_of_rows_in_one_log_the_data_of_each_event_is_that_of_its_offset() -> None:
    """Three sittings of a minute at 13:30 UTC: 15:30 in Berlin, 19:15 in Kathmandu; UTC is `other`."""
    log = Log()
    for number in range(3):
        log.watch_minutes(1, 13 * HOUR + (30 + number) * MIN, f"s{number}", time_zone="Mars/Base")
    rows = [ZoneRow(3, "Mars/Base", BERLIN), ZoneRow(5, "Mars/Base", KATHMANDU)]
    hashes = log.recompute(FILM | {"runtime_ms": 10 * HOUR}, zones={0: rows}).hashes
    parts: dict[str, Any] = hashes["title:film:dayparts"]
    watched = {name: parts[f"{name}_watched_s"] for name in ("other", "after_school", "evening")}
    assert watched == {"other": "60.000", "after_school": "60.000", "evening": "60.000"}
    # Both events of the first sitting, and the first of the second one, came before the zone was known.
    assert json.loads(hashes["status"]["unknown_zone_events"]) == 3
