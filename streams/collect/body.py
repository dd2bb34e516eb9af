"""Reads the body of a request: bounded, inflated, and out of its form.

Owns the bounds of one body, and of all bodies together.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from types import TracebackType

from starlette.types import Message, Receive

from streams.collect.request import GONE, CollectRequest, RequestRefused

SLOWEST_S = 30.0
_GZIP = 16 + zlib.MAX_WBITS
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_PAYLOAD = re.compile(rb'^content-disposition:[^\r\n]*[;\s]name="?payload"?\s*(?:;|\r?$)', re.IGNORECASE | re.MULTILINE)
_LONGEST_HEAD = 2_048


class Room:
    """The bytes that all requests may hold at once."""

    def __init__(self, limit: int) -> None:
        self.limit, self.held = limit, 0


class Lease:
    """What one request holds, from its first byte until it is answered."""

    def __init__(self, room: Room) -> None:
        self._room, self._held = room, 0

    def take(self, size: int) -> None:
        """Hold more bytes. Raises `RequestRefused` if there is no room for them."""
        if self._room.held + size > self._room.limit:
            raise RequestRefused(429, "too many events wait for Kafka: try again in a second", {"Retry-After": "1"})
        self._room.held += size
        self._held += size

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._room.held -= self._held


async def read_body(asked: CollectRequest, receive: Receive, limit: int, lease: Lease) -> bytes:
    """The message or messages of a request, of at most `limit` bytes. Raises `RequestRefused`."""
    if int(asked.headers.get(b"content-length", b"0")) > limit:
        raise _too_large(limit)
    body = await _received(receive, limit, lease)
    encoding = asked.header(b"content-encoding").lower()
    if encoding == "gzip":
        body = inflated(body, limit)
        lease.take(len(body))
    elif encoding not in ("", "identity"):
        raise RequestRefused(415, f"Content-Encoding {encoding!r} is not supported: use gzip, or none")
    kind = asked.header(b"content-type")
    return form_payload(kind, body) if kind.lower().startswith("multipart/form-data") else body


async def _received(receive: Receive, limit: int, lease: Lease) -> bytes:
    body, is_whole = bytearray(), False
    try:
        async with asyncio.timeout(SLOWEST_S):
            while len(body) <= limit and not is_whole:
                chunk, is_whole = _chunk(await receive(), lease)
                body += chunk
    except TimeoutError:
        raise RequestRefused(408, f"the body did not arrive within {SLOWEST_S:g} s") from None
    if len(body) > limit:
        raise _too_large(limit)
    return bytes(body)


def _chunk(message: Message, lease: Lease) -> tuple[bytes, bool]:
    """A part of the body, and whether it is the last one. Raises `RequestRefused`."""
    if message["type"] == "http.disconnect":
        raise RequestRefused(GONE, "the client has gone")
    chunk: bytes = message.get("body", b"")
    lease.take(len(chunk))
    return chunk, not message.get("more_body", False)


def inflated(body: bytes, limit: int) -> bytes:
    """What was compressed with gzip, if it has at most `limit` bytes: no more are made. Raises `RequestRefused`."""
    inflating = zlib.decompressobj(_GZIP)
    try:
        found = inflating.decompress(body, limit + 1)
    except zlib.error as problem:
        raise RequestRefused(400, f"the body is not gzip: {problem}") from None
    if len(found) > limit:
        raise _too_large(limit, " after inflation")
    if not inflating.eof or inflating.unused_data:
        raise RequestRefused(400, "the body is not one whole gzip stream: it is cut off, or something follows it")
    return found


def form_payload(kind: str, body: bytes) -> bytes:
    """The field `payload` of a form, as Plex sends it. Raises `RequestRefused`.

    Not by `email`: that takes minutes for a body of nested parts, and forms have none (RFC 7578).
    """
    boundary = _BOUNDARY.search(kind)
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode("latin-1")) if boundary else []
    for part in parts[1:]:
        head, end, value = part.partition(b"\r\n\r\n")
        if end and len(head) <= _LONGEST_HEAD and _PAYLOAD.search(head):
            return value
    raise RequestRefused(400, "the form has no field `payload`")


def _too_large(limit: int, when: str = "") -> RequestRefused:
    return RequestRefused(413, f"the body has more than {limit} bytes{when}: send fewer messages at once")
