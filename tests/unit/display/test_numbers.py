"""Numbers in a terminal read well and never mislead."""

from __future__ import annotations

import pytest

from streams.display import numbers


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"), (0, "0"), (559, "559"), (99_999, "99,999"), (100_000, "100K"), (999_499, "999K"),
        (999_500, "1.0M"), (44_012_345, "44.0M"), (999_949_999, "999.9M"), (999_950_000, "1.0B"),
        (1_234_000_000_000, "1,234.0B"),
    ],
)  # fmt: skip
def test_a_count_is_exact_below_a_hundred_thousand_and_short_above(value: int | None, words: str) -> None:
    assert numbers.count(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"), (0.0, "0 s"), (59.4, "59 s"), (60.0, "1 min"), (3_599.0, "60 min"), (3_600.0, "1.0 h"),
        (359_640.0, "99.9 h"), (360_000.0, "100 h"), (9_758_416.206, "2,711 h"), (46_800_000_000.0, "13.0M h"),
    ],
)  # fmt: skip
def test_watched_time_is_told_in_the_unit_that_suits_it(seconds: float | None, words: str) -> None:
    assert numbers.viewing(seconds) == words


def test_what_there_is_none_of_is_a_dash() -> None:
    assert [word(None) for word in (numbers.rate, numbers.factor, numbers.days)] == ["–", "–", "–"]
    assert [numbers.rate(value) for value in (0.0, 0.12345, 1.0)] == ["0.0%", "12.3%", "100.0%"]
    assert (numbers.rate(0.9332), numbers.factor(3.4), numbers.days(63.24)) == ("93.3%", "3.40×", "63.2 days")
    assert (numbers.factor(1_234.5), numbers.days(164.8)) == ("1,234×", "165 days")


@pytest.mark.parametrize(
    ("milliseconds", "place"),
    [(0, "0:00"), (59_999, "0:59"), (60_000, "1:00"), (3_599_999, "59:59"), (3_600_000, "1:00:00")],
)
def test_a_place_in_a_title_is_told_as_players_do(milliseconds: int, place: str) -> None:
    assert numbers.position(milliseconds) == place


@pytest.mark.parametrize(
    ("value", "bar"), [(0, ""), (0.001, "▏"), (1, "▎"), (4, "█"), (6, "█▌"), (8, "██"), (7.7, "█▉"), (7.99, "██")]
)
def test_a_bar_is_as_long_as_its_share_and_something_is_always_to_be_seen(value: float, bar: str) -> None:
    assert numbers.bar(value, 8, 2) == bar


def test_a_bar_of_nothing_is_empty() -> None:
    assert numbers.bar(0, 0, 5) == ""


@pytest.mark.parametrize(
    ("counts", "bars"), [((), ""), ((0, 0), "  "), ((0, 1, 8), " ▁█"), ((7, 8, 9), "▇██"), ((0.5,), "█")]
)
def test_a_series_is_as_high_as_its_largest(counts: tuple[float, ...], bars: str) -> None:
    assert numbers.sparkline(counts) == bars


def test_a_moment_is_told_to_the_minute() -> None:
    assert numbers.moment(1_763_600_000_000) == "as of 2025-11-20 00:53 UTC"
    assert numbers.moment(0) == "no events yet"


def test_a_name_is_one_line_whatever_is_in_it() -> None:
    assert (
        numbers.label("Müller's\n\x1b[31m film")
        == "Müller's\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}[31m film"
    )
