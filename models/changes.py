"""The input and output of a fold: a record, and the changes that records caused."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple, Protocol

from models.current_windows import CurrentWindows
from models.events import Event
from models.tally import TallyKey
from models.viewing import Fact


class Record(Protocol):
    """What a fold needs of a Kafka record; `timestamp` in milliseconds."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Milestone(NamedTuple):
    """A fact to publish as a milestone, with the event that made it and its record's offset."""

    fact: Fact
    event: Event
    offset: int


class Changes(NamedTuple):
    """What changed since the last drain. None stands for what was deleted.

    `rows`: title, household, packed row. `tallies`: each is its sequence, then its counters. The tallies of current
    windows (`models.current_windows`) are not included: `current` says which windows are current, for the titles where
    that changed, and `moved` names the titles whose current windows changed with them. `streaks`: by title and the UTC
    quarter hour at which they end (`models.streaks`).
    """

    rows: list[tuple[str, str, bytes | None]]
    tallies: dict[TallyKey, list[int] | None]
    dead_letters: list[tuple[Record, str]]
    late: list[Record]
    milestones: list[Milestone]
    streaks: Mapping[tuple[str, int], list[int] | None] = MappingProxyType({})
    current: Mapping[str, CurrentWindows | None] = MappingProxyType({})
    moved: AbstractSet[str] = frozenset()
