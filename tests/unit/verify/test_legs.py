"""Legs: by hand, and the half-life by DuckDB's own regression."""

from __future__ import annotations

import math

import duckdb
import pytest
from recomputation_log import DAY, FILM, HOUR, T0, Log

from streams.verify.legs import legs
from streams.verify.sums import Counts

WEEK = 7 * DAY


def of_weeks(*watched_ms: int, age: dict[str, int] | None = None, **counts: list[int]) -> dict[str, Counts]:
    """Windows of the weeks from the first on, and of `age:<name>`."""
    windows: dict[str, Counts] = {f"week:{n}": {"watched_ms": ms} for n, ms in enumerate(watched_ms, 1)}
    for kind, numbers in counts.items():
        for n, number in enumerate(numbers, 1):
            windows.setdefault(f"week:{n}", {})[kind] = number
    return windows | {f"age:{name}": {"watched_ms": ms} for name, ms in (age or {}).items()}


def after(weeks: int, windows: dict[str, Counts]) -> dict[str, str]:
    """The legs so many weeks after the release."""
    return legs(windows, 0, weeks * WEEK)


def test_all_fields_of_a_title_of_six_weeks() -> None:
    windows = of_weeks(
        1_000_000, 800_000, 600_000, 500_000, 450_000, 405_000, 1, age={"opening": 400_000, "28d": 2_900_000},
        starters=[100, 50, 20, 10, 10, 10, 999], completers=[50, 40, 30, 20, 10, 10, 999],
        completions=[50, 50, 50, 50, 50, 50, 999], rewatches=[0, 10, 20, 30, 40, 40, 999],
    )  # fmt: skip
    assert after(6, windows) == {
        "week": "6",
        "week_watched_s": "405.000",
        "week_before_watched_s": "450.000",
        "hold": "0.900000",
        "opening_watched_s": "400.000",
        "d28_watched_s": "2900.000",
        "multiple": "7.250000",
        "half_life_days": _by_duckdb(1_000_000, 800_000, 600_000, 500_000, 450_000, 405_000),
        "hold_4w": f"{math.pow(405 / 800, 0.25):.6f}",
        "hold_4w_before": f"{math.pow(450 / 1000, 0.25):.6f}",
        "rewatch_share": "0.466667",  # 140 of 300
        "rewatch_share_before": "0.400000",  # 100 of 250
        "completion_rate": "0.800000",  # 160 of 200
        "completion_rate_before": "0.789474",  # 150 of 190
        "unstoppable": "0",
    }


@pytest.mark.parametrize(("age_ms", "week"), [(WEEK - 1, None), (WEEK, "1"), (2 * WEEK - 1, "1"), (2 * WEEK, "2")])
def test_the_week_is_the_last_that_is_complete(age_ms: int, week: str | None) -> None:
    assert legs(of_weeks(5, 5), 1_000, 1_000 + age_ms).get("week") == week


@pytest.mark.parametrize(("weeks", "week"), [(103, "103"), (104, "104"), (105, "104"), (1000, "104")])
def test_there_is_no_week_after_the_104th(weeks: int, week: str) -> None:
    assert after(weeks, of_weeks(*range(104, 0, -1)))["week"] == week


def test_the_first_week_has_none_before() -> None:
    fields = after(1, of_weeks(5_000, completions=[4], rewatches=[1]))
    assert {name for name, value in fields.items() if value == ""} == {
        "week_before_watched_s", "d28_watched_s", "hold", "multiple", "half_life_days", "hold_4w", "hold_4w_before",
        "rewatch_share_before", "completion_rate", "completion_rate_before",
    }  # fmt: skip
    assert (fields["week_watched_s"], fields["rewatch_share"]) == ("5.000", "0.250000")


def test_a_week_without_a_window_is_of_nothing() -> None:
    fields = after(6, of_weeks(5_000))
    assert (fields["week_watched_s"], fields["week_before_watched_s"], fields["hold"]) == ("0.000", "0.000", "")
    assert (fields["hold_4w"], fields["hold_4w_before"]) == ("", "0.000000")  # nothing of nothing, nothing of five
    assert after(3, of_weeks(5, 4, 0))["hold"] == "0.000000"


