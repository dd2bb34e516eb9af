"""Which parts of a title are played how often."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import msgspec
import pytest
from partition_log import FILM, Log
from playing import DAY, HOUR

from models.catalog import CatalogRow
from models.curve import add_played, cells_of_slices, slices_of
from models.erasure import digest_of

LENGTHS_MS = (1, 4_999, 5_000, 9_999, 10_000, 495_000, 500_000, 504_999, 505_000, 520_000, 995_000, 6_003_000)


def of(seconds: float, **more: object) -> CatalogRow:
    return msgspec.structs.replace(FILM, runtime_ms=round(seconds * 1000), **more)


CARTOON = of(50)
"""Ten cells, so ten slices."""


# -- slices -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length_ms", "slices"), [(1, 1), (9_999, 1), (10_000, 2), (495_000, 99), (500_000, 100), (505_000, 100)]
)
def test_a_curve_has_a_slice_for_each_cell_but_a_hundred_at_most(length_ms: int, slices: int) -> None:
    assert slices_of(length_ms) == slices


@pytest.mark.parametrize("length_ms", LENGTHS_MS)
def test_cell_i_lies_in_slice_i_times_slices_over_cells(length_ms: int) -> None:
    cells, slices = max(1, length_ms // 5_000), slices_of(length_ms)
    in_slices = Counter(cell * slices // cells for cell in range(cells))
    assert cells_of_slices(length_ms) == tuple(in_slices[number] for number in range(slices))


@pytest.mark.parametrize("length_ms", LENGTHS_MS)
def test_each_cell_that_is_played_adds_one_to_its_slice(length_ms: int) -> None:
    cells, slices = max(1, length_ms // 5_000), slices_of(length_ms)
    spans = [(cells // 3, cells), (0, cells // 2), (cells // 3, cells // 3), (0, cells), (cells - 1, cells)]
    # As wide as heartbeats are, and just as wide as what is added slice by slice, and wider; some beyond the end.
    spans += [(cells // 2, cells // 2 + wide) for wide in (1, 3, 12, cells // 12, cells // 11, cells // 10, cells)]
    expected = list(range(slices))
    for first, beyond in spans:
        for cell in range(first, min(beyond, cells)):
            expected[cell * slices // cells] += 1
    tally = [7, *range(slices)]
    add_played(tally, list(chain(*spans)), length_ms)
    assert tally == [7, *expected]


# -- what counts --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end", "found"),
    [
        (12.499, 22.501, [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]), (12.5, 22.5, [0, 0, 1, 1, 0, 0, 0, 0, 0, 0]),
        (12.501, 22.5, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]), (40, 60, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]),
        (0, 50, [1] * 10),
    ],
)  # fmt: skip
def test_an_interval_adds_one_to_the_cells_whose_midpoint_lies_in_it(
    begin: float, end: float, found: list[int]
) -> None:
    assert Log(CARTOON).tells("start", begin, at=0).tells("stop", end, at=end - begin).curve() == found


def test_every_time_that_a_part_is_played_counts() -> None:
    log = Log(CARTOON).plays(0, 50, at=0).plays(0, 25, at=100).plays(10, 20, at=200, household_id="other")
    assert log.curve() == [2, 2, 3, 3, 2, 1, 1, 1, 1, 1]


def test_what_is_refused_is_no_part_of_it() -> None:
    log = Log(CARTOON).tells("start", 0, at=0).tells("heartbeat", 10, at=10).tells("heartbeat", 40, at=20)
    assert log.tells("heartbeat", 50, at=30).curve() == [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(("lands_at", "found"), [(0, [0, 1]), (2.5, [0, 1]), (2.501, [1, 1])])
def test_a_loop_counts_what_it_played_before_its_end_and_after_its_beginning_once(
    lands_at: float, found: list[int]
) -> None:
    log = Log(of(10)).tells("start", 5, at=0).tells("heartbeat", lands_at, at=5 + lands_at)
    assert log.curve() == found


def test_a_curve_goes_on_after_every_drain_and_restart() -> None:
    log = Log(CARTOON).plays(0, 50, at=0)
    log.drained()
    log.plays(0, 25, at=100).restarts().plays(0, 10, at=200)
    assert log.curve() == [3, 3, 2, 2, 2, 1, 1, 1, 1, 1]


def test_an_erasure_takes_nothing_back_from_a_curve() -> None:
    log = Log(CARTOON).plays(0, 50, at=0)
    log.fold.erase({digest_of("household"): 0})
    assert log.curve() == [1] * 10


# -- the catalog's length only ------------------------------------------------------------------------------------


def test_a_title_whose_length_only_events_state_has_no_curve() -> None:
    assert Log().plays(0, 50, at=0, runtime_ms=60_000).curve() is None


def test_credits_are_no_part_of_a_curve() -> None:
    assert Log(of(50, credits_start_ms=40_000)).plays(0, 50, at=0).curve() == [1] * 8


@pytest.mark.parametrize("drains", [False, True])
def test_a_changed_length_begins_the_curve_anew(drains: bool) -> None:
    log = Log(CARTOON).plays(0, 50, at=0)
    if drains:
        assert log.curve() == [1] * 10
    log.takes_in(of(25)).plays(10, 20, at=HOUR)
    assert log.curve() == [0, 0, 1, 1, 0]


def test_until_it_is_played_again_a_curve_that_began_anew_is_nothing() -> None:
    log = Log(CARTOON).plays(0, 50, at=0)
    log.drained()
    log.takes_in(of(25))
    assert (log.curve(), log.restarts().curve()) == ([], [])
    assert log.plays(10, 20, at=HOUR).curve() == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("length_s", [49.999, 50, 50.001])
def test_the_same_length_goes_on_with_its_curve_and_any_other_does_not(length_s: float) -> None:
    log = Log(CARTOON).plays(0, 50, at=0)
    log.drained()
    log.takes_in(of(length_s, name="corrected", release_time_ms=0)).plays(0, 10, at=DAY)
    assert (log.curve() or [])[-1] == (1 if length_s == 50 else 0)


def test_a_title_that_leaves_the_catalog_has_no_curve_any_more() -> None:
    log = Log(CARTOON).plays(0, 50, at=0)
    log.drained()
    log.fold.apply_catalog_row("film", None)
    assert log.plays(0, 50, at=HOUR, runtime_ms=60_000).curve() == []
    assert log.takes_in(CARTOON).plays(0, 10, at=DAY).curve() == [1, 1, *[0] * 8]
