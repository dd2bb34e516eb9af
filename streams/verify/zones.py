"""The time zones that a partition judged by: which data its state had of a zone, from which source offset on.

Owns what holds at an offset, and the reading of zone data, by Python's own `zoneinfo`. It must not know dayparts or
what an event is, and shares no code with `models` or the worker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

Zone = bytes
"""A zone is the bytes of its TZif file; none: UTC."""


class ZoneRow(NamedTuple):
    """The data of a zone that holds from a source offset on."""

    offset: int
    name: str
    zone: Zone


class ZonesInForce:
    """The zones by name, as a partition's rows have them at an offset; without any row, as they are installed."""

    def __init__(self, rows: Iterable[ZoneRow]) -> None:
        self._coming = sorted(rows, reverse=True)
        self._taken_in: dict[str, Zone] = {}

    def reach(self, offset: int) -> None:
        """Go on to a record: its rows, and those before it, hold."""
        while self._coming and self._coming[-1].offset <= offset:
            row = self._coming.pop()
            self._taken_in[row.name] = row.zone

    def has(self, name: str) -> bool:
        return name in self._by_name

    def of(self, name: str | None) -> Zone:
        """The zone that an event's `time_zone` means: UTC where it is missing or names none."""
        return b"" if name is None else self._by_name.get(name, b"")

    @property
    def _by_name(self) -> Mapping[str, Zone]:
        return self._taken_in if self._taken_in or self._coming else installed_zones()


def stored_zone(value: bytes) -> Zone:
    """The zone that a row of the changelog holds, behind its SHA-256. Raises `ValueError` if the two do not match."""
    zone = value[32:]
    if hashlib.sha256(zone).digest() != value[:32]:
        raise ValueError("the data of a zone does not match its digest")
    return zone


@cache
def installed_zones() -> Mapping[str, Zone]:
    """The IANA list of time zones, as the pinned `tzdata` package has it."""
    data = files("tzdata") / "zoneinfo"
    return {
        name: data.joinpath(*name.split("/")).read_bytes() for name in (files("tzdata") / "zones").read_text().split()
    }


@lru_cache(maxsize=10_000)
def rules_of(zone: Zone) -> tzinfo:
    """What a zone's bytes say."""
    return ZoneInfo.from_file(BytesIO(zone)) if zone else UTC
