"""The Redis sink: stores shares, returns totals, and writes hashes if nothing has changed meanwhile.

Owns every call to Redis that publishing makes; the scripts under `streams/publishing/lua` do the work there. Repeating
a call changes nothing, so redis-py may retry.

All keys of one prefix are on one server: on a cluster, the prefix has a hash tag. Besides its scripts (EVALSHA, EVAL)
the worker sends HGET, HSET, HGETALL and SMEMBERS, and on a cluster the commands of its client.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import msgspec

from streams.publishing.partition_status import NotedHealth, PartitionHealth, now_ms, read_note
from streams.publishing.scripts import Scripts, answer
from streams.publishing.sink import (
    NOT_KNOWN,
    Begun,
    Boards,
    Derived,
    ForeignPrefix,
    PrefixState,
    Readable,
    Share,
    Sink,
    Version,
    WrittenTotals,
)
from streams.redis.clients import async_client
from streams.redis.keys import DependentKeys, Keys
from streams.redis.published import read_version, version_text

if TYPE_CHECKING:
    from streams.config.settings import Settings

_CHANGES_KEPT = 10_000
_VERDICTS_KEPT = 1_000_000
_TIMEOUT_S = 5.0
_FRESH_MS = 15_000
_SWEPT_AT_ONCE = 500
_JUDGED = b"judged"

_encode = msgspec.msgpack.Encoder().encode
_decode_total = msgspec.msgpack.Decoder(list[int]).decode


class RedisSink(Sink):
    """A sink on one Redis, under one prefix. `Sink` defines the calls, when each may be made, and what it raises."""

    def __init__(self, url: str, prefix: str, application: str) -> None:
        self._keys = Keys(prefix)
        self._application = application
        self._marker = b""
        self._client = async_client(
            url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, health_check_interval=15
        )
        self._scripts = Scripts(self._client)

    @classmethod
    def of(cls, settings: Settings) -> RedisSink:
        """The sink that the settings name."""
        return cls(settings.redis_url, settings.redis_prefix, settings.app_id)

    async def join(self, partitions: int) -> bool:
        keys, before = self._keys, self._marker
        owner, self._marker = await self._scripts.run(
            "join",
            [keys.owner, keys.marker, keys.pending, keys.published, keys.unswept],
            self._application,
            secrets.token_hex(8),
            partitions,
        )
        if owner.decode() != self._application:
            raise ForeignPrefix(
                f"ENCORE_REDIS_PREFIX={keys.prefix!r}: application {owner.decode()!r} publishes under it, this is"
                f" {self._application!r}; choose another prefix"
            )
        return self._marker == before

    async def is_complete(self) -> bool:
        return bool(await self._guarded("is_complete", [self._keys.pending]))

    async def begin_round(
        self, health: Mapping[int, PartitionHealth], ends: Mapping[int, int] = NOT_KNOWN, topic_id: str = ""
    ) -> Begun:
        keys = self._keys
        noted = [each for pair in (*_notes(health).items(), *ends.items()) for each in pair]
        complete, held, *found = await self._guarded(
            "begin_round",
            [keys.pending, keys.partitions, keys.hold, keys.offsets],
            *(topic_id, len(health), *noted),
        )
        return Begun(bool(complete), _state(dict(zip(found[::2], found[1::2], strict=True))), bool(held))

    async def published_version(self, partition: int) -> Version | None:
        text = await answer(self._client.hget(self._keys.published, str(partition)))
        if text is None:
            return None
        return read_version(text)

    async def note_published(self, versions: Mapping[int, Version], ends: Mapping[int, int] = NOT_KNOWN) -> None:
        if not versions:
            return
        keys = self._keys
        noted = [text for p, (i, s) in versions.items() for text in (p, version_text(i, s), ends.get(p, ""))]
        await self._guarded("note_published", [keys.published, keys.pending, keys.unswept, keys.offsets], *noted)

    async def begin_rebuild(self, partitions: int) -> int:
        keys = self._keys
        versions = await self._guarded(
            "begin_rebuild",
            [keys.pending, keys.rebuilding, keys.unswept, keys.published, keys.partitions, keys.offsets],
            partitions,
        )
        return max((read_version(text)[0] for text in versions), default=0)

    async def note_recounts(self, recounts: Mapping[int, bool]) -> int:
        noted = [text for p, goes_on in recounts.items() for text in (str(p), "1" if goes_on else "0")]
        left: int = await self._guarded("note_recounts", [self._keys.rebuilding], *noted)
        return left

    async def sweep(self, incarnations: Mapping[int, int], partitions: int) -> int:
        unswept = await answer(self._client.smembers(self._keys.unswept))
        incarnations = {p: incarnation for p, incarnation in incarnations.items() if b"%d" % p in unswept}
        gone, cursor = 0, b"0" if incarnations else None
        while cursor is not None:
            scanned = await self._guarded("scan_shares", [], cursor, self._keys.all_shares, _SWEPT_AT_ONCE)
            cursor = scanned[0] if scanned[0] != b"0" else None
            if scanned[1]:
                gone += await self._sweep_some([key.decode() for key in scanned[1]], incarnations, partitions)
        return gone

    async def _sweep_some(self, found: list[str], incarnations: Mapping[int, int], partitions: int) -> int:
        keys: list[str] = []
        for shares in found:
            keys += (shares, self._keys.of_shares(shares))
        places: dict[str, int] = {}
        held = [self._places_of(self._keys.held(key), keys, places) for key in keys[1::2]]
        newest = _encode(list(incarnations.items()))
        gone: int = await self._announcing("sweep", keys, partitions, newest, _encode(held))
        return gone

    def _places_of(
        self, held: DependentKeys, keys: list[str], places: dict[str, int]
    ) -> tuple[str, list[int], list[int]]:
        """A hash's member, and the places in the script's keys of its boards and of the shares of its computed hashes.

        Adds keys that are missing: those of boards, and of computed hashes, each after its shares.
        """
        computed = [self._keys.shares(key) for key in held.computed]
        for key in (*held.boards, *chain(*zip(computed, held.computed, strict=True))):
            if key not in places:
                keys.append(key)
                places[key] = len(keys) + len(_BEFORE_KEYS)
        return held.member, [places[board] for board in held.boards], [places[shares] for shares in computed]

    async def note_partitions(self, health: Mapping[int, PartitionHealth]) -> None:
        if health:
            await answer(self._client.hset(self._keys.partitions, mapping=_notes(health)))

    async def read_state(self) -> PrefixState:
        return _state(await answer(self._client.hgetall(self._keys.partitions)))

    async def add_shares(
        self, hashes: Sequence[str], lives_ms: Sequence[int], shares: Sequence[Sequence[Share]]
    ) -> WrittenTotals:
        found = await self._guarded(
            "add_shares",
            [self._keys.shares(key) for key in hashes],
            _encode(list(zip(lives_ms, shares, strict=True))),
        )
        revisions = [revision.decode() for revision in found[1::2]]
        return WrittenTotals(found[0], revisions, [_decode_total(total) if total else [] for total in found[2::2]])

    async def write_hashes(self, hashes: Sequence[Readable], *, alone: bool = False) -> int:
        keys: list[str] = []
        for each in hashes:
            keys += (self._keys.shares(each.key), each.key)
        groups: dict[Boards, int] = {}
        entries = []
        for _, revision, life_ms, fields, boards, member, is_alone in hashes:
            group = 0 if boards is None else groups.setdefault(boards, len(groups) + 1)
            entries.append((revision, life_ms, fields, group, member, alone or is_alone))
        keys = [self._keys.verdicts, self._keys.told, *keys]
        packed = []
        for boards in groups:
            told = () if boards.told is None else (boards.told.field, boards.told.of, boards.told.place + 1)
            packed.append((len(_BEFORE_KEYS) + len(keys), boards.life_ms, _counted_from_one(boards), told))
            keys += boards.keys
        written: int = await self._announcing("write_hashes", keys, _encode(entries), _encode(packed), _VERDICTS_KEPT)
        return written

    async def derive(self, hashes: Sequence[Derived], as_of_ms: int) -> list[tuple[str, list[list[int]]]]:
        keys = [self._keys.partitions]
        for each in hashes:
            keys += (self._keys.shares(each.key), *map(self._keys.shares, each.inputs))
        packed = [(len(each.inputs), each.life_ms, each.has_shares) for each in hashes]
        found = iter(await self._guarded("derive", keys, as_of_ms, _encode(packed)))
        return [
            (next(found).decode(), [_decode_total(total) if total else [] for total in islice(found, len(each.inputs))])
            for each in hashes
        ]

    async def delete_hashes(self, hashes: Sequence[str]) -> int:
        keys: list[str] = []
        for key in hashes:
            keys += (self._keys.shares(key), key)
        deleted: int = await self._announcing("delete_hashes", keys)
        return deleted

    async def weeks(self, hashes: Sequence[str]) -> list[int]:
        return [int(week or 0) for week in await self._guarded("read_weeks", hashes)]

    async def _announcing(self, name: str, keys: Sequence[str], *arguments: bytes | str | int) -> Any:
        announced: tuple[bytes | str | int, ...] = (now_ms(), self._keys.changes, _CHANGES_KEPT)
        return await self._guarded(name, [self._keys.changes, *keys], *announced, *arguments)

    async def _guarded(self, name: str, keys: Sequence[str], *arguments: bytes | str | int) -> Any:
        return await self._scripts.run_guarded(name, [self._keys.marker, *keys], self._marker, *arguments)

    async def close(self) -> None:
        await self._client.aclose()


_BEFORE_KEYS = ("the marker", "the stream of changes")


def _counted_from_one(boards: Boards) -> list[tuple[int, int, int]]:
    return [(metric.score + 1, metric.judge + 1, metric.least) for metric in boards.metrics]


def _notes(health: Mapping[int, PartitionHealth]) -> dict[Any, Any]:
    at_ms = now_ms()
    return {str(partition): NotedHealth(told, at_ms).text() for partition, told in health.items()}


def _state(found: dict[bytes, bytes]) -> PrefixState:
    judged_ms = int(found.pop(_JUDGED, 0))
    notes = [read_note(text) for text in found.values()]
    fresh_ms, told = now_ms() - _FRESH_MS, [note.health for note in notes]
    ready = sum(note.at_ms >= fresh_ms for note in notes)
    as_of_ms = min((each.stream_time_ms for each in told if each.stream_time_ms >= 0), default=0)
    status = ["partitions_ready", str(ready), "lag", str(sum(each.lag for each in told))]
    status += ["checkpointed_ms", str(min((each.checkpointed_ms for each in told), default=0))]
    return PrefixState(as_of_ms, max(as_of_ms, judged_ms), status)
