"""What a committed checkpoint passes on to publishing."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import NamedTuple

from models.catalog import CatalogRow
from models.current_windows import CurrentWindows
from models.tally import FRANCHISE, TITLE, TallyKey


class Committed(NamedTuple):
    """What a committed checkpoint changed, for readers."""

    partition: int
    incarnation: int
    sequence: int
    stream_time_ms: int
    stream: list[int]
    tallies: Mapping[TallyKey, list[int] | None]
    """None: deleted. Tallies of current windows are not included: see `current` and `moved`."""
    recounts: bool = False
    """The partition is being recounted: readers keep seeing the former counters."""
    current: Mapping[str, CurrentWindows | None] = MappingProxyType({})
    """The current windows of the titles where they changed; None: the title has none any more."""
    moved: AbstractSet[str] = frozenset()
    """The titles whose current windows changed with them."""
    oldest_ms: int | None = None
    """The timestamp of the first record in the checkpoint."""
    catalog: Mapping[str, CatalogRow] = MappingProxyType({})
    """Of a partition that is being opened: the catalog that its state was computed with."""
    next_offset: int = 0
    """The source's records below it are counted."""
    topic_id: str = ""
    """The source topic's id."""

    def after(self, published: tuple[int, int] | None) -> Committed:
        """What changed after the version up to which the partition is published; None: not known, so everything.

        Includes all titles and franchises, as the catalog may have been corrected while nobody published them.
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
