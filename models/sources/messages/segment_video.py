"""A call of Segment's video events, and a batch of calls as a device posts it."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Properties(msgspec.Struct, gc=False):
    """The properties that are read, of all three kinds of events."""

    session_id: str | int | None = None
    content_asset_id: str | int | None = None
    asset_id: str | int | None = None
    position: float | None = None
    seek_position: float | None = None
    total_length: float | None = None
    livestream: bool | None = None


class Context(msgspec.Struct, gc=False):
    """The context's fields that are read."""

    timezone: str | None = None


class Track(msgspec.Struct, rename="camel", gc=False):
    """A call; `properties` of others than `track` calls are not read."""

    type: str | None = None
    event: str | None = None
    message_id: str | None = None
    user_id: str | int | None = None
    anonymous_id: str | int | None = None
    timestamp: datetime | None = None
    original_timestamp: datetime | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    properties: Properties | None = None
    context: Context | None = None


class SegmentBatch(msgspec.Struct, rename="camel", gc=False):
    """Calls that a device sends at once, and when it did, by its own clock."""

    batch: list[msgspec.Raw] | None = None
    sent_at: msgspec.Raw = msgspec.Raw(b"null")
