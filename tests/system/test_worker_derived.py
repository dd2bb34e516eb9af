"""What a worker computes from several hashes, over weeks, crashes and corrections: legs, franchises, boards."""

from __future__ import annotations

import pytest
from application import Application, until
from playback import DAY_MS, EVENING_MS, HOUR_MS, whole_viewing

pytestmark = pytest.mark.system

WEEK_MS = 7 * DAY_MS
RELEASE_MS = EVENING_MS - HOUR_MS
HOUSEHOLDS = [f"household {number}" for number in range(20)]
FILM = {"title_id": "film", "franchise_id": "saga", "runtime_ms": 600_000, "release_time_ms": RELEASE_MS}
SEQUEL = {"title_id": "sequel", "franchise_id": "saga", "runtime_ms": 300_000}


def watched_weekly(application: Application, first: int, last: int) -> None:
    """In each of these weeks every household watches the film whole, and half of them the sequel."""
    for week in range(first, last + 1):
        at_ms = EVENING_MS + (week - 1) * WEEK_MS
        for number, household in enumerate(HOUSEHOLDS):
            events = list(whole_viewing(household, "film", at_ms))
            if number % 2:
                events += whole_viewing(household, "sequel", at_ms + HOUR_MS, 300_000)
            application.send(events)


def legs(application: Application, **expected: str) -> bool:
    found = application.hash("title:film:legs")
    return all(found.get(name) == text for name, text in expected.items())


def test_legs_franchises_and_boards_are_whole_over_weeks_crashes_and_corrections(application: Application) -> None:
    application.environment["ENCORE_BOARD_LEAST_STARTERS"] = "20"
    application.load_titles(FILM, SEQUEL)
    worker = application.ready_worker()
    watched_weekly(application, 1, 3)
    until(lambda: legs(application, week="2", hold="1.000000", half_life_days=""), "legs of two weeks")
    worker.kill()
    watched_weekly(application, 4, 6)
    worker = application.ready_worker()
    until(lambda: legs(application, week="5", week_watched_s="12000.000", d28_watched_s="48000.000"), "of five weeks")
    assert legs(application, hold_4w="1.000000", rewatch_share="0.800000", completion_rate="1.000000", unstoppable="0")
    watched_weekly(application, 7, 7)
    until(lambda: legs(application, week="6", unstoppable="1"), "two weeks running")

    until(lambda: application.hash("franchise:saga")["views"] == "210.000000", "views of both titles")
    saga = application.hash("franchise:saga")
    assert {name: saga[name] for name in ("starters", "completers", "repeaters", "completions", "repeat_rate")} == {
        "starters": "20", "completers": "20", "repeaters": "20", "completions": "210", "repeat_rate": "1.000000",
    }  # fmt: skip
    prefix = application.environment["ENCORE_REDIS_PREFIX"]
    assert application.redis.zrevrange(f"{prefix}board:completions", 0, -1, withscores=True) == [
        ("film", 140.0), ("sequel", 70.0),
    ]  # fmt: skip
    assert application.redis.zrange(f"{prefix}board:completion_rate", 0, -1) == ["film"]
    application.verify()

    application.load_titles(FILM | {"release_time_ms": RELEASE_MS + 2 * WEEK_MS, "franchise_id": None})
    until(lambda: legs(application, week="4"), "legs by the other release")
    until(lambda: application.hash("franchise:saga")["views"] == "70.000000", "views of the sequel alone")
    application.verify()
    assert worker.stopped().code == 0
