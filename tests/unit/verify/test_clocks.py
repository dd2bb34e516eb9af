"""Sessions that are being watched, by the partition's clock, and windows by the title's age."""

from __future__ import annotations

import json

import pytest
from recomputation_log import DAY, FILM, HOUR, MIN, T0, Log, S, told

from models.rules import Rules
from streams.verify import Catalog, CatalogRow, Expected, Recomputation, recompute

WEEK = 7 * DAY


def watching(log: Log, key: str = "title:film", **more: object) -> str | None:
    """`watching_now` of a title's or franchise's hash; None without the hash."""
    return log.recompute(**more).hashes.get(key, {}).get("watching_now")


# Watching now


@pytest.mark.parametrize(("age_ms", "found"), [(299_999, "1"), (300_000, "1"), (300_001, "0")])
def test_a_session_is_being_watched_for_five_minutes_after_its_last_event(age_ms: int, found: str) -> None:
    log = Log().add("start", 0, 0).add("heartbeat", 10 * S, 10 * S)
    assert watching(log.raw(None, b"", T0 + 10 * S + age_ms)) == found


@pytest.mark.parametrize(("age_ms", "found"), [(300_000, "1"), (300_001, "0")])
def test_the_silent_clock_ends_it_too(age_ms: int, found: str) -> None:
    log = Log().add("start", 0, 0).add("heartbeat", 10 * S, 10 * S).silence(10 * S + age_ms)
    assert watching(log) == found


def test_a_silent_clock_that_is_behind_the_stream_time_does_nothing() -> None:
    log = Log().watch(0, 10, 0).add("play", 10 * S, HOUR).silence(0)
    assert watching(log) == "1"


def test_the_clock_is_each_partitions_own() -> None:
    log = Log(partitions=2).watch(0, 10, 0, partition=0).add("play", 10 * S, HOUR, partition=0)
    log.watch(0, 10, 2 * HOUR, household_id="h2", partition=1)
    log.add("play", 10 * S, 3 * HOUR, household_id="h2", partition=1)
    assert watching(log) == "2"
    assert watching(log.silence(4 * HOUR, partition=1)) == "1"


@pytest.mark.parametrize(("kind", "found"), [("play", "1"), ("pause", "0"), ("buffer", "0"), ("stop", "0")])
def test_only_what_plays_is_being_watched(kind: str, found: str) -> None:
    assert watching(Log().watch(0, 10, 0).add(kind, 10 * S, 20 * S)) == found


def test_sessions_count_and_not_households_and_an_event_ahead_of_the_clock_counts() -> None:
    log = Log().watch(0, 10, 0)
    for number in range(3):
        log.add("start", 0, MIN + 5 * MIN, f"tv{number}", timestamp=MIN)
    assert watching(log) == "3"


def test_the_seconds_are_a_setting() -> None:
    log = Log().watch(0, 10, 0).add("play", 10 * S, MIN).raw(None, b"", T0 + 2 * MIN)
    assert watching(log) == "1"
    assert watching(log, rules=Rules(watching_ms=MIN - 1)) == "0"


def test_a_franchise_is_watched_where_its_titles_are() -> None:
    log = Log().title("a", franchise_id="f").title("b", franchise_id="f").title("c", franchise_id="g")
    for title in "abc":
        log.watch(0, 10, 0, title, title_id=title).add("play", 10 * S, MIN, title, title_id=title)
    assert (watching(log, "franchise:f"), watching(log, "franchise:g")) == ("2", "1")


def test_a_session_counts_once_its_partition_has_counted_anything_of_the_title() -> None:
    log = Log(partitions=2).add("start", 0, 0, partition=0).add("start", 0, 0, "b", partition=1, household_id="h2")
    assert watching(log, there={"title:film"}) is None
    log.add("heartbeat", 1, S, partition=0)
    assert watching(log) == "1"
    assert watching(log.add("heartbeat", 1, S, "b", partition=1, household_id="h2")) == "2"


def test_gauges_fall_while_the_expectation_is_asked_for_again() -> None:
    log = Log().watch_minutes(5, 0, "a").add("play", 5 * MIN, 1)
    recomputation = Recomputation(Catalog(), Rules(), 1)
    recomputation.take(log.records)
    seen = [recomputation.expected(Catalog(), {0: {3: T0 + at}}) for at in (MIN, 5 * MIN + 1, 5 * MIN + 2)]
    assert [each.hashes["title:film"]["watching_now"] for each in seen] == ["1", "1", "0"]
    assert [each.boards.get("board:watching_now") for each in seen] == [{"film": "1"}, {"film": "1"}, None]


