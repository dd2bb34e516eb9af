"""The titles that change, as server-sent events.

Owns the form of the events, and how many clients may listen: each follows the changes in Redis by itself, so that one
that comes back goes on where it was, and a slow one costs no other.

The first event, `open`, has the place from which on nothing is missed: what a client reads after it is not older. An
event `missed` says that some changes may have been lost: read anew what you keep.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Collection

import msgspec
from prometheus_client import Gauge
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from streams.api.answers import BadArgument, ChangedTitle
from streams.api.asked import ChangesAsked
from streams.api.responses import problem_response
from streams.reader import AsyncReader, Change, ReaderError

MOST_CLIENTS = 64
PING_S = 15
EVENT_STREAM = "text/event-stream"
OPEN, CHANGE, MISSED = "open", "change", "missed"
_PLACE = re.compile(r"\d{1,19}-\d{1,19}(@.{1,100})?")

log = logging.getLogger(__name__)


class ChangeStream:
    """The door to the changes; `most` clients may listen at once, and `listening` says how many do."""

    def __init__(self, reader: AsyncReader, listening: Gauge, most: int = MOST_CLIENTS) -> None:
        self._reader, self._gauge, self._most = reader, listening, most
        self._listening = 0

    async def response(self, request: Request, asked: ChangesAsked) -> Response | _Stream:
        """The events from now on, or from the place that `Last-Event-ID` states. Raises `BadArgument`."""
        after = request.headers.get("last-event-id")
        if after is not None and not _PLACE.fullmatch(after):
            raise BadArgument("Last-Event-ID", after, "the id of an event that came before")
        if request.method == "HEAD":
            return StreamingResponse(iter(()), 200, {"Cache-Control": "no-store"}, EVENT_STREAM)
        return _Stream(self, await self._reader.place() if after is None else after, asked.part)

    async def listen(self, after: str, parts: Collection[str], scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, if there is room for it."""
        if self._listening >= self._most:
            refusal = problem_response(503, f"{self._most} clients listen already", {"Retry-After": "30"})
            await refusal(scope, receive, send)
            return
        self._listening += 1
        try:
            with self._gauge.track_inprogress():
                await EventSourceResponse(self._events(after, parts), ping=PING_S, sep="\n")(scope, receive, send)
        finally:
            self._listening -= 1

    async def _events(self, after: str, parts: Collection[str]) -> AsyncIterator[ServerSentEvent]:
        yield ServerSentEvent("{}", event=OPEN, id=after, sep="\n")
        try:
            async for change in self._reader.changes(after):
                if change.missed:
                    yield ServerSentEvent("{}", event=MISSED, id=change.place, sep="\n")
                if change.title_id is not None and (not parts or part_of(change) in parts):
                    yield _event(change, change.title_id)
        except ReaderError as problem:
            log.error("the changes cannot be followed: %s", problem)


class _Stream:
    """A response that takes its place among those who listen when it is sent, not before."""

    def __init__(self, changes: ChangeStream, after: str, parts: Collection[str]) -> None:
        self._changes, self._after, self._parts = changes, after, parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._changes.listen(self._after, self._parts, scope, receive, send)


def part_of(change: Change) -> str:
    """Which of a title's hashes has changed: `title` its own, else its word in keys, such as `day` or `curve`."""
    _, _, rest = change.key.rpartition("title:")[2].partition(":")
    return rest.partition(":")[0] or "title"


def _event(change: Change, title_id: str) -> ServerSentEvent:
    changed = ChangedTitle(title_id=title_id, part=part_of(change), version=change.version)
    return ServerSentEvent(msgspec.json.encode(changed).decode(), event=CHANGE, id=change.place, sep="\n")
