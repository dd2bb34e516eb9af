"""Who completes a title again: the same profile, by autoplay, and how soon. The film is 100 s long."""

from __future__ import annotations

from typing import Any

import pytest
from recomputation_log import DAY, FILM, HOUR, T0, Log, S, told

COUNTERS = ("profile_rewatches", "autoplay_completions", "returned_1d", "returned_7d", "returned_28d")


def seen(log: Log, **more: Any) -> dict[str, str]:
    return {name: text for name, text in log.film(FILM | more).items() if name in (*COUNTERS, "return_rate_7d")}


# Profiles


def by_profiles(*profiles: str | None) -> str | None:
    log = Log()
    for number, profile in enumerate(profiles):
        log.watch(0, 100, number * HOUR, f"s{number}", profile_id=profile)
    return seen(log).get("profile_rewatches")


def test_a_profile_that_completed_before_rewatches() -> None:
    assert by_profiles("mother", "father") is None
    assert by_profiles("mother", "father", "mother") == "1"
    assert by_profiles("mother", "mother", "mother") == "2"


@pytest.mark.parametrize("none", [None, ""])
def test_no_profile_is_never_the_same(none: str | None) -> None:
    assert by_profiles(none, none, "mother", none) is None


@pytest.mark.parametrize(("others", "found"), [(14, "1"), (15, "1"), (16, None)])
def test_a_row_remembers_the_first_16_profiles(others: int, found: str | None) -> None:
    assert by_profiles(*(f"p{number}" for number in range(others)), "last", "last") == found


def test_a_dropped_row_forgets_its_profiles_and_its_last_completion() -> None:
    log = Log().watch(0, 100, 0, profile_id="p").watch(0, 100, 731 * DAY, "b", profile_id="p")
    assert seen(log) == {}


# Autoplay


def test_a_completion_by_autoplay_is_of_a_session_whose_first_event_says_so() -> None:
    first = Log().add("start", 0, 0, autoplay=True).add("stop", 100 * S, 100 * S)
    assert seen(first)["autoplay_completions"] == "1"
    assert seen(Log().add("start", 0, 0).add("stop", 100 * S, 100 * S, autoplay=True)) == {}


def test_completions_that_waited_for_the_length_are_of_the_event_that_states_it() -> None:
    log = Log().watch(0, 100, 0, "a", profile_id="p").watch(0, 100, HOUR, "b")
    log.add("pause", 0, 2 * HOUR, "c", runtime_ms=100 * S, profile_id="q", autoplay=True)
    found = log.film({"title_id": "other"})
    assert {name: found[name] for name in COUNTERS} == {
        "profile_rewatches": "1", "autoplay_completions": "2", "returned_1d": "1", "returned_7d": "1",
        "returned_28d": "1",
    }  # fmt: skip


# How soon


@pytest.mark.parametrize("days", [1, 7, 28])
def test_a_completion_has_returned_within_so_many_days(days: int) -> None:
    for beyond_ms, expected in ((-1, "1"), (0, "1"), (1, None)):
        log = Log().watch(0, 100, 0).watch(0, 100, days * DAY + beyond_ms, "b")
        assert seen(log).get(f"returned_{days}d") == expected


def test_one_that_lies_before_the_one_that_it_follows_is_as_far_away() -> None:
    # The second in the log is of two days earlier.
    log = Log().watch(0, 100, 3 * DAY).watch(0, 100, DAY, "b", timestamp=3 * DAY + HOUR)
    assert seen(log) == {"returned_7d": "1", "returned_28d": "1", "return_rate_7d": "0.500000"}


def test_it_counts_in_the_windows_of_the_first_but_in_no_hour() -> None:
    log = Log().watch(0, 100, 0, profile_kind="kids").watch(0, 100, 2 * DAY, "b")
    hashes = log.recompute(FILM | {"release_time_ms": T0 - 71 * HOUR}).hashes
    windows = {key[11:]: fields for key, fields in hashes.items() if key.startswith("title:film:")}
    returned = {name for name, fields in windows.items() if fields.get("returned_7d") == "1"}
    assert returned == {"day:20250616", "age:opening", "age:7d", "age:28d", "age:91d", "week:1"}
    assert "returned_7d" not in windows["hour:20250616T00"]
    assert (told(windows["day:20250616"])["returned_7d"], windows["day:20250618"]["returned_7d"]) == ("1", "0")


def test_its_windows_by_age_go_by_the_release_that_holds_when_it_is_followed() -> None:
    log = Log().title("film", runtime_ms=100 * S, release_time_ms=T0 - DAY).watch(0, 100, 0)
    log.title("film", runtime_ms=100 * S, release_time_ms=T0 - 8 * DAY).watch(0, 100, DAY, "b")
    hashes = log.recompute().hashes
    assert told(hashes["title:film:week:2"])["returned_1d"] == "1"
    assert "returned_1d" not in told(hashes["title:film:week:1"])


def test_a_franchise_sums_them_up_and_has_a_return_rate_of_its_own() -> None:
    log = Log().title("one", runtime_ms=100 * S, franchise_id="f").title("two", runtime_ms=100 * S, franchise_id="f")
    for number, title in enumerate(("one", "one", "two")):
        log.watch(0, 100, number * HOUR, f"s{number}", title_id=title, profile_id="p", autoplay=True)
    found = log.film(key="franchise:f")
    assert {name: found[name] for name in (*COUNTERS, "return_rate_7d")} == {
        "profile_rewatches": "1", "autoplay_completions": "3", "returned_1d": "1", "returned_7d": "1",
        "returned_28d": "1", "return_rate_7d": "0.333333",
    }  # fmt: skip
