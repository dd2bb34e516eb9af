"""Who watches what, where a schema's own fields do not say it: which fields of a message do.

Owns the choice, and how a field is read by its path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from models.sources.told import id_text


@dataclass(frozen=True, slots=True)
class Identities:
    """Which fields say who watches what, as `context.traits.household`; with dots in a name, as
    `/params/visitor.marketingCloudUserId`. Empty: those of the schema.

    `household_of`: the household of what the household's field states, if that is a user; None: not known.
    `profile`: the field of the profile. `kids`: profiles of kids. `time_zone`: of households whose messages state none.
    """

    household: str = ""
    title: str = ""
    profile: str = ""
    household_of: Callable[[str], str | None] | None = None
    kids: frozenset[str] = frozenset()
    time_zone: str | None = None


BY_THE_SCHEMA = Identities()


def field_reader(path: str) -> Callable[[bytes], str | None] | None:
    """Reads one field of a JSON text by its path (see `Identities`); anything but an id is none."""
    if not path:
        return None
    names = path[1:].split("/") if path.startswith("/") else path.split(".")
    found: Any = str | int | None
    for depth, name in enumerate(reversed(names)):
        inner = msgspec.defstruct(f"Field{depth}", [("inner", found, None)], rename={"inner": name})
        found = inner | None
    decode = msgspec.json.Decoder(inner).decode

    def read(value: bytes) -> str | None:
        try:
            stated: Any = decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        for _ in names:
            stated = None if stated is None else stated.inner
        return id_text(stated)

    return read
