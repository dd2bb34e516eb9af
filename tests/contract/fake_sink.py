"""A Redis in memory, and a sink on it that keeps the real one's contract (`test_sink.py` holds both to it).

Owns what readers would find: `hashes` and `boards` by key, `lives_ms` of those that expire, `changes` as announced.
A test may flush it, restart it, or take it away.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.publishing.partition_status import PartitionHealth
from streams.publishing.sink import (
    LISTED,
    NOT_COMPLETE,
    NOT_KNOWN,
    Begun,
    DataLost,
    Derived,
    ForeignPrefix,
    PrefixState,
    Readable,
    Share,
    Sink,
    Unreachable,
    VerdictField,
    Version,
    WrittenTotals,
)
from streams.redis.keys import Keys


@dataclass
class SharesOfKey:
    """The partitions' shares of one hash, and what they add up to."""

    shares: dict[int, Share] = field(default_factory=dict)
    total: list[int] = field(default_factory=list)
    revision: int = 0

    def add_up(self) -> None:
        """The total of the shares as they are now, and its revision."""
        self.revision += 1
        counters = [share[3:] for share in self.shares.values()]
        longest = max((len(self.total), *map(len, counters)))
        self.total = [sum(each[place] for each in counters if place < len(each)) for place in range(longest)]


@dataclass
class FakeRedis:
    """One server. `away`: it does not answer; `calls_until_away`: it stops to answer after so many calls."""

    away: bool = False
    calls_until_away: int | None = None
    run: int = 1
    tokens: itertools.count[int] = field(default_factory=itertools.count)
    owner: str | None = None
    marker: str = ""
    pending: set[int] = field(default_factory=set)
    rebuilding: set[int] = field(default_factory=set)
    unswept: set[int] = field(default_factory=set)
    published: dict[int, Version] = field(default_factory=dict)
    held: bool = False
    topic_id: str = ""
    begun: dict[int, int] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    health: dict[int, PartitionHealth] = field(default_factory=dict)
    shares: dict[str, SharesOfKey] = field(default_factory=dict)
    hashes: dict[str, dict[str, str]] = field(default_factory=dict)
    boards: dict[str, dict[str, float]] = field(default_factory=dict)
    judged_ms: int = 0
    lives_ms: dict[str, int] = field(default_factory=dict)
    changes: list[tuple[str, int]] = field(default_factory=list)
    verdicts: list[dict[str, str]] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    clock_ms: int = 1_000

    def flush(self) -> None:
        """Lose everything, as FLUSHALL does."""
        self.owner, self.marker, self.judged_ms = None, "", 0
        for sets in (self.pending, self.rebuilding, self.unswept):
            sets.clear()
        self.held, self.topic_id = False, ""
        for kept in (self.published, self.health, self.shares, self.hashes, self.boards, self.lives_ms, self.told):
            kept.clear()
        self.begun.clear()
        self.done.clear()
        self.verdicts.clear()

    def restart(self) -> None:
        """Another run of the server, on the data of the one before."""
        self.run += 1

    def answer(self) -> None:
        """Called first by every call of a sink."""
        if self.calls_until_away is not None:
            self.away = self.away or self.calls_until_away <= 0
            self.calls_until_away -= 1
        if self.away:
            raise Unreachable("the fake is away")


