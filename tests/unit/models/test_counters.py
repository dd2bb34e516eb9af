"""Which counter each fact moves."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from models.counters import HOUR_FIELDS, WINDOW_FIELDS, Counters, count, count_return, histogram_bucket
from models.rules import DAY_MS
from models.viewing import (
    COMPLETED,
    NO_SKIMMER,
    PLAYED,
    SKIMMED,
    STARTED,
    VIEWED,
    WATCHED,
    Fact,
)


def moved(*facts: Fact, kids: bool = False) -> dict[str, Any]:
    """The counters that are not nought after these facts."""
    counters = Counters()
    for fact in facts:
        count(counters, fact, kids)
    return {name: value for name, value in msgspec.structs.asdict(counters).items() if value}


def completed(*ordinals: int) -> list[Fact]:
    return [Fact(COMPLETED, ordinal) for ordinal in ordinals]


@pytest.mark.parametrize(
    ("fact", "counters"),
    [
        (PLAYED, {"plays": 1}), (STARTED, {"starters": 1}), (VIEWED, {"viewers": 1}), (WATCHED, {"watchers": 1}),
        (SKIMMED, {"skimmers": 1}), (NO_SKIMMER, {"skimmers": -1}),
    ],
)  # fmt: skip
def test_a_fact_moves_its_counter(fact: Fact, counters: dict[str, int]) -> None:
    assert moved(fact) == counters


def test_a_first_completion_makes_a_completer_and_no_rewatch() -> None:
    assert moved(*completed(1)) == {"completions": 1, "completers": 1, "rewatch_hist_1": 1}


def test_a_second_one_makes_a_repeater_and_a_rewatch() -> None:
    assert moved(*completed(1, 2)) == {
        "completions": 2, "completers": 1, "repeaters": 1, "rewatches": 1, "rewatch_hist_2": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("completions", "bucket"),
    [
        (0, ""), (1, "rewatch_hist_1"), (2, "rewatch_hist_2"), (3, "rewatch_hist_3_4"), (4, "rewatch_hist_3_4"),
        (5, "rewatch_hist_5_9"), (9, "rewatch_hist_5_9"), (10, "rewatch_hist_10_plus"), (11, "rewatch_hist_10_plus"),
    ],
)  # fmt: skip
def test_a_household_is_in_one_bucket_of_the_histogram(completions: int, bucket: str) -> None:
    assert histogram_bucket(completions) == bucket
    after = moved(*completed(*range(1, completions + 1)))
    assert {name: value for name, value in after.items() if "hist" in name} == ({bucket: 1} if bucket else {})


def test_kids_have_plays_completions_and_rewatches_of_their_own() -> None:
    assert moved(PLAYED, STARTED, VIEWED, WATCHED, *completed(1, 2), kids=True) == {
        "plays": 1, "starters": 1, "viewers": 1, "watchers": 1, "completers": 1, "repeaters": 1, "completions": 2,
        "rewatches": 1, "rewatch_hist_2": 1, "kids_plays": 1, "kids_completions": 2, "kids_rewatches": 1,
    }  # fmt: skip


@pytest.mark.parametrize("kids", [False, True])
def test_completions_by_the_same_profile_and_by_autoplay_have_counters_of_their_own_for_all_segments(
    kids: bool,
) -> None:
    facts = [
        Fact(COMPLETED, 1, autoplay=True), Fact(COMPLETED, 2, same_profile=True),
        Fact(COMPLETED, 3, same_profile=True, autoplay=True), Fact(COMPLETED, 4),
    ]  # fmt: skip
    found = moved(*facts, kids=kids)
    assert (found["profile_rewatches"], found["autoplay_completions"], found["rewatches"]) == (2, 2, 3)


@pytest.mark.parametrize(
    ("after_ms", "counted"),
    [
        (0, (1, 1, 1)), (DAY_MS, (1, 1, 1)), (DAY_MS + 1, (0, 1, 1)), (7 * DAY_MS, (0, 1, 1)),
        (7 * DAY_MS + 1, (0, 0, 1)), (28 * DAY_MS, (0, 0, 1)), (28 * DAY_MS + 1, (0, 0, 0)),
    ],
)  # fmt: skip
def test_a_return_counts_for_each_of_the_spans_that_it_lies_in(after_ms: int, counted: tuple[int, ...]) -> None:
    counters = Counters()
    count_return(counters, after_ms)
    assert (counters.returned_1d, counters.returned_7d, counters.returned_28d) == counted
    assert sum(msgspec.structs.astuple(counters)) == sum(counted)


def test_hours_show_the_first_counters_and_no_returns_windows_those_too_and_no_more() -> None:
    names = Counters.__struct_fields__
    assert names[HOUR_FIELDS:WINDOW_FIELDS] == ("returned_1d", "returned_7d", "returned_28d")
    assert names[WINDOW_FIELDS] == "skimmers"
