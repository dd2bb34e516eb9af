"""What stands out in a curve, and where in a title it is."""

from __future__ import annotations

import pytest

from streams.display.curve_shape import (
    Fall,
    Peak,
    condensed,
    fall_words,
    most_replayed,
    peak_words,
    position,
    steepest_fall,
    times_played,
)


@pytest.mark.parametrize(
    ("values", "fall"),
    [
        ([], None),
        ([5], None),
        ([1, 2, 2], None),
        ([10, 9, 6, 7], Fall(2, 9, 6)),
        ([4, 2, 4, 2], Fall(1, 4, 2)),
        ([1, 0], Fall(1, 1, 0)),
    ],
)
def test_the_steepest_fall_is_the_largest_drop_to_the_next_slice_the_first_of_several(
    values: list[float], fall: Fall | None
) -> None:
    assert steepest_fall(values) == fall


@pytest.mark.parametrize(("largest", "stands_out"), [(3.99, False), (4, True), (4.01, True)])
def test_a_part_stands_out_from_a_quarter_above_the_mean_on(largest: float, stands_out: bool) -> None:
    assert (most_replayed([3, 3, largest, 3, 3]) is not None) == stands_out


@pytest.mark.parametrize(
    ("values", "peak"),
    [
        ([], None),
        ([0, 0], None),
        ([7, 7, 7], None),
        ([1, 3, 1, 3], Peak(1, 1.5)),
        ([2, 1, 3, 2], Peak(2, 1.5)),
        ([8, 2, 1, 1], None),
        ([7, 8, 2, 1], None),
        ([6, 8, 1, 1], Peak(1, 2.0)),
    ],
)
def test_the_most_replayed_part_is_the_first_that_was_played_most_unless_most_left_after_it(
    values: list[float], peak: Peak | None
) -> None:
    assert most_replayed(values) == peak


@pytest.mark.parametrize(
    ("place", "slices", "length_ms", "words"),
    [
        (0, 100, 0, "0%"),
        (42, 100, 0, "42%"),
        (100, 100, 0, "100%"),
        (7, 50, 0, "0:35"),
        (99, 99, 0, "8:15"),
        (50, 100, 5_700_000, "47:30"),
        (100, 100, 5_700_000, "1:35:00"),
        (1, 100, 1_250_000, "0:15"),
        (50, 100, 60_000, "50%"),
    ],
)
def test_a_place_is_a_time_where_the_length_is_known_and_fits_the_curve_else_a_percentage(
    place: int, slices: int, length_ms: int, words: str
) -> None:
    assert position(place, slices, length_ms) == words


@pytest.mark.parametrize(
    ("values", "most", "shorter"),
    [([], 3, []), ([1, 2], 3, [1, 2]), ([1, 2, 3], 3, [1, 2, 3]), ([1, 3, 5, 7, 9], 2, [3, 8]), ([4, 6], 1, [5])],
)
def test_a_long_series_is_condensed_to_the_means_of_neighbours(
    values: list[float], most: int, shorter: list[float]
) -> None:
    assert condensed(values, most) == shorter


def test_what_stands_out_is_told_with_its_place_and_size() -> None:
    assert fall_words(Fall(42, 212.0, 143.0), 100) == "at 42%: from 212 to 143 times played, −32.5%"
    assert peak_words(Peak(50, 1.6), 100, 5_700_000) == "47:30 to 48:30: 1.60 times the mean"
    assert (fall_words(None, 100), peak_words(None, 100)) == ("none: it falls nowhere", "none stands out")


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (2.667, "2.7"), (99.94, "99.9"), (100.4, "100"), (2e6, "2.0M")]
)
def test_how_often_a_part_was_played_has_a_decimal_where_it_is_little(value: float, words: str) -> None:
    assert times_played(value) == words
