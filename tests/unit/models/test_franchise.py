"""Titles that belong together: additive counters are their sums, households count once across them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from partition_log import Log
from playing import DAY, HOUR

from models.catalog import CatalogRow
from models.tally import FRANCHISE, TallyKey

FORGET = 730 * DAY
ADDITIVE = (
    "plays", "completions", "rewatches", "watched_ms", "kids_plays", "kids_completions", "kids_rewatches",
    "kids_watched_ms", "profile_rewatches", "autoplay_completions", "returned_1d", "returned_7d", "returned_28d",
    "watching_now",
)  # fmt: skip


def part(number: int, franchise_id: str | None = "saga") -> CatalogRow:
    """A film of 1,000 s."""
    return CatalogRow(title_id=f"part {number}", runtime_ms=1_000_000, franchise_id=franchise_id)


def saga(*numbers: int) -> Log:
    return Log(*(part(number) for number in numbers or (1, 2, 3)))


def sums(log: Log, *numbers: int) -> dict[str, int]:
    """The additive counters of these titles together."""
    titles = [log.title(f"part {number}") for number in numbers or (1, 2, 3)]
    return {name: count for name in ADDITIVE if (count := sum(title.get(name, 0) for title in titles))}


def distinct(log: Log, franchise_id: str = "saga") -> dict[str, int]:
    return {name: count for name, count in log.franchise(franchise_id).items() if name not in ADDITIVE}


def completes(log: Log, number: int, times: int = 1, at: float = 0, household: str = "household") -> Log:
    return log.completes(at, times, title_id=f"part {number}", household_id=household)


def starts(log: Log, number: int, at: float = 0, household: str = "household", seconds: float = 150) -> Log:
    return log.watches(at, seconds, title_id=f"part {number}", household_id=household)


# -- households counted once --------------------------------------------------------------------------------------


def test_a_household_counts_once_whichever_titles_it_watched() -> None:
    log = starts(starts(starts(saga(), 1), 2), 2, household="other")
    assert log.franchise() == {"plays": 3, "starters": 2, "watched_ms": 450_000}


def test_it_is_of_the_franchise_what_it_is_of_one_title_and_not_what_two_would_make_it() -> None:
    # Two minutes and a half of each of two films are five minutes of none.
    log = starts(starts(saga(), 1), 2)
    assert distinct(log) == {"starters": 1}
    assert distinct(starts(log, 2)) == {"starters": 1, "viewers": 1}


def test_a_watcher_of_one_and_a_completer_of_another_is_both_once() -> None:
    log = completes(saga(), 1)
    assert distinct(log) == {"starters": 1, "viewers": 1, "watchers": 1, "completers": 1, "rewatch_hist_1": 1}
    assert distinct(starts(log, 2, seconds=800)) == distinct(log)


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ((1, 1, 0), {"completers": 1, "rewatch_hist_1": 1}), ((1, 1, 1), {"completers": 1, "rewatch_hist_1": 1}),
        ((2, 1, 0), {"completers": 1, "repeaters": 1, "rewatch_hist_2": 1}),
        ((1, 3, 2), {"completers": 1, "repeaters": 1, "rewatch_hist_3_4": 1}),
        ((4, 4, 4), {"completers": 1, "repeaters": 1, "rewatch_hist_3_4": 1}),
        ((5, 0, 1), {"completers": 1, "repeaters": 1, "rewatch_hist_5_9": 1}),
        ((9, 9, 9), {"completers": 1, "repeaters": 1, "rewatch_hist_5_9": 1}),
        ((9, 10, 9), {"completers": 1, "repeaters": 1, "rewatch_hist_10_plus": 1}),
    ],
)  # fmt: skip
def test_repeaters_and_the_histogram_go_by_the_most_completions_of_one_title(
    times: tuple[int, ...], found: dict[str, int]
) -> None:
    log = saga()
    for number, completions in enumerate(times, start=1):
        completes(log, number, completions, at=number * 20_000)
    others = {"starters": 1, "viewers": 1, "watchers": 1}
    assert distinct(log) == found | others
    assert log.franchise()["completions"] == sum(times)
    assert log.franchise().get("rewatches", 0) == sum(max(0, each - 1) for each in times)


def test_the_order_of_completions_is_all_the_same() -> None:
    one_by_one, by_turns = saga(), saga()
    for number in (1, 2):
        completes(one_by_one, number, 3, at=number * 10_000)
    for turn in range(3):
        for number in (2, 1):
            completes(by_turns, number, at=turn * 3_000 + number * 1_000)
    assert one_by_one.franchise() == by_turns.franchise()


def test_households_are_in_one_bucket_each() -> None:
    log = saga()
    for number, household in enumerate("abcd", start=1):
        completes(log, 1, number, household=household)
        completes(log, 2, 2, household=household, at=HOUR)
    assert distinct(log) == {
        "starters": 4, "viewers": 4, "watchers": 4, "completers": 4, "repeaters": 4, "rewatch_hist_2": 2,
        "rewatch_hist_3_4": 2,
    }  # fmt: skip


# -- skimmers -----------------------------------------------------------------------------------------------------


def skims(log: Log, number: int, at: float = 0) -> Log:
    return log.tells("pause", 950, at=at, title_id=f"part {number}", play_session_id=f"skims {number}")


def test_a_skimmer_of_one_title_is_one_of_the_franchise_until_it_completes_that() -> None:
    log = skims(saga(), 1)
    assert log.franchise() == {"skimmers": 1}
    completes(log, 1, at=10)
    assert "skimmers" not in log.franchise()


def test_a_skimmer_is_none_of_the_franchise_any_more_once_it_has_covered_half_of_that_title() -> None:
    log = skims(skims(saga(), 1), 2)
    starts(log, 1, at=10, seconds=500)
    assert log.franchise()["skimmers"] == 1
    starts(log, 2, at=HOUR, seconds=500)
    assert distinct(log) == {"starters": 1, "viewers": 1}


def test_a_skimmer_of_one_title_stays_one_while_it_completes_another() -> None:
    log = completes(skims(saga(), 1), 2, at=10)
    assert {name: log.franchise()[name] for name in ("skimmers", "completers")} == {"skimmers": 1, "completers": 1}


def test_a_skimmer_of_two_titles_is_one_until_it_has_completed_both() -> None:
    log = skims(skims(saga(), 1), 2)
    assert log.franchise() == {"skimmers": 1}
    assert completes(log, 1, at=10).franchise()["skimmers"] == 1
    assert "skimmers" not in completes(log, 2, at=HOUR).franchise()


# -- sums ---------------------------------------------------------------------------------------------------------


def test_additive_counters_are_the_titles_sums_after_every_drain() -> None:
    log = saga()
    for step, number in enumerate((1, 2, 1, 3, 2, 1), start=1):
        kids = {"profile_kind": "kids"} if number < 3 else {}
        log.completes(step * 2 * HOUR, step, title_id=f"part {number}", household_id=f"h{step % 2}", **kids)
        log.tells("start", 0, at=(step * 2 + 1.9) * HOUR, title_id=f"part {number}", play_session_id=f"now {step}")
        found = log.franchise()
        assert {name: found[name] for name in ADDITIVE if name in found} == sums(log)
    assert {name: log.franchise()[name] for name in ("completions", "kids_completions", "watching_now")} == {
        "completions": 21, "kids_completions": 17, "watching_now": 1,
    }  # fmt: skip


def test_who_completes_again_and_by_whom_is_summed_over_the_titles() -> None:
    log = saga()
    for number in (1, 2):
        for day in (0, 1, 5):
            completes_by = {"profile_id": "mia", "autoplay": day == 1}
            log.completes(day * DAY + number * HOUR, title_id=f"part {number}", **completes_by)
    again = ("profile_rewatches", "autoplay_completions", "returned_1d", "returned_7d", "returned_28d")
    assert [log.franchise()[name] for name in again] == [4, 2, 2, 4, 4]
    # What was completed of another title is no return.
    assert log.franchise()["completions"] == 6


def test_who_watches_any_of_the_titles_now_is_summed_and_ends_by_the_clock() -> None:
    log = starts(starts(saga(), 1, at=-DAY), 2, at=-DAY)
    log.tells("start", 0, at=0, title_id="part 1").tells("start", 0, at=100, title_id="part 2")
    assert [log.passes(at).franchise().get("watching_now", 0) for at in (100, 301, 401)] == [2, 1, 0]


def test_who_watches_a_title_now_comes_and_goes_with_it() -> None:
    log = starts(starts(saga(), 1, at=-DAY), 2, at=-DAY).tells("start", 0, at=0, title_id="part 1")
    assert log.franchise()["watching_now"] == 1
    log.takes_in(part(1, "elsewhere"))
    assert ("watching_now" in log.franchise(), log.franchise("elsewhere")["watching_now"]) == (False, 1)
    assert log.takes_in(part(1)).franchise()["watching_now"] == 1


def test_no_windows_dayparts_or_streaks_are_kept_of_a_franchise() -> None:
    log = saga()
    for day in range(3):
        starts(log, 1, at=day * DAY + 7 * HOUR, seconds=300)
    log.drained()
    assert [key for key in log.fold.tallies if key.title_id == "saga"] == [TallyKey(FRANCHISE, 0, "saga")]


def test_a_franchise_and_a_title_may_have_one_name() -> None:
    log = Log(msgspec.structs.replace(part(1), franchise_id="part 1"), part(2, "part 1"))
    starts(starts(log, 1), 2, seconds=100)
    assert (log.title("part 1")["plays"], log.franchise("part 1")["plays"]) == (1, 2)


@pytest.mark.parametrize("franchise_id", [None, ""])
def test_a_title_without_a_franchise_belongs_to_none(franchise_id: str | None) -> None:
    log = starts(Log(part(1, franchise_id)), 1)
    log.drained()
    assert {key.kind for key in log.fold.tallies} & {FRANCHISE} == set()


def test_a_franchise_of_which_nothing_counts_has_no_tally() -> None:
    log = saga().tells("start", 0, at=0, title_id="part 1")
    assert log.drained().tallies == {}


def test_a_drain_hands_over_the_franchises_that_changed() -> None:
    log = starts(Log(part(1), part(2, "other")), 1)
    assert starts(log, 2).drained(3).tallies[TallyKey(FRANCHISE, 0, "other")][0] == 3
    assert log.drained(4).tallies == {}
    starts(log, 1, at=HOUR, seconds=0.5)
    assert {key for key in log.drained(5).tallies if key.kind == FRANCHISE} == {TallyKey(FRANCHISE, 0, "saga")}


# -- titles that come and go --------------------------------------------------------------------------------------


def test_a_title_that_comes_brings_its_households_and_sums() -> None:
    log = completes(completes(Log(part(1), part(2, None)), 1, 2), 2, 3, at=HOUR)
    starts(log, 2, household="other")
    assert log.franchise()["completions"] == 2
    log.drained()
    log.takes_in(part(2))
    assert distinct(log) == {
        "starters": 2, "viewers": 1, "watchers": 1, "completers": 1, "repeaters": 1, "rewatch_hist_3_4": 1,
    }  # fmt: skip
    assert log.franchise() == distinct(log) | sums(log, 1, 2)


def test_a_title_that_goes_takes_along_what_only_it_had() -> None:
    log = completes(completes(saga(), 1, 2), 2, 3, at=HOUR)
    starts(log, 2, household="other").drained()
    log.takes_in(part(2, "elsewhere"))
    assert log.franchise() == sums(log, 1) | {
        "starters": 1, "viewers": 1, "watchers": 1, "completers": 1, "repeaters": 1, "rewatch_hist_2": 1,
    }  # fmt: skip
    assert log.franchise("elsewhere") == sums(log, 2) | {
        "starters": 2, "viewers": 1, "watchers": 1, "completers": 1, "repeaters": 1, "rewatch_hist_3_4": 1,
    }  # fmt: skip


@pytest.mark.parametrize("row", [part(1, None), part(1, ""), None])
def test_a_franchise_that_its_last_title_left_is_nought(row: CatalogRow | None) -> None:
    log = completes(saga(1), 1)
    log.drained()
    log.fold.apply_catalog_row("part 1", row)
    assert log.franchise() == {}
    assert log.fold.tallies[TallyKey(FRANCHISE, 0, "saga")] == [1] + [0] * 25
    completes(log, 1, at=HOUR)
    assert log.franchise() == {}


def test_from_then_on_its_events_count_where_it_belongs_now() -> None:
    log = completes(saga(), 1)
    log.drained()
    log.takes_in(part(1, "elsewhere"))
    completes(log, 1, at=HOUR)
    assert log.franchise() == {}
    assert log.franchise("elsewhere")["completions"] == 2
    assert distinct(log, "elsewhere")["rewatch_hist_2"] == 1


def test_a_correction_that_names_the_same_franchise_counts_nothing_anew() -> None:
    # The household's row is forgotten by then: counted anew it would be none.
    log = completes(saga(), 1).waits(1_000 + FORGET + 1)
    before = log.franchise()
    log.takes_in(msgspec.structs.replace(part(1), runtime_ms=900_000))
    assert log.franchise() == before


def test_a_title_that_nobody_has_watched_moves_nothing() -> None:
    log = completes(saga(), 1)
    log.drained(1)
    log.takes_in(part(2, "elsewhere")).takes_in(part(9))
    assert log.drained(2).tallies == {}


@pytest.mark.parametrize("goes_on", [lambda log: log, Log.restarts])
def test_a_title_that_comes_has_its_franchise_counted_anew_though_nobody_has_watched_it(
    goes_on: Callable[[Log], Log],
) -> None:
    log = completes(saga(1), 1).waits(1_000 + FORGET + 1)
    log.tells("start", 0, at=1_000 + FORGET + 1, title_id="part 2", content_kind="trailer")  # leaves no trace
    assert distinct(log)["starters"] == 1
    goes_on(log).takes_in(part(2))
    assert distinct(log) == {}
    assert log.franchise() == sums(log, 1)


def test_a_title_may_come_and_go_between_two_records() -> None:
    log = completes(completes(saga(1, 2), 1), 2, 2, at=HOUR)
    before = log.franchise()
    log.takes_in(part(2, "elsewhere")).takes_in(part(2))
    assert (log.franchise(), log.franchise("elsewhere")) == (before, {})


def test_what_was_not_drained_yet_when_a_title_moved_counts_where_it_is() -> None:
    log = completes(saga(1, 2), 1).takes_in(part(1, "elsewhere"))
    completes(completes(log, 2, 2, at=HOUR), 1, at=3 * HOUR)
    assert log.franchise() == sums(log, 2) | distinct(log)
    assert log.franchise("elsewhere") == sums(log, 1) | distinct(log, "elsewhere")
    assert (distinct(log)["rewatch_hist_2"], distinct(log, "elsewhere")["rewatch_hist_2"]) == (1, 1)


# -- rows that are forgotten, and other workers -------------------------------------------------------------------


@pytest.mark.parametrize(("over", "starters"), [(-0.001, 1), (0, 1), (0.001, 2)])
def test_a_row_that_is_forgotten_counts_no_more_for_what_its_household_does_elsewhere(
    over: float, starters: int
) -> None:
    # Its dropping moves nothing: the household, new again, becomes a starter of the franchise a second time.
    log = starts(saga(), 1)
    later = 150 + FORGET + over
    log.tells("start", 0, at=later - 150, title_id="part 2", play_session_id="later")
    log.tells("stop", 150, at=later, title_id="part 2", play_session_id="later")
    assert distinct(log) == {"starters": starters}


@pytest.mark.parametrize(("over", "starters"), [(-0.001, 1), (0, 1), (0.001, 0)])
def test_counted_anew_a_franchise_has_the_households_whose_rows_are_not_forgotten(over: float, starters: int) -> None:
    log = starts(saga(1), 1).waits(150 + FORGET + over)
    log.drained()
    log.takes_in(part(1, "elsewhere")).waits(800 * DAY)  # judged at the time of the record before
    assert distinct(log, "elsewhere") == ({"starters": 1} if starters else {})
    assert log.franchise("elsewhere")["plays"] == 1


def test_a_household_whose_row_was_dropped_counts_anew_beside_what_stays() -> None:
    log = completes(saga(), 1)
    completes(log, 1, at=800 * DAY)
    assert distinct(log) == {
        "starters": 2, "viewers": 2, "watchers": 2, "completers": 2, "rewatch_hist_1": 2,
    }  # fmt: skip
    assert log.title("part 1")["completers"] == 2


def test_a_row_at_rest_counts_as_one_in_use() -> None:
    log = completes(starts(saga(), 2), 1)
    for _ in range(3):
        log.drained()
        log.fold.evict(0)
    before = distinct(log)
    starts(log, 3, at=HOUR)
    starts(log, 2, at=HOUR)
    assert distinct(log) == before
    log.takes_in(part(1, "elsewhere"))
    assert distinct(log) == {"starters": 1, "viewers": 1}


def test_another_worker_goes_on_where_this_one_was() -> None:
    log, undisturbed = saga(), saga()
    for each in (log, undisturbed):
        completes(starts(each, 1), 2, 2, at=HOUR)
        each.tells("start", 0, at=2 * HOUR, title_id="part 2", play_session_id="now")
    log.restarts()
    assert log.drained().tallies == {}
    assert log.franchise() == undisturbed.franchise()
    for each in (log, undisturbed):
        completes(each, 1, 3, at=3 * HOUR)
        each.takes_in(part(2, None)).waits(5 * HOUR)
    assert log.franchise() == undisturbed.franchise()