@pytest.mark.parametrize(
    ("age_ms", "multiple", "d28"),
    [(28 * DAY - 1, "", ""), (28 * DAY, "2.500000", "5.000"), (28 * DAY + 1, "2.500000", "5.000")],
)
def test_the_multiple_and_its_28_days_are_there_from_28_days_on(age_ms: int, multiple: str, d28: str) -> None:
    fields = legs(of_weeks(1, age={"opening": 2_000, "28d": 5_000}), 0, age_ms)
    assert (fields["multiple"], fields["d28_watched_s"], fields["opening_watched_s"]) == (multiple, d28, "2.000")
    assert legs(of_weeks(1, age={"28d": 5_000}), 0, age_ms)["multiple"] == ""


# Half-life


def _by_duckdb(*weeks: int) -> str:
    rows = ", ".join(f"({n}, {watched})" for n, watched in enumerate(weeks))
    query = f"SELECT 7 * ln(2) / -regr_slope(ln(watched), week) FROM (VALUES {rows}) AS weeks(week, watched)"
    (row,) = duckdb.sql(query).fetchall()
    return f"{row[0]:.6f}"


def test_what_halves_each_week_has_a_half_life_of_a_week() -> None:
    assert after(6, of_weeks(32, 16, 8, 4, 2, 1))["half_life_days"] == "7.000000"
    assert after(6, of_weeks(8, 8, 4, 4, 2, 2))["half_life_days"] == "15.312500"  # 7 x 35 / 16: slope -16/35 ln 2


@pytest.mark.parametrize(
    "weeks",
    [(900, 800, 700, 600, 500, 400), (10**9, 7, 10**8, 3, 10**6, 5), (5, 9, 4, 8, 3, 7), (100, 100, 100, 100, 100, 99)],
)
def test_the_half_life_is_that_of_the_least_squares_line(weeks: tuple[int, ...]) -> None:
    assert after(6, of_weeks(*weeks))["half_life_days"] == _by_duckdb(*weeks)


def test_the_half_life_is_that_of_the_last_six_complete_weeks() -> None:
    weeks = (1, 7, 900, 800, 700, 600, 500, 400, 10**6)
    assert after(8, of_weeks(*weeks))["half_life_days"] == _by_duckdb(*weeks[2:8])


@pytest.mark.parametrize(
    "weeks",
    [
        (1, 2, 3, 4, 5, 6),
        (7, 7, 7, 7, 7, 7),
        (9, 5, 2, 2, 5, 9),
        (1, 32, 1, 1, 1, 8),  # 8^5 = 32^3: level, although logarithms round
        (1, 2, 3, 0, 1, 1),
        (5, 4, 3, 2, 1),
    ],
)
def test_none_where_the_line_does_not_fall_a_week_is_empty_or_there_are_not_six(weeks: tuple[int, ...]) -> None:
    assert after(len(weeks), of_weeks(*weeks))["half_life_days"] == ""


# Unstoppable


def unstoppable(first: int, fifth: int, completions: int = 100, rewatches: int = 30, completers: int = 60) -> str:
    """By the fifth and sixth week, with one hundred starters in the first week."""
    windows = of_weeks(
        first, first, first, first, fifth, fifth,
        starters=[100], completers=[completers], completions=[completions], rewatches=[rewatches],
    )  # fmt: skip
    return after(6, windows)["unstoppable"]


@pytest.mark.parametrize(("fifth", "found"), [(52_200_624, "0"), (52_200_625, "1"), (52_200_626, "1")])
def test_the_mean_hold_of_four_weeks_is_85_percent(fifth: int, found: str) -> None:
    assert unstoppable(10**8, fifth) == found  # 0.85 to the fourth power is 0.52200625


