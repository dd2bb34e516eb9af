"""Playback events written by hand, with what a whole viewing of them counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
EVENING_MS = 1_773_511_200_000
"""2026-03-14, 18:00 UTC."""

TEN_MINUTES = 10 * MINUTE_MS


def event(kind: str, household: str, title: str, time_ms: int, position_ms: int, **more: Any) -> dict[str, Any]:
    """One event of the household's session of the title; `more` are optional fields, or required ones anew."""
    return {
        "event_id": f"{household}-{title}-{kind}-{time_ms}-{position_ms}",
        "event_type": kind,
        "event_time_ms": time_ms,
        "household_id": household,
        "title_id": title,
        "play_session_id": f"{household}-{title}",
        "position_ms": position_ms,
    } | more


def whole_viewing(
    household: str, title: str, begin_ms: int, length_ms: int = TEN_MINUTES, **more: Any
) -> Iterator[dict[str, Any]]:
    """A title from its beginning to its end, with a heartbeat a minute."""
    session = {"play_session_id": f"{household}-{title}-{begin_ms}"} | more
    yield event("start", household, title, begin_ms, 0, **session)
    for at_ms in range(MINUTE_MS, length_ms, MINUTE_MS):
        yield event("heartbeat", household, title, begin_ms + at_ms, at_ms, **session)
    yield event("stop", household, title, begin_ms + length_ms, length_ms, **session)
