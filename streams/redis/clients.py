"""redis-py clients for an address: one server, the primary under Sentinel, a cluster.

Owns how they are made: they find their servers again after a failover, and hiredis packs their commands, as redis-py's
asyncio connections do that in Python at ten times the cost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.retry
import redis.cluster
from redis.asyncio.connection import parse_url
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

try:
    from hiredis import pack_command
except ModuleNotFoundError:
    # A worker has it; a reader that is installed alone may do without.
    pack_command = None  # type: ignore[assignment]

from streams.config.redis_address import CLUSTER, SENTINEL, BadAddress, RedisAddress, read_address

_SENTINEL_TIMEOUT_S = 1.0
_OF_SENTINELS = "sentinel_"


class _Packed:
    """A mix-in for connections: packs commands in C."""

    def pack_command(self, *words: Any) -> list[bytes]:
        """A command in the server's protocol. The name of a command may have two words."""
        name = words[0]
        if isinstance(name, str) and " " in name:
            words = (*name.split(), *words[1:])
        return [pack_command(words)]


def _packed(connection_class: type[Any]) -> type[Any]:
    if pack_command is None:
        return connection_class
    return type(f"Packed{connection_class.__name__}", (_Packed, connection_class), {})


class _Primary(redis.asyncio.Redis):
    """A client of the primary under Sentinel. Closing it also closes its connections to the Sentinels."""

    asked: AsyncSentinel

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        await super().aclose(close_connection_pool)
        await self.asked.aclose()


class _Cluster(redis.asyncio.RedisCluster):
    """A client of a cluster. If no node that it found answers any more, it also asks the nodes of its address."""

    given: tuple[tuple[str, int], ...] = ()

    async def initialize(
        self,
        additional_startup_nodes_info: list[tuple[str, int]] | None = None,
        last_failed_node_name: str | None = None,
    ) -> redis.asyncio.RedisCluster:
        return await super().initialize(
            [*(additional_startup_nodes_info or ()), *self.given], last_failed_node_name=last_failed_node_name
        )


def async_client(url: str, **options: Any) -> Any:
    """An asyncio client of whatever is at the address, which connects when it is used.

    `options` are redis-py's (`socket_timeout`, `decode_responses` …); the URL's own win. Raises `BadAddress`.
    """
    address = read_address(url)
    own, of_sentinels = _options(address, options)
    if address.kind == SENTINEL:
        no_retry = redis.asyncio.retry.Retry(NoBackoff(), 0)
        sentinel = AsyncSentinel(address.nodes, sentinel_kwargs={**of_sentinels, "retry": no_retry}, **own)
        primary: Any = sentinel.master_for(address.service, redis_class=_Primary)
        primary.asked = sentinel
        return _packing(primary)
    if address.kind == CLUSTER:
        nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in address.nodes]
        # Only the prefix's slots matter: others may be unavailable.
        cluster = _Cluster(startup_nodes=nodes, require_full_coverage=False, **own)
        cluster.given = address.nodes
        # The client creates its nodes with these options, once it has asked for them.
        cluster.connection_kwargs["connection_class"] = _packed(cluster.connection_kwargs["connection_class"])
        return cluster
    return _packing(redis.asyncio.Redis.from_url(address.url, **options))


def _packing(client: Any) -> Any:
    pool = client.connection_pool
    pool.connection_class = _packed(pool.connection_class)
    return client


def sync_client(url: str, **options: Any) -> Any:
    """The same without asyncio. A cluster's client connects at once, and raises redis-py's errors."""
    address = read_address(url)
    own, of_sentinels = _options(address, options)
    if address.kind == SENTINEL:
        sentinel = Sentinel(address.nodes, sentinel_kwargs={**of_sentinels, "retry": Retry(NoBackoff(), 0)}, **own)
        return sentinel.master_for(address.service)
    if address.kind == CLUSTER:
        nodes = [redis.cluster.ClusterNode(host, port) for host, port in address.nodes]
        return redis.RedisCluster(startup_nodes=nodes, require_full_coverage=False, **own)
    return redis.Redis.from_url(address.url, **options)


def _options(address: RedisAddress, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """redis-py's options for the servers, and those for the Sentinels."""
    try:
        said: dict[str, Any] = dict(parse_url(address.url))
    except ValueError as problem:
        raise BadAddress(str(problem)) from None
    for of_one_server in ("host", "port", "connection_class"):
        said.pop(of_one_server, None)
    if address.kind == CLUSTER:
        said.pop("db", None)
    own = {**options, **{name: value for name, value in said.items() if not name.startswith(_OF_SENTINELS)}}
    if address.tls:
        own["ssl"] = True
    of_sentinels = {
        "socket_timeout": _SENTINEL_TIMEOUT_S,
        "socket_connect_timeout": _SENTINEL_TIMEOUT_S,
        **{name: value for name, value in own.items() if name.startswith("ssl")},
        **{name.removeprefix(_OF_SENTINELS): said[name] for name in said if name.startswith(_OF_SENTINELS)},
    }
    return own, of_sentinels


def told_in_short(problem: BaseException) -> str:
    """A client's error in one line, without the details of each connection that Sentinel's errors append."""
    return re.sub(r"\s+", " ", str(problem).partition(" : <")[0]) or type(problem).__name__
