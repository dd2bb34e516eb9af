"""A primary, its replicas, and Sentinels that promote a replica when the primary is gone.

Owns the Sentinels' configuration, and waits until all know each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from streams.tools.devstack.process import Running, ServerFailed
from streams.tools.devstack.redis import RedisServer, client_of, redis_server
from streams.tools.devstack.redis_group import RedisGroup
from streams.tools.devstack.servers import HOST, Server

SERVICE = "encore"
_DOWN_AFTER_MS = 1_000
_FAILOVER_MS = 4_000


class SentinelServer(Server):
    """One Sentinel of a primary that runs; `quorum` of them must miss it."""

    name = "sentinel"
    patience_s = 5
    ready_within_s = 60

    def __init__(self, folder: Path, primary: RedisServer, quorum: int) -> None:
        super().__init__(folder)
        self._primary = primary
        self._quorum = quorum

    @property
    def address(self) -> str:
        """`HOST:PORT`."""
        return f"{HOST}:{self.port}"

    def masters(self) -> dict[str, Any]:
        """What it knows about the service's primary; empty if it does not answer."""
        import redis

        try:
            with client_of(self.port) as client:
                found: dict[str, Any] = client.sentinel_masters()[SERVICE]
                return found
        except (redis.RedisError, OSError, KeyError):
            return {}

    def _command(self, port: int) -> list[str]:
        file = self.folder / "sentinel.conf"
        # It keeps what it learns in that file: a second start goes on from there.
        if not file.exists():
            told = {
                "bind": HOST,
                "port": port,
                "dir": self.data,
                "sentinel monitor": f"{SERVICE} {HOST} {self._primary.port} {self._quorum}",
                "sentinel down-after-milliseconds": f"{SERVICE} {_DOWN_AFTER_MS}",
                "sentinel failover-timeout": f"{SERVICE} {_FAILOVER_MS}",
            }
            file.write_text("".join(f"{name} {value}\n" for name, value in told.items()))
        return [str(redis_server()), str(file), "--sentinel"]

    def _answers(self, running: Running) -> bool:
        import redis

        try:
            with client_of(running.port) as client:
                return bool(client.info()["process_id"] == running.pid)
        except (redis.RedisError, OSError):
            return False


class RedisUnderSentinel(RedisGroup):
    """Use as a context manager. `servers`: the first primary, then its replicas; `sentinels`: three of them."""

    def __init__(self, folder: Path, replicas: int = 1) -> None:
        first = RedisServer(folder / "redis-0")
        self.servers = [
            first,
            *(RedisServer(folder / f"redis-{number}", replica_of=first) for number in range(1, replicas + 1)),
        ]
        self.sentinels = [SentinelServer(folder / f"sentinel-{number}", first, quorum=2) for number in range(3)]

    @property
    def everyone(self) -> list[Server]:
        """The Sentinels first: they would put others in the place of those that end."""
        return [*self.sentinels, *self.servers]

    @property
    def address(self) -> str:
        """`redis+sentinel://HOST:PORT,…/SERVICE`."""
        return f"redis+sentinel://{','.join(sentinel.address for sentinel in self.sentinels)}/{SERVICE}"

    def start(self) -> None:
        """Start all, and wait until the Sentinels know the replicas and each other. Raises `ServerFailed`."""
        for server in (*self.servers, *self.sentinels):
            server.start()
        self.wait_until(self._all_know_all, "the Sentinels know the replicas and each other")

    def _all_know_all(self) -> bool:
        replicas, others = len(self.servers) - 1, len(self.sentinels) - 1
        known = [sentinel.masters() for sentinel in self.sentinels]
        return all((each.get("num-slaves"), each.get("num-other-sentinels")) == (replicas, others) for each in known)

    @property
    def primary(self) -> RedisServer:
        """The server that the Sentinels consider the primary now. Raises `ServerFailed` if they do not agree."""
        ports = {sentinel.masters().get("port") for sentinel in self.sentinels if sentinel.running}
        found = [server for server in self.servers if ports == {server.port}]
        if not found:
            raise ServerFailed(f"the Sentinels do not agree on a primary: {ports}")
        return found[0]

    def wait_for_another(self, former: RedisServer) -> RedisServer:
        """Wait until another server is the primary, and takes writes. Raises `ServerFailed`."""
        self.wait_until(lambda: self._is_replaced(former), "another server is the primary")
        return self.primary

    def _is_replaced(self, former: RedisServer) -> bool:
        try:
            primary = self.primary
        except ServerFailed:
            return False
        with client_of(primary.port) as client:
            return primary is not former and client.info("replication")["role"] == "master"
