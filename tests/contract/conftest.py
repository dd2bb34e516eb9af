"""Real servers for the contract tests alone: they flush and restart them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest
from api_server import ApiServer, publish
from published_by_hand import PublishedByHand
from redis import Redis

from streams.tools.devstack import Devstack, ServerFailed
from streams.tools.devstack.redis_cluster import RedisClusterServers


@pytest.fixture(scope="module")
def redis_of_our_own() -> Iterator[Devstack]:
    """A Redis without Kafka, for one module's tests."""
    try:
        stack = Devstack.start(kafka=False)
    except ServerFailed as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no Redis: {failure}")
    with stack:
        yield stack


@pytest.fixture(scope="module")
def cluster_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisClusterServers]:
    """A Redis Cluster of three nodes, for one module's tests."""
    try:
        servers = RedisClusterServers(tmp_path_factory.mktemp("cluster"))
        servers.start()
    except ServerFailed as failure:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no Redis Cluster: {failure}")
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def api(redis_of_our_own: Devstack) -> Iterator[ApiServer]:
    """`encore dashboard` on some titles, for one module's tests. It says nothing on standard error."""
    with Redis.from_url(redis_of_our_own.redis, decode_responses=True) as client:
        published = PublishedByHand(client, f"test-{secrets.token_hex(4)}:")
        publish(published)
        server = ApiServer(redis_of_our_own.redis, published)
        yield server
        assert server.stop() == (0, "")
