"""The IANA time zones, from the pinned tzdata package.

They do not come from the operating system, so that every worker judges events alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from zoneinfo import ZoneInfo

import tzdata


class Zones(Mapping[str, ZoneInfo]):
    """All zones by name; the rules of one are read when they are first asked for."""

    def __init__(self) -> None:
        self._names = zone_names()
        self._read: dict[str, ZoneInfo] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __getitem__(self, name: str) -> ZoneInfo:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._read:
            with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as file:
                self._read[name] = ZoneInfo.from_file(file, key=name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def zone_names() -> frozenset[str]:
    """All zone names."""
    return frozenset(files(tzdata).joinpath("zones").read_text().split())


def zones_version() -> str:
    """The version of the zone data, such as `2025b`."""
    version: str = tzdata.IANA_VERSION
    return version