@pytest.mark.parametrize(("rewatches", "found"), [(29, "0"), (30, "1"), (31, "1")])
def test_rewatches_are_three_tenths_of_the_completions(rewatches: int, found: str) -> None:
    assert unstoppable(100, 100, rewatches=rewatches) == found


@pytest.mark.parametrize(("completers", "found"), [(59, "0"), (60, "1"), (61, "1")])
def test_six_of_ten_starters_complete(completers: int, found: str) -> None:
    assert unstoppable(100, 100, completers=completers) == found


@pytest.mark.parametrize(("starters", "found"), [(19, "0"), (20, "1"), (21, "1")])
def test_twenty_households_have_begun_by_the_week_before(starters: int, found: str) -> None:
    begun = [19, 0, 0, 0, starters - 19, 99]
    windows = of_weeks(*[5] * 6, starters=begun, completers=[100], completions=[9], rewatches=[9])
    assert after(6, windows)["unstoppable"] == found


def test_the_completion_rate_is_never_above_1() -> None:
    fields = after(6, of_weeks(*[5] * 6, starters=[50], completers=[49, 0, 0, 0, 1, 1]))
    assert (fields["completion_rate"], fields["completion_rate_before"]) == ("1.000000", "1.000000")
    assert after(4, of_weeks(*[5] * 4, starters=[50], completers=[49]))["completion_rate"] == "0.980000"


def test_the_week_and_the_one_before_both_qualify_and_none_before_the_fifth() -> None:
    rest = {"starters": [100], "completers": [60], "completions": [100], "rewatches": [30]}
    found = [after(weeks, of_weeks(*[5] * weeks, **rest))["unstoppable"] for weeks in range(1, 9)]
    assert found == ["0", "0", "0", "0", "0", "1", "1", "1"]
    assert after(6, of_weeks(5, 5, 5, 5, 1, 5, **rest))["unstoppable"] == "0"  # the fifth week fell
    assert after(7, of_weeks(5, 5, 5, 5, 1, 5, 5, **rest))["unstoppable"] == "1"


@pytest.mark.parametrize("missing", ["starters", "completions"])
def test_an_empty_share_does_not_qualify(missing: str) -> None:
    rest = {"starters": [100], "completers": [60], "completions": [100], "rewatches": [30]} | {missing: [0]}
    assert after(6, of_weeks(*[5] * 6, **rest))["unstoppable"] == "0"
    assert after(6, of_weeks(0, 0, 5, 5, 5, 5, **rest))["unstoppable"] == "0"


# From a log


def test_legs_go_by_the_least_stream_time_of_the_partitions_that_have_records() -> None:
    row = FILM | {"release_time_ms": T0}
    log = Log(partitions=3).watch_minutes(1, HOUR, "a").raw(None, b"", T0 + 3 * WEEK)
    assert log.recompute(row).hashes["title:film:legs"]["week"] == "3"
    log.raw(None, b"", T0 + 2 * WEEK, partition=2)
    assert log.recompute(row).hashes["title:film:legs"]["week"] == "2"
    log.raw(None, b"", T0 + WEEK - 1, partition=1).silence(5 * WEEK, partition=1)
    assert "title:film:legs" not in log.recompute(row).hashes


def test_legs_go_by_the_release_that_the_catalog_has_now_and_weeks_by_the_one_of_their_time() -> None:
    log = Log().title("film", release_time_ms=T0).watch_minutes(1, HOUR, "a").raw(None, b"", T0 + 3 * WEEK)
    log.title("film", release_time_ms=T0 + WEEK)
    fields = log.recompute().hashes["title:film:legs"]
    assert (fields["week"], fields["week_watched_s"], fields["opening_watched_s"]) == ("2", "0.000", "60.000")
    assert "title:film:legs" not in log.title("film", name="no release").recompute().hashes


def test_a_title_without_a_hash_has_no_legs() -> None:
    log = Log().raw(None, b"", T0 + 3 * WEEK)
    assert list(log.recompute(FILM | {"release_time_ms": T0}).hashes) == ["status"]
