"""The calls of Adobe's Media Collection API, as players send them.

By https://developer.adobe.com/analytics-collection-apis/methods/media-collection/ (sessions, events, parameters) and
https://experienceleague.adobe.com/en/docs/media-analytics/using/media-use-cases/timelines/view-to-end-of-content.

Playheads are seconds of the content; in ads they stand still, in live streams they are the second of the day. Only
`sessionStart` says what is played and who plays it. The session's id is in the URL of the other calls, so whatever
forwards them must put it into the record's key, or into a field `sessionId`; without, only one player may tell at a
time. There is no seek.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from models.sources import told as word
from models.sources.messages.adobe_media_collection import Call, Params
from models.sources.told import (
    LeftOut,
    PlayerMessage,
    Received,
    Rejected,
    Schema,
    checked_time,
    id_text,
    length_ms,
    position_ms,
)

EVENTS: Final = {
    "sessionStart": word.OPENS,
    "play": word.PLAY,
    "ping": word.PING,
    "pauseStart": word.PAUSE,
    "bufferStart": word.BUFFER,
    "adBreakStart": word.AD_BEGINS,
    "adBreakComplete": word.AD_ENDS,
    "sessionComplete": word.END,
    "sessionEnd": word.STOP,
}

ADS: Final = {"adStart", "adComplete", "adSkip"}
LIVE: Final = {"live", "linear"}
AUDIO: Final = {"aod", "audiobook", "podcast", "radio", "song"}


class AdobeMediaCollection(Schema):
    """The schema."""

    name = "Adobe Media Collection"
    message = Call
    household = "params.analytics.visitorId"
    title = "params.media.id"
    tells_household_once = True
    tells_seeks = False

    def is_ours(self, header: dict[str, Any]) -> bool:
        """By the event's type."""
        return header.get("eventType") in list(EVENTS)

    def read(self, message: Call, received: Received) -> Sequence[PlayerMessage]:
        """What a call tells."""
        event = message.event_type or ""
        what = EVENTS.get(event)
        if what is None:
            raise LeftOut("ad" if event in ADS else "other_event")
        session = id_text(message.session_id) or id_text(received.key_text()) or ""
        at = message.player_time
        if at is None or at.ts is None:
            raise Rejected("no_time", "playerTime.ts is missing")
        time_ms = checked_time(at.ts, "playerTime.ts")
        message_id = id_text(f"{session}/{time_ms}/{event}/{at.playhead}") or ""
        told = PlayerMessage(what, message_id, time_ms, session)
        stated = message.params
        if what == word.OPENS:
            _read_opening(told, stated or Params())
        # A live playhead is the second of the day: whatever it says, it is no position of a title.
        if not told.left_out:
            told.position_ms = position_ms(at.playhead, "playerTime.playhead")
        return (told,)


SCHEMA = AdobeMediaCollection()


def _read_opening(told: PlayerMessage, stated: Params) -> None:
    told.title = id_text(stated.media_id)
    if told.title is None:
        raise Rejected("no_title", "params.media.id is missing")
    told.household = id_text(stated.visitor_id) or id_text(stated.cloud_user_id)
    told.device_id = id_text(stated.installation_id)
    told.runtime_ms = length_ms(stated.length)
    told.offline = stated.downloaded
    kind = (stated.content_type or "").casefold()
    if kind in LIVE:
        told.left_out = "live"
    elif kind in AUDIO or (stated.stream_type or "").casefold() == "audio":
        told.left_out = "not_video"
