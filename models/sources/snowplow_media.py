"""Snowplow's media events, version 2 and version 1, as enriched events in JSON or TSV.

By https://github.com/snowplow/iglu-central at cbac22e: schemas/com.snowplowanalytics.snowplow.media (events, session,
ad_break), com.snowplowanalytics.snowplow/media_player 1-0-0 and 2-0-0, media_player_event 1-0-0; and
https://docs.snowplow.io/docs/events/ootb-data/media-events.

JSON is read in two notations: `unstruct_event` and `contexts` as self-describing JSON, and the flat one of the
analytics SDKs (`event_name`, `contexts_com_…_2`). Times are seconds with decimals. Where the browser begins to seek,
`currentTime` may be the target already. Pings go on in a pause.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from models.sources import told as word
from models.sources.messages.snowplow_media import (
    MEDIA,
    VENDOR,
    AdBreak,
    Enriched,
    Entities,
    Entity,
    EventData,
    MediaSession,
    SnowplowPlayer,
)
from models.sources.snowplow_tsv import columns_as_json
from models.sources.told import (
    LeftOut,
    PlayerMessage,
    Received,
    Rejected,
    Schema,
    content_id,
    id_text,
    label,
    length_ms,
    optional_time_ms,
    position_ms,
    time_ms,
)

S = TypeVar("S")

EVENTS: Final = {
    "ready_event": word.OPENS,
    "play_event": word.PLAY,
    "pause_event": word.PAUSE,
    "end_event": word.END,
    "ping_event": word.PING,
    "percent_progress_event": word.PING,
    "seek_start_event": word.SEEK_BEGINS,
    "seek_end_event": word.SEEK_ENDS,
    "buffer_start_event": word.BUFFER,
    "buffer_end_event": word.BUFFERED,
    "playback_rate_change_event": word.RATE,
    "ad_break_start_event": word.AD_BEGINS,
    "ad_break_end_event": word.AD_ENDS,
    "ad_start_event": word.AD_BEGINS,
    "ad_complete_event": word.AD_ENDS,
    "ad_skip_event": word.AD_ENDS,
}
"""Events of version 2, by the name of their schema."""

LONGEST_SCHEMA: Final = 512
"""No schema's address is longer."""

BESIDE_CONTENT: Final = {"nonlinear", "companion"}
"""Ad breaks of these types are shown while the content plays."""

TYPES: Final = {
    "ready": word.OPENS,
    "play": word.PLAY,
    "playing": word.BUFFERED,
    "pause": word.PAUSE,
    "ended": word.END,
    "timeupdate": word.PING,
    "percentprogress": word.PING,
    "seeking": word.SEEK_BEGINS,
    "seeked": word.SEEK_ENDS,
    "seek": word.SEEK_ENDS,
    "waiting": word.BUFFER,
    "buffering": word.BUFFER,
    "ratechange": word.RATE,
}
"""Events of version 1, by their `type`: those of HTML5 and of the YouTube plugin."""


_PLAYER: Final = msgspec.json.Decoder(SnowplowPlayer, strict=False)
_SESSION: Final = msgspec.json.Decoder(MediaSession, strict=False)
_AD_BREAK: Final = msgspec.json.Decoder(AdBreak, strict=False)
_EVENT_DATA: Final = msgspec.json.Decoder(EventData, strict=False)
_ENTITY: Final = msgspec.json.Decoder(Entity, strict=False)


class Media:
    """What an event says of media, whatever its notation."""

    def __init__(
        self,
        vendor: str,
        name: str,
        data: EventData | None = None,
        player: SnowplowPlayer | None = None,
        session: MediaSession | None = None,
        ad_break: AdBreak | None = None,
    ) -> None:
        self.vendor, self.name = vendor, name
        self.data, self.player, self.session, self.ad_break = data, player, session, ad_break

    @property
    def what(self) -> str | None:
        """The word for what the event tells; None: nothing of playback."""
        if self.vendor == MEDIA:
            return EVENTS.get(self.name)
        if self.vendor == VENDOR and self.name == "media_player_event" and self.data is not None:
            return TYPES.get(self.data.type or "")
        return None


