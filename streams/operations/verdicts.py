"""Tells verdicts to a webhook, in their order, each until it is taken.

Owns the position: a consumer group in Redis, from which a restart goes on. What was read and not acknowledged is read
again, so a verdict is sent twice only if its acknowledgement is lost, and then under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp

from streams.observability.notify_metrics import NotifyMetrics
from streams.operations.webhook import NotTaken, Webhook, message
from streams.reader.refusals import FAILURES, reader_error
from streams.redis.clients import async_client
from streams.redis.keys import Keys

log = logging.getLogger(__name__)

_CONSUMER = "encore"
_AT_ONCE = 100
_BLOCK_MS = 5_000
_TIMEOUT_S = 15.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 300.0


class VerdictEntry(NamedTuple):
    """An entry of the stream. `fields` is empty if the stream has dropped it meanwhile."""

    place: str
    fields: Mapping[str, str]

    @property
    def at_ms(self) -> int:
        """When it was written, in milliseconds since 1970."""
        return int(self.place.partition("-")[0])


class Verdicts:
    """The verdicts under one prefix that a group has not told yet."""

    def __init__(self, url: str, prefix: str, group: str, *, from_now: bool) -> None:
        self._keys, self._group = Keys(prefix), group
        self._begin = "$" if from_now else "0"
        self._said: str | None = None
        self._client = async_client(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, decode_responses=True,
            encoding_errors="surrogateescape",
        )  # fmt: skip

    async def open(self) -> None:
        """Create the group if there is none: from the oldest verdict kept on, or from now on."""
        try:
            await self._client.xgroup_create(self._keys.verdicts, self._group, self._begin, mkstream=True)
        except FAILURES as problem:
            if not str(problem).startswith("BUSYGROUP"):
                raise
        # If the stream is lost later, all that is in its successor is new.
        self._begin = "0"

    async def untold(self) -> list[VerdictEntry]:
        """The oldest entries that were not acknowledged. Waits some seconds for one; empty if there is none by then."""
        return await self._pending() or await self._next()

    async def _next(self) -> list[VerdictEntry]:
        # What this call returns is read again as pending: its answer may be lost, and then it would be told too late.
        await self._read(">", _BLOCK_MS)
        found = await self._pending()
        if not found:
            await self._say_if_moved()
        return found

    async def _say_if_moved(self) -> None:
        """Say once that readers were moved: nobody may tell anything here any more."""
        shown = await self._client.hget(self._keys.alias, "prefix")
        if shown not in (None, self._keys.prefix, self._said):
            log.warning("readers see %s now, and verdicts are told there: docs/upgrading.md says how to move", shown)
        self._said = shown

    async def _pending(self) -> list[VerdictEntry]:
        return await self._read("0", None)

    async def _read(self, after: str, block_ms: int | None) -> list[VerdictEntry]:
        try:
            found = await self._client.xreadgroup(
                self._group, _CONSUMER, {self._keys.verdicts: after}, _AT_ONCE, block_ms
            )
        except FAILURES as problem:
            # Redis 7.0 says UNBLOCKED where the stream goes while it is waited for.
            if not str(problem).startswith(("NOGROUP", "UNBLOCKED")):
                raise
            log.warning("the group %s is gone from Redis: all verdicts that are kept are told", self._group)
            await self.open()
            return []
        return [VerdictEntry(place, fields or {}) for _, entries in _streams(found) for place, fields in entries]

    async def acknowledge(self, entry: VerdictEntry) -> None:
        """Note that an entry was told."""
        await self._client.xack(self._keys.verdicts, self._group, entry.place)

    async def name_of(self, fields: Mapping[str, str]) -> str:
        """What the catalog calls the title of a verdict; empty if it does not, or for a franchise."""
        title_id = fields.get("title_id")
        return await self._client.hget(self._keys.title(title_id), "name") or "" if title_id is not None else ""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _streams(found: Any) -> Any:
    return found.items() if isinstance(found, dict) else found or ()


async def tell(verdicts: Verdicts, webhook: Webhook, prefix: str, url: str, metrics: NotifyMetrics) -> None:
    """Tell verdict after verdict, for ever. Raises `Gone` once the receiver wants no more, and `ReaderError`.

    A verdict that is not taken is sent again, after pauses that grow to five minutes; those after it wait. While Redis
    is away, it waits, too.
    """
    async with aiohttp.ClientSession() as session:
        await _patiently(verdicts.open, url)
        while True:
            for entry in await _patiently(verdicts.untold, url):
                metrics.next_ms = entry.at_ms
                if entry.fields:
                    await _deliver(session, webhook, entry, verdicts, prefix, url, metrics)
                else:
                    metrics.notify_dropped_verdicts.inc()
                    log.error("the verdict at %s was dropped before it was told: too many came since", entry.place)
                await _patiently(lambda entry=entry: verdicts.acknowledge(entry), url)
            metrics.next_ms = 0


async def _deliver(
    session: aiohttp.ClientSession,
    webhook: Webhook,
    entry: VerdictEntry,
    verdicts: Verdicts,
    prefix: str,
    url: str,
    metrics: NotifyMetrics,
) -> None:
    name = await _patiently(lambda: verdicts.name_of(entry.fields), url)
    told = message(entry.fields, entry.at_ms, name, prefix)
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            await webhook.post(session, told, int(time.time()))
        except NotTaken as problem:
            metrics.notify_refused_requests.inc()
            log.warning("the webhook did not take %s: %s; again in %.0f s", entry.fields["id"], problem, pause_s)
            pause_s = await _rest(pause_s)
        else:
            metrics.notify_taken_verdicts.inc()
            log.info("told %s", entry.fields["id"])
            return


async def _patiently(call: Any, url: str) -> Any:
    """The answer of Redis, however long that takes. Raises `ReaderError` if waiting does not help."""
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return await call()
        except FAILURES as problem:
            failure = reader_error(problem, url)
            if not failure.passing:
                raise failure from None
            log.warning("%s; again in %.0f s", failure, pause_s)
            pause_s = await _rest(pause_s)


async def _rest(pause_s: float) -> float:
    """Pause for at most so long, and at least half of it. Returns the next pause."""
    await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
    return min(2 * pause_s, _LONGEST_PAUSE_S)
