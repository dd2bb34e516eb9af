"""From raw records to everything that the worker should have written.

Owns the expectation. It must not know where the records came from, nor what the worker did write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from models.rules import Rules
from streams.oracle.folding import CatalogRow, PartitionLog
from streams.oracle.kept import Kept, Milestone
from streams.oracle.records import RawRecord, Unreadable, read_title
from streams.oracle.sums import Hashes, hashes
from streams.oracle.viewing import Fact


@dataclass(frozen=True)
class Catalog:
    """What the catalog said: to each partition and from which offset on; and what it says now.

    `taken_in` maps a partition to its rows; `current` a title to its JSON row, as the titles topic has it.
    """

    taken_in: Mapping[int, Sequence[CatalogRow]] = field(default_factory=dict)
    current: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What must be found: hashes by key without the prefix; each kept record once, dead letters with their reason.

    `produced` counts the raw records.
    """

    produced: int
    hashes: Hashes
    dead_letters: dict[Kept, str]
    late: list[Kept]
    milestones: list[Milestone]

    def total(self, name: str) -> int:
        """A count summed over all titles."""
        return sum(int(fields[name]) for key, fields in self.hashes.items() if key.count(":") == 1)


def recompute(records: Iterable[RawRecord], catalog: Catalog, rules: Rules, partitions: int) -> Expected:
    """Everything that `records` (each partition's in offset order, partitions in any mixture) amount to.

    `partitions` is the source topic's partition count. Each partition is folded by itself.
    """
    logs = {
        partition: PartitionLog(partition, partitions, rules, list(catalog.taken_in.get(partition, ())))
        for partition in range(partitions)
    }
    summed = hashes(_facts(records, logs), _runtimes_ms(catalog.current))
    return Expected(
        produced=sum(log.produced for log in logs.values()),
        hashes=summed | {"status": _status(list(logs.values()))},
        dead_letters={kept: reason for log in logs.values() for kept, reason in log.dead_letters.items()},
        late=[kept for log in logs.values() for kept in log.late],
        milestones=[milestone for log in logs.values() for milestone in log.made.milestones],
    )


def _facts(records: Iterable[RawRecord], logs: Mapping[int, PartitionLog]) -> Iterator[Fact]:
    """The facts that the records make, one record at a time: neither is held any longer."""
    for record in records:
        log = logs[record.partition]
        log.take(record)
        yield from log.made.facts
        log.made.facts.clear()


def _status(logs: list[PartitionLog]) -> dict[str, str]:
    counts = {
        "events": sum(log.events for log in logs),
        "dead_letters": sum(len(log.dead_letters) for log in logs),
        "late_events": sum(len(log.late) for log in logs),
        "late_hour_events": sum(log.late_hour_events for log in logs),
        "unknown_zone_events": sum(log.unknown_zone_events for log in logs),
        "misrouted_events": sum(log.misrouted_events for log in logs),
    }
    return {name: str(count) for name, count in counts.items()}


def _runtimes_ms(current: Mapping[str, bytes]) -> dict[str, int]:
    return {title_id: json.loads(row).get("runtime_ms") or 0 for title_id, row in current.items()}


def readable_title(key: bytes | None, row: bytes) -> str | None:
    """The title's id where this row of the titles topic can be read; None where it is to be ignored."""
    try:
        title_id: str = read_title(key, row)["title_id"]
    except Unreadable:
        return None
    return title_id
