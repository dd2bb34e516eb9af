"""What publishing may rely on from a sink: one suite, on the fake and on the real Redis."""

from __future__ import annotations

import asyncio
import functools
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

import pytest
import redis
from fake_sink import FakeRedis, FakeSink

from streams.devstack import Devstack
from streams.redis_sink import DataLost, ForeignPrefix, RedisSink, Share, Unreachable

DAY_MS = 86_400_000


class Server(Protocol):
    """A Redis, real or not, and what readers find in it."""

    def sink(self, application: str = "app") -> Any: ...
    def hash(self, key: str) -> dict[str, str]: ...
    def life_ms(self, key: str) -> int: ...
    def announced(self) -> list[tuple[str, int]]: ...
    def flush(self) -> None: ...
    def restart(self) -> None: ...
    async def close(self) -> None: ...


class Fake:
    prefix = "fake:"

    def __init__(self) -> None:
        self.redis = FakeRedis()

    def sink(self, application: str = "app") -> FakeSink:
        return FakeSink(self.redis, self.prefix, application)

    def hash(self, key: str) -> dict[str, str]:
        return self.redis.hashes.get(key, {})

    def life_ms(self, key: str) -> int:
        return self.redis.lives_ms.get(key, 0)

    def announced(self) -> list[tuple[str, int]]:
        return self.redis.changes

    def flush(self) -> None:
        self.redis.flush()

    def restart(self) -> None:
        self.redis.restart()

    async def close(self) -> None: ...


class Real:
    def __init__(self, stack: Devstack) -> None:
        self.stack = stack
        self.prefix = f"test-{secrets.token_hex(4)}:"
        self.sinks: list[RedisSink] = []
        self.client = redis.Redis.from_url(stack.redis, decode_responses=True)
        self.listener = self.client.pubsub(ignore_subscribe_messages=True)
        self.listener.subscribe(f"{self.prefix}changes")
        self.listener.get_message(timeout=1)

    def sink(self, application: str = "app") -> RedisSink:
        self.sinks.append(RedisSink(self.stack.redis, self.prefix, application))
        return self.sinks[-1]

    def hash(self, key: str) -> dict[str, str]:
        return self.client.hgetall(key)

    def life_ms(self, key: str) -> int:
        return max(0, self.client.pttl(key))

    def announced(self) -> list[tuple[str, int]]:
        told = []
        while (message := self.listener.get_message(timeout=0.3)) is not None:
            change = json.loads(message["data"])
            told.append((change["key"], change["version"]))
        return told

    def flush(self) -> None:
        self.client.flushall()

    def restart(self) -> None:
        self.listener.close()
        self.stack.redis_server.stop()
        self.stack.redis_server.start()

    async def close(self) -> None:
        for sink in self.sinks:
            await sink.close()
        self.listener.close()
        self.client.close()


