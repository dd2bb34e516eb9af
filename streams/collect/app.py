"""The web application: one address to post to.

Owns the order of a request's way (key, body, reading, writing, answer), and the statuses.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from confluent_kafka import KafkaError
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from models.sources.posted import Posted
from models.sources.told import LeftOut, Rejected
from streams.collect.body import Lease, Room, read_body
from streams.collect.request import CollectRequest, CollectResponse, RequestRefused, write_key
from streams.collect.sources import MessageSource, Sources
from streams.collect.writer import CollectWriter
from streams.observability.collect_metrics import CollectMetrics

PATH = "/v1/events"
MOST_MESSAGES = 5_000
MOST_FAULTS = 20
_LINES = "application/x-ndjson"
_TOO_LARGE = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE)


class Fault(NamedTuple):
    """A message that could not be read: its number in the body, from 0, and why."""

    message: int
    reason: str
    text: str


@dataclass(slots=True)
class Collected:
    """What became of the messages of a body: records, and what could not be read: the first faults, all by reason.

    It is kept while Kafka is waited for, and must not be larger than the body by much: a bad message has two bytes.
    """

    records: list[Posted] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    left_out: int = 0

    def refuse(self, number: int, problem: Rejected) -> None:
        """Note that a message could not be read."""
        self.refused[problem.code] += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(number, problem.code, str(problem)))

    def answer(self) -> CollectResponse:
        """202, or 400 where something could not be read; what could be is in Kafka by then."""
        said: dict[str, object] = {"accepted": len(self.records)}
        if self.left_out:
            said["left_out"] = self.left_out
        if self.faults:
            said["refused"] = self.refused.total()
            said["faults"] = [fault._asdict() for fault in self.faults]
        return CollectResponse(400 if self.faults else 202, said)


class Door:
    """Takes requests, and answers them once Kafka has what they bring.

    It is an ASGI application: Starlette's own requests and responses would take as long as all else that is done here.
    """

    def __init__(
        self, sources: Sources, writer: CollectWriter, room: Room, metrics: CollectMetrics, body_bytes: int
    ) -> None:
        self._sources, self._writer, self._room, self._metrics = sources, writer, room, metrics
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began_s, name = time.monotonic(), ""
        asked = CollectRequest(dict(scope["headers"]), QueryParams(scope["query_string"]), time.time_ns() // 1_000_000)
        try:
            source = self._source(asked)
            name = source.name
            with Lease(self._room) as lease:
                body = await read_body(asked, receive, self._body_bytes, lease)
                answer = await self._collect(source, asked, body)
        except RequestRefused as refusal:
            answer = CollectResponse(refusal.status, {"error": refusal.text}, refusal.headers)
        self._metrics.collect_requests.labels(name, str(answer.status)).inc()
        self._metrics.collect_answer_seconds.observe(time.monotonic() - began_s)
        await answer.send(send)

    def _source(self, asked: CollectRequest) -> MessageSource:
        key = write_key(asked)
        source = self._sources.of(key) if key else None
        if source is None:
            raise RequestRefused(
                401,
                f"the write key is {'not known' if key else 'missing'}: send `Authorization: Bearer KEY`, or ?key=KEY",
                {"WWW-Authenticate": "Bearer"},
            )
        return source

    async def _collect(self, source: MessageSource, asked: CollectRequest, body: bytes) -> CollectResponse:
        try:
            messages = _messages(source, asked, body)
        except Rejected as problem:
            self._metrics.collect_unreadable_records.labels(source.name, problem.code).inc()
            raise RequestRefused(400, f"the body: {problem}") from None
        collected = read_messages(source, messages, asked.received_ms, asked.query.get("session", ""))
        if collected.records:
            error = await self._writer.write(source.topic, collected.records, asked.received_ms)
            if error is not None:
                raise _not_taken(error)
        self._count(source.name, collected)
        return collected.answer()

    def _count(self, name: str, collected: Collected) -> None:
        metrics = self._metrics
        metrics.collected_records.labels(name).inc(len(collected.records))
        if mended := sum(record.mended for record in collected.records):
            metrics.collect_mended_records.labels(name).inc(mended)
        if collected.left_out:
            metrics.collect_left_out_records.labels(name).inc(collected.left_out)
        for reason, number in collected.refused.items():
            metrics.collect_unreadable_records.labels(name, reason).inc(number)


def collect_app(door: Door, origins: Sequence[str]) -> Starlette:
    """The application. `origins`: whose pages may post from a browser (`*`: all)."""
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["POST"],
        allow_headers=["Authorization", "Content-Type", "Content-Encoding"],
        max_age=86_400,
    )
    return Starlette(routes=[Route(PATH, door, methods=["POST"])], middleware=[cors] if origins else [])


def read_messages(source: MessageSource, messages: Sequence[bytes], received_ms: int, session: str) -> Collected:
    """Read each message by itself: one that cannot be read costs no other."""
    collected = Collected()
    for number, message in enumerate(messages):
        try:
            collected.records.append(source.form.record(message, received_ms, session))
        except Rejected as problem:
            collected.refuse(number, problem)
        except LeftOut:
            collected.left_out += 1
    return collected


def _messages(source: MessageSource, asked: CollectRequest, body: bytes) -> list[bytes]:
    if asked.header(b"content-type").startswith(_LINES):
        messages = [line for line in body.split(b"\n") if line.strip()]
    else:
        messages = source.form.split(body)
    if len(messages) > MOST_MESSAGES:
        raise RequestRefused(413, f"the body has {len(messages)} messages: send at most {MOST_MESSAGES}")
    return messages


def _not_taken(error: KafkaError) -> RequestRefused:
    text = f"Kafka has not taken it: {error.str()}"
    return RequestRefused(413, text) if error.code() in _TOO_LARGE else RequestRefused(503, text, {"Retry-After": "1"})
