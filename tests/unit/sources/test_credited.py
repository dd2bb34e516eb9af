"""What the rules credit of an imported file: what the file itself says was watched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from models.catalog import read_title
from models.fold import Fold
from models.rules import Rules
from models.sources.reading import FileOwner
from streams.config.zones import Zones
from streams.operations.imports import read_import

HEADER = (
    "Profile Name,Start Time,Duration,Attributes,Title,Supplemental Video Type,Device Type,Bookmark,Latest Bookmark,"
    "Country"
)


class Row(NamedTuple):
    """A line of the file: seconds watched up to a position in seconds; `kind` is empty for main content."""

    profile: str
    start: datetime
    watched_s: int
    title: str
    reached_s: int
    kind: str = ""

    def line(self) -> str:
        watched, reached = (str(timedelta(seconds=seconds)) for seconds in (self.watched_s, self.reached_s))
        return f'{self.profile},{self.start},{watched},,"{self.title}",{self.kind},TV,{reached},{reached},DE (Germany)'


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def two_years() -> list[Row]:
    """A cartoon on school mornings, an episode most evenings, a film a weekend in two sittings, trailers between."""
    return [row for day in range(730) for row in _day(Random(day), datetime(2023, 1, 2) + timedelta(days=day), day)]


def _day(random: Random, midnight: datetime, day: int) -> Iterator[Row]:
    if day % 7 < 5:
        cartoon = f"Dragons: Season 1: Part {day % 26} (Episode {day % 26})"
        yield Row("Kids", midnight + timedelta(hours=6, minutes=30), 11 * 60, cartoon, 11 * 60)
        yield Row("Kids", midnight + timedelta(hours=6, minutes=45), 40, "Dragons: Season 2 (Trailer)", 40, "TRAILER")
    else:
        length_s, before_s = 95 * 60 + day % 20 * 60, random.randrange(1_200, 3_000)
        film = f"A Film of Weekend {day // 7}, {day % 7}"
        yield Row("Home", midnight + timedelta(hours=19), before_s, film, before_s)
        yield Row("Home", midnight + timedelta(hours=21), length_s - before_s, film, length_s)
    if random.random() < 0.7:
        watched_s = random.choice((42 * 60, 42 * 60, 42 * 60, random.randrange(120, 2_400)))
        series = f"The Series: Season {day // 100}: Chapter {day % 100}"
        yield Row("Home", midnight + timedelta(hours=17), watched_s, series, watched_s)


def test_two_years_of_a_households_viewing_activity_are_credited_nearly_whole(tmp_path: Path) -> None:
    rows = two_years()
    file = tmp_path / "export.csv"
    file.write_text("\n".join([HEADER, *(row.line() for row in reversed(rows))]) + "\n")

    found = read_import(file, FileOwner("home"))
    fold = Fold(Rules(), zones=Zones())
    for title in found.missing_titles({}):
        fold.apply_catalog_row(title["title_id"], read_title(title["title_id"].encode(), msgspec.json.encode(title)))
    fold.apply(
        Record(offset, item.timestamp_ms or 0, item.key, item.value) for offset, item in enumerate(found.items())
    )

    told_ms = sum(row.watched_s * 1000 for row in rows if not row.kind)
    assert 0.95 * told_ms <= fold.credited_ms <= told_ms