# Windows by age


def by_age(expected: Expected) -> dict[str, str]:
    """What was watched, in seconds, by the names of the windows by age."""
    parts = {key.partition("title:film:")[2]: fields for key, fields in expected.hashes.items()}
    return {name: str(int(float(of["watched_s"]))) for name, of in parts.items() if name.startswith(("age:", "week:"))}


@pytest.mark.parametrize(
    ("age_ms", "windows"),
    [
        (-1, []),
        (0, ["age:28d", "age:7d", "age:91d", "age:opening", "week:1"]),
        (72 * HOUR - 1, ["age:28d", "age:7d", "age:91d", "age:opening", "week:1"]),
        (72 * HOUR, ["age:28d", "age:7d", "age:91d", "week:1"]),
        (WEEK - 1, ["age:28d", "age:7d", "age:91d", "week:1"]),
        (WEEK, ["age:28d", "age:91d", "week:2"]),
        (4 * WEEK - 1, ["age:28d", "age:91d", "week:4"]),
        (4 * WEEK, ["age:91d", "week:5"]),
        (13 * WEEK - 1, ["age:91d", "week:13"]),
        (13 * WEEK, ["week:14"]),
        (104 * WEEK - 1, ["week:104"]),
        (104 * WEEK, []),
    ],
)
def test_windows_by_age_are_half_open(age_ms: int, windows: list[str]) -> None:
    log = Log().watch_minutes(1, 0, "a")
    assert sorted(by_age(log.recompute(FILM | {"release_time_ms": T0 - age_ms}))) == windows


def test_a_window_by_age_holds_what_a_day_holds() -> None:
    log = Log().watch(0, 100, HOUR, profile_kind="kids").watch(0, 100, 2 * HOUR, "b")
    hashes = log.recompute(FILM | {"release_time_ms": T0}).hashes
    day = hashes["title:film:day:20250616"]
    assert told(day)["rewatches"] == told(day)["kids_plays"] == "1"
    for name in ("age:opening", "age:7d", "age:28d", "age:91d", "week:1"):
        assert hashes[f"title:film:{name}"] == day


def test_late_events_restate_windows_by_age_however_late() -> None:
    log = Log().watch_minutes(1, 0, "a", timestamp=30 * DAY - MIN)
    assert by_age(log.recompute(FILM | {"release_time_ms": T0 - HOUR}))["age:opening"] == "60"


@pytest.mark.parametrize("row", [{}, {"release_time_ms": None}])
def test_without_a_release_there_are_none(row: dict[str, None]) -> None:
    assert by_age(Log().watch_minutes(1, 0, "a").recompute(FILM | row)) == {}


@pytest.mark.parametrize("release_ms", [-(2**63), 2**63 - 1])
def test_a_release_may_be_as_far_away_as_a_number_can_say(release_ms: int) -> None:
    assert by_age(Log().watch_minutes(1, 0, "a").recompute(FILM | {"release_time_ms": release_ms})) == {}


def test_a_corrected_release_moves_nothing_that_was_counted_before() -> None:
    log = Log().title("film", release_time_ms=T0 - WEEK).watch_minutes(1, 0, "a")
    log.title("film", release_time_ms=T0).watch_minutes(2, HOUR, "b")
    assert by_age(log.recompute()) == {
        "week:2": "60", "week:1": "120", "age:opening": "120", "age:7d": "120", "age:28d": "180", "age:91d": "180",
    }  # fmt: skip


def test_the_release_is_the_one_of_each_partitions_own_catalog() -> None:
    log = Log(partitions=2).watch_minutes(1, 0, "a", partition=0).watch_minutes(2, 0, "b", partition=1)
    rows = [CatalogRow(0, "film", json.dumps(FILM | {"release_time_ms": T0 - HOUR}).encode())]
    expected = recompute(log.records, Catalog({1: rows}), Rules(), 2)
    assert by_age(expected) == dict.fromkeys(("week:1", "age:opening", "age:7d", "age:28d", "age:91d"), "120")
