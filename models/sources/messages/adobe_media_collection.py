"""A call of Adobe's Media Collection API."""

from __future__ import annotations

import msgspec


class PlayerTime(msgspec.Struct, gc=False):
    """Where the player is (s), and when (ms)."""

    playhead: float | None = None
    ts: int | None = None


class Params(msgspec.Struct, gc=False):
    """The parameters that are read, all of `sessionStart`."""

    media_id: str | int | None = msgspec.field(default=None, name="media.id")
    length: float | None = msgspec.field(default=None, name="media.length")
    content_type: str | None = msgspec.field(default=None, name="media.contentType")
    stream_type: str | None = msgspec.field(default=None, name="media.streamType")
    downloaded: bool | None = msgspec.field(default=None, name="media.downloaded")
    visitor_id: str | int | None = msgspec.field(default=None, name="analytics.visitorId")
    cloud_user_id: str | int | None = msgspec.field(default=None, name="visitor.marketingCloudUserId")
    installation_id: str | None = msgspec.field(default=None, name="appInstallationId")


class Call(msgspec.Struct, rename="camel", gc=False):
    """A call's body."""

    player_time: PlayerTime | None = None
    event_type: str | None = None
    session_id: str | int | None = None
    params: Params | None = None
