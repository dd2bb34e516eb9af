"""The backup of the Playback Reporting plugin of Jellyfin (and Emby): tab-separated, without a header.

Columns: time (the server's local time), user, item id, item type, item name, method, client, device, seconds. There are
no positions. A player that is never stopped keeps counting, so a duration is clipped to the title's runtime if the
catalog has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from models.sources.document import Document
from models.sources.reading import FileOwner, Reading, checked_name
from models.sources.sittings import Sitting, add_sittings
from models.sources.values import duration_ms, time_ms

TIME, USER, ITEM, TYPE, NAME, _, CLIENT, DEVICE, SECONDS = range(9)
FILMS = {"movie", "episode", "video", "musicvideo"}
KINDS = {"trailer": "trailer", "recording": "main"}

_LOOKS = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?")
_EPISODE = re.compile(r"^(?P<series>.+?) - s\d+e\d+", re.IGNORECASE)


class JellyfinPlaybackReporting:
    """The format."""

    name = "Playback Reporting of Jellyfin or Emby (TSV)"
    columns = ()

    def recognizes(self, document: Document) -> bool:
        """By the fields of its first line, as it has no header."""
        first = document.columns
        return len(first) > SECONDS and bool(_LOOKS.fullmatch(first[TIME])) and first[SECONDS].isdecimal()

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """Every line is a sitting; music is left out."""
        reading = Reading()
        add_sittings(reading, _sittings(document, viewer, reading), viewer)
        return reading


FORMAT = JellyfinPlaybackReporting()


def _sittings(document: Document, viewer: FileOwner, reading: Reading) -> Iterator[Sitting]:
    def title_played(number: int, fields: list[str]) -> Sitting | None:
        sitting, item_type = _sitting(number, fields, viewer), fields[TYPE].strip()
        if item_type.casefold() in FILMS | KINDS.keys():
            return sitting
        reading.loses(sitting.played_ms, f"items of type {item_type[:40]!r}, which are no titles")
        return None

    return reading.parsed(document.records(), title_played)


def _sitting(number: int, fields: list[str], viewer: FileOwner) -> Sitting:
    title = checked_name(fields[NAME].strip(), "the item's name")
    start_ms = time_ms("the time", fields[TIME], viewer.zone)
    found = _EPISODE.match(title)
    return Sitting(
        number,
        ("jellyfin", fields[USER], fields[ITEM], str(start_ms)),
        fields[USER].strip(),
        title,
        start_ms,
        duration_ms("the duration", fields[SECONDS]),
        device=fields[DEVICE].strip() or fields[CLIENT].strip(),
        franchise=found["series"] if found else "",
        kind=KINDS.get(fields[TYPE].strip().casefold(), "main"),
        clipped=True,
    )
