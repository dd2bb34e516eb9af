"""Cells of five seconds, and which of them an interval covers."""

from __future__ import annotations

import pytest

from models.coverage import cells_between, cells_of, count_within, plane_of
from models.rules import UNKNOWN_LENGTH_CELLS


@pytest.mark.parametrize(
    ("length_ms", "cells"),
    [(1, 1), (4_999, 1), (5_000, 1), (5_001, 1), (9_999, 1), (10_000, 2), (10_001, 2), (3_600_000, 720)],
)
def test_a_title_has_whole_cells_only_and_at_least_one(length_ms: int, cells: int) -> None:
    assert cells_of(length_ms) == cells


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "cells"),
    [
        (0, 2_499, 0b0), (0, 2_500, 0b0), (0, 2_501, 0b1),
        (2_499, 2_501, 0b1), (2_500, 2_501, 0b1), (2_501, 7_500, 0b0),
        (0, 7_501, 0b11), (2_501, 7_501, 0b10), (0, 20_000, 0b1111), (17_500, 17_501, 0b1000), (5, 5, 0b0),
    ],
)  # fmt: skip
def test_a_cell_is_covered_when_its_midpoint_lies_in_the_half_open_interval(
    start_ms: int, end_ms: int, cells: int
) -> None:
    assert plane_of(*cells_between(start_ms, end_ms, 20_000)) == cells


def test_cells_past_the_last_are_left_out() -> None:
    assert cells_between(0, 1_000_000, 14_999) == (0, 2)
    assert plane_of(*cells_between(500_000, 1_000_000, 14_999)) == 0


def test_while_the_length_is_unknown_a_day_of_cells_is_kept() -> None:
    assert cells_between(0, 7 * 86_400_000, 0) == (0, UNKNOWN_LENGTH_CELLS)
    assert cells_between(0, 2_501, 0) == (0, 1)


@pytest.mark.parametrize(("end_ms", "covered"), [(4_000, 0), (4_001, 1), (4_002, 1)])
def test_where_there_is_one_cell_its_midpoint_is_the_titles(end_ms: int, covered: int) -> None:
    assert cells_between(0, end_ms, 8_000) == (0, covered)
    assert cells_between(4_001, end_ms, 8_000) == (0, 0)


@pytest.mark.parametrize(("plane", "count"), [(0, 0), (0b101, 2), (0b111, 3), (0b1000, 0), (0b11111, 3)])
def test_only_cells_of_the_title_are_counted(plane: int, count: int) -> None:
    assert count_within(plane, 0b111) == count
