"""What becomes of a message that is posted: the record that is written of it, or why it cannot be read.

Owns the keys of records, and how a device clock that is ahead is mended in Encore's own events. Nothing is remembered:
the same message that is received at the same time gives the same record, whoever receives it.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import msgspec

from models.events import BadEvent
from models.reading import read_event
from models.sources.schemas import schemas
from models.sources.told import LeftOut, Rejected, Schema, split_array
from models.sources.translator import Translator

ENCORE: Final = "encore"
"""The name of Encore's own format beside those of live schemas."""


class Posted(NamedTuple):
    """A record to be written. `mended`: its times were moved back."""

    key: bytes
    value: bytes
    mended: bool = False


class PostedFormat(Protocol):
    """A format in which messages are posted."""

    def split(self, body: bytes) -> list[bytes]:
        """The messages of a body. Raises `Rejected`."""
        ...

    def record(self, message: bytes, received_ms: int, session: str = "") -> Posted:
        """The record of a message. `session`: as it was named beside it. Raises `Rejected` and `LeftOut`."""
        ...


def posted_format(name: str) -> PostedFormat:
    """The format of this name: `encore`, or a live schema's. Raises `KeyError`."""
    return EncoreFormat() if name == ENCORE else SchemaFormat(schemas()[name])


class EncoreFormat:
    """Playback events. A record is keyed by its household; what is accepted is what a worker can read."""

    def split(self, body: bytes) -> list[bytes]:
        return split_array(body)

    def record(self, message: bytes, received_ms: int, session: str = "") -> Posted:
        key = _household(message)
        try:
            event = read_event(key, message)
            ahead_ms = (event.sent_time_ms or 0) - received_ms
            if ahead_ms <= 0:
                return Posted(key, message)
            moved = {
                "event_time_ms": event.event_time_ms - ahead_ms,
                "sent_time_ms": received_ms,
                # The device's own clock keeps the order, and makes the same of a message that is sent again: how much
                # later than the first it arrives does not matter then.
                "seq": event.event_time_ms if event.seq is None else event.seq,
            }
            value = msgspec.json.encode(_decode_fields(message) | moved)
            read_event(key, value)
        except BadEvent as problem:
            raise Rejected("malformed", str(problem)) from None
        return Posted(key, value, mended=True)


class SchemaFormat:
    """Messages of a live schema, written as they are, for a bridge. A record is keyed by its session, so that all of
    a session are in one partition, in order; what needs those before it is the bridge's to judge."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._reader = Translator(schema)

    def split(self, body: bytes) -> list[bytes]:
        return self._schema.split(body)

    def record(self, message: bytes, received_ms: int, session: str = "") -> Posted:
        value = self._schema.mended(message, received_ms)
        tells = self._reader.read(value, received_ms, session.encode())
        if not tells:
            raise LeftOut("other_event")
        if not tells[0].session:
            raise Rejected("no_session", "no session is stated, neither in the message nor beside it")
        return Posted(tells[0].session.encode(), value, mended=value is not message)


class _Head(msgspec.Struct, gc=False):
    household_id: str = ""


_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _household(message: bytes) -> bytes:
    """The key that an event must have; empty where it has none: then reading it says why."""
    try:
        return _decode_head(message).household_id.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return b""
