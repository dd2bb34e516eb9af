"""The Redis side of publishing: shares in, totals out, hashes written where nothing has moved on.

Owns every call to Redis that the worker makes; the scripts under `streams/lua` do the work there. It must
not know what counters mean. Repeating any call changes nothing, so redis-py may retry as it likes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec
import redis.asyncio as redis
from redis.exceptions import RedisError

from streams.keys import Keys

Share = tuple[int, ...]
"""A partition's share of a key: partition, incarnation, sequence, then the counters."""

_CHANGES_KEPT = 10_000
_TIMEOUT_S = 5.0
_FRESH_MS = 15_000
_SWEPT_AT_ONCE = 500

_encode = msgspec.msgpack.Encoder().encode
_decode_total = msgspec.msgpack.Decoder(list[int]).decode


class Unreachable(Exception):
    """Redis does not answer, or not as it should; nothing is known of the call's effect."""


class DataLost(Exception):
    """Redis is not the one, or not in the state, that this worker published to: publish everything again."""


class ForeignPrefix(Exception):
    """The prefix belongs to another application. The message names both and the remedy."""


class Totals(NamedTuple):
    """For each key its revision and total; `refused` counts the shares older than those held."""

    refused: int
    revisions: list[str]
    totals: list[list[int]]


class PrefixState(NamedTuple):
    """What all workers together have told: the least stream time, and fields of the status hash."""

    as_of_ms: int
    status: list[str]


