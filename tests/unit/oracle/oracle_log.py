"""A log of records written by hand, for the tests of the oracle.

The title `film` is 100 s long in the catalog unless a test says otherwise: 20 cells of five seconds, so 14
cells make a watcher and 18 a completion. `T0` is midnight UTC.
"""

from __future__ import annotations

import json
from typing import Any

from models.rules import Rules
from streams.oracle import Catalog, CatalogRow, Expected, RawRecord, recompute

T0 = 1_750_032_000_000  # 2025-06-16T00:00:00Z, a Monday
S, MIN, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
FILM = {"title_id": "film", "runtime_ms": 100 * S}


class Log:
    """Records in the order in which they are added; timestamps are the event times unless given."""

    def __init__(self, partitions: int = 1) -> None:
        self.records: list[RawRecord] = []
        self.partitions = partitions

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
        offset = sum(record.partition == partition for record in self.records)
        self.records.append(RawRecord(partition, offset, timestamp_ms, key, value))
        return self

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

    def recompute(self, *titles: dict[str, Any], rules: Rules | None = None) -> Expected:
        rows = [CatalogRow(0, row["title_id"], json.dumps(row).encode()) for row in titles or (FILM,)]
        catalog = Catalog(dict.fromkeys(range(self.partitions), rows), {row.title_id: row.row for row in rows})
        return recompute(self.records, catalog, rules or Rules(), self.partitions)

    def film(self, *titles: dict[str, Any], key: str = "title:film") -> dict[str, str]:
        """The fields of the film's hash, or of another key's, that are not zero or empty."""
        return told(self.recompute(*titles).hashes.get(key, {}))

    def status(self) -> dict[str, str]:
        return told(self.recompute().hashes["status"])


def told(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value.strip("0.")}
