"""The activity log of an Emby or Jellyfin server. It says only that somebody finished playing something."""

from __future__ import annotations

from models.sources.day_only import DayOnly
from models.sources.document import Document


def _looks(document: Document) -> bool:
    answer = document.json
    entries = answer.get("Items") if isinstance(answer, dict) else answer
    first = entries[0] if isinstance(entries, list) and entries else None
    return isinstance(first, dict) and {"Date", "Type", "Name"} <= set(first)


FORMAT = DayOnly(
    "Emby or Jellyfin activity log",
    _looks,
    "install the Playback Reporting plugin, and export its data with its page's backup",
)
