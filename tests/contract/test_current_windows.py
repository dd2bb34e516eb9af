"""Windows that move with their title, from real folds through publishers to what readers find, whatever happens."""

from __future__ import annotations

import contextlib
from random import Random

import pytest
from fake_sink import FakeRedis
from partition_log import Log
from publishing import BEGUN, committed, in_a_loop, opened, worker
from test_derived import RELEASE_MS

from models.catalog import CatalogRow
from models.fold_changes import FoldChanges
from models.rules import DAY_MS, HOUR_MS
from models.tally import DAYPARTS, TallyKey
from models.windows import HOUR, KEPT_FOR
from streams.config.settings import Settings
from streams.publishing.hashes import Rendering
from streams.publishing.publisher import Publisher
from streams.publishing.sink import Unreachable
from streams.state.committed import Committed

PARTITIONS, TITLES = 2, ("film", "other")


def released(title_id: str, release_ms: int | None = None) -> CatalogRow:
    return CatalogRow(title_id=title_id, runtime_ms=36_000_000, release_time_ms=release_ms)


def told(partition: int, sequence: int, log: Log, changes: FoldChanges | None = None) -> Committed:
    """What a checkpoint tells; without changes, all that there is."""
    state = Committed(
        partition, BEGUN, sequence, log.fold.stream_time_ms, log.fold.stream_counts(), log.fold.tallies.own,
    )  # fmt: skip
    if changes is None:
        current = log.fold.tallies.current
        return state._replace(current=current, moved=current.keys())
    return state._replace(tallies=changes.tallies, current=changes.current, moved=changes.moved)


class World:
    """Folds that viewing comes to, a Redis, and the publishers of whom each has some of the partitions."""

    def __init__(self, seed: int) -> None:
        self.chance, self.redis = Random(seed), FakeRedis()
        self.logs = {partition: Log(*map(released, TITLES)) for partition in range(PARTITIONS)}
        self.sequences = dict.fromkeys(range(PARTITIONS), 0)
        self.publishers: dict[int, Publisher] = {}
        self.hours = 0.0

    async def take_over(self, partition: int) -> None:
        """A new worker has a partition; the one before may still think so."""
        publisher = worker(self.redis)
        await publisher.join()
        await publisher.open_partition(told(partition, self.sequences[partition], self.logs[partition]))
        self.publishers[partition] = publisher

    def view(self) -> None:
        """Some viewing: now, or late by up to five days."""
        partition, chance = self.chance.randrange(PARTITIONS), self.chance
        self.hours += chance.choice((0.1, 0.3, 1.0, 1.0, 30.0))
        late = chance.choice((0.0, 0.0, 0.0, 1.0, 26.0, 120.0))
        at, arrives = 3600 * (self.hours - late), 3600 * self.hours + 200
        name = {"household_id": str(chance.randrange(20)), "title_id": chance.choice(TITLES)}
        log = self.logs[partition]
        log.watches(at, chance.randrange(1, 200), arrives=arrives, **name) if late else log.watches(at, 100, **name)

    def correct(self) -> None:
        release_ms = self.chance.choice((None, RELEASE_MS, RELEASE_MS - 40 * 60_000, RELEASE_MS - DAY_MS))
        for log in self.logs.values():
            log.takes_in(released(self.chance.choice(TITLES), release_ms))

    def commit(self, partition: int) -> None:
        self.sequences[partition] += 1
        sequence, log = self.sequences[partition], self.logs[partition]
        self.publishers[partition].on_committed(told(partition, sequence, log, log.fold.drain(sequence)))

    async def publish(self) -> None:
        for publisher in set(self.publishers.values()):
            with contextlib.suppress(Unreachable):
                await publisher.publish()

    def expected(self) -> dict[TallyKey, list[int]]:
        """All tallies but those of dayparts; of hours, those that are in all partitions still."""
        sums: dict[TallyKey, list[int]] = {}
        now_ms = max(log.fold.stream_time_ms for log in self.logs.values())
        oldest = (now_ms - KEPT_FOR.hour_ms) // HOUR_MS
        for log in self.logs.values():
            for key, tally in log.fold.tallies.items():
                if key.kind != DAYPARTS and (key.kind != HOUR or key.number > oldest):
                    sums[key] = [a + b for a, b in zip(sums.get(key, [0] * len(tally)), tally, strict=True)]
        return {key: counts[1:] for key, counts in sums.items()}


@pytest.mark.parametrize("seed", range(80))
@in_a_loop
async def test_whatever_happens_readers_find_the_folds_windows(seed: int) -> None:
    world = World(seed)
    chance, redis = world.chance, world.redis
    for partition in range(PARTITIONS):
        await world.take_over(partition)
    for _ in range(30):
        for _ in range(chance.randrange(4)):
            world.view()
        if chance.random() < 0.1:
            world.correct()
        if chance.random() < 0.2:
            redis.calls_until_away = chance.randrange(8)
        elif chance.random() < 0.1:
            redis.flush()
        if chance.random() < 0.7:
            world.commit(chance.randrange(PARTITIONS))
        await world.publish()
        if redis.calls_until_away is not None:
            redis.away, redis.calls_until_away = False, None
            if chance.random() < 0.5:
                await world.take_over(chance.randrange(PARTITIONS))
    for partition in range(PARTITIONS):
        world.commit(partition)
    for _ in range(6):
        await world.publish()
    rendering = Rendering(Settings(redis_prefix="p:"))
    expected = {rendering.hash_key(key): counts for key, counts in world.expected().items()}
    found = {name: kept.total for name, kept in redis.shares.items() if name.startswith("p:title:")}
    assert {name: total for name, total in found.items() if name in expected} == expected
    # Hours that left a fold; they expire in Redis.
    assert all(":hour:" in name or name.endswith(":dayparts") for name in found.keys() - expected.keys())


@in_a_loop
async def test_titles_that_are_only_watched_write_no_windows() -> None:
    redis, log = FakeRedis(), Log(released("film")).watches(0, 100)
    publisher = await opened(redis, 0, 1)
    publisher.on_committed(told(0, 1, log, log.fold.drain(1)))
    await publisher.publish()
    written = len(redis.changes)
    log.tells("start", 0, at=200)
    publisher.on_committed(told(0, 2, log, log.fold.drain(2)))
    await publisher.publish()
    assert sorted(key for key, _ in redis.changes[written:]) == ["p:status", "p:title:film"]


@in_a_loop
async def test_a_new_owner_writes_only_the_windows_that_moved_since() -> None:
    redis, log = FakeRedis(), Log(*map(released, TITLES)).watches(0, 100).watches(0, 100, title_id="other")
    before = await opened(redis, 0, 1)
    before.on_committed(told(0, 1, log, log.fold.drain(1)))
    await before.publish()
    log.watches(300, 50).fold.drain(2)
    after = await opened(redis)
    await after.open_partition(told(0, 2, log))
    written = len(redis.changes)
    await after.publish()
    assert {key for key, _ in redis.changes[written:] if "hour" in key} == {"p:title:film:hour:20250616T00"}
    assert committed(0, 1).tallies == {}