class SnowplowMedia(Schema):
    """The schema."""

    name = "Snowplow media (v1, v2)"
    message = Enriched
    household = "domain_userid"
    title = "label"

    def as_json(self, value: bytes) -> bytes:
        """An enriched event in TSV, as the pipeline writes it, becomes JSON."""
        return value if b"\t" not in value or value.lstrip()[:1] == b"{" else columns_as_json(value)

    def is_ours(self, header: dict[str, Any]) -> bool:
        """By the event's schema or name."""
        event = header.get("unstruct_event")
        stated = event.get("schema") if isinstance(event, dict) else None
        return header.get("event_vendor") == MEDIA or (isinstance(stated, str) and MEDIA in stated)

    def read(self, message: Enriched, received: Received) -> Sequence[PlayerMessage]:
        """What an event tells."""
        media = _media(message)
        what = media.what
        if what is None:
            raise LeftOut("other_event")
        player = media.player
        if media.ad_break is not None:
            beside = media.ad_break.break_type in BESIDE_CONTENT
            if beside or not media.name.startswith("ad_break"):
                # The break that an ad belongs to begins and ends by itself.
                raise LeftOut("ad")
        if player is None:
            raise Rejected("malformed", "there is no media_player entity in contexts")
        if player.livestream or player.is_live:
            raise LeftOut("live")
        if player.media_type == "audio":
            raise LeftOut("not_video")
        return (_told(what, message, media, player, received),)


SCHEMA = SnowplowMedia()


def _told(what: str, message: Enriched, media: Media, player: SnowplowPlayer, received: Received) -> PlayerMessage:
    session = media.session.media_session_id if media.session else None
    session = id_text(session) or id_text(message.domain_sessionid)
    if session is None:
        raise Rejected("no_session", "mediaSessionId and domain_sessionid are missing")
    time = message.derived_tstamp or message.dvce_created_tstamp or message.collector_tstamp
    rate = media.data.new_rate if media.data and media.data.new_rate else player.playback_rate
    told = PlayerMessage(
        what,
        id_text(message.event_id) or content_id(received),
        time_ms(time, "derived_tstamp"),
        session,
        id_text(message.domain_userid),
        id_text(player.label) or id_text(media.data.label if media.data else None),
        position_ms(player.current_time, "currentTime"),
    )
    told.paused = player.paused or player.ended
    told.playback_rate = rate if rate is not None and 0 < rate <= 16 else None
    told.runtime_ms = length_ms(player.duration)
    told.time_zone, told.country = label(message.os_timezone), label(message.geo_country)
    told.sent_time_ms = optional_time_ms(message.dvce_sent_tstamp)
    return told


def _media(message: Enriched) -> Media:
    event = message.unstruct_event
    if event is None:
        return _flat(message)
    vendor, name = _name(event.schema)
    if name == "unstruct_event":
        event = _decoded(_ENTITY, event.data, "unstruct_event.data")
        vendor, name = _name(event.schema)
    media = Media(vendor, name)
    if vendor not in (MEDIA, VENDOR):
        return media
    media.data = _decoded(_EVENT_DATA, event.data, "unstruct_event.data")
    contexts = message.contexts
    for entity in (contexts.data if isinstance(contexts, Entities) else contexts) or ():
        vendor, name = _name(entity.schema)
        if name == "media_player" and vendor == VENDOR:
            media.player = _decoded(_PLAYER, entity.data, "media_player")
        elif name == "session" and vendor == MEDIA:
            media.session = _decoded(_SESSION, entity.data, "session")
        elif name == "ad_break" and vendor == MEDIA:
            media.ad_break = _decoded(_AD_BREAK, entity.data, "ad_break")
    return media


def _flat(message: Enriched) -> Media:
    """What the flat notation of the analytics SDKs says."""
    players = message.players or message.players_1
    return Media(
        message.event_vendor or "",
        message.event_name or "",
        message.type_event or message.rate_event,
        players[0] if players else None,
        message.sessions[0] if message.sessions else None,
        message.ad_breaks[0] if message.ad_breaks else None,
    )


def _name(schema: str) -> tuple[str, str]:
    """Vendor and name of `iglu:vendor/name/format/version`; of a text that is too long for one, none."""
    return _parsed_name(schema) if len(schema) <= LONGEST_SCHEMA else ("", "")


@lru_cache(maxsize=1024)
def _parsed_name(schema: str) -> tuple[str, str]:
    parts = schema.removeprefix("iglu:").split("/", 2)
    return (parts[0], parts[1]) if len(parts) > 1 else ("", "")


def _decoded(decoder: msgspec.json.Decoder[S], data: msgspec.Raw, place: str) -> S:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Rejected("malformed", f"{place}: {problem}") from None
