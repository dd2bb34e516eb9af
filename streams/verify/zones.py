"""The time zones that a partition used: the data of each zone in its state, and from which source offset on.

Reads zone data with Python's own `zoneinfo`. It shares no code with `models` or the worker.
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
"""A zone, as the bytes of its TZif file; empty: UTC."""


class ZoneRow(NamedTuple):
    """The data of a zone, which applies from a source offset on."""

    offset: int
    name: str
    zone: Zone


class ZonesInForce:
    """The zones that apply at an offset, by a partition's rows. Without any rows, the installed ones apply."""

    def __init__(self, rows: Iterable[ZoneRow]) -> None:
        self._coming = sorted(rows, reverse=True)
        self._taken_in: dict[str, Zone] = {}

    def reach(self, offset: int) -> None:
        """Advance to a record: rows with its offset or a smaller one apply from now on."""
        while self._coming and self._coming[-1].offset <= offset:
            row = self._coming.pop()
            self._taken_in[row.name] = row.zone

    def has(self, name: str) -> bool:
        return name in self._by_name

    def of(self, name: str | None) -> Zone:
        """The zone of an event's `time_zone`; UTC if that is missing or no known name."""
        return b"" if name is None else self._by_name.get(name, b"")

    @property
    def _by_name(self) -> Mapping[str, Zone]:
        return self._taken_in if self._taken_in or self._coming else installed_zones()


def stored_zone(value: bytes) -> Zone:
    """The zone in a changelog row, which has its SHA-256 in front. Raises `ValueError` if they do not match."""
    zone = value[32:]
    if hashlib.sha256(zone).digest() != value[:32]:
        raise ValueError("the data of a zone does not match its digest")
    return zone


@cache
def installed_zones() -> Mapping[str, Zone]:
    """The time zones of the installed `tzdata` package, by IANA name."""
    data = files("tzdata") / "zoneinfo"
    return {
        name: data.joinpath(*name.split("/")).read_bytes() for name in (files("tzdata") / "zones").read_text().split()
    }


@lru_cache(maxsize=10_000)
def rules_of(zone: Zone) -> tzinfo:
    """The rules in a zone's bytes."""
    return ZoneInfo.from_file(BytesIO(zone)) if zone else UTC
