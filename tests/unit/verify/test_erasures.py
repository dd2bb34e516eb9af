"""Erasures, as the independent recomputation takes them in: by hand, from the rules' page alone."""

from __future__ import annotations

from hashlib import sha256

import pytest
from recomputation_log import DAY, FILM, HOUR, MIN, Log, S, told

from models.rules import Rules
from streams.verify import Catalog, Recomputation

HOME = sha256(b"home").hexdigest()
LONG = {"title_id": "film", "runtime_ms": 10_000 * S}
QUICK = Rules(starter_ms=60 * S, viewer_ms=90 * S)


def erased(log: Log, at: int, until: int = 0) -> dict[str, str]:
    """The film's counters where the household is forgotten before the record of an offset."""
    hashes = log.recompute(rules=QUICK, erasures={0: {(at, HOME): until}}).hashes
    return told(hashes["title:film"])


def test_what_counts_households_falls_and_what_counts_viewing_stays() -> None:
    log = Log().watch(0, 100, 0).watch(0, 100, HOUR, "b").watch(0, 70, HOUR, "c", household_id="other")
    assert erased(log, 10_000) == {
        "plays": "3", "starters": "1", "completions": "2", "rewatches": "1", "watched_s": "270.000",
        "views": "2.700000", "watchers": "1", "returned_1d": "1", "returned_7d": "1", "returned_28d": "1",
        "return_rate_7d": "0.500000",
    }  # fmt: skip


def test_who_comes_later_counts_anew() -> None:
    log = Log().watch(0, 100, 0)
    at = len(log.records)
    log.watch(0, 100, HOUR, "b")
    assert erased(log, at)["completers"] == erased(log, at)["starters"] == erased(log, at)["rewatch_hist_1"] == "1"
    assert "rewatches" not in erased(log, at)
    assert erased(log, at)["completions"] == "2"


@pytest.mark.parametrize(("until", "watched_s"), [(10, "100.000"), (11, "100.000"), (12, "90.000"), (22, None)])
def test_records_below_the_offset_do_not_count(until: int, watched_s: str | None) -> None:
    # The first sitting has the offsets 0 to 10, the second 11 to 21; without its start it begins ten seconds later.
    log = Log().watch(0, 100, 0).watch(0, 100, HOUR, "b")
    expected = log.recompute(rules=QUICK, erasures={0: {(0, HOME): until}})
    assert told(expected.hashes.get("title:film", {})).get("watched_s") == watched_s
    assert told(expected.hashes["status"]) == {"events": "22"}


def test_a_franchise_loses_the_household_once() -> None:
    log = Log().title("one", runtime_ms=100 * S, franchise_id="f").title("two", runtime_ms=100 * S, franchise_id="f")
    for number, title in enumerate(("one", "two")):
        log.watch(0, 100, number * HOUR, title, title_id=title)
        log.watch(0, 70, number * HOUR, f"{title}-b", title_id=title, household_id="other")
    counts = told(log.recompute(rules=QUICK, erasures={0: {(10_000, HOME): 0}}).hashes["franchise:f"])
    assert {name: counts.get(name, "0") for name in ("starters", "completers", "completions", "rewatch_hist_1")} == {
        "starters": "1", "completers": "0", "completions": "2", "rewatch_hist_1": "0",
    }  # fmt: skip


def test_its_streaks_are_gone_and_it_is_watching_no_more() -> None:
    log = Log()
    for day in range(3):
        log.watch_minutes(6, 20 * HOUR + day * DAY, f"{day}")
    log.add("start", 0, 2 * DAY + 21 * HOUR, "now")
    before = log.recompute(LONG)
    after = log.recompute(LONG, erasures={0: {(10_000, HOME): 0}})
    for expected, streak, watching in ((before, "1", "1"), (after, "0", "0")):
        assert expected.hashes["title:film:dayparts"]["evening_streak_3"] == streak
        assert expected.hashes["title:film"]["watching_now"] == watching


def test_what_a_dropped_row_gave_stays() -> None:
    log = Log().watch(0, 100, 0).raw(None, b"", 1_750_032_000_000 + 800 * DAY)
    assert erased(log, 10_000)["completers"] == "1"


def test_one_that_comes_after_the_last_record_and_after_it_was_asked_for_once_counts() -> None:
    log = Log().watch(0, 100, 0).add("start", 0, 200 * S, "now")
    catalog = Catalog({}, {})
    recomputation = Recomputation(catalog, Rules(starter_ms=MIN), 1)
    recomputation.take(log.records)
    first = recomputation.expected(catalog).hashes["title:film"]
    then = recomputation.expected(catalog, None, {0: {(12, HOME): 12}}).hashes["title:film"]
    assert (first["starters"], first["watching_now"]) == ("1", "1")
    assert (then["starters"], then["watching_now"]) == ("0", "0")
    assert recomputation.expected(catalog, None, {0: {(12, HOME): 12}}).hashes["title:film"] == then


def test_an_erasure_of_another_partition_changes_nothing() -> None:
    log = Log(partitions=2).watch(0, 100, 0, partition=1)
    with_it = log.recompute(FILM, erasures={0: {(0, HOME): 100}})
    assert with_it.hashes == log.recompute(FILM).hashes
