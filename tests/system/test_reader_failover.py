"""Readers that cannot write, while a primary under Sentinel or in a cluster dies and another server takes its place."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from published_by_hand import PublishedByHand
from redis import Redis

from streams.reader import AsyncReader, Change, Reader
from streams.redis.clients import sync_client
from streams.tools.devstack import RedisServer
from streams.tools.devstack.redis_cluster import RedisClusterServers
from streams.tools.devstack.redis_sentinel import RedisUnderSentinel

pytestmark = pytest.mark.system

GUIDE = (Path(__file__).parents[2] / "docs" / "reading.md").read_text()
PATIENCE_S = 60


class Plain:
    """A reader without asyncio."""

    def __init__(self, url: str, prefix: str) -> None:
        self.reader = Reader(url, prefix, wait_s=PATIENCE_S)
        self._changes = self.reader.changes(self.reader.place())

    def plays(self) -> int:
        title = self.reader.title("dragon")
        assert title is not None
        return title.plays

    def change(self) -> Change:
        return next(self._changes)

    def close(self) -> None:
        self.reader.close()


class WithAsyncio:
    """A reader with asyncio, on a loop of its own."""

    def __init__(self, url: str, prefix: str) -> None:
        self.runner = asyncio.Runner()
        self.reader = AsyncReader(url, prefix, wait_s=PATIENCE_S)
        self._changes = self.reader.changes(self.runner.run(self.reader.place()))

    def plays(self) -> int:
        title = self.runner.run(self.reader.title("dragon"))
        assert title is not None
        return title.plays

    def change(self) -> Change:
        async def following() -> Change:
            return await anext(self._changes)

        return self.runner.run(following())

    def close(self) -> None:
        self.runner.run(self.reader.close())
        self.runner.close()


KINDS: list[Callable[[str, str], Any]] = [Plain, WithAsyncio]


def let_in(servers: Iterable[RedisServer], prefix: str, *more: str) -> None:
    """Make the guide's user on every server."""
    (line,) = re.findall(r"^ACL SETUSER (.*)$", GUIDE, re.MULTILINE)
    rights = [word.replace("~encore:", f"~{prefix}") for word in line.split()]
    for server in servers:
        with Redis.from_url(server.address) as client:
            client.execute_command("ACL", "SETUSER", *rights, *more)


@contextmanager
def published_at(url: str, prefix: str) -> Iterator[PublishedByHand]:
    client = sync_client(url, decode_responses=True)
    try:
        published = PublishedByHand(client, prefix)
        published.status()
        published.title("dragon", plays=1)
        yield published
    finally:
        client.close()


def as_reader(url: str) -> str:
    return url.replace("://", "://reader:SECRET@")


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[RedisUnderSentinel]:
    with RedisUnderSentinel(tmp_path) as servers:
        yield servers


def test_under_sentinel_readers_go_on_at_the_new_primary_and_show_nothing_older(sentinel: RedisUnderSentinel) -> None:
    let_in(sentinel.servers, "encore:")
    first, replica = sentinel.servers
    with published_at(sentinel.address, "encore:") as published:
        published.client.wait(1, 5_000)
        readers = [kind(as_reader(sentinel.address), "encore:") for kind in KINDS]
        assert [reader.plays() for reader in readers] == [1, 1]

        # What the replica never gets: readers have seen it by the time it is gone.
        replica.fall_behind()
        lost = published.title("dragon", plays=2)
        published.status()
        assert [reader.plays() for reader in readers] == [2, 2]
        assert [reader.change().version for reader in readers] == [lost, lost]
        first.kill()
        replica.resume()
        assert [reader.plays() for reader in readers] == [2, 2]
        assert sentinel.wait_for_another(first) is replica
        assert replica_plays(replica) == "1"
        assert [reader.plays() for reader in readers] == [2, 2]

        newer = published.title("dragon", plays=3)
        assert [reader.plays() for reader in readers] == [3, 3]
        for reader in readers:
            change = next(change for change in iter(reader.change, None) if change.title_id == "dragon")
            assert (change.version, change.missed) == (newer, True)
            reader.close()


def replica_plays(replica: RedisServer) -> str:
    with Redis.from_url(replica.address, decode_responses=True) as client:
        return client.hget("encore:title:dragon", "plays")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisClusterServers]:
    with RedisClusterServers(tmp_path, replicas=1) as servers:
        yield servers


def test_in_a_cluster_readers_go_on_at_the_node_that_takes_over(cluster: RedisClusterServers) -> None:
    assert "`+cluster|slots +command`" in GUIDE
    let_in(cluster.nodes, "{encore}:", "+cluster|slots", "+command")
    with published_at(cluster.address, "{encore}:") as published:
        readers = [kind(as_reader(cluster.address), "{encore}:") for kind in KINDS]
        assert [reader.plays() for reader in readers] == [1, 1]

        owner = cluster.owner_of("{encore}:status")
        owner.kill()
        assert [reader.plays() for reader in readers] == [1, 1]
        cluster.wait_for_another("{encore}:status", owner)
        newer = published.title("dragon", plays=2)
        assert [reader.plays() for reader in readers] == [2, 2]
        for reader in readers:
            assert reader.change().version == newer
            reader.close()
