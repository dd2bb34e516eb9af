"""Trakt's history, from its API or an exporter: a title and a time."""

from __future__ import annotations

from models.sources.day_only import DayOnly
from models.sources.document import Document

COLUMNS = {"watched_at"}


def _looks(document: Document) -> bool:
    entries = document.json
    first = entries[0] if isinstance(entries, list) and entries else None
    if isinstance(first, dict):
        return "watched_at" in first or "last_watched_at" in first
    return bool(COLUMNS & {name.casefold() for name in document.columns})


FORMAT = DayOnly(
    "Trakt history",
    _looks,
    "import the history of the player that tells Trakt instead: Tautulli's for Plex, the Playback Reporting plugin's"
    " for Jellyfin and Emby, ViewingActivity.csv for Netflix",
)
