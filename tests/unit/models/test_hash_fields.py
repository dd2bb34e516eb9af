"""How counters are written for readers."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import astuple

from models.account import StreamCounters
from models.catalog import CatalogRow
from models.counters import ALL_FIELDS, WINDOW_FIELDS, Counters
from models.hash_fields import (
    AUDIENCE,
    BOOKKEEPING,
    CATALOG,
    DAY_BOARDS,
    HOUR,
    JUDGED_BY,
    LEGS,
    RATIO,
    SECONDS,
    STREAM,
    TITLE_BOARDS,
    WHOLE,
    WINDOW,
    audience_fields,
    catalog_fields,
    curve_fields,
    daypart_fields,
    daypart_names,
    encoded_id,
    franchise_fields,
    hour_fields,
    legs_fields,
    rate,
    seconds,
    stream_fields,
    title_fields,
    window_fields,
)
from models.legs import Legs

COUNTERS = Counters(
    plays=7, starters=6, viewers=5, watchers=4, completers=4, repeaters=1, completions=9, rewatches=5,
    watched_ms=1_234_567, kids_plays=3, kids_completions=2, kids_rewatches=1, kids_watched_ms=50, profile_rewatches=21,
    autoplay_completions=22, returned_1d=1, returned_7d=3, returned_28d=6, skimmers=8,
    rewatch_hist_1=11, rewatch_hist_2=12, rewatch_hist_3_4=13, rewatch_hist_5_9=14, rewatch_hist_10_plus=15,
)  # fmt: skip
HOUR_COUNTS = {
    "plays": "7", "starters": "6", "viewers": "5", "watchers": "4", "completers": "4", "repeaters": "1",
    "completions": "9", "rewatches": "5", "watched_s": "1234.567", "kids_plays": "3", "kids_completions": "2",
    "kids_rewatches": "1", "kids_watched_s": "0.050", "profile_rewatches": "21", "autoplay_completions": "22",
}  # fmt: skip
COUNTS = HOUR_COUNTS | {"returned_1d": "1", "returned_7d": "3", "returned_28d": "6"}


def _fields(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_a_windows_hash_holds_counts_and_no_rates() -> None:
    assert _fields(window_fields(astuple(COUNTERS)[:WINDOW_FIELDS])) == COUNTS


def test_an_hours_hash_holds_the_same_less_who_returned() -> None:
    assert _fields(hour_fields(astuple(COUNTERS)[:WINDOW_FIELDS])) == HOUR_COUNTS


def test_a_titles_hash_holds_what_windows_hold_and_rates() -> None:
    assert _fields(title_fields((*astuple(COUNTERS), 2), 1_000_000)) == COUNTS | {
        "skimmers": "8", "rewatch_hist_1": "11", "rewatch_hist_2": "12", "rewatch_hist_3_4": "13",
        "rewatch_hist_5_9": "14", "rewatch_hist_10_plus": "15", "watching_now": "2",
        "views": "1.234567", "completion_rate": "0.666667", "repeat_rate": "0.250000", "return_rate_7d": "0.333333",
    }  # fmt: skip


def test_a_titles_hash_holds_what_the_catalog_states() -> None:
    film = CatalogRow("film", name="Film: Ü", franchise_id="saga", runtime_ms=1_000_000)
    assert _fields(catalog_fields(film)) == {"name": "Film: Ü", "franchise_id": "saga", "runtime_s": "1000.000"}


@pytest.mark.parametrize("row", [None, CatalogRow("film"), CatalogRow("film", name="", runtime_ms=0)])
def test_what_the_catalog_does_not_state_is_empty(row: CatalogRow | None) -> None:
    assert _fields(catalog_fields(row)) == {"name": "", "franchise_id": "", "runtime_s": ""}


def test_rates_are_empty_where_the_divisor_is_unknown_or_nought() -> None:
    shown = _fields(title_fields((*astuple(Counters(watched_ms=5)), 0), 0))
    assert [shown[name] for name in ("views", "completion_rate", "repeat_rate", "return_rate_7d")] == ["", "", "", ""]


@pytest.mark.parametrize(
    ("members", "views"),
    [
        ([], ""),
        ([(500, 1000)], "0.500000"),
        ([(500, 1000), (3000, 2000)], "2.000000"),
        ([(1, 10)] * 10, "1.000000"),
        ([(0, 1000)], "0.000000"),
    ],
)
def test_a_franchises_views_are_those_of_its_titles(members: list[tuple[int, int]], views: str) -> None:
    own = _fields(franchise_fields((*astuple(COUNTERS), 2), members))
    assert own == _fields(title_fields((*astuple(COUNTERS), 2), 0)) | {"views": views}


def test_a_weeks_audience_is_those_reached_and_what_they_were_before() -> None:
    assert _fields(audience_fields([9, 4, 3, 2])) == {
        "reached": "9", "new": "4", "returning": "3", "resurrected": "2",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("length_ms", "slices"),
    [(0, 0), (1, 1), (4_999, 1), (5_000, 1), (9_999, 1), (10_000, 2), (499_999, 99), (500_000, 100), (505_000, 100)],
)
def test_a_curve_has_a_slice_for_each_cell_and_a_hundred_at_most(length_ms: int, slices: int) -> None:
    fields = curve_fields([1] * slices, length_ms)
    assert fields[::2] == (["slices", *map(str, range(slices))] if slices else [])


def test_a_slices_value_is_its_sum_by_its_own_number_of_cells() -> None:
    """Of 250 cells, cell i lies in slice i × 100 // 250: three and two by turns."""
    values = _fields(curve_fields([6] * 100, 250 * 5_000))
    assert [values[name] for name in ("0", "1", "2", "3", "98", "99")] == ["2.000", "3.000"] * 3


