"""Netflix's `ViewingActivity.csv`: years of viewing, one sitting in each row.

*Start Time* is UTC. *Duration* is the time played, *Bookmark* the position at the end of the sitting. *Latest Bookmark*
repeats it, or says `Not latest view`, depending on the export; it is read only if *Bookmark* is missing.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.sources.document import Cells, Document
from models.sources.netflix_names import content_kind, series_of
from models.sources.reading import FileOwner, Format, Reading, UnreadableField, checked_name
from models.sources.sittings import Sitting, add_sittings
from models.sources.values import duration_ms, time_ms

PROFILE, START, DURATION, TITLE = COLUMNS = ("Profile Name", "Start Time", "Duration", "Title")
ATTRIBUTES, TYPE, DEVICE, COUNTRY = "Attributes", "Supplemental Video Type", "Device Type", "Country"
BOOKMARKS = ("Bookmark", "Latest Bookmark")

JOINED_WITHIN_MS = 5_000
"""The two files of one export may state starts of a sitting that differ by this much."""


class NetflixViewingActivity:
    """The format."""

    name = "Netflix viewing activity (ViewingActivity.csv)"
    columns = COLUMNS

    def recognizes(self, document: Document) -> bool:
        """By its columns."""
        return document.has(COLUMNS)

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """Every row is a sitting."""
        reading = Reading()
        add_sittings(reading, _sittings(document, reading), viewer)
        return reading


FORMAT: Format = NetflixViewingActivity()


class Activities:
    """The rows of a viewing activity, found by profile and start time."""

    def __init__(self, document: Document) -> None:
        self._found: dict[tuple[str, int], Sitting] = {}
        for sitting in _sittings(document, Reading()):
            self._found.setdefault((sitting.profile, sitting.start_ms), sitting)

    def at(self, profile: str, start_ms: int) -> Sitting | None:
        """The sitting that a profile began at a time, or within `JOINED_WITHIN_MS` of it."""
        for apart_ms in range(0, JOINED_WITHIN_MS + 1, 1000):
            for time in (start_ms - apart_ms, start_ms + apart_ms):
                if (profile, time) in self._found:
                    return self._found[profile, time]
        return None


def _sittings(document: Document, reading: Reading) -> Iterator[Sitting]:
    return reading.parsed(document.rows(), lambda number, row: _sitting(number, row, document.day_first))


def _sitting(number: int, row: Cells, day_first: bool | None) -> Sitting:
    title = checked_name(row[TITLE].strip(), TITLE)
    start_ms, played_ms = time_ms(START, row[START], day_first=day_first), duration_ms(DURATION, row[DURATION])
    return Sitting(
        number,
        ("netflix", row[PROFILE], str(start_ms), title, str(played_ms), row.get(DEVICE, "")),
        row[PROFILE],
        title,
        start_ms,
        played_ms,
        _bookmark_ms(row),
        device=row.get(DEVICE, ""),
        country=row.get(COUNTRY, ""),
        franchise=series_of(title),
        kind=content_kind(title, row.get(TYPE, "")),
        autoplay="autoplayed" in row.get(ATTRIBUTES, "").casefold(),
    )


def _bookmark_ms(row: Cells) -> int | None:
    for column in BOOKMARKS:
        try:
            return duration_ms(column, row.get(column, ""))
        except UnreadableField:
            continue
    return None
