"""The history table of Tautulli (for Plex) as CSV.

Dates and times are the server's local ones, to the minute. An episode's title is `Show - Episode`. No column marks
episodes, so a series is recognized only by two titles that begin with the same show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from models.sources.document import Cells, Document
from models.sources.reading import FileOwner, Reading, checked_name
from models.sources.sittings import Sitting, add_sittings
from models.sources.tautulli import Play, percentage, placed, still_ms
from models.sources.values import duration_ms, time_ms

DATE, USER, TITLE, STARTED, STOPPED, DURATION = COLUMNS = ("Date", "User", "Title", "Started", "Stopped", "Duration")
PAUSED, WATCHED, PLAYER = "Paused", "Watched", "Player"
DAY_MS = 86_400_000


class TautulliCsv:
    """The format."""

    name = "Tautulli history (CSV)"
    columns = COLUMNS

    def recognizes(self, document: Document) -> bool:
        """By its columns."""
        return document.has(COLUMNS)

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """Every row is a sitting."""
        reading = Reading()
        add_sittings(reading, _with_series(placed(_plays(document, viewer, reading))), viewer)
        return reading


FORMAT = TautulliCsv()


def _plays(document: Document, viewer: FileOwner, reading: Reading) -> Iterator[Play]:
    def play(number: int, row: Cells) -> Play:
        return _sitting(number, row, viewer, document.day_first), percentage(WATCHED, row.get(WATCHED, ""))

    return reading.parsed(document.rows(), play)


def _sitting(number: int, row: Cells, viewer: FileOwner, day_first: bool | None) -> Sitting:
    title = checked_name(row[TITLE].strip(), TITLE)
    start_ms = time_ms(STARTED, f"{row[DATE].strip()} {row[STARTED].strip()}", viewer.zone, day_first)
    played_ms = duration_ms(DURATION, row[DURATION])
    paused_ms = duration_ms(PAUSED, row[PAUSED]) if row.get(PAUSED, "").strip() else 0
    return Sitting(
        number,
        ("tautulli", row[USER], str(start_ms), title, str(played_ms)),
        row[USER],
        title,
        start_ms,
        played_ms,
        still_ms=still_ms(played_ms, paused_ms, _lasted_ms(row, start_ms, viewer, day_first)),
        device=row.get(PLAYER, ""),
    )


def _lasted_ms(row: Cells, start_ms: int, viewer: FileOwner, day_first: bool | None) -> int:
    """The milliseconds from start to stop, past midnight if the stop is earlier in the day; 0: no stop is stated."""
    if not row[STOPPED].strip():
        return 0
    stop_ms = time_ms(STOPPED, f"{row[DATE].strip()} {row[STOPPED].strip()}", viewer.zone, day_first)
    return (stop_ms - start_ms) % DAY_MS


def _with_series(sittings: list[Sitting]) -> list[Sitting]:
    shows = Counter(title.split(" - ")[0] for title in {sitting.title for sitting in sittings} if " - " in title)
    return [
        replace(sitting, franchise=show) if shows[show := sitting.title.split(" - ")[0]] > 1 else sitting
        for sitting in sittings
    ]
