"""A log of records written by hand, for the tests of the recomputation.

The title `film` is 100 s long in the catalog unless a test says otherwise: 20 cells of five seconds, so 14
cells make a watcher and 16 a completion, if one of the last three is among them: played from 0, at 88 s. `T0` is
midnight UTC.
"""

from __future__ import annotations

import json
from typing import Any

from models.rules import Rules
from streams.verify import Catalog, CatalogRow, Expected, RawRecord, recompute

T0 = 1_750_032_000_000  # 2025-06-16T00:00:00Z, a Monday
S, MIN, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
FILM = {"title_id": "film", "runtime_ms": 100 * S}


class Log:
    """Records in the order in which they are added; timestamps are the event times unless given."""

    def __init__(self, partitions: int = 1) -> None:
        self.records: list[RawRecord] = []
        self.partitions = partitions
        self.rows: dict[int, list[CatalogRow]] = {}
        self.silent: dict[int, dict[int, int]] = {}

    def add(self, kind: str, position_ms: int, at: int, session: str = "a", **more: Any) -> Log:
        """One event at `at` ms after T0; `timestamp` and `partition` are the record's."""
        partition, timestamp = more.pop("partition", 0), more.pop("timestamp", at)
        event = {
            "event_id": f"e{len(self.records)}",
            "event_type": kind,
            "event_time_ms": T0 + at,
            "household_id": "home",
            "title_id": "film",
            "play_session_id": session,
            "position_ms": position_ms,
        } | more
        return self.raw(event["household_id"].encode(), json.dumps(event).encode(), T0 + timestamp, partition)

    def raw(self, key: bytes | None, value: bytes | None, timestamp_ms: int, partition: int = 0) -> Log:
        self.records.append(RawRecord(partition, self._next_offset(partition), timestamp_ms, key, value))
        return self

    def _next_offset(self, partition: int) -> int:
        return sum(record.partition == partition for record in self.records)

    def again(self) -> Log:
        """The last record once more."""
        last = self.records[-1]
        return self.raw(last.key, last.value, last.timestamp_ms, last.partition)

    def watch(self, start_s: int, end_s: int, at: int, session: str = "a", **more: Any) -> Log:
        """Plays from one second to another at ordinary speed, with a heartbeat every ten seconds."""
        self.add("start", start_s * S, at, session, **more)
        for second in range(start_s + 10, end_s, 10):
            self.add("heartbeat", second * S, at + (second - start_s) * S, session, **more)
        return self.add("stop", end_s * S, at + (end_s - start_s) * S, session, **more)

    def watch_minutes(self, minutes: int, at: int, session: str, **more: Any) -> Log:
        """Two events: so much is credited, at the moment of the second, which is `at`."""
        self.add("start", 0, at - minutes * MIN, session, **more)
        return self.add("stop", minutes * MIN, at, session, **more)

    def silence(self, at: int, partition: int = 0) -> Log:
        """The silent clock stands at `at` ms after T0 from here on."""
        self.silent.setdefault(partition, {})[self._next_offset(partition)] = T0 + at
        return self

    def title(self, title_id: str, partition: int = 0, **row: Any) -> Log:
        """The catalog's row of a title holds from here on; without anything in it, the title is out."""
        text = json.dumps({"title_id": title_id} | row).encode() if row else b""
        self.rows.setdefault(partition, []).append(CatalogRow(self._next_offset(partition), title_id, text))
        return self

    def recompute(self, *titles: dict[str, Any], rules: Rules | None = None, **more: Any) -> Expected:
        """By these titles from the first record on (the film's, where there are no others at all)."""
        first = titles or (() if self.rows else (FILM,))
        rows = [CatalogRow(0, row["title_id"], json.dumps(row).encode()) for row in first]
        taken_in = {number: [*rows, *self.rows.get(number, ())] for number in range(self.partitions)}
        last = {row.title_id: row.row for of_one in taken_in.values() for row in of_one}
        catalog = Catalog(taken_in, {title_id: row for title_id, row in last.items() if row})
        return recompute(self.records, catalog, rules or Rules(), self.partitions, silent=self.silent, **more)

    def film(self, *titles: dict[str, Any], key: str = "title:film") -> dict[str, str]:
        """The fields of the film's hash, or of another key's, that are not zero or empty."""
        return told(self.recompute(*titles).hashes.get(key, {}))

    def status(self) -> dict[str, str]:
        return told(self.recompute().hashes["status"])


def told(fields: dict[str, str]) -> dict[str, str]:
    """The fields that are not zero or empty, without those of the catalog."""
    of_catalog = ("name", "franchise_id", "runtime_s")
    return {name: value for name, value in fields.items() if value.strip("0.") and name not in of_catalog}
