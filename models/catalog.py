"""Titles as the catalog topic states them.

Owns the fields of a row, and which rows are usable.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from models.events import ContentKind, MediaTime, nesting
from models.rules import DEEPEST_NESTING, LARGEST_EVENT_BYTES


class BadTitle(Exception):
    """A catalog row cannot be read. The message says why, in one line."""


class CatalogRow(msgspec.Struct, gc=False, frozen=True):
    """One title of the catalog. Media times are in milliseconds, the release since 1970. None: not known."""

    title_id: Annotated[str, Meta(min_length=1)]
    name: str | None = None
    franchise_id: str | None = None
    runtime_ms: MediaTime | None = None
    credits_start_ms: MediaTime | None = None
    release_time_ms: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    content_kind: ContentKind | None = None
    is_kids: bool | None = None

    @property
    def length_ms(self) -> int:
        """The content length in milliseconds: the credits mark, else the runtime; 0: not known."""
        return _positive(self.credits_start_ms) or _positive(self.runtime_ms)

    @property
    def known_runtime_ms(self) -> int:
        """The runtime in milliseconds, the divisor of `views`; 0: not known."""
        return _positive(self.runtime_ms)

    @property
    def is_main(self) -> bool:
        """Whether events of this title are counted at all."""
        return self.content_kind in (None, "main")


def _positive(value: int | None) -> int:
    return value if value is not None and value > 0 else 0


_decode = msgspec.json.Decoder(CatalogRow).decode


def read_title(key: bytes | None, value: bytes) -> CatalogRow:
    """The catalog row of a record that is no tombstone. Raises `BadTitle` if it cannot be read."""
    if len(value) > LARGEST_EVENT_BYTES:
        raise BadTitle(f"the value has {len(value)} bytes, accepted are {LARGEST_EVENT_BYTES}")
    if nesting(value) > DEEPEST_NESTING:
        raise BadTitle(f"the value nests deeper than {DEEPEST_NESTING} levels")
    try:
        value.decode()
        row = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadTitle(str(problem)) from None
    if row.title_id.encode() != key:
        raise BadTitle("the key differs from the field title_id")
    return row
