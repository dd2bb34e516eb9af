"""A notification of Jellyfin's webhook plugin."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Notification(msgspec.Struct, rename="pascal", gc=False):
    """The properties that are read."""

    notification_type: str | None = None
    user_id: str | None = None
    device_id: str | None = None
    device_name: str | None = None
    item_id: str | None = None
    item_type: str | None = None
    run_time_ticks: int | None = None
    playback_position_ticks: int | None = None
    is_paused: bool | None = None
    utc_timestamp: datetime | None = None
