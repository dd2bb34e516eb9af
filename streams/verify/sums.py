"""Sums facts with DuckDB, by title, daypart and window (`streams.verify.windows`)."""

from __future__ import annotations

import csv
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from models.rules import HOUR_MS
from streams.verify.facts import Fact
from streams.verify.windows import AUDIENCE_WINDOW, WINDOWS, WindowRule

Counts = dict[str, int]
PartitionFact = tuple[int, Fact]

FACT_COLUMNS = {
    "title": "BIGINT", "partition": "INTEGER", "kind": "VARCHAR", "hour": "BIGINT", "in_hour": "BOOLEAN",
    "kids": "BOOLEAN", "age": "BIGINT", "daypart": "INTEGER", "amount": "BIGINT",
}  # fmt: skip


@dataclass(frozen=True)
class Sums:
    """Counts by kind, and those of the kids' segment by `kids_` and kind.

    `titles` are by partition and title; `windows` and `audience` by title and the window's name in keys, such as
    `week:3`; `dayparts` by title and daypart number.
    """

    titles: dict[int, dict[str, Counts]] = field(default_factory=lambda: defaultdict(dict))
    windows: dict[str, dict[str, Counts]] = field(default_factory=lambda: defaultdict(dict))
    audience: dict[str, dict[str, Counts]] = field(default_factory=lambda: defaultdict(dict))
    dayparts: dict[str, dict[int, Counts]] = field(default_factory=lambda: defaultdict(dict))


class FactsFile(NamedTuple):
    """A CSV file of facts. It names titles by number: the place of their id in `titles`."""

    path: Path
    titles: list[str]


@contextmanager
def facts_folder() -> Iterator[Path]:
    """A temporary folder for files of facts."""
    with tempfile.TemporaryDirectory(prefix="encore-verify-") as folder:
        yield Path(folder)


def write_facts(path: Path, facts: Iterable[PartitionFact]) -> FactsFile:
    """Write facts, each given with its partition, to a file."""
    titles: dict[str, int] = {}
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(_row(partition, fact, titles) for partition, fact in facts)
    return FactsFile(path, list(titles))


def add_up(files: Iterable[FactsFile]) -> Sums:
    """The sums of the facts of all files."""
    import duckdb

    titles: dict[str, int] = {}
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE facts ({', '.join(map(' '.join, FACT_COLUMNS.items()))})")
        for path, its_titles in files:
            numbers = [titles.setdefault(title_id, len(titles)) for title_id in its_titles]
            connection.execute(
                "INSERT INTO facts SELECT CAST(? AS BIGINT[])[title + 1], * EXCLUDE title"
                " FROM read_csv(?, columns = ?, header = false, auto_detect = false)",
                [numbers, str(path), FACT_COLUMNS],
            )
        return _sums(connection, list(titles))


def _row(partition: int, fact: Fact, titles: dict[str, int]) -> tuple[Any, ...]:
    """A fact as a row of the file. Titles go by number, as an id may hold characters that CSV would change."""
    kind, amount, (title_id, time_ms, in_hour, kids, age_ms, daypart) = fact
    title = titles.setdefault(title_id, len(titles))
    return title, partition, kind, time_ms // HOUR_MS, in_hour, kids, age_ms, daypart, amount


def _sums(connection: Any, titles: list[str]) -> Sums:
    sums = Sums()
    for (title, partition), counts in _counts(connection, "true", "partition").items():
        sums.titles[partition][titles[title]] = counts
    for (title, daypart), counts in _counts(connection, "true", "daypart").items():
        sums.dayparts[titles[title]][daypart] = counts
    for window in WINDOWS:
        _add_window(connection, titles, window, sums.windows)
    _add_window(connection, titles, AUDIENCE_WINDOW, sums.audience)
    return sums


def _add_window(connection: Any, titles: list[str], window: WindowRule, sums: dict[str, dict[str, Counts]]) -> None:
    for (title, number), counts in _counts(connection, window.takes, window.number).items():
        sums[titles[title]][f"{window.word}:{window.name(number)}"] = counts


def _counts(connection: Any, takes: str, number: str) -> dict[tuple[int, int], Counts]:
    """Counts by title number and `number`, an SQL expression; of the facts for which `takes`, another one, is true."""
    query = (
        f"SELECT title, {number}, kind, sum(amount), sum(amount) FILTER (kids) FROM facts WHERE {takes} GROUP BY ALL"
    )
    counted: dict[tuple[int, int], Counts] = defaultdict(dict)
    for title, at, kind, amount, kids_amount in connection.execute(query).fetchall():
        counts = counted[title, at]
        counts[kind] = int(amount)
        counts["kids_" + kind] = int(kids_amount or 0)
    return counted
