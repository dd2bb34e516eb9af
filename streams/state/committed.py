"""What a committed checkpoint passes on to publishing."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple

from models.current_windows import CurrentWindows
from models.tally import FRANCHISE, TITLE, TallyKey


class Committed(NamedTuple):
    """What a committed checkpoint has to say to readers."""

    partition: int
    incarnation: int
    sequence: int
    stream_time_ms: int
    stream: list[int]
    tallies: Mapping[TallyKey, list[int] | None]
    """None: it has left, and is not kept any more. Those of current windows are told by `current` and `moved`."""
    recounts: bool = False
    """A rebuild is under way in the partition: readers keep seeing what they see."""
    current: Mapping[str, CurrentWindows | None] = MappingProxyType({})
    """By title, which windows move with it, where that changed; None: none do any more."""
    moved: AbstractSet[str] = frozenset()
    """The titles whose current windows moved."""
    oldest_ms: int | None = None
    """The time of the first record that the checkpoint took in."""

    def after(self, published: tuple[int, int] | None) -> Committed:
        """What changed after the version up to which readers know the partition (None: nobody knows which).

        With it all titles and franchises: the catalog may have been corrected while nobody looked.
        """

        def is_missing(sequence: int) -> bool:
            return published is None or published < (self.incarnation, sequence)

        tallies = {
            key: tally
            for key, tally in self.tallies.items()
            if tally is not None and (key.kind in (TITLE, FRANCHISE) or is_missing(tally[0]))
        }
        moved = {title_id for title_id in self.moved if is_missing(tallies[TallyKey(TITLE, 0, title_id)][0])}
        return self._replace(tallies=tallies, moved=moved)
