"""A household that is forgotten: its rows are gone, nothing counts it any more, and what was watched was watched."""

from __future__ import annotations

import pytest
from partition_log import FILM, SAGA, Log
from playing import DAY, HOUR

from models import erasure
from models.catalog import CatalogRow
from models.erasure import digest_of
from models.pseudonyms import Pseudonyms
from models.windows import DAY as DAY_WINDOW

HOME, STRANGER = digest_of("household"), digest_of("stranger")
SCHOOL_MORNINGS = [day * DAY + 5 * HOUR for day in range(5)]
PARTS = [CatalogRow(title_id=name, runtime_ms=1_000_000, franchise_id="saga") for name in ("one", "two")]


def test_a_digest_is_the_sha_256_of_the_id() -> None:
    assert digest_of("ménage") == "a7bd0a6c4e1e27a827ebd619609e991bb695ccbc0216c7f491fc86b01b84c9e0"


def test_nothing_counts_it_any_more_and_what_it_watched_stays() -> None:
    log = Log(FILM).completes(0, times=2).watches(2_000, 150, household_id="other")
    before = log.title()

    assert log.fold.erase({HOME: 0}) == {HOME: 1}

    assert before == {
        "plays": 3, "starters": 2, "viewers": 1, "watchers": 1, "completers": 1, "repeaters": 1, "completions": 2,
        "rewatches": 1, "watched_ms": 2_150_000, "rewatch_hist_2": 1,
        "returned_1d": 1, "returned_7d": 1, "returned_28d": 1,
    }  # fmt: skip
    assert log.title() == {
        "plays": 3, "starters": 1, "completions": 2, "rewatches": 1, "watched_ms": 2_150_000,
        "returned_1d": 1, "returned_7d": 1, "returned_28d": 1,
    }  # fmt: skip


def test_its_windows_hold_facts_and_stay() -> None:
    log = Log(FILM).completes(0)
    before = log.windows(DAY_WINDOW)

    log.fold.erase({HOME: 0})
    log.watches(3_000, 150, household_id="other")

    (found,) = log.windows(DAY_WINDOW).values()
    (had,) = before.values()
    assert found == had | {"plays": 2, "starters": 2, "watched_ms": 1_150_000}


def test_its_rows_leave_by_tombstones_drained_before_or_not() -> None:
    drained, fresh = Log(FILM).completes(0), Log(FILM).completes(0)
    drained.drained()
    for log in (drained, fresh):
        log.fold.erase({HOME: 0})
        assert log.drained().rows == [("film", "household", None)]
        assert log.fold.titles["film"].rows == {}


def test_it_counts_as_a_stranger_when_it_comes_again() -> None:
    log = Log(FILM).completes(0, times=2)
    log.fold.erase({HOME: 0})
    log.completes(9_000)

    changes = log.drained()
    assert [name for _, name, packed in changes.rows if packed is not None] == ["household"]
    assert log.title() == {
        "plays": 3, "starters": 1, "viewers": 1, "watchers": 1, "completers": 1, "completions": 3, "rewatches": 1,
        "watched_ms": 3_000_000, "rewatch_hist_1": 1, "returned_1d": 1, "returned_7d": 1, "returned_28d": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("until", "watched_ms"), [(1, 150_000), (2, 0), (3, 0)])
def test_its_records_below_the_offset_do_not_count_and_are_events_all_the_same(until: int, watched_ms: int) -> None:
    # The sitting's offsets are 1 and 2. Without its start, its stop credits nothing.
    log = Log(FILM).waits(-10)
    log.fold.erase({HOME: until})
    log.watches(0, 150)
    assert log.title().get("watched_ms", 0) == watched_ms
    assert [list(title.rows) for title in log.fold.titles.values()] == [["household"]] * (until < 3)
    assert log.account() == {"events": 2, "dead_letters": 1}


def test_others_records_below_the_offset_count() -> None:
    log = Log(FILM)
    log.fold.erase({HOME: 100})
    assert log.watches(0, 150, household_id="other").title() == {"plays": 1, "starters": 1, "watched_ms": 150_000}


def test_who_was_none_of_the_erased_may_be_named_by_a_later_erasure() -> None:
    log = Log(FILM)
    log.fold.erase({STRANGER: 100})
    log.watches(0, 150)
    log.fold.erase({HOME: 100})
    assert log.watches(1_000, 150).title() == {"plays": 1, "watched_ms": 150_000}


