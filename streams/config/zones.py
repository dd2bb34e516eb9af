"""The IANA time zones, from the pinned tzdata package, and how to read a zone's data.

They do not come from the operating system, so that every worker judges events alike.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from functools import cache
from importlib.resources import files
from io import BytesIO
from zoneinfo import ZoneInfo

import tzdata


class Zones(Mapping[str, tzinfo]):
    """All installed zones by name. The rules of a zone are read when they are first used."""

    def __init__(self) -> None:
        self._names = zone_names()
        self._read: dict[str, tzinfo] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> tzinfo:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = rules_of(_data_of(name))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@cache
def rules_of(data: bytes) -> tzinfo:
    """The rules of a zone from the bytes of its TZif file. They must be undamaged: `zoneinfo` crashes on some others.

    Raises `ValueError` if they are of no TZif file.
    """
    try:
        return ZoneInfo.from_file(BytesIO(data))
    except (struct.error, LookupError) as problem:
        raise ValueError(f"no zone data: {problem}") from None


@cache
def installed_zones() -> Mapping[str, bytes]:
    """The data of all zones by name, as installed."""
    return {name: _data_of(name) for name in sorted(zone_names())}


def _data_of(name: str) -> bytes:
    return files(tzdata).joinpath("zoneinfo", *name.split("/")).read_bytes()


def zone_names() -> frozenset[str]:
    """All zone names."""
    return frozenset(files(tzdata).joinpath("zones").read_text().split())


def zones_version() -> str:
    """The version of the zone data, such as `2025b`."""
    version: str = tzdata.IANA_VERSION
    return version