@pytest.fixture(params=["fake", "real"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    yield Fake() if request.param == "fake" else Real(request.getfixturevalue("redis_of_our_own"))


def in_a_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(server: Any, **given: Any) -> None:
        async def once() -> None:
            try:
                await test(server, **given)
            finally:
                await server.close()

        asyncio.run(once())

    return run


async def _add(sink: Any, key: str, *shares: Share, life_ms: int = 0) -> tuple[int, str, list[int]]:
    totals = await sink.add_shares([key], [life_ms], [list(shares)])
    return totals.refused, totals.revisions[0], totals.totals[0]


# -- shares and totals --------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_total_is_the_sum_of_the_partitions_newest_shares(server: Any) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(2)
    assert await _add(sink, key, (0, 5, 1, 10, 100)) == (0, "1", [10, 100])
    assert await _add(sink, key, (1, 5, 1, 1, 2)) == (0, "2", [11, 102])
    assert await _add(sink, key, (0, 5, 2, 11, 90)) == (0, "3", [12, 92])


@pytest.mark.parametrize(
    ("version", "refused", "total"),
    [((5, 6), 1, 10), ((5, 7), 0, 10), ((5, 8), 0, 99), ((4, 9), 1, 10), ((6, 1), 0, 99)],
)
@in_a_loop
async def test_an_older_share_is_refused_an_equal_one_changes_nothing_a_newer_one_replaces(
    server: Any, version: tuple[int, int], refused: int, total: int
) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    await _add(sink, key, (0, 5, 7, 10))
    revision = "2" if total == 99 else "1"
    assert await _add(sink, key, (0, *version, 99)) == (refused, revision, [total])


@in_a_loop
async def test_several_keys_and_shares_are_added_in_one_call(server: Any) -> None:
    sink = server.sink()
    await sink.join(2)
    keys = [f"{server.prefix}{name}" for name in ("a", "b", "nothing")]
    await sink.add_shares(keys[:1], [0], [[(0, 1, 5, 3)]])
    shares = [[(0, 1, 4, 9), (1, 1, 1, 4)], [(0, 1, 4, 1), (1, 1, 1, 2)], []]
    totals = await sink.add_shares(keys, [0, 0, 0], shares)
    assert totals == (1, ["2", "1", "0"], [[7], [3], []])


@in_a_loop
async def test_counters_keep_every_digit(server: Any) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(2)
    large = 2**52
    await _add(sink, key, (0, 1_750_000_000_000, 1, large - 1, -3))
    assert (await _add(sink, key, (1, 1_750_000_000_000, 1, large, 1)))[2] == [2 * large - 1, -2]


# -- hashes -------------------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_hash_is_written_only_at_the_revision_it_was_computed_from(server: Any) -> None:
    one, other, key = server.sink(), server.sink(), f"{server.prefix}title:film"
    await one.join(2)
    await other.join(2)
    _, revision, _ = await _add(one, key, (0, 1, 1, 3))
    _, moved_on, _ = await _add(other, key, (1, 1, 1, 4))
    assert await one.write_hashes([key], [revision], [0], [["plays", "3"]]) == 0
    assert server.hash(key) == {}
    assert await other.write_hashes([key], [moved_on], [0], [["plays", "7"]]) == 1
    assert server.hash(key).items() >= {"plays": "7"}.items()


@in_a_loop
async def test_a_version_only_grows_and_every_write_is_announced(server: Any) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    versions = []
    for sequence in range(1, 5):
        _, revision, _ = await _add(sink, key, (0, 1, sequence, sequence))
        await sink.write_hashes([key], [revision], [0], [["plays", str(sequence)]])
        versions.append(int(server.hash(key)["version"]))
    assert versions == sorted(set(versions))
    assert server.announced() == [(key, version) for version in versions]


@in_a_loop
async def test_writing_the_same_again_does_no_harm(server: Any) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    for _ in range(3):
        _, revision, total = await _add(sink, key, (0, 1, 1, 3))
        assert (revision, total) == ("1", [3])
        assert await sink.write_hashes([key], [revision], [0], [["plays", "3"]]) == 1
    assert server.hash(key)["plays"] == "3"


@pytest.mark.parametrize("life_ms", [0, DAY_MS])
@in_a_loop
async def test_hashes_live_as_long_as_told_and_others_for_good(server: Any, life_ms: int) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film:day:20250616"
    await sink.join(1)
    _, revision, _ = await _add(sink, key, (0, 1, 1, 3), life_ms=life_ms)
    await sink.write_hashes([key], [revision], [life_ms], [["plays", "3"]])
    assert life_ms - 60_000 <= server.life_ms(key) <= life_ms


# -- who publishes, and how far -----------------------------------------------------------------------------------


@in_a_loop
async def test_a_prefix_belongs_to_one_application(server: Any) -> None:
    await server.sink("mine").join(1)
    await server.sink("mine").join(1)
    with pytest.raises(ForeignPrefix, match=r"'mine'.*'theirs'|'theirs'.*'mine'"):
        await server.sink("theirs").join(1)


@in_a_loop
async def test_the_published_version_is_what_was_noted_last(server: Any) -> None:
    sink = server.sink()
    await sink.join(2)
    assert await sink.published_version(0) is None
    await sink.note_published({0: (1_750_000_000_000, 7)})
    await sink.note_published({})
    assert await sink.published_version(0) == (1_750_000_000_000, 7)
    assert await server.sink().published_version(1) is None


@in_a_loop
async def test_a_prefix_is_complete_once_every_partition_was_published(server: Any) -> None:
    sink = server.sink()
    await sink.join(3)
    told = [await sink.is_complete()]
    for partition in (0, 2, 1):
        await sink.note_published({partition: (1, 1)})
        told.append(await sink.is_complete())
    assert told == [False, False, False, True]
    await sink.join(3)
    assert await sink.is_complete()


@in_a_loop
async def test_the_state_of_a_prefix_is_of_all_its_workers(server: Any) -> None:
    one, other = server.sink(), server.sink()
    await one.join(3)
    assert await one.read_state() == (0, ["partitions_ready", "0", "lag", "0"])
    await one.note_partitions({0: (500, 2), 1: (300, 1)})
    await other.note_partitions({2: (-1, 4)})  # no record yet: it has no time to be as of
    assert await other.read_state() == (300, ["partitions_ready", "3", "lag", "7"])


# -- a rebuild ----------------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_rebuild_lets_all_partitions_be_recounted_and_published_anew(server: Any) -> None:
    command, worker = server.sink(), server.sink()
    await command.join(3)
    await command.note_published({0: (5, 9), 1: (7, 2), 2: (0, 0)})
    assert await command.is_complete()
    assert await command.begin_rebuild(3) == 7
    await worker.join(3)
    assert [await worker.note_recounts({}), await worker.is_complete()] == [3, False]
    assert await worker.published_version(1) == (7, 2)


@in_a_loop
async def test_a_rebuild_of_an_empty_prefix_follows_no_incarnation(server: Any) -> None:
    sink = server.sink()
    await sink.join(1)
    assert await sink.begin_rebuild(1) == 0


@in_a_loop
async def test_partitions_that_the_source_has_no_more_are_forgotten_by_a_rebuild(server: Any) -> None:
    sink = server.sink()
    await sink.join(3)
    await sink.note_published({p: (9 if p == 2 else 5, 1) for p in range(3)})
    await sink.note_partitions({p: (100 - p, 1) for p in range(3)})
    assert await sink.begin_rebuild(2) == 5
    assert [await sink.published_version(p) for p in (1, 2)] == [(5, 1), None]
    assert await sink.read_state() == (99, ["partitions_ready", "2", "lag", "2"])
    await sink.note_published({0: (5, 1), 1: (5, 1)})
    assert await sink.is_complete()


@in_a_loop
async def test_recounts_are_over_once_every_partition_of_every_worker_is_through(server: Any) -> None:
    one, other = server.sink(), server.sink()
    await one.join(3)
    await other.join(3)
    await one.begin_rebuild(3)
    assert await one.note_recounts({0: True, 1: False}) == 2
    assert await other.note_recounts({2: False}) == 1
    assert await one.note_recounts({0: False}) == 0
    assert await other.note_recounts({2: True}) == 1


@in_a_loop
async def test_a_sweep_takes_older_incarnations_out_of_totals_and_deletes_what_is_left_without_a_share(
    server: Any,
) -> None:
    sink, (both, old, other) = server.sink(), [f"{server.prefix}title:{name}" for name in ("both", "old", "other")]
    await sink.join(2)
    await _add(sink, both, (0, 5, 9, 10, 1), (1, 5, 9, 4, 2))
    await _add(sink, old, (0, 5, 9, 3))
    await _add(sink, other, (1, 5, 9, 3))
    for key in (both, old, other):
        revision = (await sink.add_shares([key], [0], [[]])).revisions[0]
        await sink.write_hashes([key], [revision], [0], [["plays", "3"]])
    version = int(server.hash(old)["version"])
    server.announced().clear()
    await sink.begin_rebuild(2)

    assert await sink.sweep({0: 6}, 2) == 1

    assert [server.hash(key).get("plays") for key in (both, old, other)] == ["3", None, "3"]
    ((key, newer),) = server.announced()
    assert (key, newer > version) == (old, True)
    assert await _add(sink, both) == (0, "2", [4, 2])
    assert await _add(sink, other) == (0, "1", [3])
    assert await sink.sweep({0: 6}, 2) == 0


@pytest.mark.parametrize(("incarnation", "gone"), [(4, 0), (5, 0), (6, 1)])
@in_a_loop
async def test_a_sweep_leaves_shares_of_the_same_or_a_newer_incarnation(
    server: Any, incarnation: int, gone: int
) -> None:
    sink = server.sink()
    await sink.join(1)
    await _add(sink, f"{server.prefix}title:film", (0, 5, 9, 3))
    await sink.begin_rebuild(1)
    assert await sink.sweep({0: incarnation}, 1) == gone


@in_a_loop
async def test_a_sweep_takes_out_partitions_that_are_no_more(server: Any) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(4)
    await _add(sink, key, (0, 6, 1, 10), (3, 5, 9, 4))
    await sink.begin_rebuild(2)
    assert await sink.sweep({0: 6}, 2) == 0
    assert await _add(sink, key) == (0, "2", [10])


@in_a_loop
async def test_nothing_is_swept_once_that_is_noted_nor_where_there_was_no_rebuild(server: Any) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    await _add(sink, key, (0, 5, 9, 3))
    assert await sink.sweep({0: 6}, 1) == 0
    await sink.begin_rebuild(1)
    await sink.note_published({0: (0, 0)})
    assert await sink.sweep({0: 6}, 1) == 0


# -- loss ---------------------------------------------------------------------------------------------------------


WRITES: dict[str, Callable[[Any, str], Awaitable[Any]]] = {
    "add_shares": lambda sink, key: sink.add_shares([key], [0], [[(0, 1, 2, 4)]]),
    "write_hashes": lambda sink, key: sink.write_hashes([key], ["1"], [0], [["plays", "3"]]),
    "note_published": lambda sink, key: sink.note_published({0: (1, 1)}),
    "begin_rebuild": lambda sink, key: sink.begin_rebuild(1),
    "note_recounts": lambda sink, key: sink.note_recounts({0: True}),
}


@pytest.mark.parametrize("write", WRITES)
@in_a_loop
async def test_every_write_notices_that_the_data_was_lost(server: Any, write: str) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(2)
    await _add(sink, key, (0, 1, 1, 3))
    server.flush()
    # Another worker may have joined since: then there is a marker again, but not ours.
    await server.sink().join(2)
    with pytest.raises(DataLost):
        await WRITES[write](sink, key)
    assert await sink.published_version(0) is None
    assert not await sink.join(2)
    assert not await sink.is_complete()
    assert await _add(sink, key, (0, 1, 1, 3)) == (0, "1", [3])


@in_a_loop
async def test_joining_again_says_whether_the_data_is_as_it_was(server: Any) -> None:
    sink = server.sink()
    assert [await sink.join(1), await sink.join(1)] == [False, True]
    server.flush()
    assert [await sink.join(1), await sink.join(1)] == [False, True]


@in_a_loop
async def test_another_run_of_the_server_is_a_loss_even_on_the_data_of_the_one_before(server: Any) -> None:
    sink = server.sink()
    await sink.join(1)
    await sink.note_published({0: (1, 1)})
    server.restart()
    with pytest.raises(DataLost):
        await _once_it_answers(sink.is_complete)
    assert not await sink.join(1)
    assert not await sink.is_complete()
    assert await sink.published_version(0) is None
    # What that run of the server had been told of a rebuild may be part of what it lost.
    await _add(sink, f"{server.prefix}title:film", (0, 5, 9, 3))
    assert await sink.sweep({0: 6}, 1) == 1


async def _once_it_answers(call: Callable[[], Awaitable[Any]]) -> Any:
    """The first call after a restart may find its connection closed."""
    try:
        return await call()
    except Unreachable:
        return await call()


def test_a_server_that_is_away_is_unreachable() -> None:
    async def away(sink: Any) -> None:
        shares = functools.partial(sink.add_shares, ["k"], [0], [[(0, 1, 1, 1)]])
        join, version = functools.partial(sink.join, 1), functools.partial(sink.published_version, 0)
        for call in (join, sink.is_complete, sink.read_state, version, shares):
            with pytest.raises(Unreachable):
                await call()
        await sink.close()

    asyncio.run(away(FakeSink(FakeRedis(away=True), "x:", "app")))
    asyncio.run(away(RedisSink("redis://127.0.0.1:1/0", "x:", "app")))
