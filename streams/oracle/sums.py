"""The counters that a list of facts adds up to, summed by DuckDB, in the words of section 3.

Owns the hashes' names and fields and how their values are written. It must not know how a fact was made.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from models.rules import DAY_MS, HOUR_MS
from streams.oracle.viewing import Fact

WINDOW_COUNTS = (
    "plays", "starters", "viewers", "watchers", "completers", "repeaters", "completions", "rewatches",
)  # fmt: skip
TITLE_COUNTS = (
    *WINDOW_COUNTS, "skimmers", "rewatch_hist_1", "rewatch_hist_2", "rewatch_hist_3_4", "rewatch_hist_5_9",
    "rewatch_hist_10_plus",
)  # fmt: skip
KIDS_COUNTS = ("plays", "completions", "rewatches")
SPANS = {"hour": (HOUR_MS, "%Y%m%dT%H"), "day": (DAY_MS, "%Y%m%d")}
RATES = ("views", "completion_rate", "repeat_rate")

Hashes = dict[str, dict[str, str]]
Counts = dict[str, int]

FACT_COLUMNS = {
    "title": "BIGINT", "kind": "VARCHAR", "hour": "BIGINT", "day": "BIGINT", "in_hour": "BOOLEAN",
    "kids": "BOOLEAN", "amount": "BIGINT",
}  # fmt: skip
SUMS = {
    "title": "SELECT title, 0, kind, sum(amount), sum(amount) FILTER (kids) FROM facts GROUP BY ALL",
    "hour": "SELECT title, hour, kind, sum(amount), sum(amount) FILTER (kids) FROM facts WHERE in_hour GROUP BY ALL",
    "day": "SELECT title, day, kind, sum(amount), sum(amount) FILTER (kids) FROM facts GROUP BY ALL",
}


def hashes(facts: Iterable[Fact], runtimes_ms: dict[str, int]) -> Hashes:
    """Every title's, hour's and day's hash, by its key without the prefix. `runtimes_ms`: the catalog's."""
    sums, titles = _sums(facts)
    expected: Hashes = {}
    for (title, _), counts in sums["title"].items():
        expected[title_key(titles[title])] = _title_hash(counts, runtimes_ms.get(titles[title], 0))
    for window, (span_ms, pattern) in SPANS.items():
        for (title, number), counts in sums[window].items():
            fields = _window_hash(counts)
            if any(counts.get(name) for name in (*WINDOW_COUNTS, "watched_ms")):
                expected[f"{title_key(titles[title])}:{window}:{_name(number * span_ms, pattern)}"] = fields
    return expected


def title_key(title_id: str) -> str:
    """`title:<id>`, the id percent-encoded as RFC 3986 has it."""
    return "title:" + quote(title_id, safe="")


def window_start_ms(key: str) -> int | None:
    """The first instant of the window that an hour's or day's key names; None for other keys."""
    for window, (_, pattern) in SPANS.items():
        _, found, name = key.partition(f":{window}:")
        if found:
            started = datetime.strptime(name, pattern).replace(tzinfo=UTC)
            return round(started.timestamp()) * 1000
    return None


def _sums(facts: Iterable[Fact]) -> tuple[dict[str, dict[tuple[int, int], Counts]], list[str]]:
    """Sums by (title, window number), titles by number: so an id of any characters passes through CSV."""
    import duckdb

    numbers: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="encore-verify-") as folder:
        path = Path(folder) / "facts.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(_row(fact, numbers) for fact in facts)
        with duckdb.connect() as connection:
            connection.execute(
                "CREATE TABLE facts AS SELECT * FROM read_csv(?, columns = ?, header = false, auto_detect = false)",
                [str(path), FACT_COLUMNS],
            )
            sums = {what: _counts(connection.execute(query).fetchall()) for what, query in SUMS.items()}
    return sums, list(numbers)


def _row(fact: Fact, numbers: dict[str, int]) -> tuple[int, str, int, int, bool, bool, int]:
    title = numbers.setdefault(fact.title_id, len(numbers))
    at = fact.event_time_ms
    return title, fact.kind, at // HOUR_MS, at // DAY_MS, fact.in_hour, fact.kids, fact.amount


def _counts(rows: list[tuple[int, int, str, int, int | None]]) -> dict[tuple[int, int], Counts]:
    counted: dict[tuple[int, int], Counts] = {}
    for title, number, kind, amount, kids_amount in rows:
        counts = counted.setdefault((title, number), {})
        counts[kind] = int(amount)
        counts["kids_" + kind] = int(kids_amount or 0)
    return counted


def _title_hash(counts: Counts, runtime_ms: int) -> dict[str, str]:
    return {
        **{name: str(counts.get(name, 0)) for name in TITLE_COUNTS},
        **_kids_and_watched(counts),
        "views": _rate(counts.get("watched_ms", 0), runtime_ms),
        "completion_rate": _rate(counts.get("completers", 0), counts.get("starters", 0)),
        "repeat_rate": _rate(counts.get("repeaters", 0), counts.get("completers", 0)),
    }


def _window_hash(counts: Counts) -> dict[str, str]:
    return {**{name: str(counts.get(name, 0)) for name in WINDOW_COUNTS}, **_kids_and_watched(counts)}


def _kids_and_watched(counts: Counts) -> dict[str, str]:
    return {
        **{f"kids_{name}": str(counts.get(f"kids_{name}", 0)) for name in KIDS_COUNTS},
        "watched_s": _seconds(counts.get("watched_ms", 0)),
        "kids_watched_s": _seconds(counts.get("kids_watched_ms", 0)),
    }


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"


def _rate(amount: int, of: int) -> str:
    return f"{Decimal(amount) / Decimal(of):.6f}" if of > 0 else ""


def _name(start_ms: int, pattern: str) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=start_ms)).strftime(pattern)
