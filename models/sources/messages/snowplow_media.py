"""An enriched event of Snowplow with a media event, in both notations of JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

VENDOR: Final = "com.snowplowanalytics.snowplow"
MEDIA: Final = "com.snowplowanalytics.snowplow.media"


class Entity(msgspec.Struct, gc=False):
    """Self-describing JSON."""

    schema: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


class Entities(msgspec.Struct, gc=False):
    """Self-describing JSON that holds a list of such."""

    data: list[Entity] = []


class SnowplowPlayer(msgspec.Struct, rename="camel", gc=False):
    """The media player, of both versions."""

    current_time: float | None = None
    duration: float | None = None
    ended: bool | None = None
    paused: bool | None = None
    livestream: bool | None = None
    is_live: bool | None = None
    label: str | None = None
    media_type: str | None = None
    playback_rate: float | None = None


class MediaSession(msgspec.Struct, rename="camel", gc=False):
    """The media session, of version 2."""

    media_session_id: str | None = None


class AdBreak(msgspec.Struct, rename="camel", gc=False):
    """The ad break that an ad event belongs to."""

    break_type: str | None = None


class EventData(msgspec.Struct, rename="camel", gc=False):
    """The event's own data, of both versions."""

    type: str | None = None
    label: str | None = None
    new_rate: float | None = None


_OF_EVENT = f"unstruct_event_{VENDOR.replace('.', '_')}"
_OF_CONTEXT = f"contexts_{VENDOR.replace('.', '_')}"


class Enriched(msgspec.Struct, gc=False):
    """The fields that are read, in both notations."""

    event_id: str | None = None
    derived_tstamp: datetime | None = None
    dvce_created_tstamp: datetime | None = None
    collector_tstamp: datetime | None = None
    dvce_sent_tstamp: datetime | None = None
    domain_userid: str | None = None
    domain_sessionid: str | None = None
    os_timezone: str | None = None
    geo_country: str | None = None
    unstruct_event: Entity | None = None
    contexts: list[Entity] | Entities | None = None
    event_vendor: str | None = None
    event_name: str | None = None
    type_event: EventData | None = msgspec.field(default=None, name=f"{_OF_EVENT}_media_player_event_1")
    rate_event: EventData | None = msgspec.field(default=None, name=f"{_OF_EVENT}_media_playback_rate_change_event_1")
    players: list[SnowplowPlayer] | None = msgspec.field(default=None, name=f"{_OF_CONTEXT}_media_player_2")
    players_1: list[SnowplowPlayer] | None = msgspec.field(default=None, name=f"{_OF_CONTEXT}_media_player_1")
    sessions: list[MediaSession] | None = msgspec.field(default=None, name=f"{_OF_CONTEXT}_media_session_1")
    ad_breaks: list[AdBreak] | None = msgspec.field(default=None, name=f"{_OF_CONTEXT}_media_ad_break_1")
