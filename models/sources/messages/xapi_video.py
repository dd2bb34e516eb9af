"""A statement of the xAPI video profile."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

EXTENSIONS: Final = "https://w3id.org/xapi/video/extensions/"


class Of(msgspec.Struct, gc=False):
    """A verb, or what it was done to."""

    id: str | None = None


class XapiAccount(msgspec.Struct, gc=False):
    """An account of the actor's."""

    name: str | int | None = None


class Actor(msgspec.Struct, gc=False):
    """Who did it, in one of the ways that xAPI knows."""

    account: XapiAccount | None = None
    mbox: str | None = None
    mbox_sha1sum: str | None = None
    openid: str | None = None


class Result(msgspec.Struct, gc=False):
    """Positions, in seconds or, as some players write them, as ISO 8601 durations."""

    time: float | str | None = msgspec.field(default=None, name=EXTENSIONS + "time")
    time_from: float | str | None = msgspec.field(default=None, name=EXTENSIONS + "time-from")
    time_to: float | str | None = msgspec.field(default=None, name=EXTENSIONS + "time-to")


class XapiSession(msgspec.Struct, gc=False):
    """The context's extensions."""

    session_id: str | None = msgspec.field(default=None, name=EXTENSIONS + "session-id")
    length: float | str | None = msgspec.field(default=None, name=EXTENSIONS + "length")
    speed: float | str | None = msgspec.field(default=None, name=EXTENSIONS + "speed")


class ResultPart(msgspec.Struct, gc=False):
    """A statement's result."""

    extensions: Result | None = None


class ContextPart(msgspec.Struct, gc=False):
    """A statement's context."""

    registration: str | None = None
    extensions: XapiSession | None = None


class Statement(msgspec.Struct, gc=False):
    """The fields that are read."""

    id: str | None = None
    verb: Of | None = None
    actor: Actor | None = None
    object: Of | None = None
    timestamp: datetime | None = None
    stored: datetime | None = None
    result: ResultPart | None = None
    context: ContextPart | None = None
