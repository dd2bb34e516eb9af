"""From when on a key may be gone from Redis, or hold less than was counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from recomputation_log import DAY, FILM, HOUR, T0, Log

from streams.config.settings import Settings
from streams.verify.judging import _over
from streams.verify.retention import Retention

NOW = datetime.fromtimestamp(T0 / 1000, UTC)
SETTINGS = Settings(hour_retention_days=8, day_retention_days=400, age_retention_days=1_100)


@pytest.mark.parametrize(
    ("key", "days_after_t0"),
    [
        ("title:a:hour:20250616T00", 8),
        ("title:a:hour:20250617T00", 9),
        ("title:a:day:20250616", 400),
        ("board:plays:day:20250616", 400),
        ("title:a:audience:2025W25", 400),
        ("title:a:audience:2026W01", 400 + 28 * 7),
        ("title:a:curve", None),
        ("title:a:age:opening", 1_090),
        ("title:a:age:91d", 1_090),
        ("title:a:week:104", 1_090),
        ("title:a:legs", 1_090),
        ("title:a%3Aday%3A1", None),
        ("title:a", None),
        ("title:a:dayparts", None),
        ("franchise:a", None),
        ("board:plays", None),
        ("status", None),
    ],
)
def test_hours_and_days_are_kept_from_their_start_and_ages_from_the_release(key: str, days_after_t0: int) -> None:
    retention = Retention.of(SETTINGS, {"a": T0 - 10 * DAY})
    assert retention.until_ms(key) == (None if days_after_t0 is None else T0 + days_after_t0 * DAY)


def over(log: Log, now_days: float, **more: bool) -> tuple[set[str], set[str]]:
    """The kinds of windows that may be missing and that may be less, so many days after T0."""
    expected = log.recompute(FILM | {"release_time_ms": T0})
    found = _over(expected, SETTINGS, NOW + timedelta(days=now_days), expired_too=more.get("expired_too", False))
    return _kinds(found.may_lack), _kinds(found.may_be_less)


def _kinds(keys: set[str]) -> set[str]:
    return {"day board" if key.startswith("board:") else key.split(":")[2] for key in keys}


def test_by_the_wall_clock_windows_may_be_missing() -> None:
    log = Log().watch_minutes(1, HOUR, "a")
    assert over(log, 7.9) == (set(), set())
    assert over(log, 8.1) == ({"hour"}, set())
    assert over(log, 400) == ({"hour", "day", "day board"}, set())
    assert over(log, 1_100) == ({"hour", "day", "day board", "age", "week"}, set())
    assert over(log, 1_100, expired_too=True) == (set(), set())


def test_the_wall_clock_may_be_five_minutes_behind_the_events() -> None:
    log = Log().watch_minutes(1, HOUR, "a")
    assert over(log, 400 - 5 / 1440)[0] == {"hour", "day", "day board"}
    assert over(log, 400 - 6 / 1440)[0] == {"hour"}


def test_by_the_largest_stream_time_they_may_be_less_too() -> None:
    log = Log(partitions=2).watch_minutes(1, HOUR, "a").watch_minutes(1, HOUR, "b", household_id="h2", partition=1)
    log.raw(None, b"", T0 + 8 * DAY - 1, partition=1)
    assert over(log, 0) == (set(), set())
    # The hour of the credit began an hour after T0.
    log.raw(None, b"", T0 + 8 * DAY + HOUR, partition=1)
    assert over(log, 0) == ({"hour"}, {"hour"})
    log.raw(None, b"", T0 + 1_100 * DAY, partition=1)
    days = {"hour", "day", "day board"}
    assert over(log, 0) == (days | {"age", "week"}, days | {"age", "week"})
    log.raw(None, b"", T0 + 1_100 * DAY, partition=0)
    assert "legs" in over(log, 0)[1]


def test_a_corrected_release_is_judged_by_the_earliest() -> None:
    log = Log(partitions=2).title("film", 0, release_time_ms=T0 - DAY).watch_minutes(1, HOUR, "a")
    log.title("film", 0, release_time_ms=T0 + 9 * DAY)
    log.title("film", 1, release_time_ms=T0 + DAY)
    expected = log.recompute()
    assert expected.releases_ms == {"film": T0 - DAY}
    kept = Log().title("film", release_time_ms=T0).title("film", name="x").recompute()
    assert kept.releases_ms == {"film": T0}
