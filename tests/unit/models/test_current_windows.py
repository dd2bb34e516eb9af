"""Windows that move as their title does: which they are, that their sums are right, and that readers are told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from partition_log import FILM, SAGA, Log
from playing import T0

from models.catalog import CatalogRow
from models.rules import DAY_MS, HOUR_MS
from models.tally import TallyKey

HOUR, DAY = 3_600.0, 86_400.0
TITLE, FIRST_DAY = TallyKey("t", 0, "film"), TallyKey("d", T0 // DAY_MS, "film")
RELEASED = CatalogRow(title_id="film", runtime_ms=36_000_000, release_time_ms=T0 - HOUR_MS)

GOES_ON: list[Callable[[Log], Log]] = [lambda log: log, Log.restarts]


def hour(number: int) -> TallyKey:
    return TallyKey("h", T0 // HOUR_MS + number, "film")


def current(log: Log) -> set[TallyKey]:
    windows = log.fold.tallies.current.get("film")
    return set() if windows is None else set(windows.lacks)


def watched_s(log: Log, *keys: TallyKey) -> list[int]:
    return [log.tally(key).get("watched_ms", 0) // 1000 for key in keys]


def test_the_windows_of_the_latest_hour_are_current() -> None:
    log = Log(RELEASED).watches(0, 100)
    log.drained()
    ages = {TallyKey("a", place, "film") for place in range(4)}
    assert current(log) == {hour(0), FIRST_DAY, TallyKey("w", 1, "film")} | ages
    log.watches(HOUR, 100).drained(2)
    assert current(log) == {hour(1), FIRST_DAY, TallyKey("w", 1, "film")} | ages


@pytest.mark.parametrize("goes_on", GOES_ON)
def test_within_the_hour_nothing_but_the_title_changes_and_its_windows_move_with_it(
    goes_on: Callable[[Log], Log],
) -> None:
    log = Log(SAGA).watches(0, 100)
    log.drained(1)
    changes = goes_on(log).watches(200, 50, household_id="other").drained(2)
    assert ({key.kind for key in changes.tallies}, dict(changes.current), set(changes.moved)) == (
        {"t", "l", "v"}, {}, {"film"},
    )  # fmt: skip
    assert watched_s(log, TITLE, hour(0), FIRST_DAY) == [150, 150, 150]


@pytest.mark.parametrize("goes_on", GOES_ON)
def test_an_hour_that_is_over_stands_alone_and_moves_no_more(goes_on: Callable[[Log], Log]) -> None:
    log = Log(SAGA).watches(0, 100)
    log.drained(1)
    changes = goes_on(log).watches(HOUR, 50).drained(2)
    # What it says was said at the first drain.
    assert changes.tallies[hour(0)] == [1, *log.fold.tallies[hour(0)][1:]]
    assert watched_s(log, TITLE, hour(0), hour(1), FIRST_DAY) == [150, 100, 50, 150]


@pytest.mark.parametrize("goes_on", GOES_ON)
def test_what_comes_late_moves_its_own_hour_and_not_the_current_one(goes_on: Callable[[Log], Log]) -> None:
    log = Log(SAGA).watches(0, 100).watches(HOUR, 50)
    log.drained(1)
    goes_on(log).watches(600, 7, arrives=HOUR + 60, household_id="late")
    assert set(log.changed(2)) >= {TITLE, hour(0), FIRST_DAY}
    assert watched_s(log, TITLE, hour(0), hour(1), FIRST_DAY) == [157, 107, 50, 157]
    log.watches(HOUR + 300, 20)
    assert watched_s(log, TITLE, hour(0), hour(1), FIRST_DAY) == [177, 107, 70, 177]


@pytest.mark.parametrize("goes_on", GOES_ON)
def test_what_comes_too_late_for_its_hour_moves_none(goes_on: Callable[[Log], Log]) -> None:
    log = Log(SAGA).watches(4 * DAY, 100)
    log.drained(1)
    goes_on(log).watches(0, 7, arrives=4 * DAY + 60, household_id="late").watches(4 * DAY + 300, 20)
    days = [TallyKey("d", FIRST_DAY.number + days, "film") for days in (0, 4)]
    assert watched_s(log, TITLE, *days, hour(0), hour(96)) == [127, 7, 120, 0, 120]


@pytest.mark.parametrize("goes_on", GOES_ON)
def test_late_and_in_time_in_one_drain_are_told_apart(goes_on: Callable[[Log], Log]) -> None:
    log = Log(SAGA).watches(HOUR, 50)
    log.drained(1)
    goes_on(log).watches(2 * HOUR, 20).watches(0, 7, arrives=2 * HOUR + 60, household_id="late").watches(HOUR + 100, 3)
    assert watched_s(log, TITLE, hour(0), hour(1), hour(2), FIRST_DAY) == [80, 7, 53, 20, 80]


def test_the_hour_of_which_only_late_events_came_becomes_the_current_one_with_what_it_has() -> None:
    log = Log(SAGA).watches(0, 100).waits(HOUR)
    log.drained(1)
    log.watches(HOUR, 50).watches(200, 5, arrives=HOUR + 60, household_id="late").drained(2)
    log.watches(2 * HOUR, 1).drained(3)
    assert watched_s(log, hour(0), hour(1), hour(2)) == [105, 50, 1]


@pytest.mark.parametrize("goes_on", GOES_ON)
@pytest.mark.parametrize("release_ms", [T0 - 30 * 60_000, T0 - 400 * DAY_MS, None])
def test_a_corrected_release_leaves_what_was_counted_where_it_is(
    release_ms: int | None, goes_on: Callable[[Log], Log]
) -> None:
    log = Log(RELEASED).watches(0, 100)
    log.drained(1)
    goes_on(log).watches(200, 10).takes_in(
        CatalogRow(title_id="film", runtime_ms=36_000_000, release_time_ms=release_ms)
    )
    assert current(log) == set()
    log.watches(400, 5)
    opening = TallyKey("a", 0, "film")
    assert watched_s(log, TITLE, hour(0), FIRST_DAY) == [115, 115, 115]
    assert watched_s(log, opening) == [115 if release_ms == T0 - 30 * 60_000 else 110]


@pytest.mark.parametrize("goes_on", GOES_ON)
def test_other_corrections_change_no_window(goes_on: Callable[[Log], Log]) -> None:
    log = Log(SAGA).watches(0, 100)
    log.drained(1)
    goes_on(log).watches(200, 10).takes_in(FILM).watches(400, 5)
    assert watched_s(log, TITLE, hour(0), FIRST_DAY) == [115, 115, 115]


@pytest.mark.parametrize("goes_on", GOES_ON)
def test_where_a_current_window_leaves_the_others_stand_alone(goes_on: Callable[[Log], Log]) -> None:
    log = Log(SAGA).watches(0, 100)
    log.drained(1)
    changes = goes_on(log).waits(10 * DAY).drained(2)
    assert (changes.tallies[hour(0)], dict(changes.current), set(changes.moved)) == (None, {"film": None}, set())
    assert (current(log), hour(0) in log.fold.tallies) == (set(), False)
    assert watched_s(log, TITLE, FIRST_DAY) == [100, 100]


def test_who_watches_moves_the_title_and_no_window() -> None:
    log = Log(SAGA).watches(0, 100).tells("start", 0, at=110)
    log.drained(1)
    before = {key: log.fold.tallies[key][1:] for key in current(log)}
    changes = log.waits(30 * 60).drained(2)
    assert (set(changes.tallies), set(changes.moved)) == ({TITLE}, set())
    assert {key: log.fold.tallies[key][1:] for key in current(log)} == before
