"""Households counted once over the titles of a franchise, and titles that the catalog moves. Films are 100 s long."""

from __future__ import annotations

from typing import Any

import pytest
from recomputation_log import DAY, HOUR, MIN, T0, Log, S, told

from models.rules import Rules

SHORT = {"runtime_ms": 100 * S}
SHARED = {**SHORT, "franchise_id": "saga"}
FORGETFUL = Rules(forget_ms=2 * DAY, grace_ms=DAY, hour_grace_ms=DAY)


def saga(log: Log, key: str = "franchise:saga", **more: Any) -> dict[str, str] | None:
    """What is not zero or empty in a franchise's hash; None without one."""
    fields = log.recompute(**more).hashes.get(key)
    return None if fields is None else told(fields)


def two_films() -> Log:
    return Log().title("one", **SHARED).title("two", **SHARED)


def see(log: Log, title: str, at: int, household: str = "home", seconds: int = 100, **more: Any) -> Log:
    """Watch a title from its beginning on."""
    session = f"{title} {household} {at}"
    return log.watch(0, seconds, at, session, title_id=title, household_id=household, **more)


def test_a_household_counts_once_and_sums_are_sums() -> None:
    log = two_films()
    see(see(log, "one", 0), "two", HOUR, profile_kind="kids")
    assert saga(log) == {
        "plays": "2", "starters": "1", "viewers": "1", "watchers": "1", "completers": "1", "completions": "2",
        "watched_s": "200.000", "rewatch_hist_1": "1", "views": "2.000000", "completion_rate": "1.000000",
        "kids_plays": "1", "kids_completions": "1", "kids_watched_s": "100.000",
    }  # fmt: skip


def test_its_fields_are_those_of_a_title_without_the_catalog_s() -> None:
    hashes = see(two_films(), "one", 0).recompute().hashes
    of_catalog = {name: hashes["title:one"].pop(name) for name in ("name", "franchise_id", "runtime_s")}
    assert hashes["franchise:saga"] == hashes["title:one"]
    assert of_catalog == {"name": "", "franchise_id": "saga", "runtime_s": "100.000"}


def test_a_repeater_is_one_by_the_title_that_it_completed_most_often() -> None:
    log = two_films()
    for number, title in enumerate(("one", "two", "two", "two", "one")):
        see(log, title, number * HOUR)
    see(log, "one", 6 * HOUR, "h2")
    found = saga(log) or {}
    assert {name: found[name] for name in ("completers", "repeaters", "completions", "rewatches")} == {
        "completers": "2", "repeaters": "1", "completions": "6", "rewatches": "3",
    }  # fmt: skip
    assert (found["rewatch_hist_3_4"], found["rewatch_hist_1"], "rewatch_hist_2" in found) == ("1", "1", False)


def test_households_are_starters_viewers_and_watchers_of_any_of_its_titles() -> None:
    long = {"runtime_ms": 10 * HOUR, "franchise_id": "saga"}
    log = Log().title("one", **long).title("two", **long).title("three", **SHARED)
    log.watch_minutes(2, HOUR, "a", title_id="one")
    assert saga(log) == {"plays": "1", "starters": "1", "watched_s": "120.000", "views": "0.003333"}
    log.watch_minutes(5, 2 * HOUR, "b", title_id="two")
    see(log, "three", 3 * HOUR, seconds=70)
    found = saga(log) or {}
    assert (found["starters"], found["viewers"], found["watchers"]) == ("1", "1", "1")


def test_a_skimmer_of_one_title_is_one_of_the_franchise_although_it_completed_another() -> None:
    log = see(two_films(), "one", 0).add("pause", 95 * S, HOUR, "skim", title_id="two")
    assert (saga(log) or {})["skimmers"] == "1"
    see(log, "two", 2 * HOUR)
    assert "skimmers" not in (saga(log) or {})


def test_a_household_in_two_partitions_is_two_households() -> None:
    log = Log(partitions=2)
    for number in range(2):
        log.title("one", number, **SHARED).title("two", number, **SHARED)
    see(log, "one", 0, partition=0)
    see(log, "two", 0, partition=1)
    found = saga(log) or {}
    assert (found["completers"], found["completions"]) == ("2", "2")


# Views


def test_views_are_the_sum_over_the_titles_that_have_them() -> None:
    log = Log().title("one", **SHARED).title("two", franchise_id="saga", runtime_ms=400 * S)
    log.title("three", franchise_id="saga").title("unseen", **SHARED)
    for number, title in enumerate(("one", "two", "three")):
        log.watch(0, 50, number * HOUR, title, title_id=title)
    assert (saga(log) or {})["views"] == "0.625000"  # 50 / 100 + 50 / 400


def test_views_are_empty_where_no_title_with_a_hash_has_a_runtime() -> None:
    log = Log().title("one", franchise_id="saga").title("unseen", **SHARED)
    assert "views" not in (saga(log.watch(0, 50, 0, title_id="one")) or {"views": ""})


