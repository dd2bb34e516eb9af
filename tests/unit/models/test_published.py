"""How counters are written for readers."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import astuple

from models.counters import WINDOW_FIELDS, Counters, StreamCounters
from models.published import encoded_id, rate, seconds, stream_fields, title_fields, window_fields

COUNTERS = Counters(
    plays=7, starters=6, viewers=5, watchers=4, completers=4, repeaters=1, completions=9, rewatches=5,
    watched_ms=1_234_567, kids_plays=3, kids_completions=2, kids_rewatches=1, kids_watched_ms=50, skimmers=8,
    rewatch_hist_1=11, rewatch_hist_2=12, rewatch_hist_3_4=13, rewatch_hist_5_9=14, rewatch_hist_10_plus=15,
)  # fmt: skip
WINDOW = {
    "plays": "7", "starters": "6", "viewers": "5", "watchers": "4", "completers": "4", "repeaters": "1",
    "completions": "9", "rewatches": "5", "watched_s": "1234.567", "kids_plays": "3", "kids_completions": "2",
    "kids_rewatches": "1", "kids_watched_s": "0.050",
}  # fmt: skip


def _fields(flat: list[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def test_a_windows_hash_holds_counts_and_no_rates() -> None:
    assert _fields(window_fields(astuple(COUNTERS)[:WINDOW_FIELDS])) == WINDOW


def test_a_titles_hash_holds_what_windows_hold_and_rates() -> None:
    assert _fields(title_fields(astuple(COUNTERS), 1_000_000)) == WINDOW | {
        "skimmers": "8", "rewatch_hist_1": "11", "rewatch_hist_2": "12", "rewatch_hist_3_4": "13",
        "rewatch_hist_5_9": "14", "rewatch_hist_10_plus": "15",
        "views": "1.234567", "completion_rate": "0.666667", "repeat_rate": "0.250000",
    }  # fmt: skip


def test_rates_are_empty_where_the_divisor_is_unknown_or_nought() -> None:
    shown = _fields(title_fields(astuple(Counters(watched_ms=5)), 0))
    assert [shown[name] for name in ("views", "completion_rate", "repeat_rate")] == ["", "", ""]


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
    account = StreamCounters(1, 2, 3, 4, 5, 6)
    assert _fields(stream_fields(list(msgspec.structs.astuple(account)))) == {
        "events": "1", "dead_letters": "2", "late_events": "3", "late_hour_events": "4", "unknown_zone_events": "5",
        "misrouted_events": "6",
    }  # fmt: skip
