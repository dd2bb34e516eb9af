"""The answer of Tautulli's API (`get_history`), for Plex."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from models.rules import LONGEST_MEDIA_MS
from models.sources.document import Document
from models.sources.reading import FileOwner, Reading, UnreadableField, checked_name
from models.sources.sittings import Sitting, add_sittings
from models.sources.tautulli import Play, percentage, placed, still_ms

FIELDS = {"started", "stopped", "full_title"}
KINDS = {"movie": "main", "episode": "main", "clip": "bonus"}
"""The media types that are imported. Music and photos are no titles, and other types are unknown."""


class TautulliJson:
    """The format."""

    name = "Tautulli history (JSON of the API)"
    columns = ()

    def recognizes(self, document: Document) -> bool:
        """By the fields of its first entry."""
        entries = _entries(document.json)
        return (
            bool(entries) and isinstance(entries[0], dict) and {"started", "stopped", "full_title"} <= set(entries[0])
        )

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """Every entry is a sitting; music is left out."""
        reading = Reading()
        add_sittings(reading, placed(_plays(_entries(document.json), reading)), viewer, "entry")
        return reading


FORMAT = TautulliJson()


def _entries(answer: Any) -> list[Any]:
    """The list of plays, with or without the answer's outer objects."""
    for key in ("response", "data", "data"):
        if isinstance(answer, dict):
            answer = answer.get(key, answer)
    return answer if isinstance(answer, list) else []


def _plays(entries: list[Any], reading: Reading) -> Iterator[Play]:
    def play(number: int, entry: Any) -> Play | None:
        if not isinstance(entry, dict):
            raise UnreadableField("no JSON object")
        sitting = _sitting(number, entry)
        percent = percentage("percent_complete", str(entry.get("percent_complete") or ""))
        if reason := _lost(entry):
            reading.loses(sitting.played_ms, reason)
            return None
        return sitting, percent

    return reading.parsed(enumerate(entries, 1), play, "entry")


def _lost(entry: dict[str, Any]) -> str:
    """Why an entry is left out; empty: it is imported."""
    media_type = entry.get("media_type")
    if media_type not in (None, "") and media_type not in KINDS:
        return f"{str(media_type)[:40]}s, which are no titles"
    return "live television, which is no title" if str(entry.get("live")) == "1" else ""


def _sitting(number: int, entry: dict[str, Any]) -> Sitting:
    title = checked_name(_title(entry), "full_title")
    start_s, stop_s = _seconds(entry, "started", "date"), _seconds(entry, "stopped")
    played_ms = _seconds(entry, "play_duration", "duration") * 1000
    if played_ms > LONGEST_MEDIA_MS:
        raise UnreadableField("duration is above seven days")
    user = _text(entry, "friendly_name", "user")
    return Sitting(
        number,
        ("tautulli", str(entry.get("reference_id") or ""), user, str(start_s), title),
        user,
        title,
        start_s * 1000,
        played_ms,
        still_ms=still_ms(played_ms, _seconds(entry, "paused_counter") * 1000, (stop_s - start_s) * 1000),
        device=_text(entry, "player", "machine_id"),
        franchise=_series(entry, title),
        kind=KINDS.get(str(entry.get("media_type")), "main"),
    )


def _title(entry: dict[str, Any]) -> str:
    """The full title, with season and episode if they are stated: episodes of a show may share a name."""
    title = _text(entry, "full_title", "title")
    season, episode = entry.get("parent_media_index"), entry.get("media_index")
    if entry.get("media_type") != "episode" or season in (None, "") or episode in (None, ""):
        return title
    return f"{title} (S{season} E{episode})"


def _series(entry: dict[str, Any], title: str) -> str:
    if entry.get("media_type") != "episode":
        return ""
    return _text(entry, "grandparent_title") or (title.split(" - ")[0] if " - " in title else "")


def _text(entry: dict[str, Any], *names: str) -> str:
    return next((str(entry[name]).strip() for name in names if entry.get(name) not in (None, "")), "")


def _seconds(entry: dict[str, Any], *names: str) -> int:
    """The first of these fields that is stated, in seconds; 0 if there is none. Raises `UnreadableField`."""
    for name in names:
        value = entry.get(name)
        if value is None or value == "":
            continue
        try:
            seconds = int(float(value))
        except (TypeError, ValueError, OverflowError):
            seconds = -1
        if not 0 <= seconds < 1 << 40:
            raise UnreadableField(f"{name} is {str(value)[:40]!r}, accepted: seconds")
        return seconds
    return 0