# The catalog moves a title


def test_a_title_is_of_a_franchise_from_its_row_on_with_all_that_it_has() -> None:
    log = Log().title("one", **SHARED).title("two", **SHORT)
    see(see(log, "one", 0), "two", HOUR)
    see(log, "two", 2 * HOUR)
    assert (saga(log) or {})["completions"] == "1"
    log.title("two", **SHARED)
    found = saga(log) or {}
    assert (found["completions"], found["completers"], found["rewatch_hist_2"]) == ("3", "1", "1")


def test_a_title_that_leaves_takes_its_households_along() -> None:
    log = two_films()
    see(see(log, "one", 0), "two", HOUR, "h2")
    log.title("two", **SHORT, franchise_id="other")
    assert (saga(log) or {})["completers"] == (saga(log, "franchise:other") or {})["completers"] == "1"
    see(log, "two", 2 * HOUR)  # a household of both titles now: one of each franchise
    assert (saga(log) or {})["completers"] == "1"
    assert (saga(log, "franchise:other") or {})["completers"] == "2"


@pytest.mark.parametrize("row", [{"franchise_id": ""}, {"franchise_id": None}, {"name": "x"}, {}])
def test_a_franchise_without_titles_keeps_its_hash_of_zeros(row: dict[str, Any]) -> None:
    log = see(Log().title("one", **SHARED), "one", 0).title("one", **row)
    assert saga(log) == {}


def test_a_franchise_of_which_nothing_was_ever_counted_has_no_hash() -> None:
    log = Log().title("one", **SHARED).add("pause", 0, 0, title_id="one").title("two", **SHORT)
    see(log, "two", HOUR)
    assert saga(log) is None
    # One that a title was moved to and away from, with no record between: a checkpoint may have seen it.
    assert saga(log, there={"franchise:saga"}) == {}


def after_a_drop() -> Log:
    """A franchise whose only household has been dropped, and a title outside it that another household completed."""
    log = see(Log().title("one", **SHARED).title("two", **SHORT), "one", 0)
    return see(log, "two", 3 * DAY, "h2")


@pytest.mark.parametrize(
    ("title", "row", "completers", "then"),
    [
        ("one", SHARED | {"name": "The One"}, "1", "2"),  # nothing moves: the dropped household stays counted
        ("new", SHARED, None, "1"),  # a title that nobody has seen moves, too
        ("two", SHARED, "1", "1"),  # h2 in place of the one that was dropped
        ("one", SHORT, None, None),
    ],
)
def test_the_households_are_counted_anew_where_the_catalog_moves_any_title(
    title: str, row: dict[str, Any], completers: str | None, then: str | None
) -> None:
    log = after_a_drop().title(title, **row)
    assert (saga(log, rules=FORGETFUL) or {}).get("completers") == completers
    see(log, "one", 4 * DAY, "h2")
    assert (saga(log, rules=FORGETFUL) or {}).get("completers") == then


# Rows that are dropped


@pytest.mark.parametrize(("behind_ms", "completers"), [(0, "1"), (1, "2")])
def test_a_household_whose_row_was_dropped_counts_anew(behind_ms: int, completers: str) -> None:
    # The last applied event of `one` is at 100 s; `two` is completed at 90 s of its own time, two days later.
    log = see(two_films(), "one", 0)
    see(log, "two", 2 * DAY + 10 * S + behind_ms)
    assert (saga(log, rules=FORGETFUL) or {})["completers"] == completers


def test_a_dropped_row_moves_nothing() -> None:
    log = see(two_films(), "one", 0).raw(None, b"", T0 + 10 * DAY)
    assert (saga(log, rules=FORGETFUL) or {})["completers"] == "1"


@pytest.mark.parametrize(("behind_ms", "completers"), [(0, "1"), (1, None)])
def test_a_move_counts_by_the_rows_that_are_live_at_the_record_before(behind_ms: int, completers: str | None) -> None:
    # The row of `one` was applied to at 100 s; the record before the move is two days behind that.
    log = see(Log().title("one", **SHORT), "one", 0).raw(None, b"", T0 + 100 * S + 2 * DAY + behind_ms)
    log.title("one", **SHARED).raw(None, b"", T0 + 20 * DAY)
    found = saga(log, rules=FORGETFUL) or {}
    assert (found.get("completers"), found["completions"]) == (completers, "1")


def test_a_move_after_the_last_record_is_counted_too() -> None:
    log = see(Log().title("one", **SHORT), "one", 0)
    assert saga(log) is None
    assert (saga(log.title("one", **SHARED)) or {})["plays"] == "1"


def test_ids_are_percent_encoded() -> None:
    log = Log().title("one", **SHORT, franchise_id="a:b/ü").watch(0, 50, MIN, title_id="one")
    assert saga(log, "franchise:a%3Ab%2F%C3%BC") is not None
