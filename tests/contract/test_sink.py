"""What publishing may rely on from a sink: one suite, on the fake, on a real Redis and on a Redis Cluster.

A further sink is a further `Server` here.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import pytest
import redis
from fake_sink import FakeRedis, FakeSink

from models.tally import TallyKey
from models.windows import WEEK
from streams.publishing.partition_status import PartitionHealth
from streams.publishing.redis_sink import RedisSink
from streams.publishing.sink import (
    LISTED,
    NOT_COMPLETE,
    Boards,
    DataLost,
    Derived,
    ForeignPrefix,
    Metric,
    Readable,
    Share,
    Sink,
    Unreachable,
    VerdictField,
)
from streams.redis.keys import Keys
from streams.tools.devstack import Devstack, RedisServer
from streams.tools.devstack.redis_cluster import RedisClusterServers

DAY_MS = 86_400_000


class Server(Protocol):
    """A store, real or not, and what readers find in it."""

    prefix: str

    def sink(self, application: str = "app") -> Sink: ...
    def hash(self, key: str) -> dict[str, str]: ...
    def board(self, key: str) -> dict[str, float]: ...
    def shares_of(self) -> set[str]: ...
    def life_ms(self, key: str) -> int: ...
    def announced(self) -> list[tuple[str, int]]: ...
    def verdicts(self) -> list[dict[str, str]]: ...
    def flush(self) -> None: ...
    def restart(self) -> None: ...
    def hold(self) -> None: ...
    def offsets(self) -> dict[str, str]: ...
    async def close(self) -> None: ...


class Fake:
    prefix = "fake:"

    def __init__(self) -> None:
        self.redis = FakeRedis()

    def sink(self, application: str = "app") -> FakeSink:
        return FakeSink(self.redis, self.prefix, application)

    def hash(self, key: str) -> dict[str, str]:
        return self.redis.hashes.get(key, {})

    def board(self, key: str) -> dict[str, float]:
        return self.redis.boards.get(key, {})

    def shares_of(self) -> set[str]:
        return set(self.redis.shares)

    def life_ms(self, key: str) -> int:
        return self.redis.lives_ms.get(key, 0)

    def announced(self) -> list[tuple[str, int]]:
        return self.redis.changes

    def verdicts(self) -> list[dict[str, str]]:
        return self.redis.verdicts

    def flush(self) -> None:
        self.redis.flush()

    def restart(self) -> None:
        self.redis.restart()

    def hold(self) -> None:
        self.redis.held = True

    def offsets(self) -> dict[str, str]:
        of_partitions = {"begun": self.redis.begun, "done": self.redis.done}
        noted = {f"{name}:{p}": str(end) for name, ends in of_partitions.items() for p, end in ends.items()}
        return noted | ({"topic_id": self.redis.topic_id} if self.redis.topic_id else {})

    async def close(self) -> None: ...


class Real:
    def __init__(self, address: str, prefix: str, node: RedisServer) -> None:
        self.address = address
        self.node = node
        self.prefix = prefix
        self.sinks: list[RedisSink] = []
        self.client = redis.Redis.from_url(node.address, decode_responses=True)
        self.listener = self.client.pubsub(ignore_subscribe_messages=True)
        self.listener.subscribe(f"{self.prefix}changes")
        self.listener.get_message(timeout=1)

    def sink(self, application: str = "app") -> RedisSink:
        self.sinks.append(RedisSink(self.address, self.prefix, application))
        return self.sinks[-1]

    def hash(self, key: str) -> dict[str, str]:
        return self.client.hgetall(key)

    def board(self, key: str) -> dict[str, float]:
        return dict(self.client.zrange(key, 0, -1, withscores=True))

    def shares_of(self) -> set[str]:
        of_shares = f"{self.prefix}internal:shares:"
        return {self.prefix + key.removeprefix(of_shares) for key in self.client.scan_iter(f"{of_shares}*")}

    def life_ms(self, key: str) -> int:
        return max(0, self.client.pttl(key))

    def announced(self) -> list[tuple[str, int]]:
        told = []
        while (message := self.listener.get_message(timeout=0.3)) is not None:
            change = json.loads(message["data"])
            told.append((change["key"], change["version"]))
        return told

    def verdicts(self) -> list[dict[str, str]]:
        return [fields for _, fields in self.client.xrange(f"{self.prefix}verdicts")]

    def flush(self) -> None:
        self.client.flushall()

    def restart(self) -> None:
        self.listener.close()
        self.node.stop()
        self.node.start()

    def hold(self) -> None:
        self.client.set(Keys(self.prefix).hold, "1")

    def offsets(self) -> dict[str, str]:
        return self.client.hgetall(Keys(self.prefix).offsets)

    async def close(self) -> None:
        for sink in self.sinks:
            await sink.close()
        self.listener.close()
        self.client.close()


@pytest.fixture(params=["fake", "real", "cluster"])
def server(request: pytest.FixtureRequest) -> Server:
    name = f"test-{secrets.token_hex(4)}"
    if request.param == "real":
        stack: Devstack = request.getfixturevalue("redis_of_our_own")
        return Real(stack.redis, f"{name}:", stack.redis_server)
    if request.param == "cluster":
        cluster: RedisClusterServers = request.getfixturevalue("cluster_of_our_own")
        return Real(cluster.address, f"{{{name}}}:", cluster.owner_of(f"{{{name}}}:"))
    return Fake()


def in_a_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(server: Server, **given: Any) -> None:
        async def once() -> None:
            try:
                await test(server, **given)
            finally:
                await server.close()

        asyncio.run(once())

    return run


async def _add(sink: Sink, key: str, *shares: Share, life_ms: int = 0) -> tuple[int, str, list[int]]:
    totals = await sink.add_shares([key], [life_ms], [list(shares)])
    return totals.refused, totals.revisions[0], totals.totals[0]


# -- shares and totals --------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_total_is_the_sum_of_the_partitions_newest_shares(server: Server) -> None:
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
    server: Server, version: tuple[int, int], refused: int, total: int
) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    await _add(sink, key, (0, 5, 7, 10))
    revision = "" if refused else "2" if total == 99 else "1"
    assert await _add(sink, key, (0, *version, 99)) == (refused, revision, [total])


@in_a_loop
async def test_a_key_has_no_revision_where_all_of_its_shares_are_refused(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(2)
    await _add(sink, key, (0, 5, 7, 10), (1, 5, 7, 20))
    assert await _add(sink, key) == (0, "1", [30])
    assert await _add(sink, key, (0, 5, 6, 1), (1, 5, 7, 20)) == (1, "1", [30])
    assert await _add(sink, key, (0, 5, 6, 1), (1, 5, 6, 2)) == (2, "", [30])


@in_a_loop
async def test_a_share_may_have_fewer_counters_than_the_one_before_or_more(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film:dayparts"
    await sink.join(2)
    await _add(sink, key, (0, 5, 1, 1, 2, 3), (1, 5, 1, 10, 20, 30))
    assert (await _add(sink, key, (0, 6, 1, 4)))[2] == [14, 20, 30]
    assert (await _add(sink, key, (1, 6, 1, 5)))[2] == [9, 0, 0]
    assert (await _add(sink, key, (1, 6, 2, 5, 6, 7, 8)))[2] == [9, 6, 7, 8]


@in_a_loop
async def test_several_keys_and_shares_are_added_in_one_call(server: Server) -> None:
    sink = server.sink()
    await sink.join(2)
    keys = [f"{server.prefix}{name}" for name in ("a", "b", "nothing")]
    await sink.add_shares(keys[:1], [0], [[(0, 1, 5, 3)]])
    shares = [[(0, 1, 4, 9), (1, 1, 1, 4)], [(0, 1, 4, 1), (1, 1, 1, 2)], []]
    totals = await sink.add_shares(keys, [0, 0, 0], shares)
    assert totals == (1, ["2", "1", "0"], [[7], [3], []])


@in_a_loop
async def test_counters_keep_every_digit(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(2)
    large = 2**52
    await _add(sink, key, (0, 1_750_000_000_000, 1, large - 1, -3))
    assert (await _add(sink, key, (1, 1_750_000_000_000, 1, large, 1)))[2] == [2 * large - 1, -2]


# -- hashes -------------------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_hash_is_written_only_at_the_revision_it_was_computed_from(server: Server) -> None:
    one, other, key = server.sink(), server.sink(), f"{server.prefix}title:film"
    await one.join(2)
    await other.join(2)
    _, revision, _ = await _add(one, key, (0, 1, 1, 3))
    _, moved_on, _ = await _add(other, key, (1, 1, 1, 4))
    assert await one.write_hashes([Readable(key, revision, 0, ["plays", "3"])]) == 0
    assert server.hash(key) == {}
    assert await other.write_hashes([Readable(key, moved_on, 0, ["plays", "7"])]) == 1
    assert server.hash(key).items() >= {"plays": "7"}.items()


@in_a_loop
async def test_a_version_only_grows_and_every_write_is_announced(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    versions = []
    for sequence in range(1, 5):
        _, revision, _ = await _add(sink, key, (0, 1, sequence, sequence))
        await sink.write_hashes([Readable(key, revision, 0, ["plays", str(sequence)])])
        versions.append(int(server.hash(key)["version"]))
    assert versions == sorted(set(versions))
    assert server.announced() == [(key, version) for version in versions]


@in_a_loop
async def test_writing_the_same_again_does_no_harm(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    for _ in range(3):
        _, revision, total = await _add(sink, key, (0, 1, 1, 3))
        assert (revision, total) == ("1", [3])
        assert await sink.write_hashes([Readable(key, revision, 0, ["plays", "3"])]) == 1
    assert server.hash(key)["plays"] == "3"


@pytest.mark.parametrize("life_ms", [0, DAY_MS])
@in_a_loop
async def test_hashes_live_as_long_as_told_and_others_for_good(server: Server, life_ms: int) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film:day:20250616"
    await sink.join(1)
    _, revision, _ = await _add(sink, key, (0, 1, 1, 3), life_ms=life_ms)
    await sink.write_hashes([Readable(key, revision, life_ms, ["plays", "3"])])
    assert life_ms - 60_000 <= server.life_ms(key) <= life_ms


@in_a_loop
async def test_other_fields_of_a_hash_stay_unless_it_shall_have_none(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film:dayparts"
    await sink.join(1)
    _, revision, _ = await _add(sink, key, (0, 1, 1, 3))
    await sink.write_hashes([Readable(key, revision, 0, ["old", "1", "kept", "1"])])
    await sink.write_hashes([Readable(key, revision, 0, ["more", "3"])])
    assert server.hash(key).items() >= {"old": "1", "kept": "1", "more": "3"}.items()
    await sink.write_hashes([Readable(key, revision, 0, ["kept", "2"])], alone=True)
    assert server.hash(key).keys() == {"kept", "version"}
    await sink.write_hashes([Readable(key, revision, 0, ["other", "2"], alone=True)])
    assert server.hash(key).keys() == {"other", "version"}


@in_a_loop
async def test_a_hash_of_no_fields_is_deleted_where_its_total_has_not_moved_on(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film:curve"
    await sink.join(1)
    _, revision, _ = await _add(sink, key, (0, 1, 1, 3))
    assert await sink.write_hashes([Readable(key, revision, 0, [])]) == 0
    await sink.write_hashes([Readable(key, revision, 0, ["slices", "1"])])
    _, moved_on, _ = await _add(sink, key, (0, 1, 2))
    assert await sink.write_hashes([Readable(key, revision, 0, [])]) == 0
    assert server.hash(key)["slices"] == "1"
    assert await sink.write_hashes([Readable(key, moved_on, 0, [])]) == 1
    assert server.hash(key) == {}


# -- boards -------------------------------------------------------------------------------------------------------

SCORES = (Metric(1, -1, 0), Metric(5, 3, 20))
"""Of fields plays, starters, rate: plays, and the rate where there are 20 starters."""


async def _rank(server: Server, sink: Sink, title: str, plays: str, starters: str, rate: str, life_ms: int = 0) -> None:
    key = f"{server.prefix}title:{title}"
    boards = Boards((f"{server.prefix}board:plays", f"{server.prefix}board:rate"), SCORES, life_ms)
    _, revision, _ = await _add(sink, key, (0, 1, 1, 3))
    fields = ["plays", plays, "starters", starters, "rate", rate]
    await sink.write_hashes([Readable(key, revision, life_ms, fields, boards, title)])


@in_a_loop
async def test_titles_are_ranked_by_the_fields_of_their_hashes(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    await _rank(server, sink, "a", "3", "20", "0.250000")
    await _rank(server, sink, "b", "9007199254740992", "20", "0.500000")
    await _rank(server, sink, "a", "4", "21", "0.250000")
    assert server.board(f"{server.prefix}board:plays") == {"a": 4, "b": 2**53}
    assert server.board(f"{server.prefix}board:rate") == {"a": 0.25, "b": 0.5}


@pytest.mark.parametrize(
    ("plays", "starters", "rate", "boards"),
    [
        ("0", "20", "0.500000", [False, True]),
        ("3", "19", "0.500000", [True, False]),
        ("3", "20", "0.500000", [True, True]),
        ("3", "20", "0.000000", [True, False]),
        ("3", "20", "", [True, False]),
    ],
)
@in_a_loop
async def test_no_place_without_a_score_or_without_enough_of_what_judges_it(
    server: Server, plays: str, starters: str, rate: str, boards: list[bool]
) -> None:
    sink = server.sink()
    await sink.join(1)
    await _rank(server, sink, "film", "7", "20", "0.700000")
    await _rank(server, sink, "film", plays, starters, rate)
    assert ["film" in server.board(f"{server.prefix}board:{name}") for name in ("plays", "rate")] == boards


@in_a_loop
async def test_every_hash_is_on_its_list_whatever_its_fields(server: Server) -> None:
    sink, lists = server.sink(), Boards((f"{server.prefix}titles",), (LISTED,), 0)
    await sink.join(1)
    for title in ("b", "a b"):
        _, revision, _ = await _add(sink, f"{server.prefix}title:{title}", (0, 1, 1, 0))
        await sink.write_hashes([Readable(f"{server.prefix}title:{title}", revision, 0, ["plays", "0"], lists, title)])
    assert server.board(f"{server.prefix}titles") == {"a b": 0, "b": 0}


@in_a_loop
async def test_a_hash_that_is_not_written_leaves_its_places_as_they_are(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    _, revision, _ = await _add(sink, key, (0, 1, 1, 3))
    boards = Boards((f"{server.prefix}board:plays",), SCORES[:1], 0)
    await _add(sink, key, (0, 1, 2, 4))
    await sink.write_hashes([Readable(key, revision, 0, ["plays", "3"], boards, "film")])
    assert server.board(boards.keys[0]) == {}


@pytest.mark.parametrize("life_ms", [0, DAY_MS])
@in_a_loop
async def test_boards_live_as_long_as_told_and_others_for_good(server: Server, life_ms: int) -> None:
    sink = server.sink()
    await sink.join(1)
    await _rank(server, sink, "film", "7", "20", "0.700000", life_ms)
    assert life_ms - 60_000 <= server.life_ms(f"{server.prefix}board:plays") <= life_ms


# -- verdicts -----------------------------------------------------------------------------------------------------


class Hash:
    """A hash of which a field is told, or was not yet by a former version; `write` writes what it is now."""

    def __init__(self, server: Server, sink: Sink, field: str = "completions", of: str = "title") -> None:
        self.server, self.sink, self.field, self.sequence, self.week = server, sink, field, 0, 7
        self.key = f"{server.prefix}{of}:film:{field}"
        self.told = Boards((), (), 0, VerdictField(field, of, 3))

    async def write(self, *values: int, complete: str = "1", told: bool = True) -> list[str]:
        """The verdicts of all these values in turn: their ids and values."""
        before = len(self.server.verdicts())
        for value in values:
            self.sequence += 1
            _, revision, _ = await _add(self.sink, self.key, (0, 1, self.sequence, value))
            fields = ["week", str(self.week), self.field, str(value), "as_of_ms", "5", "complete", complete]
            boards = self.told if told else None
            await self.sink.write_hashes([Readable(self.key, revision, 0, fields, boards, "film")])
        return [f"{each['id']}={each['value']}" for each in self.server.verdicts()[before:]]


@in_a_loop
async def test_each_power_of_ten_of_completions_is_told_once(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    film = Hash(server, sink)
    ten, hundred, thousand = (f"title:film:completions:{n}={n}" for n in (10, 100, 1000))
    assert await film.write(0, 1, 9) == []
    assert await film.write(10, 11, 99) == [ten]
    assert await film.write(1_000, 1_000, 9_999) == [hundred, thousand]
    assert await film.write(999, 1_000) == []
    assert server.verdicts()[0] == {
        "id": "title:film:completions:10", "verdict": "completions", "title_id": "film", "value": "10", "as_of_ms": "5",
    }  # fmt: skip


@in_a_loop
async def test_a_franchise_has_verdicts_of_its_own(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    assert await Hash(server, sink, of="franchise").write(10) == ["franchise:film:completions:10=10"]
    assert server.verdicts()[0].keys() == {"id", "verdict", "franchise_id", "value", "as_of_ms"}


@in_a_loop
async def test_what_is_counted_again_is_told_only_as_far_as_it_was_not(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    film = Hash(server, sink)
    await film.write(150)
    assert await film.write(3, 90, 1_200, complete="0") == []
    assert await film.write(1_200) == ["title:film:completions:1000=1000"]
    assert await film.write(3, complete="0") == await film.write(3, 999, 1_200) == []


@in_a_loop
async def test_what_was_reached_before_verdicts_were_told_is_not(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    film = Hash(server, sink)
    await film.write(150, told=False)
    assert await film.write(160) == await film.write(3, 160, complete="0") == await film.write(160) == []
    assert await film.write(1_000) == ["title:film:completions:1000=1000"]


@in_a_loop
async def test_after_a_loss_of_everything_the_same_is_told_under_the_same_ids(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    film = Hash(server, sink)
    told = await film.write(150)
    server.flush()
    await sink.join(1)
    assert (await film.write(70, complete="0"), await film.write(150)) == ([], told)


@in_a_loop
async def test_a_flag_is_told_whenever_it_changes(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    legs = Hash(server, sink, "unstoppable")
    assert await legs.write(0, 0) == []
    assert await legs.write(1, 1) == ["title:film:unstoppable:7:1=1"]
    assert await legs.write(0, complete="0") == await legs.write(1) == []
    assert await legs.write(0, 1) == ["title:film:unstoppable:7:2=0", "title:film:unstoppable:7:3=1"]
    assert await legs.write(1, complete="0") == []
    assert await legs.write(0) == ["title:film:unstoppable:7:4=0"]
    assert server.verdicts()[0]["week"] == "7"


@in_a_loop
async def test_a_flag_of_an_older_week_that_a_worker_writes_late_is_not_told(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    legs = Hash(server, sink, "unstoppable")
    assert await legs.write(1) == ["title:film:unstoppable:7:1=1"]
    legs.week = 8
    assert await legs.write(0) == ["title:film:unstoppable:8:2=0"]
    legs.week = 7
    assert await legs.write(1) == []
    legs.week = 8
    assert await legs.write(0) == []
    legs.week = 9
    assert await legs.write(1) == ["title:film:unstoppable:9:3=1"]


@in_a_loop
async def test_a_hash_that_is_not_written_tells_nothing(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    film = Hash(server, sink)
    _, revision, _ = await _add(sink, film.key, (0, 1, 1, 10))
    await _add(sink, film.key, (0, 1, 2, 11))
    fields = ["week", "7", "completions", "10", "as_of_ms", "5", "complete", "1"]
    await sink.write_hashes([Readable(film.key, revision, 0, fields, film.told, "film")])
    assert server.verdicts() == []


# -- hashes that are computed from others ---------------------------------------------------------------------------


@in_a_loop
async def test_a_derived_hash_is_computed_from_totals_read_after_its_revision_moved_on(server: Server) -> None:
    sink, keys = server.sink(), Keys(server.prefix)
    one, other, legs = (keys.tally(TallyKey(WEEK, 1, "film")), keys.tally(TallyKey(WEEK, 2, "film")), keys.legs("film"))
    await sink.join(2)
    await _add(sink, one, (0, 1, 1, 3, 5), (1, 1, 1, 4, 6))
    first, second = [(await sink.derive([Derived(legs, [one, other], DAY_MS)], 900))[0] for _ in range(2)]
    assert [totals for _, totals in (first, second)] == [[[7, 11], []]] * 2
    assert await sink.write_hashes([Readable(legs, first[0], DAY_MS, ["week", "1"])]) == 0
    assert await sink.write_hashes([Readable(legs, second[0], DAY_MS, ["week", "2"])]) == 1
    assert await sink.weeks([legs, f"{server.prefix}title:other:legs"]) == [2, 0]


@in_a_loop
async def test_the_largest_time_that_anything_was_computed_for_is_known_to_all(server: Server) -> None:
    sink, legs = server.sink(), f"{server.prefix}title:film:legs"
    await sink.join(1)
    await sink.note_partitions({0: PartitionHealth(700, 0, 900)})
    told = []
    for as_of_ms in (800, 600):
        await sink.derive([Derived(legs, [])], as_of_ms)
        told.append((await server.sink().read_state())[:2])
    assert told == [(700, 800), (700, 800)]
    await sink.begin_rebuild(1)
    assert (await sink.read_state()).judged_ms == 700


@in_a_loop
async def test_a_derived_hash_with_shares_of_its_own_is_there_only_with_them(server: Server) -> None:
    sink, (there, none) = server.sink(), [f"{server.prefix}franchise:{name}" for name in ("there", "none")]
    await sink.join(1)
    _, revision, _ = await _add(sink, there, (0, 1, 1, 3))
    found = await sink.derive([Derived(key, [key], has_shares=True) for key in (there, none)], 0)
    assert [totals for _, totals in found] == [[[3]], [[]]]
    assert (int(found[0][0]) > int(revision), found[1][0]) == (True, "")
    assert server.shares_of() == {there}
    # A newer share moves it on again: what was computed before it is not written any more.
    await _add(sink, there, (0, 1, 2, 4))
    assert await sink.write_hashes([Readable(there, found[0][0], 0, ["plays", "3"])]) == 0


@in_a_loop
async def test_a_deleted_hash_is_announced_and_what_was_computed_before_is_not_written(server: Server) -> None:
    sink, (legs, none) = server.sink(), [f"{server.prefix}title:{name}:legs" for name in ("film", "none")]
    await sink.join(1)
    ((revision, _),) = await sink.derive([Derived(legs, [])], 0)
    await sink.write_hashes([Readable(legs, revision, 0, ["week", "1"])])
    version = int(server.hash(legs)["version"])
    ((revision, _),) = await sink.derive([Derived(legs, [])], 0)
    server.announced().clear()
    assert await sink.delete_hashes([legs, none]) == 1
    ((key, newer),) = server.announced()
    assert (key, newer > version) == (legs, True)
    assert (server.hash(legs), server.shares_of()) == ({}, set())
    assert await sink.write_hashes([Readable(legs, revision, 0, ["week", "1"])]) == 0
    ((again, _),) = await sink.derive([Derived(legs, [])], 0)
    assert again != revision


# -- who publishes, and how far -----------------------------------------------------------------------------------


@in_a_loop
async def test_a_prefix_belongs_to_one_application(server: Server) -> None:
    await server.sink("mine").join(1)
    await server.sink("mine").join(1)
    with pytest.raises(ForeignPrefix, match=r"'mine'.*'theirs'|'theirs'.*'mine'"):
        await server.sink("theirs").join(1)


@in_a_loop
async def test_the_published_version_is_what_was_noted_last(server: Server) -> None:
    sink = server.sink()
    await sink.join(2)
    assert await sink.published_version(0) is None
    await sink.note_published({0: (1_750_000_000_000, 7)})
    await sink.note_published({})
    assert await sink.published_version(0) == (1_750_000_000_000, 7)
    assert await server.sink().published_version(1) is None


@in_a_loop
async def test_a_round_begins_unless_the_application_is_held_still(server: Server) -> None:
    sink = server.sink()
    await sink.join(2)
    assert not (await sink.begin_round({}, {0: 7, 1: 0}, "source")).is_held
    assert not (await sink.begin_round({0: PartitionHealth(500, 2, 902)})).is_held
    server.hold()
    assert (await sink.begin_round({}, {0: 8}, "source")).is_held
    assert server.offsets() == {"topic_id": "source", "begun:0": "7", "begun:1": "0"}


@in_a_loop
async def test_what_is_begun_only_advances_and_what_is_done_ends_with_its_completeness(server: Server) -> None:
    sink = server.sink()
    await sink.join(2)
    await sink.begin_round({0: PartitionHealth(500, 2, 902)}, {0: 7, 1: 3}, "source")
    await sink.begin_round({}, {0: 5, 1: 4}, "source")
    await sink.note_published({0: (1, 1), 1: (1, 1)}, {0: 7})
    noted = {"topic_id": "source", "begun:0": "7", "begun:1": "4"}
    assert server.offsets() == noted | {"done:0": "7"}
    await sink.note_published({0: (1, 2), 1: (1, 2)}, {1: 4})
    assert server.offsets() == noted | {"done:0": "7", "done:1": "4"}
    await sink.note_published({0: (0, 0)}, {0: NOT_COMPLETE})
    assert server.offsets() == noted | {"done:1": "4"}
    await sink.begin_rebuild(2)
    assert server.offsets() == noted


@in_a_loop
async def test_offsets_of_another_topic_say_nothing(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    await sink.begin_round({}, {0: 7}, "source")
    await sink.note_published({0: (1, 1)}, {0: 7})
    await sink.begin_round({}, {0: 2}, "its copy")
    assert server.offsets() == {"topic_id": "its copy", "begun:0": "2"}


@in_a_loop
async def test_a_prefix_is_complete_once_every_partition_was_published(server: Server) -> None:
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
async def test_the_state_of_a_prefix_is_of_all_its_workers(server: Server) -> None:
    one, other = server.sink(), server.sink()
    await one.join(3)
    assert await one.read_state() == (0, 0, ["partitions_ready", "0", "lag", "0", "checkpointed_ms", "0"])
    await one.note_partitions({0: PartitionHealth(500, 2, 902), 1: PartitionHealth(300, 1, 901)})
    await other.note_partitions({2: PartitionHealth(-1, 4, 903)})  # no record yet: it has no time to be as of
    assert await other.read_state() == (
        300, 300, ["partitions_ready", "3", "lag", "7", "checkpointed_ms", "901"]
    )  # fmt: skip


# -- a rebuild ----------------------------------------------------------------------------------------------------


@in_a_loop
async def test_a_rebuild_lets_all_partitions_be_recounted_and_published_anew(server: Server) -> None:
    command, worker = server.sink(), server.sink()
    await command.join(3)
    await command.note_published({0: (5, 9), 1: (7, 2), 2: (0, 0)})
    assert await command.is_complete()
    assert await command.begin_rebuild(3) == 7
    await worker.join(3)
    assert [await worker.note_recounts({}), await worker.is_complete()] == [3, False]
    assert await worker.published_version(1) == (7, 2)


@in_a_loop
async def test_a_rebuild_of_an_empty_prefix_follows_no_incarnation(server: Server) -> None:
    sink = server.sink()
    await sink.join(1)
    assert await sink.begin_rebuild(1) == 0


@in_a_loop
async def test_a_round_begins_with_what_is_noted_of_all_partitions_with_this_workers_newest(server: Server) -> None:
    one, other = server.sink(), server.sink()
    await one.join(2)
    await other.join(2)
    await one.note_published({0: (1, 1)})
    await one.note_partitions({0: PartitionHealth(500, 2, 902)})
    await other.note_partitions({1: PartitionHealth(300, 1, 901)})
    status = ["partitions_ready", "2", "lag", "4", "checkpointed_ms", "901"]
    assert await one.begin_round({0: PartitionHealth(200, 3, 904)}) == (False, (200, 200, status), False)
    await other.note_published({1: (1, 1)})
    assert await other.begin_round({}) == (True, (200, 200, status), False)


@in_a_loop
async def test_partitions_that_the_source_has_no_more_are_forgotten_by_a_rebuild(server: Server) -> None:
    sink = server.sink()
    await sink.join(3)
    await sink.note_published({p: (9 if p == 2 else 5, 1) for p in range(3)})
    await sink.note_partitions({p: PartitionHealth(100 - p, 1, 200 - p) for p in range(3)})
    assert await sink.begin_rebuild(2) == 5
    assert [await sink.published_version(p) for p in (1, 2)] == [(5, 1), None]
    assert await sink.read_state() == (99, 99, ["partitions_ready", "2", "lag", "2", "checkpointed_ms", "199"])
    await sink.note_published({0: (5, 1), 1: (5, 1)})
    assert await sink.is_complete()


@in_a_loop
async def test_recounts_are_over_once_every_partition_of_every_worker_is_through(server: Server) -> None:
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
    server: Server,
) -> None:
    sink, (both, old, other) = server.sink(), [f"{server.prefix}title:{name}" for name in ("both", "old", "other")]
    await sink.join(2)
    await _add(sink, both, (0, 5, 9, 10, 1), (1, 5, 9, 4, 2))
    await _add(sink, old, (0, 5, 9, 3))
    await _add(sink, other, (1, 5, 9, 3))
    for key in (both, old, other):
        revision = (await sink.add_shares([key], [0], [[]])).revisions[0]
        await sink.write_hashes([Readable(key, revision, 0, ["plays", "3"])])
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
    server: Server, incarnation: int, gone: int
) -> None:
    sink = server.sink()
    await sink.join(1)
    await _add(sink, f"{server.prefix}title:film", (0, 5, 9, 3))
    await sink.begin_rebuild(1)
    assert await sink.sweep({0: incarnation}, 1) == gone


@in_a_loop
async def test_a_sweep_takes_out_partitions_that_are_no_more(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(4)
    await _add(sink, key, (0, 6, 1, 10), (3, 5, 9, 4))
    await sink.begin_rebuild(2)
    assert await sink.sweep({0: 6}, 2) == 0
    assert await _add(sink, key) == (0, "2", [10])


@in_a_loop
async def test_nothing_is_swept_once_that_is_noted_nor_where_there_was_no_rebuild(server: Server) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    await _add(sink, key, (0, 5, 9, 3))
    assert await sink.sweep({0: 6}, 1) == 0
    await sink.begin_rebuild(1)
    await sink.note_published({0: (0, 0)})
    assert await sink.sweep({0: 6}, 1) == 0


@in_a_loop
async def test_what_is_swept_takes_its_places_on_boards_and_its_legs_along(server: Server) -> None:
    sink, keys = server.sink(), Keys(server.prefix)
    titles = {name: f"{server.prefix}title:{name}" for name in ("gone%20%3A", "kept")}
    day = f"{server.prefix}title:kept:day:20250616"
    await sink.join(2)
    for name, partition in zip(titles, (0, 1), strict=True):
        await _add(sink, titles[name], (partition, 5, 9, 3))
        ((revision, _),) = await sink.derive([Derived(f"{titles[name]}:legs", [])], 0)
        await sink.write_hashes([Readable(f"{titles[name]}:legs", revision, 0, ["week", "1"])])
    await _add(sink, day, (0, 5, 9, 3))
    boards = Boards((keys.board("plays"),), SCORES[:1], 0)
    of_day = Boards((keys.board("plays", 20_255),), SCORES[:1], 0)
    gone, kept = titles.values()
    for key, on, member in ((gone, boards, "gone :"), (kept, boards, "kept"), (day, of_day, "kept")):
        revision = (await sink.add_shares([key], [0], [[]])).revisions[0]
        await sink.write_hashes([Readable(key, revision, 0, ["plays", "3"], on, member)])
    await sink.begin_rebuild(2)

    assert await sink.sweep({0: 6}, 2) == 2

    assert server.board(boards.keys[0]) == {"kept": 3}
    assert server.board(of_day.keys[0]) == {}
    assert [server.hash(f"{title}:legs").get("week") for title in (gone, kept)] == [None, "1"]
    assert server.shares_of() == {kept, f"{kept}:legs"}


# -- loss ---------------------------------------------------------------------------------------------------------


Calls = dict[str, Callable[[Sink, str], Awaitable[Any]]]

JOINED: Calls = {
    "is_complete": lambda sink, key: sink.is_complete(),
    "begin_round": lambda sink, key: sink.begin_round({0: PartitionHealth(500, 2, 902)}),
    "add_shares": lambda sink, key: sink.add_shares([key], [0], [[(0, 1, 2, 4)]]),
    "write_hashes": lambda sink, key: sink.write_hashes([Readable(key, "1", 0, ["plays", "3"])]),
    "derive": lambda sink, key: sink.derive([Derived(key, [])], 1),
    "delete_hashes": lambda sink, key: sink.delete_hashes([key]),
    "weeks": lambda sink, key: sink.weeks([key]),
    "note_published": lambda sink, key: sink.note_published({0: (1, 1)}),
    "begin_rebuild": lambda sink, key: sink.begin_rebuild(1),
    "note_recounts": lambda sink, key: sink.note_recounts({0: True}),
    "sweep": lambda sink, key: sink.sweep({0: 1}, 1),
}
"""For who is joined: they raise `DataLost`."""

ANY_TIME: Calls = {
    "join": lambda sink, key: sink.join(1),
    "published_version": lambda sink, key: sink.published_version(0),
    "note_partitions": lambda sink, key: sink.note_partitions({0: PartitionHealth(500, 2, 902)}),
    "read_state": lambda sink, key: sink.read_state(),
}


def test_every_call_of_a_sink_is_held_to_the_contract() -> None:
    calls = {name for name in vars(Sink) if not name.startswith("_")}
    assert JOINED.keys() | ANY_TIME.keys() | {"close"} == calls
    for kind in (FakeSink, RedisSink):
        of_kind = {name: inspect.signature(vars(kind)[name]) for name in calls & vars(kind).keys()}
        assert of_kind == {name: inspect.signature(vars(Sink)[name]) for name in calls}


@pytest.mark.parametrize("call", JOINED)
@in_a_loop
async def test_every_call_of_who_is_joined_notices_that_the_data_was_lost(server: Server, call: str) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(2)
    await _add(sink, key, (0, 1, 1, 3))
    server.flush()
    # Another worker may have joined since: then there is a marker again, but not ours.
    other = server.sink()
    await other.join(2)
    await other.begin_rebuild(2)
    with pytest.raises(DataLost):
        await JOINED[call](sink, key)
    assert (server.hash(key), server.shares_of()) == ({}, set())
    assert await sink.published_version(0) is None
    assert not await sink.join(2)
    assert not await sink.is_complete()
    assert await _add(sink, key, (0, 1, 1, 3)) == (0, "1", [3])


@pytest.mark.parametrize("call", ANY_TIME)
@in_a_loop
async def test_who_is_not_joined_yet_or_no_more_may_ask_and_tell(server: Server, call: str) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await ANY_TIME[call](sink, key)
    await sink.join(1)
    server.flush()
    await ANY_TIME[call](sink, key)


@in_a_loop
async def test_joining_again_says_whether_the_data_is_as_it_was(server: Server) -> None:
    sink = server.sink()
    assert [await sink.join(1), await sink.join(1)] == [False, True]
    server.flush()
    assert [await sink.join(1), await sink.join(1)] == [False, True]


@pytest.mark.parametrize("call", ["is_complete", "begin_round"])
@in_a_loop
async def test_another_run_of_the_server_is_a_loss_even_on_the_data_of_the_one_before(
    server: Server, call: str
) -> None:
    sink, key = server.sink(), f"{server.prefix}title:film"
    await sink.join(1)
    await sink.note_published({0: (1, 1)})
    server.restart()
    with pytest.raises(DataLost):
        await _once_it_answers(lambda: JOINED[call](sink, key))
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


AWAY: dict[str, Callable[[], Sink]] = {
    "fake": lambda: FakeSink(FakeRedis(away=True), "x:", "app"),
    "real": lambda: RedisSink("redis://127.0.0.1:1/0", "x:", "app"),
}


@pytest.mark.parametrize("name", AWAY)
def test_a_server_that_is_away_is_unreachable_where_it_is_asked_anything(name: str) -> None:
    async def away(sink: Sink) -> None:
        for call in (JOINED | ANY_TIME).values():
            with pytest.raises(Unreachable):
                await call(sink, "x:title:film")
        await sink.note_published({})
        await sink.note_partitions({})
        await sink.close()

    asyncio.run(away(AWAY[name]()))
