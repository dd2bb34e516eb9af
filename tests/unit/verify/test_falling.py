"""Gauges that fall while a verification reads: its clocks, and the values that lie between two of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recomputation_log import FILM, MIN, T0, Log, S
from test_compare import as_expected

from models.rules import Rules
from streams.config.settings import Settings
from streams.verify import Catalog, CatalogRow, Difference, Expected, Recomputation, WorkerOutput, compare
from streams.verify import judging as module
from streams.verify.clocks import StateLooks, silent_clocks
from streams.verify.judging import Judge

SESSIONS = 4


def watched() -> Recomputation:
    """Four sessions play the film; the last event of each is a second after that of the one before it."""
    log = Log()
    for number in range(SESSIONS):
        log.add("start", 0, 0, f"s{number}", household_id=f"h{number}")
    for number in range(SESSIONS):
        log.add("heartbeat", (number + 1) * S, (number + 1) * S, f"s{number}", household_id=f"h{number}")
    recomputation = Recomputation(CATALOG, Rules(), 1)
    recomputation.take(log.records)
    return recomputation


ROW = json.dumps(FILM).encode()
CATALOG = Catalog({0: [CatalogRow(0, "film", ROW)]}, {"film": ROW})


def timed_out(sessions: int) -> int:
    """A clock at which so many sessions have timed out."""
    return T0 + sessions * S + 5 * MIN + 1


def expected_at(recomputation: Recomputation, sessions: int) -> Expected:
    return recomputation.expected(CATALOG, {0: {8: timed_out(sessions)}})


def found_at(recomputation: Recomputation, sessions: int, **changed: Any) -> WorkerOutput:
    return as_expected(expected_at(recomputation, sessions), **changed)


# What lies between two clocks


@pytest.mark.parametrize(("gone", "equal"), [(0, False), (1, True), (2, True), (3, True), (4, False)])
def test_a_gauge_may_be_that_of_any_clock_from_one_to_the_other(gone: int, equal: bool) -> None:
    recomputation = watched()
    found = found_at(recomputation, gone)
    earlier, later = expected_at(recomputation, 1), expected_at(recomputation, 3)
    assert (compare(earlier, found, later=later) == []) == equal


@pytest.mark.parametrize("gone", [3, 4])
def test_a_title_may_have_left_the_board_once_nothing_watches_it_by_the_later_clock(gone: int) -> None:
    recomputation = watched()
    found = found_at(recomputation, gone)
    earlier, later = expected_at(recomputation, 3), expected_at(recomputation, 4)
    assert compare(earlier, found, later=later) == []
    assert ("board:watching_now" in found.boards) == (gone == 3)


def test_a_score_of_zero_a_text_or_a_member_that_is_gone_too_early_is_reported() -> None:
    recomputation = watched()
    earlier, later = expected_at(recomputation, 1), expected_at(recomputation, 4)
    found = found_at(recomputation, 2, title__film={"watching_now": "two"})
    found.boards["board:watching_now"] = {"film": "0.0"}
    assert compare(earlier, found, later=later) == [
        Difference("title:film", "watching_now", "3", "two"),
        Difference("board:watching_now", "film", "3", "0.0"),
    ]
    earlier, later = expected_at(recomputation, 1), expected_at(recomputation, 2)
    found = found_at(recomputation, 2)
    found.boards["board:watching_now"] = {}
    assert compare(earlier, found, later=later) == [Difference("board:watching_now", "film", "3", "nothing")]


def test_what_is_no_gauge_is_judged_as_ever() -> None:
    recomputation = watched()
    found = found_at(recomputation, 2, title__film={"plays": "3"})
    earlier, later = expected_at(recomputation, 1), expected_at(recomputation, 3)
    assert compare(earlier, found, later=later) == [Difference("title:film", "plays", "4", "3")]


# Which clocks


class State:
    """A state log that a worker goes on writing: each reading finds that one more session has timed out."""

    def __init__(self, *gone: int) -> None:
        self.positions: dict[int, dict[str, Any]] = {0: {}}
        self.silent: dict[int, dict[int, int]] = {}
        self.erasures: dict[int, dict[tuple[int, str], int]] = {}
        self._gone = list(gone)

    def read_on(self) -> None:
        if self._gone:
            gone = self._gone.pop(0)
            self.silent[0] = {8: timed_out(gone)}
            self.positions[0] = {"incarnation": 1, "sequence": 10 + gone}

    def version(self, _: int) -> tuple[int, int]:
        return self.positions[0].get("incarnation", 0), self.positions[0].get("sequence", 0)

    def catalog(self) -> dict[int, list[CatalogRow]]:
        return dict(CATALOG.taken_in)  # type: ignore[arg-type]

    def told(self) -> dict[int, int]:
        return {}


class Titles:
    def __init__(self) -> None:
        self.rows = {"film": ROW}

    def read_on(self) -> None:
        pass


@pytest.mark.parametrize(("published", "clock"), [(10, 1), (11, 1), (12, 2), (13, 2), (14, 4), (15, 4)])
def test_redis_shows_at_least_the_newest_look_that_was_published_and_never_one_before_the_first(
    published: int, clock: int
) -> None:
    looks, state = StateLooks(), State(1, 2, 4)
    for _ in range(3):
        state.read_on()
        looks.note(state)  # type: ignore[arg-type]
    assert looks.published({0: (1, published)}) == {0: {8: timed_out(clock)}}
    assert looks.published({0: (0, published)}) == looks.published({}) == {0: {8: timed_out(1)}}


def test_a_partition_that_was_never_silent_has_no_clock() -> None:
    state = State()
    assert silent_clocks(state) == {0: {}}  # type: ignore[arg-type]


@pytest.mark.parametrize(("read", "equal"), [(0, False), (1, True), (2, True), (3, True), (4, False)])
def test_sessions_that_time_out_between_the_state_and_redis_make_no_difference(
    read: int, equal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One had timed out before Redis was read, three when it had been read."""
    recomputation, state = watched(), State(1, 3)
    judge = Judge(Settings(), recomputation, state, Titles(), None, expired_too=True)  # type: ignore[arg-type]
    found = found_at(recomputation, read)
    monkeypatch.setattr(module.Judge, "_found_now", lambda _: found)
    differences = judge.compare_now().differences
    assert {each.key for each in differences} == (set() if equal else {"title:film", "board:watching_now"})


def test_what_was_published_before_redis_was_read_bounds_a_later_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the look at which three had timed out is published, Redis must not show that only two have."""
    recomputation, state = watched(), State(1, 2, 3, 4)
    judge = Judge(Settings(), recomputation, state, Titles(), None, expired_too=True)  # type: ignore[arg-type]
    found = found_at(recomputation, 2)
    monkeypatch.setattr(module.Judge, "_found_now", lambda _: found)
    assert judge.compare_now().differences == []
    found.versions[0] = (1, 12)  # type: ignore[index]
    assert judge.compare_now().differences == []
    found.versions[0] = (1, 13)  # type: ignore[index]
    assert {each.found for each in judge.compare_now().differences} == {"2"}
