"""What households watch in a run: a short log of events on a clock of its own, so that titles complete within a few."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from models.catalog import CatalogRow
from models.partitioner import partition_of

BEGUN_MS = 1_750_032_000_000
LENGTH_MS = 120_000
_LENGTHS_MS = (LENGTH_MS, 90_000, 150_000)
_TITLES = ("film", "t/2")
_HOUSEHOLDS = ("home", "h-2", "h-3", "h-4")
_STEP_MS = 30_000


def first_catalog() -> dict[str, CatalogRow]:
    """The catalog when the workers start."""
    return {title: _row(title, "saga") for title in _TITLES}


def _row(title: str, franchise: str, length_ms: int = LENGTH_MS) -> CatalogRow:
    return CatalogRow(title_id=title, runtime_ms=length_ms, franchise_id=franchise, release_time_ms=BEGUN_MS)


def corrected(random: Random, catalog: dict[str, CatalogRow]) -> dict[str, CatalogRow]:
    """The catalog with another franchise or length of a title."""
    title = random.choice(_TITLES)
    return {**catalog, title: _row(title, random.choice(("saga", "other", "")), random.choice(_LENGTHS_MS))}


class _Player:
    def __init__(self, household: str, title: str, number: int) -> None:
        self.household, self.title, self.session, self.told = household, title, f"s{number}", 0

    def event(self, time_ms: int) -> dict[str, Any]:
        """The next event of its viewing, from start to end."""
        position_ms = self.told * _STEP_MS
        kind = "start" if self.told == 0 else "end" if position_ms >= LENGTH_MS else "heartbeat"
        self.told += 1
        return {
            "event_id": f"{self.household} {self.session} {self.told}",
            "event_type": kind,
            "event_time_ms": time_ms,
            "household_id": self.household,
            "title_id": self.title,
            "play_session_id": self.session,
            "position_ms": position_ms,
            "profile_id": "p",
        }

    @property
    def is_over(self) -> bool:
        return self.told * _STEP_MS > LENGTH_MS


def events(random: Random, number: int, partitions: int) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Records one after the other: partition, timestamp, key and value. Some come twice, are broken or too late."""
    players = [_Player(household, random.choice(_TITLES), place) for place, household in enumerate(_HOUSEHOLDS)]
    sent: list[tuple[int, bytes, bytes]] = []
    clock_ms = BEGUN_MS
    for count in range(number):
        place = count % len(players)
        clock_ms += _STEP_MS // len(players)
        if players[place].is_over:
            players[place] = _Player(_HOUSEHOLDS[place], random.choice(_TITLES), count + len(players))
        event = players[place].event(clock_ms)
        key, chance = event["household_id"].encode(), random.random()
        if chance < 0.04:
            event["event_time_ms"] -= 40 * 86_400_000
        value = b"broken" if 0.04 <= chance < 0.08 else json.dumps(event).encode()
        record = (partition_of(key, partitions), key, value)
        if sent and 0.08 <= chance < 0.12:
            yield _at(random.choice(sent), clock_ms)
        sent.append(record)
        yield _at(record, clock_ms)


def _at(record: tuple[int, bytes, bytes], timestamp: int) -> tuple[int, int, bytes, bytes]:
    partition, key, value = record
    return partition, timestamp, key, value
