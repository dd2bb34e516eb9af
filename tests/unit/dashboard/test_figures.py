"""Numbers on the page: short to read, exact on hover."""

from __future__ import annotations

import pytest

from streams.dashboard import figure
from streams.dashboard.figure import Figure


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (figure.count(44_012_345), Figure("44.0M", "44,012,345")),
        (figure.count(99_999), Figure("99,999", "99,999")),
        (figure.count(None), Figure("–")),
        (figure.count(30, of=120), Figure("30", "30", 0.25)),
        (figure.viewing(9_758_416.206), Figure("2,711 h", "9,758,416.206 s")),
        (figure.rate(0.933222), Figure("93.3%", "0.933222", 0.933)),
        (figure.factor(237.28), Figure("237.28×", "237.28")),
        (figure.days(8.3), Figure("8.3 days", "8.3")),
        (figure.of_metric("watched_s", 90.0, of=180.0), Figure("2 min", "90.000 s", 0.5)),
        (figure.of_metric("repeat_rate", 0.5, of=0.5), Figure("50.0%", "0.5", 1.0)),
        (figure.of_metric("views", 2_007.9), Figure("2,008", "2,007.9")),
    ],
)
def test_a_number_has_short_words_and_its_exact_value(shown: Figure, expected: Figure) -> None:
    assert shown == expected


@pytest.mark.parametrize(
    ("value", "of", "expected"), [(1, 3, 0.333), (3, 3, 1.0), (4, 3, 1.0), (-1, 3, 0.0), (0, 0, 0.0), (None, 3, 0.0)]
)
def test_a_share_is_between_none_and_all(value: float | None, of: float, expected: float) -> None:
    assert figure.share(value, of) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.04, "0.0 s"), (119.9, "119.9 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 days")]
)
def test_an_age_is_told_in_the_unit_that_suits_it(seconds: float, expected: str) -> None:
    assert figure.age(seconds) == expected


def test_a_moment_is_told_to_the_second_and_none_is_empty() -> None:
    assert (figure.moment(1_795_449_936_145), figure.moment(0)) == ("2026-11-23 16:05:36 UTC", "")