@pytest.mark.parametrize("most", [1, 2, 3])
def test_however_few_strangers_are_remembered_each_is_counted_and_the_erased_is_not(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "_OTHERS_KEPT", most)
    log = Log(FILM)
    log.fold.erase({HOME: 100})
    for at in (0, 1_000):
        for name in ("one", "two", "household", "three"):
            log.watches(at, 150, household_id=name, play_session_id=f"{name}-{at}")
    assert log.title() == {"plays": 6, "starters": 3, "viewers": 3, "watched_ms": 900_000}


def test_its_streak_is_counted_no_more_and_others_are() -> None:
    log = Log(SAGA)
    for at in SCHOOL_MORNINGS:
        log.watches(at, time_zone="Europe/Berlin").watches(at, time_zone="Europe/Berlin", household_id="other")
    assert log.streaks("before_school") == [2, 2, 0]

    log.fold.erase({HOME: 0})

    assert log.streaks("before_school") == [1, 1, 0]
    assert log.dayparts()["before_school_watched_ms"] == 3_000_000
    assert log.passes(14 * DAY).streaks("before_school") == [0, 0, 0]


def test_a_streak_that_has_ended_is_not_taken_back_twice() -> None:
    log = Log(SAGA)
    for at in SCHOOL_MORNINGS:
        log.watches(at, time_zone="Europe/Berlin")
    log.passes(14 * DAY)
    log.fold.erase({HOME: 0})
    assert log.streaks("before_school") == [0, 0, 0]


def test_nobody_of_it_is_watching_now() -> None:
    log = Log(SAGA).watches(-DAY, household_id="other")
    log.tells("start", 0, at=0).tells("start", 0, at=0, household_id="other", play_session_id="others")
    assert log.watching() == 2
    log.fold.erase({HOME: 0})
    assert log.watching() == 1


def test_a_franchise_counts_it_no_more_whatever_it_was_of_its_titles() -> None:
    log = Log(*PARTS).completes(0, times=2, title_id="one").watches(5_000, 150, title_id="two")
    log.watches(6_000, 150, title_id="two", household_id="other")
    assert log.franchise()["starters"] == 2

    log.fold.erase({HOME: 0})

    assert log.franchise() == {
        "plays": 4, "starters": 1, "completions": 2, "rewatches": 1, "watched_ms": 2_300_000,
        "returned_1d": 1, "returned_7d": 1, "returned_28d": 1,
    }  # fmt: skip


def test_what_a_dropped_row_gave_stays() -> None:
    log = Log(FILM).watches(0, 150).waits(731 * DAY)
    log.fold.erase({HOME: 0})
    assert log.title() == {"plays": 1, "starters": 1, "watched_ms": 150_000}


def test_a_household_that_was_never_there_changes_nothing() -> None:
    log = Log(FILM).completes(0)
    log.drained()
    assert log.fold.erase({STRANGER: 5}) == {STRANGER: 0}
    changes = log.drained()
    assert (changes.rows, changes.tallies) == ([], {})


def test_several_leave_at_once_packed_rows_too() -> None:
    log = Log(FILM).completes(0).completes(0, household_id="stranger").watches(0, 150, household_id="other")
    log.drained()
    log.fold.generation += 2
    log.fold.evict(0)
    assert log.fold.erase({HOME: 0, STRANGER: 0}) == {HOME: 1, STRANGER: 1}
    assert list(log.fold.titles["film"].rows) == ["other"]
    assert log.title()["starters"] == 1


def test_under_pseudonyms_the_digest_is_that_of_the_pseudonym() -> None:
    pseudonyms = Pseudonyms(b"a key of at least thirty-two bytes")
    digest = digest_of(pseudonyms.of(b"household"))
    log = Log(FILM, pseudonyms=pseudonyms).completes(0)
    assert log.fold.erase({HOME: 4, digest: 4}) == {HOME: 0, digest: 1}
    assert log.watches(5_000, 150).title() == {"plays": 1, "completions": 1, "watched_ms": 1_000_000}


def test_a_sweep_under_way_passes_over_who_was_forgotten() -> None:
    log = Log(FILM)
    for number in range(3):
        log.watches(number * 400, 150, household_id=f"home {number}")
    log.drained()
    log.fold.generation += 2
    log.fold.evict(0)
    log.fold.sweep(1)
    log.fold.sweep(1)
    log.fold.erase({digest_of("home 2"): 0})
    for _ in range(4):
        log.fold.sweep(1)
    assert sorted(log.fold.titles["film"].rows) == ["home 0", "home 1"]


def test_the_furthest_of_several_erasures_of_one_household_holds() -> None:
    log = Log(FILM)
    for until in (2, 4, 3):
        log.fold.erase({HOME: until})
    log.watches(0, 150).watches(1_000, 150)
    assert log.title() == {}
    assert log.watches(2_000, 150).title() == {"plays": 1, "starters": 1, "watched_ms": 150_000}
