"""The IANA time zone names that events are judged by, from the pinned tzdata package.

Owns where they come from: not the operating system, so that every worker judges alike. It must not know what
they are used for.
"""

from __future__ import annotations

from importlib.resources import files

import tzdata


def zone_names() -> frozenset[str]:
    """All zone names."""
    return frozenset(files(tzdata).joinpath("zones").read_text().split())


def zones_version() -> str:
    """The version of the zone data, such as `2025b`."""
    version: str = tzdata.IANA_VERSION
    return version
