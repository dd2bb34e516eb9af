"""UTC hours and days, numbered from the epoch, and the names that readers know them by.

Owns the windows' numbers and names. It must not know what windows hold.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOURS_A_DAY = 24


def hour_name(hour: int) -> str:
    """`YYYYMMDDTHH` of an hour's number."""
    return (_EPOCH + timedelta(hours=hour)).strftime("%Y%m%dT%H")


def day_name(day: int) -> str:
    """`YYYYMMDD` of a day's number."""
    return (_EPOCH + timedelta(days=day)).strftime("%Y%m%d")
