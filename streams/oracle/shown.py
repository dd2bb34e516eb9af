"""How counts are written in what readers read, in the words of section 3.

Owns the names of keys and fields and the form of numbers. It must not know how anything was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

from streams.oracle.streaks import LEVELS
from streams.oracle.sums import Counts

WINDOW_COUNTS = (
    "plays", "starters", "viewers", "watchers", "completers", "repeaters", "completions", "rewatches",
)  # fmt: skip
KIDS_COUNTS = ("plays", "completions", "rewatches")
DISTINCT_COUNTS = (
    "starters", "viewers", "watchers", "completers", "repeaters", "skimmers", "rewatch_hist_1", "rewatch_hist_2",
    "rewatch_hist_3_4", "rewatch_hist_5_9", "rewatch_hist_10_plus",
)  # fmt: skip
TITLE_COUNTS = ("plays", *DISTINCT_COUNTS, "completions", "rewatches")
SUMMED_COUNTS = (
    "plays", "completions", "rewatches", "watched_ms",
    *(f"kids_{name}" for name in (*KIDS_COUNTS, "watched_ms")),
)  # fmt: skip
"""Counts of a franchise that are the sums of its titles' counts."""

Hashes = dict[str, dict[str, str]]


def title_key(title_id: str) -> str:
    """`title:<id>`, the id percent-encoded as RFC 3986 has it."""
    return "title:" + quote(title_id, safe="")


def franchise_key(franchise_id: str) -> str:
    return "franchise:" + quote(franchise_id, safe="")


def all_time_fields(counts: Mapping[str, int], watching: int, views: str) -> dict[str, str]:
    """The hash of a title or a franchise."""
    return {
        **{name: str(counts.get(name, 0)) for name in TITLE_COUNTS},
        **_kids_and_watched(counts),
        "views": views,
        "completion_rate": rate(counts.get("completers", 0), counts.get("starters", 0)),
        "repeat_rate": rate(counts.get("repeaters", 0), counts.get("completers", 0)),
        "watching_now": str(watching),
    }


def window_fields(counts: Mapping[str, int]) -> dict[str, str]:
    """The hash of a window; none where nothing counts in it."""
    if not any(counts.get(name) for name in (*WINDOW_COUNTS, "watched_ms")):
        return {}
    return {**{name: str(counts.get(name, 0)) for name in WINDOW_COUNTS}, **_kids_and_watched(counts)}


def daypart_fields(
    names: Sequence[str], counts: Mapping[int, Counts], streaks: Mapping[tuple[int, int], int]
) -> dict[str, str]:
    """The hash of a title's dayparts; `streaks` by daypart and level."""
    fields: dict[str, str] = {}
    for number, name in enumerate(names):
        of_part = counts.get(number, {})
        fields[f"{name}_watched_s"] = seconds(of_part.get("watched_ms", 0))
        fields[f"{name}_completions"] = str(of_part.get("completions", 0))
        fields |= {f"{name}_streak_{level}": str(streaks.get((number, level), 0)) for level in LEVELS}
    return fields


def _kids_and_watched(counts: Mapping[str, int]) -> dict[str, str]:
    return {
        **{f"kids_{name}": str(counts.get(f"kids_{name}", 0)) for name in KIDS_COUNTS},
        "watched_s": seconds(counts.get("watched_ms", 0)),
        "kids_watched_s": seconds(counts.get("kids_watched_ms", 0)),
    }


def seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def rate(amount: int, of: int) -> str:
    """Empty where there is nothing to divide by."""
    return six_decimals(Decimal(amount) / of) if of > 0 else ""


def six_decimals(number: Decimal) -> str:
    return f"{number:.6f}"
