"""Completions that another one of the same household followed, within a day, a week and four weeks."""

from __future__ import annotations

import msgspec
import pytest
from partition_log import FILM, Log
from playing import DAY, HOUR, T0

from models.catalog import CatalogRow

RETURNS = ("returned_1d", "returned_7d", "returned_28d")
FIRST_WEEK = ("20250616", "opening", "7d", "28d", "91d", "1")
SHORT = msgspec.structs.replace(FILM, runtime_ms=60_000)


def released(at: float) -> CatalogRow:
    return msgspec.structs.replace(SHORT, release_time_ms=T0 + round(at * 1000))


def completes(log: Log, at: float, **fields: object) -> Log:
    """A short film, completed at a second."""
    return log.watches(at - 60, 60, **fields)


def returned(counters: dict[str, int]) -> list[int]:
    return [counters.get(name, 0) for name in RETURNS]


def returned_in(log: Log, *kinds: str) -> dict[str, list[int]]:
    """The windows in which any completion is one that was followed."""
    found = {name: returned(window) for name, window in log.windows(*kinds).items()}
    return {name: counts for name, counts in found.items() if any(counts)}


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (DAY - 0.001, [1, 1, 1]), (DAY, [1, 1, 1]), (DAY + 0.001, [0, 1, 1]),
        (7 * DAY - 0.001, [0, 1, 1]), (7 * DAY, [0, 1, 1]), (7 * DAY + 0.001, [0, 0, 1]),
        (28 * DAY - 0.001, [0, 0, 1]), (28 * DAY, [0, 0, 1]), (28 * DAY + 0.001, [0, 0, 0]),
    ],
)  # fmt: skip
def test_a_completion_is_a_returned_one_if_the_next_comes_within_so_many_days(after: float, found: list[int]) -> None:
    assert returned(completes(completes(Log(SHORT), 0), after).title()) == found


def test_each_completion_but_the_last_may_be_one() -> None:
    log = Log(SHORT)
    for at in (0, HOUR, 3 * DAY, 20 * DAY):
        completes(log, at)
    assert returned(log.title()) == [1, 2, 3]


def test_it_is_the_same_households_next_one_of_the_same_title() -> None:
    log = completes(completes(Log(SHORT), 0), HOUR, household_id="other")
    assert returned(completes(log, 2 * HOUR, title_id="other", runtime_ms=60_000).title()) == [0, 0, 0]


def test_the_next_one_is_the_next_in_the_log_and_a_late_one_is_as_far_before_as_after() -> None:
    log = completes(completes(Log(SHORT), 10 * DAY), 4 * DAY, arrives=10 * DAY)
    assert returned(log.title()) == [0, 1, 1]
    # It is followed in its turn: by the next one, seven days later to the second.
    assert returned(completes(log, 11 * DAY).title()) == [0, 2, 2]
    assert returned_in(log, "d") == {"20250626": [0, 1, 1], "20250620": [0, 1, 1]}


def test_it_counts_in_the_windows_of_the_completion_that_was_followed_and_in_no_hour() -> None:
    log = completes(completes(Log(released(-HOUR)), 0), 5 * DAY)
    assert returned_in(log, "h", "d", "a", "w") == {name: [0, 1, 1] for name in FIRST_WEEK}


def test_within_one_hour_too_the_hour_takes_none() -> None:
    log = completes(completes(Log(released(-HOUR)), 100), 200)
    assert returned_in(log, "h", "d", "a", "w") == {name: [1, 1, 1] for name in FIRST_WEEK}
    assert log.windows("h")["20250616T00"]["completions"] == 2


def test_the_release_that_holds_when_it_is_followed_says_which_ages() -> None:
    log = completes(Log(released(-HOUR)), 0)
    assert returned_in(completes(log.takes_in(released(-30 * DAY)), DAY), "a", "w") == {"91d": [1] * 3, "5": [1] * 3}
    unreleased = completes(Log(released(-HOUR)), 0)
    assert returned_in(completes(unreleased.takes_in(SHORT), DAY), "a", "w", "d") == {"20250616": [1] * 3}


def test_a_release_off_the_hour_splits_the_hour_of_the_one_that_was_followed() -> None:
    before, after = (completes(Log(released(1_800)), at) for at in (1_799.999, 1_800))
    for log in (before, after):
        completes(log, DAY)
    assert [list(returned_in(log, "w")) for log in (before, after)] == [[], ["1"]]


def test_completions_that_one_event_makes_follow_each_other_at_once() -> None:
    log = Log().watches(0, 60).watches(100, 60).tells("start", 0, at=5 * DAY, runtime_ms=60_000)
    assert log.title()["completions"] == 2
    assert returned(log.title()) == [1, 1, 1]
    assert returned_in(log, "d") == {"20250621": [1, 1, 1]}


def test_a_row_that_was_dropped_has_forgotten_its_last_completion() -> None:
    assert returned(completes(completes(Log(SHORT), 0), 731 * DAY).title()) == [0, 0, 0]


@pytest.mark.parametrize("restarts", [False, True])
def test_the_last_completion_is_known_after_a_rest(restarts: bool) -> None:
    log = completes(Log(SHORT), 0)
    log.drained()
    log.fold.evict(0)
    if restarts:
        log.restarts()
    assert returned(completes(log, DAY).title()) == [1, 1, 1]


def test_what_an_event_counts_beside_a_return_is_of_its_own_time() -> None:
    log = completes(completes(Log(released(0)), HOUR), 8 * DAY)
    assert log.windows("d", "w") == {
        "20250616": {
            "plays": 1, "starters": 1, "viewers": 1, "watchers": 1, "completers": 1, "completions": 1,
            "watched_ms": 60_000, "returned_28d": 1,
        },
        "1": {
            "plays": 1, "starters": 1, "viewers": 1, "watchers": 1, "completers": 1, "completions": 1,
            "watched_ms": 60_000, "returned_28d": 1,
        },
        "20250624": {"plays": 1, "repeaters": 1, "completions": 1, "rewatches": 1, "watched_ms": 60_000},
        "2": {"plays": 1, "repeaters": 1, "completions": 1, "rewatches": 1, "watched_ms": 60_000},
    }  # fmt: skip