class FakeSink(Sink):
    """A sink on a `FakeRedis`, under one prefix."""

    def __init__(self, redis: FakeRedis, prefix: str, application: str) -> None:
        self.redis = redis
        self._keys = Keys(prefix)
        self._application = application
        self._marker = ""

    async def join(self, partitions: int) -> bool:
        redis, before = self.redis, self._marker
        redis.answer()
        redis.owner = redis.owner or self._application
        if not redis.marker.startswith(f"run {redis.run}:"):
            if redis.marker:
                redis.unswept |= set(range(partitions))
            redis.marker = f"run {redis.run}:{next(redis.tokens)}"
            redis.pending |= set(range(partitions))
            redis.published.clear()
        self._marker = redis.marker
        if redis.owner != self._application:
            raise ForeignPrefix(f"{self._keys.prefix!r}: {redis.owner!r} publishes under it, not {self._application!r}")
        return self._marker == before

    async def is_complete(self) -> bool:
        self._guard()
        if not self._marker.startswith(f"run {self.redis.run}:"):
            raise DataLost
        return not self.redis.pending

    async def begin_round(
        self, health: Mapping[int, PartitionHealth], ends: Mapping[int, int] = NOT_KNOWN, topic_id: str = ""
    ) -> Begun:
        is_complete, redis = await self.is_complete(), self.redis
        redis.health |= health
        if not redis.held and ends:
            if redis.topic_id != topic_id:
                redis.topic_id = topic_id
                redis.begun.clear()
                redis.done.clear()
            redis.begun |= {p: max(end, redis.begun.get(p, -1)) for p, end in ends.items()}
        return Begun(is_complete, self._state(), redis.held)

    async def published_version(self, partition: int) -> Version | None:
        self.redis.answer()
        return self.redis.published.get(partition)

    async def note_published(self, versions: Mapping[int, Version], ends: Mapping[int, int] = NOT_KNOWN) -> None:
        if versions:
            self._guard()
            self.redis.done |= {p: end for p, end in ends.items() if p in versions}
            for partition in [p for p, end in self.redis.done.items() if end == NOT_COMPLETE]:
                del self.redis.done[partition]
            self.redis.published |= versions
            self.redis.pending -= versions.keys()
            self.redis.unswept -= versions.keys()

    async def begin_rebuild(self, partitions: int) -> int:
        self._guard()
        redis, there = self.redis, set(range(partitions))
        redis.done.clear()
        redis.pending, redis.rebuilding, redis.unswept, redis.judged_ms = set(there), set(there), set(there), 0
        for noted in (redis.published, redis.health):
            for gone in noted.keys() - there:
                del noted[gone]
        return max((incarnation for incarnation, _ in redis.published.values()), default=0)

    async def note_recounts(self, recounts: Mapping[int, bool]) -> int:
        self._guard()
        for partition, goes_on in recounts.items():
            (self.redis.rebuilding.add if goes_on else self.redis.rebuilding.discard)(partition)
        return len(self.redis.rebuilding)

    async def sweep(self, incarnations: Mapping[int, int], partitions: int) -> int:
        self.redis.answer()
        newest = {partition: newest for partition, newest in incarnations.items() if partition in self.redis.unswept}
        gone = 0
        if newest:
            self._guard()
            for key in list(self.redis.shares):
                gone += key in self.redis.shares and self._sweep(key, newest, partitions)
        return gone

    def _sweep(self, key: str, newest: Mapping[int, int], partitions: int) -> bool:
        redis, of_key = self.redis, self.redis.shares[key]
        kept = {p: share for p, share in of_key.shares.items() if p < partitions and share[1] >= newest.get(p, 0)}
        if of_key.shares and not kept:
            self._delete(key)
            held = self._keys.held(key)
            for board in held.boards:
                self._take_off(board, held.member)
            for computed in held.computed:
                if computed in redis.hashes:
                    self._delete(computed)
        elif len(kept) < len(of_key.shares):
            of_key.shares = kept
            of_key.add_up()
        return key not in redis.shares

    def _delete(self, key: str) -> None:
        redis = self.redis
        redis.clock_ms += 1
        version = int(redis.hashes.get(key, {}).get("version", 0)) + 1
        redis.changes.append((key, max(version, redis.clock_ms)))
        redis.shares.pop(key, None)
        redis.hashes.pop(key, None)

    def _take_off(self, board: str, member: str) -> None:
        places = self.redis.boards.get(board, {})
        places.pop(member, None)
        if not places:
            self.redis.boards.pop(board, None)

    async def note_partitions(self, health: Mapping[int, PartitionHealth]) -> None:
        if health:
            self.redis.answer()
            self.redis.health |= health

    async def read_state(self) -> PrefixState:
        self.redis.answer()
        return self._state()

    def _state(self) -> PrefixState:
        noted = self.redis.health.values()
        as_of_ms = min((each.stream_time_ms for each in noted if each.stream_time_ms >= 0), default=0)
        status = ["partitions_ready", str(len(noted)), "lag", str(sum(each.lag for each in noted))]
        status += ["checkpointed_ms", str(min((each.checkpointed_ms for each in noted), default=0))]
        return PrefixState(as_of_ms, max(as_of_ms, self.redis.judged_ms), status)

    async def add_shares(
        self, hashes: Sequence[str], lives_ms: Sequence[int], shares: Sequence[Sequence[Share]]
    ) -> WrittenTotals:
        self._guard()
        kept = [self.redis.shares.setdefault(key, SharesOfKey()) for key in hashes]
        refused = [_replace(of_key, given) for of_key, given in zip(kept, shares, strict=True)]
        revisions = [
            "" if given and older == len(given) else str(of_key.revision)
            for of_key, older, given in zip(kept, refused, shares, strict=True)
        ]
        return WrittenTotals(sum(refused), revisions, [list(of_key.total) for of_key in kept])

    async def write_hashes(self, hashes: Sequence[Readable], *, alone: bool = False) -> int:
        self._guard()
        due = [each for each in hashes if self._revision(each.key) == int(each.revision) > 0]
        due = [each for each in due if each.fields or each.key in self.redis.hashes]
        for each in due:
            self._write(each, alone or each.alone)
        return len(due)

    async def derive(self, hashes: Sequence[Derived], as_of_ms: int) -> list[tuple[str, list[list[int]]]]:
        self._guard()
        self.redis.judged_ms = max(self.redis.judged_ms, as_of_ms)
        return [(self._moved_on(each), [self._total(key) for key in each.inputs]) for each in hashes]

    def _moved_on(self, derived: Derived) -> str:
        redis = self.redis
        if derived.has_shares and derived.key not in redis.shares:
            return ""
        redis.clock_ms += 1
        of_key = redis.shares.setdefault(derived.key, SharesOfKey(revision=redis.clock_ms * 1_000))
        of_key.revision += 1
        return str(of_key.revision)

    def _total(self, key: str) -> list[int]:
        return list(self.redis.shares.get(key, SharesOfKey()).total)

    def _revision(self, key: str) -> int:
        return self.redis.shares.get(key, SharesOfKey()).revision

    async def delete_hashes(self, hashes: Sequence[str]) -> int:
        self._guard()
        there = [key for key in hashes if key in self.redis.hashes]
        for key in hashes:
            if key in there:
                self._delete(key)
            else:
                self.redis.shares.pop(key, None)
        return len(there)

    async def weeks(self, hashes: Sequence[str]) -> list[int]:
        self._guard()
        return [int(self.redis.hashes.get(key, {}).get("week", 0)) for key in hashes]

    async def close(self) -> None: ...

    def _guard(self) -> None:
        self.redis.answer()
        if self.redis.marker != self._marker:
            raise DataLost

    def _write(self, hash_: Readable, alone: bool) -> None:
        redis, key, flat = self.redis, hash_.key, hash_.fields
        redis.clock_ms += 1
        version = max(int(redis.hashes.get(key, {}).get("version", 0)) + 1, redis.clock_ms)
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        before = redis.hashes.get(key, {})
        others = {} if alone else before
        if fields:
            redis.hashes[key] = others | fields | {"version": str(version)}
        else:
            del redis.hashes[key]
        redis.changes.append((key, version))
        if hash_.life_ms:
            redis.lives_ms[key] = hash_.life_ms
        if hash_.boards:
            self._place(hash_)
            if hash_.boards.told:
                self._judge(hash_.boards.told, hash_.member, before, fields)

    def _place(self, hash_: Readable) -> None:
        assert hash_.boards
        for board, metric in zip(hash_.boards.keys, hash_.boards.metrics, strict=True):
            score = float(hash_.fields[metric.score] or 0) if metric != LISTED else 0.0
            if metric == LISTED or (score and (metric.judge < 0 or int(hash_.fields[metric.judge]) >= metric.least)):
                self.redis.boards.setdefault(board, {})[hash_.member] = score
                if hash_.boards.life_ms:
                    self.redis.lives_ms[board] = hash_.boards.life_ms
            else:
                self._take_off(board, hash_.member)

    def _judge(self, told: VerdictField, member: str, before: Mapping[str, str], fields: Mapping[str, str]) -> None:
        was, is_ = (each.get(told.field) if each.get("complete") == "1" else None for each in (before, fields))
        name = f"{told.of}:{member}:{told.field}"
        if told.field == "completions":
            known = int(self.redis.told.get(name) or len(was or "0") - 1)
            for power in range(known + 1, len(is_ or "0")):
                self._tell(told, member, str(10**power), str(10**power), fields)
            if (reached := max(known, len(is_ or "0") - 1)) > 0:
                self.redis.told[name] = str(reached)
            return
        known, times, week = self.redis.told.get(name, f"{was or '0'}:0:").split(":")
        if is_ is not None and is_ != known and int(fields["week"]) >= int(week or 0):
            known, times, week = is_, str(int(times) + 1), fields["week"]
            self._tell(told, member, f"{fields['week']}:{times}", is_, fields, week=fields["week"])
        if name in self.redis.told or known != "0":
            self.redis.told[name] = f"{known}:{times}:{week}"

    def _tell(
        self, told: VerdictField, member: str, id_: str, value: str, fields: Mapping[str, str], **more: str
    ) -> None:
        verdict = {"id": f"{told.of}:{member}:{told.field}:{id_}", "verdict": told.field, f"{told.of}_id": member}
        self.redis.verdicts.append(verdict | {"value": value, "as_of_ms": fields["as_of_ms"]} | more)


def _replace(of_key: SharesOfKey, given: Sequence[Share]) -> int:
    """Newer shares in place of older ones; returns how many were older than what is held."""
    refused, moved = 0, False
    for share in given:
        held = of_key.shares.get(share[0])
        if held is not None and held[1:3] > share[1:3]:
            refused += 1
        elif held is None or held[1:3] < share[1:3]:
            of_key.shares[share[0]] = share
            moved = True
    if moved:
        of_key.add_up()
    return refused
