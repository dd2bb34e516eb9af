"""Netflix's `PlaybackRelatedEvents.csv`: the player's own events of some weeks, one play session in each row.

Owns its columns, its defects and how its player events become playback events.

How the defects are handled:

- `reposition` states where the player is *after* the jump. `seek_from_ms` is never set: the file does not state where
  the jump began, and a position computed from the clock would be a guess. Usually the player reports `paused` at the
  old position just before, which closes the interval.
- A player event without a media offset (null) is left out; the `seq` of later events still counts it.
- A media offset up to a second below 0 (a player that has not shown anything yet) becomes position 0. A lower one makes
  the row a bad row.
- A session offset below 0 is an event before the row's start time.
- Clocks that run backwards stay as they are. `seq` is the order in the row, and events are sent in the order of their
  times: an event that a faulty clock put too far ahead arrives after its successors and changes nothing.
- A lost tail stays lost: no stop is invented. A row without player events, or without any position, gives no events,
  unless the viewing activity of the same export states its duration.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from models.events import END_OF_CALENDAR_MS
from models.rules import LONGEST_MEDIA_MS
from models.sources.document import Cells, Document
from models.sources.netflix_names import content_kind, series_of
from models.sources.netflix_viewing_activity import Activities
from models.sources.reading import (
    FileOwner,
    Format,
    PlaybackEvent,
    Reading,
    UnreadableField,
    checked_name,
    session_fields,
    session_id,
)
from models.sources.sittings import Sitting, add_sittings
from models.sources.values import time_ms

PROFILE, TITLE, DEVICE, START, COUNTRY, TRACES = COLUMNS = (
    "Profile Name",
    "Title Description",
    "Device",
    "Playback Start Utc Ts",
    "Country",
    "Playtraces",
)
"""The columns that are read, in any order; others are ignored."""

EVENT_TYPES = {
    "start": "start",
    "playing": "play",
    "paused": "pause",
    "reposition": "seek",
    "stopped": "stop",
}

NOT_YET_SHOWN_MS = 1_000
NO_POSITION = "player events without a position"


class Trace(msgspec.Struct, rename="camel"):
    """One player event of a row; both offsets in milliseconds, from the session's and the title's start."""

    event_type: Literal["start", "playing", "paused", "reposition", "stopped"]
    session_offset_ms: Annotated[int, Meta(ge=-LONGEST_MEDIA_MS, le=LONGEST_MEDIA_MS)]
    media_offset_ms: Annotated[int, Meta(ge=-NOT_YET_SHOWN_MS, le=LONGEST_MEDIA_MS)] | None


_decode_traces = msgspec.json.Decoder(list[Trace]).decode


class NetflixPlaybackRelatedEvents:
    """The format."""

    name = "Netflix playback events (PlaybackRelatedEvents.csv)"
    columns = COLUMNS

    def recognizes(self, document: Document) -> bool:
        """By its columns."""
        return document.has(COLUMNS)

    def read(self, document: Document, viewer: FileOwner) -> Reading:
        """The player events of every row. If a row has none with a position, those of its viewing activity."""
        reading = Reading()
        activities = Activities(viewer.beside) if viewer.beside else None

        def take(number: int, row: Cells) -> Sitting | None:
            return _take(reading, number, row, viewer, activities, document.day_first)

        joined = list(reading.parsed(document.rows(), take))
        add_sittings(reading, joined, viewer)
        return reading


FORMAT: Format = NetflixPlaybackRelatedEvents()


def _take(
    reading: Reading,
    number: int,
    row: Cells,
    viewer: FileOwner,
    activities: Activities | None,
    day_first: bool | None,
) -> Sitting | None:
    """Add a row's events to the reading, or return the sitting from its viewing activity. Raises `UnreadableField`."""
    title = checked_name(row[TITLE], TITLE)
    start_ms = time_ms(START, row[START], day_first=day_first)
    traces = _traces(row[TRACES])
    activity = activities.at(row[PROFILE], start_ms) if activities else None
    if activity and all(trace.media_offset_ms is None for trace in traces):
        return _sitting(number, row, title, start_ms, activity)
    kind = activity.kind if activity else content_kind(title)
    events = _events(_session(row, title, kind, viewer, activity), start_ms, traces)
    reading.rows += 1
    reading.empty_rows += not events
    reading.events += events
    _account(reading, title, kind, traces, viewer)
    return None


def _account(reading: Reading, title: str, kind: str, traces: list[Trace], viewer: FileOwner) -> None:
    placed = [trace for trace in traces if trace.media_offset_ms is not None]
    told_ms, carried_ms = _playing_ms(traces), _playing_ms(placed)
    reading.told_ms += told_ms
    if told_ms > carried_ms:
        reading.lost_ms[NO_POSITION] += told_ms - carried_ms
    if kind != "main":
        reading.promotional_ms += carried_ms
    elif placed:
        largest_ms = max(trace.media_offset_ms or 0 for trace in placed)
        reading.meets(viewer.title_id(title), title, series_of(title), largest_ms)


def _playing_ms(traces: Iterable[Trace]) -> int:
    """How long the player was playing, by its own clock, in milliseconds."""
    return sum(
        max(0, after.session_offset_ms - trace.session_offset_ms)
        for trace, after in pairwise(traces)
        if trace.event_type == "playing"
    )


def _traces(text: str) -> list[Trace]:
    try:
        return _decode_traces(text)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise UnreadableField(f"{TRACES}: {problem}") from None


def _sitting(number: int, row: Cells, title: str, start_ms: int, activity: Sitting) -> Sitting:
    return Sitting(
        number,
        tuple(row[name] for name in COLUMNS),
        row[PROFILE],
        title,
        start_ms,
        activity.played_ms,
        activity.reached_ms,
        device=row[DEVICE],
        country=row[COUNTRY],
        franchise=series_of(title),
        kind=activity.kind,
        autoplay=activity.autoplay,
    )


def _session(row: Cells, title: str, kind: str, viewer: FileOwner, activity: Sitting | None) -> PlaybackEvent:
    """The fields that all events of the row have."""
    session = session_fields(
        viewer,
        viewer.title_id(title),
        play_session_id=session_id(viewer.household_id, *(row[name] for name in COLUMNS)),
        profile=row[PROFILE],
        kids=False,
        kind=kind,
        device=row[DEVICE],
        country=row[COUNTRY],
    )
    return session | ({"autoplay": True} if activity and activity.autoplay else {})


def _events(session: PlaybackEvent, start_ms: int, traces: list[Trace]) -> list[PlaybackEvent]:
    return [
        _event(session, seq, start_ms + trace.session_offset_ms, trace.event_type, trace.media_offset_ms)
        for seq, trace in enumerate(traces)
        if trace.media_offset_ms is not None
    ]


def _event(session: PlaybackEvent, seq: int, event_time_ms: int, kind: str, media_offset_ms: int) -> PlaybackEvent:
    if not 0 <= event_time_ms < END_OF_CALENDAR_MS:
        raise UnreadableField(f"player event {seq} is at {event_time_ms} ms, accepted: the years 1970 to 9999")
    return {
        "event_id": f"{session['play_session_id']}-{seq}",
        "event_type": EVENT_TYPES[kind],
        "event_time_ms": event_time_ms,
        "position_ms": max(0, media_offset_ms),
        "seq": seq,
        **session,
    }
