"""A webhook of Plex."""

from __future__ import annotations

import msgspec


class PlexAccount(msgspec.Struct, gc=False):
    """Who plays."""

    id: str | int | None = None


class PlexPlayer(msgspec.Struct, gc=False):
    """What plays it."""

    uuid: str | None = None


class Metadata(msgspec.Struct, rename="camel", gc=False):
    """What is played."""

    type: str | None = None
    rating_key: str | int | None = None
    duration: int | None = None
    view_offset: int | None = None
    live: str | int | None = None


class PlexPayload(msgspec.Struct, gc=False):
    """The fields that are read."""

    event: str | None = None
    account: PlexAccount | None = msgspec.field(default=None, name="Account")
    player: PlexPlayer | None = msgspec.field(default=None, name="Player")
    metadata: Metadata | None = msgspec.field(default=None, name="Metadata")
