"""One request: what it states beside its body, and how it is answered.

Owns the three ways in which a write key may come.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.datastructures import QueryParams
from starlette.types import Send

GONE = 499
"""The status that is counted where the client has gone before it has sent its body."""


@dataclass(frozen=True, slots=True)
class CollectRequest:
    """A request's headers, by their names in lower case, its query, and when it was received."""

    headers: Mapping[bytes, bytes]
    query: QueryParams
    received_ms: int

    def header(self, name: bytes) -> str:
        """A header's text; empty if it is missing."""
        return self.headers.get(name, b"").decode("latin-1")


@dataclass(frozen=True, slots=True)
class CollectResponse:
    """A response: its status, what it says as JSON, and its own headers."""

    status: int
    said: object
    headers: Mapping[str, str] | None = None

    async def send(self, send: Send) -> None:
        """Send it, by ASGI."""
        body = msgspec.json.encode(self.said) + b"\n"
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        headers += [(name.lower().encode(), text.encode()) for name, text in (self.headers or {}).items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class RequestRefused(Exception):
    """The request is not taken: it is answered with this status, this text and these headers."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.text, self.headers = status, text, headers


def write_key(asked: CollectRequest) -> str:
    """The key of a request: as a bearer's token, as the user's name (Segment's clients), or in the address."""
    scheme, _, given = asked.header(b"authorization").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(given, validate=True).decode().partition(":")[0]
        except ValueError:
            return ""
    return asked.query.get("key", "")
