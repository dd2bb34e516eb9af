"""The input of a fold: a record of the source, whoever read it."""

from __future__ import annotations

from typing import Protocol


class SourceRecord(Protocol):
    """What a fold needs of a Kafka record; `timestamp` in milliseconds."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
