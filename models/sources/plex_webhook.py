"""Plex's webhooks: the JSON of the form field `payload`.

By https://support.plex.tv/articles/115002267687-webhooks/. Times are ms. A webhook states no time, no session and no
seek: the record's timestamp is the time. `viewOffset` is missing where nothing is left to resume, as at a stop after
the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from models.sources import told as word
from models.sources.messages.plex_webhook import PlexPayload
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
    "media.play": word.START,
    "media.pause": word.PAUSE,
    "media.resume": word.PLAY,
    "media.stop": word.STOP,
    "media.scrobble": word.PASSES,
}

KINDS: Final = {"movie": None, "episode": None, "clip": "bonus"}
"""What is a title, by its type, and its kind; None: the catalog's."""

SCROBBLED_PERCENT: Final = 90
"""A scrobble says that the title was played past this share of it."""


class PlexWebhook(Schema):
    """The schema."""

    name = "Plex webhook"
    message = PlexPayload
    household = "Account.id"
    title = "Metadata.ratingKey"
    tells_sessions = False
    tells_seeks = False
    fastest_percent = 102

    def is_ours(self, header: dict[str, Any]) -> bool:
        """By the event."""
        return header.get("event") in list(EVENTS)

    def read(self, message: PlexPayload, received: Received) -> Sequence[PlayerMessage]:
        """What a webhook tells."""
        what, item = EVENTS.get(message.event or ""), message.metadata
        if what is None:
            raise LeftOut("other_event")
        if item is None or (title := id_text(item.rating_key)) is None:
            raise Rejected("no_title", "Metadata.ratingKey is missing")
        if item.live in (1, "1"):
            raise LeftOut("live")
        if item.type is not None and item.type not in KINDS:
            raise LeftOut("not_video")
        runtime_ms = length_ms(item.duration, 1000)
        at_ms = position_ms(item.view_offset, "Metadata.viewOffset", 1000)
        if at_ms is None and what == word.START:
            at_ms = 0
        elif at_ms is None and what == word.PASSES and runtime_ms is not None:
            at_ms = runtime_ms * SCROBBLED_PERCENT // 100
        account = id_text(message.account.id) if message.account else None
        device = id_text(message.player.uuid) if message.player else None
        time_ms = checked_time(received.timestamp_ms, "the record's timestamp")
        player = f"{account or ''}/{device or ''}"
        message_id = id_text(f"{player}/{title}/{time_ms}/{message.event}") or ""
        told = PlayerMessage(what, message_id, time_ms, player, account, title, at_ms)
        told.profile_id, told.device_id, told.runtime_ms = account, device, runtime_ms
        told.content_kind = KINDS.get(item.type or "")
        return (told,)


SCHEMA = PlexWebhook()
