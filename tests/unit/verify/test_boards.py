"""The boards: which title is on which, with which score."""

from __future__ import annotations

from typing import Any

import pytest
from recomputation_log import DAY, HOUR, Log, S

from streams.verify.shown import Hashes

SHORT = {"runtime_ms": 100 * S}


def boards(log: Log, **more: Any) -> Hashes:
    return log.recompute(**more).boards


def two_titles() -> Log:
    """One that two households complete, one of them twice; and one that a household only opens, the day after."""
    log = Log().title("one", **SHORT).title("two", **SHORT).title("a b/ü", **SHORT)
    for household, at in (("home", 0), ("home", HOUR), ("h2", 2 * HOUR)):
        log.watch(0, 100, at, f"{household}{at}", title_id="one", household_id=household)
    log.watch(0, 10, DAY, title_id="two")
    return log.add("start", 0, DAY + HOUR, "x", title_id="a b/ü").add(
        "heartbeat", S, DAY + HOUR + S, "x", title_id="a b/ü"
    )


def test_each_board_holds_the_titles_that_have_a_score() -> None:
    assert boards(two_titles(), least_starters=2) == {
        "board:plays": {"one": "3", "two": "1", "a b/ü": "1"},
        "board:starters": {"one": "2"},
        "board:viewers": {"one": "2"},
        "board:completers": {"one": "2"},
        "board:repeaters": {"one": "1"},
        "board:completions": {"one": "3"},
        "board:rewatches": {"one": "1"},
        "board:watched_s": {"one": "300.000", "two": "10.000", "a b/ü": "1.000"},
        "board:views": {"one": "3.000000", "two": "0.100000", "a b/ü": "0.010000"},
        "board:watching_now": {"a b/ü": "1"},
        "board:completion_rate": {"one": "1.000000"},
        "board:repeat_rate": {"one": "0.500000"},
        "board:plays:day:20250616": {"one": "3"},
        "board:starters:day:20250616": {"one": "2"},
        "board:viewers:day:20250616": {"one": "2"},
        "board:completers:day:20250616": {"one": "2"},
        "board:completions:day:20250616": {"one": "3"},
        "board:rewatches:day:20250616": {"one": "1"},
        "board:watched_s:day:20250616": {"one": "300.000"},
        "board:plays:day:20250617": {"two": "1", "a b/ü": "1"},
        "board:watched_s:day:20250617": {"two": "10.000", "a b/ü": "1.000"},
        "titles": {"one": "0", "two": "0", "a b/ü": "0"},
    }


@pytest.mark.parametrize(("least", "there"), [(1, True), (2, True), (3, False)])
def test_rates_are_ranked_of_titles_with_enough_households(least: int, there: bool) -> None:
    found = boards(two_titles(), least_starters=least)
    assert ("board:completion_rate" in found, "board:repeat_rate" in found) == (there, there)


def test_a_completion_rate_needs_starters_and_a_repeat_rate_completers() -> None:
    log = two_titles()
    for number in range(3):  # the first half three times: a starter, and no completer
        log.watch(0, 50, 2 * DAY + number * HOUR, f"half{number}", title_id="one", household_id="h3")
    found = boards(log, least_starters=3)
    assert found["board:completion_rate"] == {"one": "0.666667"}
    assert "board:repeat_rate" not in found


def test_twenty_starters_are_enough_unless_said_otherwise() -> None:
    log = Log()
    for number in range(19):
        log.watch(0, 100, number * HOUR, f"s{number}", household_id=f"h{number}")
    assert "board:completion_rate" not in boards(log)
    assert boards(log.watch(0, 100, DAY, household_id="last"))["board:completion_rate"] == {"film": "1.000000"}


def test_views_that_round_to_nothing_and_unknown_ones_are_no_score() -> None:
    log = Log().title("long", runtime_ms=604_800_000).title("unknown", name="x")
    log.add("start", 0, 0, title_id="long").add("stop", 300, S, title_id="long")  # 0.3 s of a week: 0.0000005
    log.watch(0, 10, HOUR, "b", title_id="unknown")
    assert "board:views" not in boards(log)
    log.add("play", 300, 2 * S, title_id="long").add("stop", 1_300, 3 * S, title_id="long")
    assert boards(log)["board:views"] == {"long": "0.000002"}


def test_franchises_have_boards_of_their_own_and_a_list() -> None:
    log = Log().title("one", franchise_id="saga", name="One: Ü", **SHORT).watch(0, 100, 0)
    log.watch(0, 100, HOUR, "b", title_id="one")
    found = log.recompute(least_starters=1)
    assert found.boards["board:plays:franchises"] == {"saga": "1"}
    assert (found.boards["titles"], found.boards["franchises"]) == ({"film": "0", "one": "0"}, {"saga": "0"})
    named = {name: found.hashes["title:one"][name] for name in ("name", "franchise_id", "runtime_s")}
    assert named == {"name": "One: Ü", "franchise_id": "saga", "runtime_s": "100.000"}
    assert found.hashes["title:film"]["name"] == ""
