"""Names of hours and days."""

from __future__ import annotations

import pytest

from models.events import END_OF_CALENDAR_MS
from models.rules import DAY_MS, HOUR_MS
from models.windows import day_name, hour_name

MIDNIGHT = 1_750_032_000_000


@pytest.mark.parametrize(
    ("time_ms", "hour", "day"),
    [
        (0, "19700101T00", "19700101"),
        (MIDNIGHT - 1, "20250615T23", "20250615"),
        (MIDNIGHT, "20250616T00", "20250616"),
        (MIDNIGHT + 1, "20250616T00", "20250616"),
        (MIDNIGHT + HOUR_MS, "20250616T01", "20250616"),
        (1_709_164_800_000, "20240229T00", "20240229"),
        (END_OF_CALENDAR_MS - 1, "99991231T23", "99991231"),
    ],
)
def test_a_window_is_named_after_its_utc_hour_or_day(time_ms: int, hour: str, day: str) -> None:
    assert (hour_name(time_ms // HOUR_MS), day_name(time_ms // DAY_MS)) == (hour, day)
