"""A reader of the published hashes, as a downstream service is one: it must never see numbers go backwards.

Owns what readers are promised while anything fails: a version only grows, and where a hash is complete, what
only grows in truth only grows in it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from redis import Redis, RedisError

GROWS = ("plays", "starters", "viewers", "completers", "completions", "rewatches", "watched_s")
OF_NOBODY = ("plays", "completions", "rewatches", "watched_s")
"""What grows although households are forgotten."""

_TITLES = 10
_PAUSE_S = 0.05


class Reader:
    """Polls the hashes of some titles in a thread of its own. `problems` are sentences; none is good."""

    def __init__(self, url: str, prefix: str, *, may_fall_back: bool = False, grows: Sequence[str] = GROWS) -> None:
        self.problems: list[str] = []
        self.saw_incomplete = 0
        self.saw_nothing = 0
        self._redis = Redis.from_url(url, decode_responses=True, socket_timeout=2)
        self._prefix = prefix
        self._grows = grows
        # From a server that lost its tail a reader skips what is older than what it has seen.
        self._may_fall_back = may_fall_back
        self._last: dict[str, dict[str, str]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)
        self._redis.close()

    def _poll(self) -> None:
        while not self._ended.wait(_PAUSE_S):
            try:
                for key in sorted(self._last) or self._some_titles():
                    self._look(key, self._redis.hgetall(key))
            except (RedisError, OSError):
                continue

    def _some_titles(self) -> list[str]:
        keys = {key for key in self._redis.scan_iter(f"{self._prefix}title:*", 1000) if key.count(":") == 2}
        chosen = sorted(keys)[:_TITLES] if len(keys) >= _TITLES else []
        self._last = {key: {} for key in chosen}
        return chosen

    def _look(self, key: str, found: dict[str, str]) -> None:
        last = self._last[key]
        if not found or found.get("complete") != "1":
            self.saw_nothing += not found
            self.saw_incomplete += bool(found)
            return
        if last and self._may_fall_back and int(found["version"]) < int(last["version"]):
            return
        for name in ("version", *self._grows):
            if last and float(found[name]) < float(last[name]):
                self.problems.append(f"{key} {name} went back from {last[name]} to {found[name]}")
        self._last[key] = found
