"""Publishes into a real Redis, in the documented form, what a test says: readers are tried without a worker.

Owns the form of hashes, boards and changes as section 3 of the design says it, with commands of its own: it imports
nothing of Encore.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

COUNTS = [
    "plays", "starters", "viewers", "watchers", "completers", "repeaters", "completions", "rewatches", "watched_s",
    "kids_plays", "kids_completions", "kids_rewatches", "kids_watched_s", "profile_rewatches", "autoplay_completions",
]  # fmt: skip
RETURNED = ["returned_1d", "returned_7d", "returned_28d"]
WHOLE = [
    "skimmers", "rewatch_hist_1", "rewatch_hist_2", "rewatch_hist_3_4", "rewatch_hist_5_9", "rewatch_hist_10_plus",
    "watching_now",
]  # fmt: skip
RATES = ["views", "completion_rate", "repeat_rate", "return_rate_7d"]
CATALOG = ["name", "franchise_id", "runtime_s"]


class PublishedByHand:
    """What is published under a prefix, by a redis-py client with decoded responses.

    Hashes say `complete` and `as_of_ms` as they are set here; versions grow by themselves.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self.client = client
        self.prefix = prefix
        self.version = 1_763_600_000_000
        self.as_of_ms = 1_763_600_000_000
        self.complete = 1
        self.changes_kept = 10_000

    def status(self, **fields: Any) -> int:
        """The status hash; its version."""
        whole = {
            "partitions_ready": 4,
            "lag": 0,
            "checkpointed_ms": 1,
            "rebuilding": 0,
            "incarnation": 1,
            "events": 0,
        } | fields
        return self.write("status", **whole)

    def title(self, title_id: str, **fields: Any) -> int:
        """A title's hash; its version."""
        filled = _filled([*COUNTS, *RETURNED, *WHOLE], [*RATES, *CATALOG], fields)
        self.client.zadd(f"{self.prefix}titles", {title_id: 0})
        return self.write(f"title:{quote(title_id, safe='')}", **filled)

    def franchise(self, franchise_id: str, **fields: Any) -> int:
        """A franchise's hash; its version."""
        return self.write(
            f"franchise:{quote(franchise_id, safe='')}", **_filled([*COUNTS, *RETURNED, *WHOLE], RATES, fields)
        )

    def window(self, title_id: str, window: str, **fields: Any) -> int:
        """A window's hash, `hour:20261123T15`, `day:20261123`, `age:opening`, `week:1`; its version."""
        counts = COUNTS if window.startswith("hour:") else [*COUNTS, *RETURNED]
        return self.write(f"title:{quote(title_id, safe='')}:{window}", **_filled(counts, [], fields))

    def audience(self, title_id: str, week: str, new: int, returning: int = 0, resurrected: int = 0) -> int:
        """The audience of a week, `2026W48`; its version."""
        classes = {"new": new, "returning": returning, "resurrected": resurrected}
        return self.part(title_id, f"audience:{week}", reached=sum(classes.values()), **classes)

    def curve(self, title_id: str, *values: float) -> int:
        """A title's curve; its version."""
        slices = {str(number): f"{value:.3f}" for number, value in enumerate(values)}
        return self.part(title_id, "curve", slices=len(values), **slices)

    def part(self, title_id: str, part: str, **fields: Any) -> int:
        """A title's `dayparts` or `legs`, with these fields only; its version."""
        return self.write(f"title:{quote(title_id, safe='')}:{part}", **fields)

    def board(self, metric: str, day: str = "", **scores: float) -> None:
        """A board of these titles, in place of what it was."""
        key = f"{self.prefix}board:{metric}" + (f":day:{day}" if day else "")
        self.client.delete(key)
        self.client.zadd(key, scores)

    def write(self, name: str, /, **fields: Any) -> int:
        """Write a hash and tell of the change; its version."""
        self.version += 1
        key = self.prefix + name
        common = {"as_of_ms": self.as_of_ms, "version": self.version, "complete": self.complete}
        self.client.hset(key, mapping={**fields, **common})
        self.announce(key, self.version)
        return self.version

    def announce(self, key: str, version: int) -> None:
        """Tell of a change."""
        change = {"key": key, "version": version}
        self.client.xadd(f"{self.prefix}changes", change, maxlen=self.changes_kept, approximate=False)


def _filled(counts: list[str], rates: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    zeros = {name: "0.000" if name.endswith("_s") else 0 for name in counts}
    return {**zeros, **dict.fromkeys(rates, ""), **fields}
