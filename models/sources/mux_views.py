"""Mux Data's export of video views: one message tells a whole view, with its events.

By https://github.com/muxinc/mux-protobuf at 7911b36 (video_view/v1/video_view.proto; its JSON has the same fields, by
https://www.mux.com/docs/changelog/json-format-video-views-streaming-export),
https://www.mux.com/docs/guides/mux-data-playback-events and
https://www.mux.com/docs/guides/export-raw-video-view-data.

Times and positions are seconds and nanoseconds, or milliseconds, as in the answers of Mux's API. A view without events,
as in the daily files, states its end and how long it played.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from models.sources import told as word
from models.sources.messages.mux_views import ProtobufTime, Time, View, ViewEvent
from models.sources.told import (
    LeftOut,
    PlayerMessage,
    Received,
    Rejected,
    Schema,
    checked_time,
    id_text,
    label,
    length_ms,
    position_ms,
    time_ms,
)

EVENTS: Final = {
    "playing": word.PLAY,
    "pause": word.PAUSE,
    "timeupdate": word.PING,
    "hb": word.PING,
    "seeking": word.SEEK_BEGINS,
    "seeked": word.SEEK_ENDS,
    "rebufferstart": word.BUFFER,
    "rebufferend": word.BUFFERED,
    "ended": word.END,
    "viewend": word.STOP,
    "adbreakstart": word.AD_BEGINS,
    "adbreakend": word.AD_ENDS,
}

MOST_EVENTS: Final = 100_000
"""More events than a view of a week has with one ping in ten seconds."""


class MuxViews(Schema):
    """The schema."""

    name = "Mux views export"
    message = View
    household = "viewer_user_id"
    title = "video_id"
    is_whole = True

    def is_ours(self, header: dict[str, Any]) -> bool:
        """Whatever is on the topic is a view."""
        return True

    def read(self, message: View, received: Received) -> Sequence[PlayerMessage]:
        """What a view tells."""
        session = id_text(message.view_id) or id_text(message.id)
        if session is None:
            raise Rejected("no_session", "view_id is missing")
        if (message.stream_type or message.video_stream_type or "").casefold().startswith("live"):
            raise LeftOut("live")
        title = id_text(message.video_id)
        if title is None:
            raise Rejected("no_title", "video_id is missing")
        of_view = PlayerMessage(word.OPENS, "", 0, session, id_text(message.viewer_user_id), title)
        of_view.runtime_ms = length_ms(message.video_duration, 1000)
        of_view.country = label(message.country or message.country_code)
        of_view.content_kind = "trailer" if (message.video_content_type or "").casefold() == "trailer" else None
        of_view.autoplay = message.player_autoplay
        events = message.events or []
        if len(events) > MOST_EVENTS:
            raise Rejected("out_of_range", f"events has {len(events)} entries, accepted are {MOST_EVENTS}")
        return _of_events(of_view, events) if events else _without_events(of_view, message)


SCHEMA = MuxViews()


def _of_events(of_view: PlayerMessage, events: list[ViewEvent]) -> list[PlayerMessage]:
    tells = []
    # A fast device clock shows where it is ahead of the server's: then all of the view is moved back.
    ahead_ms = max(0, *(_ahead_ms(event, number) for number, event in enumerate(events)), 0)
    for number, event in enumerate(events):
        what = EVENTS.get(event.type or event.name or "")
        if what is None:
            continue
        place = f"events[{number}]"
        at_ms = _unix_ms(event.viewer_time, f"{place}.viewer_time")
        stated = event.playhead_time if event.playhead_time is not None else event.playback_time
        of_position = f"{place}.playhead_time"
        position = None if stated is None else position_ms(_ms(stated, of_position), of_position, 1000)
        sequence = number if event.sequence_number is None else event.sequence_number
        time_ms = checked_time(max(0, at_ms - ahead_ms), place)
        # In an ad it may be the ad's own.
        position = None if what in (word.AD_BEGINS, word.AD_ENDS) else position
        tells.append(_at(of_view, what, str(sequence), time_ms, position))
    if not tells:
        raise LeftOut("other_event")
    return tells


def _without_events(of_view: PlayerMessage, message: View) -> list[PlayerMessage]:
    """The view ended at its largest position, and began as much earlier as it played."""
    end_ms = _unix_ms(message.view_end, "view_end")
    stated = message.view_content_playing_time
    played = stated if stated is not None else message.view_playing_time
    if played is None or message.view_max_playhead_position is None:
        raise LeftOut("no_position")
    played_ms = position_ms(played, "view_playing_time", 1000) or 0
    reached_ms = position_ms(message.view_max_playhead_position, "view_max_playhead_position", 1000) or 0
    began_ms = checked_time(end_ms - played_ms, "view_end less view_playing_time")
    return [
        _at(of_view, word.START, "start", began_ms, max(0, reached_ms - played_ms)),
        _at(of_view, word.STOP, "stop", end_ms, reached_ms),
    ]


def _at(of_view: PlayerMessage, what: str, name: str, time_ms: int, position_ms: int | None) -> PlayerMessage:
    """What a moment of a view tells, beside all that the view does."""
    message_id = id_text(f"{of_view.session}/{name}") or ""
    told = PlayerMessage(what, message_id, time_ms, of_view.session, of_view.household, of_view.title, position_ms)
    told.runtime_ms, told.country = of_view.runtime_ms, of_view.country
    told.content_kind, told.autoplay = of_view.content_kind, of_view.autoplay
    return told


def _ahead_ms(event: ViewEvent, number: int) -> int:
    server = event.server_time if event.server_time is not None else event.event_time
    if server is None or event.viewer_time is None:
        return 0
    place = f"events[{number}]"
    return _unix_ms(event.viewer_time, f"{place}.viewer_time") - _unix_ms(server, f"{place}.server_time")


def _unix_ms(stated: Time, place: str) -> int:
    if stated is None:
        raise Rejected("no_time", f"{place} is missing")
    return checked_time(_ms(stated, place), place)


def _ms(stated: ProtobufTime | int | str, place: str) -> int:
    """A time or duration in ms, in any of the notations."""
    if isinstance(stated, ProtobufTime):
        return stated.seconds * 1000 + stated.nanos // 1_000_000
    if isinstance(stated, int):
        return stated
    if stated.isdecimal() and stated.isascii() and len(stated) < 16:
        return int(stated)
    try:
        return time_ms(msgspec.convert(stated, datetime), place)
    except msgspec.ValidationError:
        raise Rejected("out_of_range", f"{place} is {stated[:40]!r}, accepted: a time") from None
