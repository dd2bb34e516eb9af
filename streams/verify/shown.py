"""The form of counts in hashes (the design, section 3): names of keys and fields, and texts of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from models.rules import RETURN_DAYS
from streams.verify.audience import AUDIENCE
from streams.verify.streaks import LEVELS
from streams.verify.sums import Counts

WINDOW_COUNTS = (
    "plays", "starters", "viewers", "watchers", "completers", "repeaters", "completions", "rewatches",
)  # fmt: skip
KIDS_COUNTS = ("plays", "completions", "rewatches")
DISTINCT_COUNTS = (
    "starters", "viewers", "watchers", "completers", "repeaters", "skimmers", "rewatch_hist_1", "rewatch_hist_2",
    "rewatch_hist_3_4", "rewatch_hist_5_9", "rewatch_hist_10_plus",
)  # fmt: skip
HOUR_COUNTS = (*WINDOW_COUNTS, "profile_rewatches", "autoplay_completions")
RETURN_COUNTS = tuple(f"returned_{days}d" for days in RETURN_DAYS)
REPEAT_COUNTS = ("completions", "rewatches", "profile_rewatches", "autoplay_completions", *RETURN_COUNTS)
TITLE_COUNTS = ("plays", *DISTINCT_COUNTS, *REPEAT_COUNTS)
SUMMED_COUNTS = (
    "plays", *REPEAT_COUNTS, "watched_ms",
    *(f"kids_{name}" for name in (*KIDS_COUNTS, "watched_ms")),
)  # fmt: skip
"""Counts of a franchise that are sums over its titles."""

STATUS_COUNTS = (
    "events", "dead_letters", "late_events", "late_hour_events", "unknown_zone_events", "misrouted_events",
    "stale_events", "player_restarts", "refused_back",
)  # fmt: skip

Hashes = dict[str, dict[str, str]]


def title_key(title_id: str) -> str:
    """`title:<id>`, with the id percent-encoded (RFC 3986)."""
    return "title:" + quote(title_id, safe="")


def franchise_key(franchise_id: str) -> str:
    return "franchise:" + quote(franchise_id, safe="")


def catalog_fields(row: Mapping[str, Any]) -> dict[str, str]:
    """What a title's hash shows of its row of the catalog. Each is empty if the row does not state it."""
    runtime_ms = row.get("runtime_ms") or 0
    return {
        "name": row.get("name") or "",
        "franchise_id": row.get("franchise_id") or "",
        "runtime_s": seconds(runtime_ms) if runtime_ms > 0 else "",
    }


def all_time_fields(counts: Mapping[str, int], watching: int, views: str) -> dict[str, str]:
    """The hash of a title or a franchise."""
    return {
        **{name: str(counts.get(name, 0)) for name in TITLE_COUNTS},
        **_kids_and_watched(counts),
        "views": views,
        "completion_rate": rate(counts.get("completers", 0), counts.get("starters", 0)),
        "repeat_rate": rate(counts.get("repeaters", 0), counts.get("completers", 0)),
        "return_rate_7d": rate(counts.get("returned_7d", 0), counts.get("completions", 0)),
        "watching_now": str(watching),
    }


def window_fields(name: str, counts: Mapping[str, int]) -> dict[str, str]:
    """The hash of the window `name`; empty if all counts are 0. Hours do not show `returned_…`."""
    names = HOUR_COUNTS if name.startswith("hour:") else (*HOUR_COUNTS, *RETURN_COUNTS)
    if not any(counts.get(each) for each in (*names, "watched_ms")):
        return {}
    return {**{each: str(counts.get(each, 0)) for each in names}, **_kids_and_watched(counts)}


def audience_fields(counts: Mapping[str, int]) -> dict[str, str]:
    """The hash of a week's audience; empty if all counts are 0."""
    if not any(counts.get(name) for name in AUDIENCE):
        return {}
    return {name: str(counts.get(name, 0)) for name in AUDIENCE}


def status_fields(account: Mapping[str, int]) -> dict[str, str]:
    """The counts of records in the status hash."""
    return {name: str(account.get(name, 0)) for name in STATUS_COUNTS} | {
        f"refused_{reason}_s": seconds(account.get(f"refused_{reason}_ms", 0)) for reason in ("long", "fast", "gap")
    }


def daypart_fields(
    names: Sequence[str], counts: Mapping[int, Counts], streaks: Mapping[tuple[int, int], int]
) -> dict[str, str]:
    """The hash of a title's dayparts. `counts` are by daypart; `streaks` are households by daypart and level."""
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
    """The quotient with six decimals; empty if `of` is 0."""
    return six_decimals(Decimal(amount) / of) if of > 0 else ""


def six_decimals(number: Decimal) -> str:
    return f"{number:.6f}"
