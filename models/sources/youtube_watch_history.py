"""`watch-history` of Google Takeout, JSON or HTML: a video, and when it was started."""

from __future__ import annotations

from models.sources.day_only import DayOnly
from models.sources.document import Document


def _looks(document: Document) -> bool:
    entries = document.json
    if isinstance(entries, list):
        first = entries[0] if entries else None
        return isinstance(first, dict) and "time" in first and ("titleUrl" in first or "activityControls" in first)
    head = document.text[:200_000]
    return "<html" in head[:1000].casefold() and "youtube.com/watch" in head


FORMAT = DayOnly(
    "YouTube watch history (Google Takeout)",
    _looks,
    "Google gives no better file: ask for those of other services, such as Netflix's ViewingActivity.csv"
    " (netflix.com/account/getmyinfo) or Prime Video's Viewing History.csv (amazon.com/hz/privacy-central)",
    says="only when a video was begun, not for how long it was watched",
)
