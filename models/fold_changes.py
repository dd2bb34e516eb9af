"""The output of a fold: the changes that records caused since the last drain."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple

from models.current_windows import CurrentWindows
from models.events import Event
from models.source_record import SourceRecord
from models.tally import TallyKey
from models.viewing import Fact


class Milestone(NamedTuple):
    """A fact to publish as a milestone, with the event that made it and its record's offset."""

    fact: Fact
    event: Event
    offset: int


class FoldChanges(NamedTuple):
    """What changed since the last drain. None stands for what was deleted.

    `rows`: title, household, packed row. `tallies`: each is its sequence, then its counters. The tallies of current
    windows (`models.current_windows`) are not included: `current` says which windows are current, for the titles where
    that changed, and `moved` names the titles whose current windows changed with them. `streaks`: by title and the UTC
    quarter hour at which they end (`models.streaks`).
    """

    rows: list[tuple[str, str, bytes | None]]
    tallies: dict[TallyKey, list[int] | None]
    dead_letters: list[tuple[SourceRecord, str]]
    late: list[SourceRecord]
    milestones: list[Milestone]
    streaks: Mapping[tuple[str, int], list[int] | None] = MappingProxyType({})
    current: Mapping[str, CurrentWindows | None] = MappingProxyType({})
    moved: AbstractSet[str] = frozenset()