class RedisSink:
    """Calls to one Redis under one prefix. Every method raises `Unreachable`; those that write, `DataLost`."""

    def __init__(self, url: str, prefix: str, application: str) -> None:
        self._keys = Keys(prefix)
        self._application = application
        self._marker = b""
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            health_check_interval=15,
        )
        self._join = self._client.register_script(_script("join"))
        self._add_shares = self._client.register_script(_script("add_shares"))
        self._write_hashes = self._client.register_script(_script("write_hashes"))
        self._note_published = self._client.register_script(_script("note_published"))
        self._begin_rebuild = self._client.register_script(_script("begin_rebuild"))
        self._note_recounts = self._client.register_script(_script("note_recounts"))
        self._sweep = self._client.register_script(_script("sweep"))

    async def join(self, partitions: int) -> bool:
        """Take part in publishing under the prefix; returns whether the data is as it was at the last join.

        Raises `ForeignPrefix` where another application publishes under it.
        """
        keys, before = self._keys, self._marker
        owner, self._marker = await _answer(
            self._join(
                keys=[keys.owner, keys.marker, keys.pending, keys.published, keys.unswept],
                args=[self._application, await self._run_id(), secrets.token_hex(8), partitions],
            )
        )
        if owner.decode() != self._application:
            raise ForeignPrefix(
                f"ENCORE_REDIS_PREFIX={keys.prefix!r}: application {owner.decode()!r} publishes under it, this is"
                f" {self._application!r}; choose another prefix"
            )
        return self._marker == before

    async def _run_id(self) -> str:
        info = await _answer(self._client.info("server"))
        return str(info["run_id"])

    async def is_complete(self) -> bool:
        """Whether every partition has been published since data was lost. Raises `DataLost`."""
        if not self._marker.startswith((await self._run_id()).encode()):
            raise DataLost
        return not await _answer(self._client.scard(self._keys.pending))

    async def published_version(self, partition: int) -> tuple[int, int] | None:
        """The incarnation and sequence up to which a partition is published; None: nothing of it is."""
        text = await _answer(self._client.hget(self._keys.published, str(partition)))
        if text is None:
            return None
        return _version(text)

    async def note_published(self, versions: Mapping[int, tuple[int, int]]) -> None:
        """Note that these partitions are published up to these incarnations and sequences. Raises `DataLost`."""
        if not versions:
            return
        noted = [text for p, (i, s) in versions.items() for text in (str(p), f"{i}:{s}")]
        keys = [self._keys.marker, self._keys.published, self._keys.pending, self._keys.unswept]
        await self._guarded(self._note_published(keys=keys, args=[self._marker, *noted]))

    async def begin_rebuild(self, partitions: int) -> int:
        """Note that so many partitions, all there are, will be recounted; the newest incarnation published, or 0.

        From then on nothing is published until all of them were noted to be through.
        """
        keys = self._keys
        versions = await self._guarded(
            self._begin_rebuild(
                keys=[keys.marker, keys.pending, keys.rebuilding, keys.unswept, keys.published, keys.partitions],
                args=[self._marker, partitions],
            )
        )
        return max((_version(text)[0] for text in versions), default=0)

    async def note_recounts(self, recounts: Mapping[int, bool]) -> int:
        """Note which of this worker's partitions are recounted, and which are through; how many all workers' are."""
        noted = [text for p, goes_on in recounts.items() for text in (str(p), "1" if goes_on else "0")]
        keys = [self._keys.marker, self._keys.rebuilding]
        left: int = await self._guarded(self._note_recounts(keys=keys, args=[self._marker, *noted]))
        return left

    async def sweep(self, incarnations: Mapping[int, int], partitions: int) -> int:
        """Take out the shares of older incarnations than these, by partition, and of partitions that are no more.

        Returns how many hashes were left without a share, and are gone. To be called once these partitions'
        shares are all published, and before that is noted. Looks at nothing where there can be no such shares.
        """
        unswept = await _answer(self._client.smembers(self._keys.unswept))
        incarnations = {p: incarnation for p, incarnation in incarnations.items() if b"%d" % p in unswept}
        gone, cursor = 0, -1 if incarnations else 0
        while cursor:
            scan = self._client.scan(max(cursor, 0), match=self._keys.all_shares, count=_SWEPT_AT_ONCE)
            cursor, found = await _answer(scan)
            if found:
                gone += await self._sweep_some([key.decode() for key in found], incarnations, partitions)
        return gone

    async def _sweep_some(self, found: list[str], incarnations: Mapping[int, int], partitions: int) -> int:
        keys = [self._keys.marker, self._keys.changes]
        for shares in found:
            keys += (shares, self._keys.of_shares(shares))
        now_ms, newest = time.time_ns() // 1_000_000, _encode(list(incarnations.items()))
        arguments: list[bytes | str | int] = [
            self._marker,
            now_ms,
            self._keys.changes,
            _CHANGES_KEPT,
            partitions,
            newest,
        ]
        gone: int = await self._guarded(self._sweep(keys=keys, args=arguments))
        return gone

    async def note_partitions(self, health: Mapping[int, tuple[int, int]]) -> None:
        """Note the stream time and lag of this worker's partitions."""
        now_ms = time.time_ns() // 1_000_000
        if health:
            noted: dict[Any, Any] = {str(p): f"{time_ms}:{lag}:{now_ms}" for p, (time_ms, lag) in health.items()}
            await _answer(self._client.hset(self._keys.partitions, mapping=noted))

    async def read_state(self) -> PrefixState:
        """What all workers have noted of their partitions."""
        noted = [tuple(map(int, text.split(b":"))) for text in await _answer(self._client.hvals(self._keys.partitions))]
        fresh_ms = time.time_ns() // 1_000_000 - _FRESH_MS
        ready = sum(at_ms >= fresh_ms for _, _, at_ms in noted)
        as_of_ms = min((time_ms for time_ms, _, _ in noted if time_ms >= 0), default=0)
        return PrefixState(as_of_ms, ["partitions_ready", str(ready), "lag", str(sum(lag for _, lag, _ in noted))])

    async def add_shares(
        self, hashes: Sequence[str], lives_ms: Sequence[int], shares: Sequence[Sequence[Share]]
    ) -> Totals:
        """Put newer shares of keys in place of older ones; the keys' totals afterwards."""
        answer = await self._guarded(
            self._add_shares(
                keys=[self._keys.marker, *(self._keys.shares(key) for key in hashes)],
                args=[self._marker, _encode(list(zip(lives_ms, shares, strict=True)))],
            )
        )
        revisions = [revision.decode() for revision in answer[1::2]]
        return Totals(answer[0], revisions, [_decode_total(total) if total else [] for total in answer[2::2]])

    async def write_hashes(
        self,
        hashes: Sequence[str],
        revisions: Sequence[str],
        lives_ms: Sequence[int],
        fields: Sequence[Sequence[str]],
    ) -> int:
        """Write hashes whose total is still at its revision; returns how many those were."""
        keys = [self._keys.marker, self._keys.changes]
        for key in hashes:
            keys += (self._keys.shares(key), key)
        payload = _encode(list(zip(revisions, lives_ms, fields, strict=True)))
        now_ms = time.time_ns() // 1_000_000
        written: int = await self._guarded(
            self._write_hashes(keys=keys, args=[self._marker, now_ms, self._keys.changes, _CHANGES_KEPT, payload])
        )
        return written

    async def _guarded(self, call: Any) -> Any:
        answer = await _answer(call)
        if answer is None:
            raise DataLost
        return answer

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


async def _answer(call: Any) -> Any:
    try:
        return await call
    except (RedisError, OSError, TimeoutError) as problem:
        raise Unreachable(str(problem) or type(problem).__name__) from None


def _version(text: bytes) -> tuple[int, int]:
    incarnation, _, sequence = text.decode().partition(":")
    return int(incarnation), int(sequence)


def _script(name: str) -> str:
    return files("streams").joinpath("lua", f"{name}.lua").read_text()