@pytest.mark.parametrize(
    ("total", "text"),
    [(0, "0.000"), (24, "0.002"), (25, "0.002"), (26, "0.003"), (34, "0.003"), (35, "0.004"), (36, "0.004"),
     (10_000, "1.000"), (10**19 + 6, "1000000000000000.001")],
)  # fmt: skip
def test_a_slices_value_has_three_decimals_half_to_even(total: int, text: str) -> None:
    assert _fields(curve_fields([total] + [1] * 99, 1_000_000 * 5_000))["0"] == text


@pytest.mark.parametrize("sums", [[], [0, 0, 0], [0, 0, 0, 8]])
def test_where_no_slice_was_played_there_is_no_curve(sums: list[int]) -> None:
    assert curve_fields(sums, 15_000) == []


@pytest.mark.parametrize("sums", [[5], [5, 6, 7, 8]])
def test_sums_by_another_length_do_no_harm(sums: list[int]) -> None:
    assert curve_fields(sums, 15_000)[::2] == ["slices", "0", "1", "2"]


def test_dayparts_are_told_by_their_names() -> None:
    names = daypart_names(["evening", "other"])
    assert _fields(daypart_fields(names, [1_500, 3, 2, 1, 0, 0, 0, 4, 0, 0])) == {
        "evening_watched_s": "1.500", "evening_completions": "3", "evening_streak_3": "2", "evening_streak_5": "1",
        "evening_streak_10": "0", "other_watched_s": "0.000", "other_completions": "0", "other_streak_3": "4",
        "other_streak_5": "0", "other_streak_10": "0",
    }  # fmt: skip


@pytest.mark.parametrize("totals", [[], [0] * 5, [0] * 10, [0] * 15])
def test_a_total_by_other_dayparts_does_no_harm(totals: list[int]) -> None:
    shown = _fields(daypart_fields(daypart_names(["evening", "other"]), totals))
    assert (len(shown), shown["other_watched_s"], shown["other_streak_10"]) == (10, "0.000", "0")


def test_legs_are_empty_where_there_is_no_value() -> None:
    least = Legs(1, 700, None, None, 600, None, None, None, None, None, 0.625, None, 0.75, None, False)
    assert _fields(legs_fields(least)) == {
        "week": "1", "week_watched_s": "0.700", "week_before_watched_s": "", "hold": "", "opening_watched_s": "0.600",
        "d28_watched_s": "", "multiple": "", "half_life_days": "", "hold_4w": "", "hold_4w_before": "",
        "rewatch_share": "0.625000", "rewatch_share_before": "", "completion_rate": "0.750000",
        "completion_rate_before": "", "unstoppable": "0",
    }  # fmt: skip
    assert _fields(legs_fields(least._replace(unstoppable=True, hold=2 / 3))).items() >= {
        "unstoppable": "1", "hold": "0.666667",
    }.items()  # fmt: skip


def test_every_field_is_declared_with_its_kind() -> None:
    legs = legs_fields(Legs(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, False))
    for declared, flat in (
        (WINDOW, window_fields([0] * WINDOW_FIELDS)),
        (HOUR, hour_fields([0] * WINDOW_FIELDS)),
        (AUDIENCE, audience_fields([0] * 4)),
        (WHOLE, title_fields([0] * (ALL_FIELDS + 1), 1)),
        (CATALOG, catalog_fields(CatalogRow("film", runtime_ms=1))),
        (LEGS, legs),
        (STREAM, stream_fields([0] * len(STREAM))),
    ):
        assert [field.name for field in declared] == flat[::2]
        decimals = {SECONDS: 3, RATIO: 6}
        for (_, kind), text in zip(declared, flat[1::2], strict=True):
            assert len(text.partition(".")[2]) == (decimals.get(kind, 0) if text else 0)
    assert [field.name for field in BOOKKEEPING] == ["as_of_ms", "version", "complete"]


def test_boards_rank_by_fields_that_there_are() -> None:
    assert {*TITLE_BOARDS, *JUDGED_BY.values()} <= {field.name for field in WHOLE}
    assert set(DAY_BOARDS) <= {field.name for field in WINDOW}


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "0.000"), (1, "0.001"), (999, "0.999"), (1_000, "1.000"), (1_001, "1.001"), (2**53, "9007199254740.992")],
)
def test_watched_time_is_seconds_with_three_decimals(milliseconds: int, text: str) -> None:
    assert seconds(milliseconds) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 1, "0.000000"), (1, 3, "0.333333"), (2, 3, "0.666667"), (1, 1, "1.000000"), (7, 2, "3.500000"), (0, 0, "")],
)
def test_a_rate_has_six_decimals(part: int, whole: int, text: str) -> None:
    assert rate(part, whole) == text


@pytest.mark.parametrize(
    ("title_id", "encoded"),
    [("aZ09-._~", "aZ09-._~"), ("a b/c:d", "a%20b%2Fc%3Ad"), ("é%*", "%C3%A9%25%2A"), ("😀", "%F0%9F%98%80")],
)
def test_an_id_stands_percent_encoded_in_a_key(title_id: str, encoded: str) -> None:
    assert encoded_id(title_id) == encoded


def test_the_status_shows_the_account_of_all_records() -> None:
    account = StreamCounters(1, 2, 3, 4, 5, 6, 7, 8, 9_001, 10, 11_000, 12)
    assert _fields(stream_fields(list(msgspec.structs.astuple(account)))) == {
        "events": "1", "dead_letters": "2", "late_events": "3", "late_hour_events": "4", "unknown_zone_events": "5",
        "misrouted_events": "6", "stale_events": "7", "player_restarts": "8", "refused_long_s": "9.001",
        "refused_fast_s": "0.010", "refused_gap_s": "11.000", "refused_back": "12",
    }  # fmt: skip
