"""Runs the scripts under `streams/publishing/lua` where the keys are: on one server, a primary, or a cluster's node.

Owns how a script is called, and how its answers and errors are returned.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.exceptions import NoScriptError, RedisClusterException, RedisError

from streams.publishing.sink import DataLost, Unreachable
from streams.redis.clients import told_in_short

Argument = bytes | str | int

COMMANDS = (
    *("EVAL", "EVALSHA", "PING", "INFO", "SCAN", "TIME", "EXISTS", "DEL", "PEXPIRE", "GET", "SET", "PUBLISH", "XADD"),
    *("HGET", "HMGET", "HSET", "HDEL", "HKEYS", "HVALS", "HGETALL", "HLEN", "HINCRBY"),
    *("SADD", "SREM", "SCARD", "SMEMBERS", "ZADD", "ZREM"),
)
"""The commands that a worker sends, most of them in scripts, on keys and the channel under its prefix."""

CLUSTER_COMMANDS = ("CLUSTER|SLOTS", "COMMAND")
"""Further commands that its client sends to a cluster."""


class Scripts:
    """Runs scripts by name. Repeating any of them changes nothing, so the client may retry."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: dict[str, tuple[str, str]] = {}

    async def run(self, name: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """The script's answer; None if it returns `false`. Raises `Unreachable`."""
        sha, text = self._known.get(name) or self._read(name)
        try:
            return await answer(self._client.evalsha(sha, len(keys), *keys, *arguments))
        except NoScriptError:
            # The server has just started or become the primary. After this call it has the script.
            return await answer(self._client.eval(text, len(keys), *keys, *arguments))

    async def run_guarded(self, name: str, keys: Sequence[str], *arguments: Argument) -> Any:
        """The same for a script that returns `false` if the data was lost: raises `DataLost` then."""
        found = await self.run(name, keys, *arguments)
        if found is None:
            raise DataLost
        return found

    def _read(self, name: str) -> tuple[str, str]:
        text = files("streams.publishing").joinpath("lua", f"{name}.lua").read_text()
        found = self._known[name] = hashlib.sha1(text.encode()).hexdigest(), text
        return found


async def answer(call: Any) -> Any:
    """The answer of Redis. Raises `Unreachable`, or `NoScriptError` if it does not know the script."""
    try:
        return await call
    except NoScriptError:
        raise
    except (RedisError, RedisClusterException, OSError, TimeoutError) as problem:
        raise Unreachable(told_in_short(problem)) from None
