"""A worker on a primary under Sentinel, and on a Redis Cluster: whichever server has the keys, readers find all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from application import Application, until

from streams.tools.devstack import RedisServer
from streams.tools.devstack.redis_cluster import RedisClusterServers
from streams.tools.devstack.redis_sentinel import RedisUnderSentinel

pytestmark = pytest.mark.system

WHOLE_AGAIN = "Redis is whole again"
Make = Callable[..., Application]


class Addresses(NamedTuple):
    kafka: str
    redis: str


@pytest.fixture
def on(servers, env_on, application_of) -> Make:
    """`on(address, server, prefix)`: an application on the shared Kafka and the Redis at that address.

    `server` is looked at and cleaned up directly; "" as a prefix: its usual one.
    """

    def make(address: str, server: RedisServer, prefix: str = "") -> Application:
        made: Application = application_of(env_on(Addresses(servers.kafka, server.address)))
        made.environment["ENCORE_REDIS"] = address
        if prefix:
            made.environment["ENCORE_REDIS_PREFIX"] = prefix
        return made

    return make


def test_a_worker_goes_on_with_the_primary_that_sentinels_name_when_the_one_before_dies(tmp_path: Path, on) -> None:
    with RedisUnderSentinel(tmp_path) as servers:
        application = on(servers.address, servers.primary)
        worker = application.ready_worker()
        feed = application.feed(rate=500, seconds=12)
        until(application.published, "the first hashes")

        former = servers.primary
        former.kill()
        servers.wait_for_another(former)

        worker.until_logged(WHOLE_AGAIN, within_s=60)
        assert feed.ended().code == 0
        assert application.verify()["completions"] > 0
        assert worker.stopped().code == 0


def test_a_worker_goes_on_with_the_node_that_takes_the_slot_over(tmp_path: Path, on) -> None:
    prefix = "{encore-test}:"
    with RedisClusterServers(tmp_path, replicas=1) as cluster:
        former = cluster.owner_of(prefix)
        application = on(cluster.address, former, prefix)
        worker = application.ready_worker()
        feed = application.feed(rate=500, seconds=12)
        until(application.published, "the first hashes")

        former.kill()
        cluster.wait_for_another(prefix, former)

        worker.until_logged(WHOLE_AGAIN, within_s=60)
        assert feed.ended().code == 0
        assert application.verify()["completions"] > 0
        assert worker.stopped().code == 0


def test_on_a_cluster_a_prefix_without_a_hash_tag_is_refused_in_one_line(tmp_path: Path) -> None:
    application = Application({"ENCORE_REDIS": "redis://127.0.0.1:1", "ENCORE_KAFKA": "127.0.0.1:1"}, tmp_path)
    ended = application.worker(ENCORE_REDIS="redis+cluster://127.0.0.1:1", ENCORE_REDIS_PREFIX="encore:").ended()
    assert (ended.code, ended.out) == (2, "")
    (line,) = ended.log.strip().splitlines()
    assert "ENCORE_REDIS_PREFIX='encore:': on a Redis Cluster" in line
