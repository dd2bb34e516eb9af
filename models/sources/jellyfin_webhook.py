"""The notifications of Jellyfin's webhook plugin, with all properties or a template that keeps their names.

By https://github.com/jellyfin/jellyfin-plugin-webhook: Helpers/DataObjectHelpers.cs at 071ef13 and the notifiers
PlaybackStart, PlaybackProgress and PlaybackStop.

Ticks are 100 ns. There is no session id and no seek, and at the stop many clients state 0. A template may put quotes
around everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from models.sources import told as word
from models.sources.messages.jellyfin_webhook import Notification
from models.sources.told import (
    LeftOut,
    PlayerMessage,
    Received,
    Rejected,
    Schema,
    id_text,
    length_ms,
    position_ms,
    time_ms,
)

TICKS_PER_S: Final = 10_000_000

TYPES: Final = {"PlaybackStart": word.START, "PlaybackProgress": word.PING, "PlaybackStop": word.STOP}

KINDS: Final = {
    "Episode": None,
    "Movie": None,
    "MusicVideo": None,
    "Recording": None,
    "Trailer": "trailer",
    "Video": None,
}
"""What is a title, by `ItemType`, and its kind; None: the catalog's."""

LIVE: Final = {"LiveTvChannel", "LiveTvProgram", "Program", "TvChannel"}


class JellyfinWebhook(Schema):
    """The schema."""

    name = "Jellyfin webhook"
    message = Notification
    household = "UserId"
    title = "ItemId"
    tells_sessions = False
    tells_seeks = False

    def is_ours(self, header: dict[str, Any]) -> bool:
        """By the notification's type."""
        return header.get("NotificationType") in list(TYPES)

    def read(self, message: Notification, received: Received) -> Sequence[PlayerMessage]:
        """What a notification tells."""
        what = TYPES.get(message.notification_type or "")
        if what is None:
            raise LeftOut("other_event")
        if message.item_type in LIVE:
            raise LeftOut("live")
        if message.item_type is not None and message.item_type not in KINDS:
            raise LeftOut("not_video")
        title = id_text(message.item_id)
        if title is None:
            raise Rejected("no_title", "ItemId is missing")
        ticks = message.playback_position_ticks
        # Clients that have closed the file already state 0.
        at_ms = None if what == word.STOP and not ticks else position_ms(ticks, "PlaybackPositionTicks", TICKS_PER_S)
        user, device = id_text(message.user_id), id_text(message.device_id) or id_text(message.device_name)
        stated = message.utc_timestamp
        at = received.timestamp_ms if stated is None else time_ms(stated, "UtcTimestamp")
        player = f"{user or ''}/{device or ''}"
        message_id = id_text(f"{player}/{title}/{at}/{message.notification_type}/{ticks}/{message.is_paused}") or ""
        told = PlayerMessage(what, message_id, at, player, user, title, at_ms)
        told.paused = message.is_paused
        told.profile_id, told.device_id = user, device
        told.runtime_ms = length_ms(message.run_time_ticks, TICKS_PER_S)
        told.content_kind = KINDS.get(message.item_type or "")
        return (told,)


SCHEMA = JellyfinWebhook()
