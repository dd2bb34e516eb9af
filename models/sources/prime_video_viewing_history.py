"""Prime Video's `Viewing History.csv` of Amazon's personal data export.

Values may be quoted twice, and missing ones are `Not Available`. Start and end points, if present, are positions.
`Material Type Description` is the kind: `Full` (an episode), `Feature`, `Short`, `Trailer`, `Promo`, `Live`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.sources.document import Cells, Document
from models.sources.reading import FileOwner, Reading, checked_name
from models.sources.sittings import Sitting, add_sittings
from models.sources.values import duration_ms, time_ms

START, SECONDS, TITLE = COLUMNS = ("Playback Start Datetime (UTC)", "Seconds Viewed", "Title")
END, MATERIAL, END_POINT = "Playback End Datetime (UTC)", "Material Type Description", "End Point Seconds"
PROFILE, AUTOPLAY, DEVICE, COUNTRY = "Profile Type", "Is Autoplay", "Device Model", "Country Code"
KINDS = {"trailer": "trailer", "promo": "preview"}
NAMELESS = "rows without a title"

_SERIES = (
    re.compile(r"-(?P<series>[^-]+?)(?: -)? (?:season|series|staffel|saison|temporada|stagione) \d+$", re.IGNORECASE),
    re.compile(r"^(?P<series>.+?)[ :-]+(?:S\d+ ?E\d+|season \d+)\b", re.IGNORECASE),
)


class PrimeVideoViewingHistory:
    """The format."""

    name = "Prime Video viewing history (Viewing History.csv)"
    columns = COLUMNS

    def recognizes(self, document: Document) -> bool:
        """By its columns."""
        return document.has(COLUMNS)

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """Every row is a sitting; live television is left out."""
        reading = Reading()
        add_sittings(reading, _sittings(document, reading), viewer)
        return reading


FORMAT = PrimeVideoViewingHistory()


def _sittings(document: Document, reading: Reading) -> Iterator[Sitting]:
    def title_played(number: int, row: Cells) -> Sitting | None:
        stated = {name: _stated(text) for name, text in row.items()}
        played_ms = duration_ms(SECONDS, stated[SECONDS])
        if reason := _lost(stated):
            reading.loses(played_ms, reason)
            return None
        return _sitting(number, stated, played_ms, document.day_first)

    return reading.parsed(document.rows(), title_played)


def _stated(text: str) -> str:
    text = text.strip()
    while len(text) > 1 and text.startswith('"') and text.endswith('"'):
        text = text[1:-1].strip()
    return "" if text.casefold() in ("not available", "not applicable") else text


def _lost(row: Cells) -> str:
    if row.get(MATERIAL, "").casefold().startswith("live"):
        return "live television, which is no title"
    return "" if row[TITLE] else NAMELESS


def _sitting(number: int, row: Cells, played_ms: int, day_first: bool | None) -> Sitting:
    title = checked_name(row[TITLE], TITLE)
    start_ms = time_ms(START, row[START], day_first=day_first)
    lasted_ms = time_ms(END, row[END], day_first=day_first) - start_ms if row.get(END) else 0
    profile = row.get(PROFILE, "")
    return Sitting(
        number,
        ("prime", profile, str(start_ms), title, str(played_ms), row.get(DEVICE, "")),
        profile,
        title,
        start_ms,
        played_ms,
        duration_ms(END_POINT, row[END_POINT]) if row.get(END_POINT) else None,
        still_ms=max(0, lasted_ms - played_ms),
        device=row.get(DEVICE, ""),
        country=row.get(COUNTRY, ""),
        franchise=_series(title),
        kind=KINDS.get(row.get(MATERIAL, "").casefold(), "main"),
        autoplay=row.get(AUTOPLAY, "").casefold() == "yes",
        kids=profile.casefold() in ("child", "kid", "kids"),
    )


def _series(title: str) -> str:
    return next((found["series"].strip() for pattern in _SERIES if (found := pattern.search(title))), "")
