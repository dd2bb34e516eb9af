"""What translation writes: playback events, and sessions at rest.

Owns the form of both, which is that of structs; so it is never compiled.
"""

from __future__ import annotations

import msgspec

from models.events import Event


class TranslatedEvent(Event, omit_defaults=True, gc=False):
    """A playback event as it is written: what is not known is left out."""


class SessionAtRest(msgspec.Struct, array_like=True, gc=False):
    """A session (`models.sources.player.ForeignSession`) as it is packed: its fields in this order."""

    household_id: str
    title_id: str
    play_session_id: str
    seen_ms: int = -1
    latest_ms: int = -1
    ids: tuple[str, ...] = ()
    position_ms: int = -1
    at_ms: int = -1
    rate: float = 1.0
    playing: bool = False
    goes_on: bool = False
    over: bool = False
    seeking: bool = False
    in_ad: bool = False
    since_ms: int = -1
    ad_id: str = ""
    ad_position_ms: int = 0
    ads_ms: int = 0
    ads_since_ms: int = 0
    left_out: str = ""
    mixed: bool = False
    runtime_ms: int | None = None
    content_kind: str | None = None
    profile_id: str | None = None
    profile_kind: str | None = None
    device_id: str | None = None
    autoplay: bool | None = None
