"""A sink whose server dies and is replaced: by Sentinels, by the nodes of a cluster. And one that may do little."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from streams.publishing.partition_status import PartitionHealth
from streams.publishing.redis_sink import RedisSink
from streams.publishing.scripts import CLUSTER_COMMANDS, COMMANDS
from streams.publishing.sink import Boards, DataLost, Derived, Metric, Readable, Unreachable
from streams.redis.clients import async_client, sync_client
from streams.tools.devstack import RedisServer, ServerFailed
from streams.tools.devstack.redis import client_of
from streams.tools.devstack.redis_cluster import RedisClusterServers
from streams.tools.devstack.redis_sentinel import RedisUnderSentinel

PREFIX = "{failover}:"
KEY = f"{PREFIX}title:film"


async def _soon(call: Callable[[], Awaitable[Any]], within_s: float = 20) -> Any:
    """What a call answers once the server's successor does."""
    end = time.monotonic() + within_s
    while True:
        try:
            return await call()
        except Unreachable:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.1)


@pytest.fixture(params=["sentinel", "cluster"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    group = RedisUnderSentinel(tmp_path) if request.param == "sentinel" else RedisClusterServers(tmp_path, replicas=1)
    try:
        group.start()
    except ServerFailed as failure:
        group.close()
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no servers: {failure}")
    request.addfinalizer(group.close)
    return group


def _fail_over(group: RedisUnderSentinel | RedisClusterServers) -> None:
    """kill -9 of the server that has the keys; another takes its place."""
    if isinstance(group, RedisUnderSentinel):
        former = group.primary
        former.kill()
        group.wait_for_another(former)
    else:
        former = group.owner_of(KEY)
        former.kill()
        group.wait_for_another(KEY, former)


def test_a_server_that_takes_another_ones_place_is_a_loss_and_all_goes_on_there(servers: Any) -> None:
    async def go_on() -> None:
        sink = RedisSink(servers.address, PREFIX, "app")
        await sink.join(1)
        totals = await sink.add_shares([KEY], [0], [[(0, 1, 1, 3)]])
        await sink.write_hashes([Readable(KEY, totals.revisions[0], 0, ["plays", "3"])])
        await sink.note_published({0: (1, 1)})
        assert await sink.is_complete()
        await asyncio.to_thread(_fail_over, servers)
        with pytest.raises(DataLost):
            await _soon(sink.is_complete)
        assert not await sink.join(1)
        assert not await sink.is_complete()
        assert await sink.published_version(0) is None
        totals = await sink.add_shares([KEY], [0], [[(0, 1, 2, 4)]])
        assert await sink.write_hashes([Readable(KEY, totals.revisions[0], 0, ["plays", "4"])]) == 1
        await sink.close()

    asyncio.run(go_on())
    with sync_client(servers.address, decode_responses=True) as reader:
        assert reader.hget(KEY, "plays") == "4"


def test_nothing_but_given_sentinels_is_asked_and_an_unknown_service_is_unreachable(tmp_path: Path) -> None:
    async def away(address: str) -> str:
        sink = RedisSink(address, PREFIX, "app")
        with pytest.raises(Unreachable) as told:
            await sink.join(1)
        await sink.close()
        return str(told.value)

    assert asyncio.run(away("redis+sentinel://127.0.0.1:1,127.0.0.1:2/main")) == "No master found for 'main'"
    assert "127.0.0.1:1" in asyncio.run(away("redis+cluster://127.0.0.1:1"))


@pytest.mark.parametrize(
    "address",
    [
        "redis://127.0.0.1:1/0",
        "rediss://127.0.0.1:1/0",
        "redis+sentinel://127.0.0.1:1/main",
        "rediss+sentinel://127.0.0.1:1/main",
        "redis+cluster://127.0.0.1:1",
        "rediss+cluster://127.0.0.1:1",
    ],
)
def test_commands_are_packed_in_c_whatever_the_server_is(address: str) -> None:
    async def made() -> Any:
        client = async_client(address)
        pool = getattr(client, "connection_pool", None)
        kind = pool.connection_class if pool else client.nodes_manager.connection_kwargs["connection_class"]
        await client.aclose()
        return kind

    kind = asyncio.run(made())
    assert kind.__name__.startswith("Packed")
    assert ("SSL" in kind.__name__) == address.startswith("rediss")
    assert kind.pack_command(None, "CLIENT INFO", "é", b"x", 5) == [
        b"*5\r\n$6\r\nCLIENT\r\n$4\r\nINFO\r\n$2\r\n\xc3\xa9\r\n$1\r\nx\r\n$1\r\n5\r\n"
    ]


# -- a worker's rights --------------------------------------------------------------------------------------------


def _allow(server: RedisServer, *commands: str) -> None:
    rights = [f"+{command}" for command in commands]
    with client_of(server.port) as admin:
        admin.execute_command(
            *("ACL", "SETUSER", "worker", "on", ">secret", "resetchannels", f"~{PREFIX}*", f"&{PREFIX}*", *rights)
        )


def test_a_worker_whose_rights_end_at_its_prefix_can_do_all_that_it_does(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    try:
        server.start()
        _allow(server, *COMMANDS)
        asyncio.run(_do_everything(RedisSink(f"redis://worker:secret@127.0.0.1:{server.port}/0", PREFIX, "app")))
    finally:
        server.kill()


def test_on_a_cluster_it_needs_two_rights_more(tmp_path: Path) -> None:
    with RedisClusterServers(tmp_path) as cluster:
        for node in cluster.nodes:
            _allow(node, *COMMANDS, *CLUSTER_COMMANDS)
        address = cluster.address.replace("//", "//worker:secret@")
        asyncio.run(_do_everything(RedisSink(address, PREFIX, "app")))


async def _do_everything(sink: RedisSink) -> None:
    """Every call of a sink, and every branch of its scripts that sends another command."""
    legs, boards = f"{KEY}:legs", Boards((f"{PREFIX}board:plays",), (Metric(1, -1, 0),), 1_000)
    await sink.join(1)
    for plays in ("3", "0"):
        totals = await sink.add_shares([KEY], [1_000_000], [[(0, 1, int(plays) + 1, int(plays))]])
        await sink.write_hashes([Readable(KEY, totals.revisions[0], 1_000_000, ["plays", plays], boards, "film")])
    for fields in (["week", "1", "more", "1"], ["week", "1"]):
        ((revision, _),) = await sink.derive([Derived(legs, [KEY], 1_000_000)], 5)
        assert await sink.write_hashes([Readable(legs, revision, 1_000_000, fields)], alone=True) == 1
    assert await sink.weeks([legs]) == [1]
    await sink.delete_hashes([legs])
    await sink.note_partitions({0: PartitionHealth(5, 1, 9)})
    await sink.read_state()
    await sink.is_complete()
    await sink.published_version(0)
    await sink.note_published({0: (1, 1)})
    await sink.begin_rebuild(1)
    await sink.note_recounts({0: True})
    await sink.note_recounts({0: False})
    await sink.add_shares([f"{KEY}:day:20250616"], [0], [[(0, 1, 1, 3), (1, 9, 1, 3)]])
    assert await sink.sweep({0: 6}, 2) == 1
    await sink.close()
