"""The tallies of one partition: titles, their windows and dayparts, franchises.

Owns which titles and franchises there are, the catalog as it holds now, and how changes become tallies. It must not
know events, rows' contents or stream time's rules.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from models.catalog import CatalogRow
from models.franchise import Franchise
from models.leaving import LeavingWindows
from models.tallies import EMPTY_WHOLE, EMPTY_WINDOW, WATCHING, Change, TallyKey, Title
from models.windows import Retention

Changed = dict[TallyKey, list[int] | None]


class Sums:
    """All tallies of a partition. `mark` the titles that change; `drain` makes tallies of the changes."""

    def __init__(self, retention: Retention, dayparts_places: int) -> None:
        self.catalog: dict[str, CatalogRow] = {}
        self.titles: dict[str, Title] = {}
        self.franchises: dict[str, Franchise] = {}
        self.tallies: dict[TallyKey, list[int]] = {}
        self._empty_parts = [0] * (1 + dayparts_places)
        self._leaving = LeavingWindows(retention)
        self._dirty_titles: list[Title] = []
        self._dirty_franchises: dict[TallyKey, Franchise] = {}
        self._uncounted: dict[TallyKey, Franchise] = {}

    def title(self, title_id: str) -> Title:
        """The title of an id; made on first sight."""
        title = self.titles.get(title_id)
        if title is None:
            title_id = sys.intern(title_id)
            title = self.titles[title_id] = Title(title_id)
            self._join(title, self.catalog.get(title_id))
        return title

    def mark(self, title: Title) -> None:
        """Let a title be looked at by the next drain."""
        if not title.is_dirty:
            title.is_dirty = True
            self._dirty_titles.append(title)

    # -- the catalog ------------------------------------------------------------------------------------------

    def take_in(self, title_id: str, row: CatalogRow | None) -> None:
        """Let a catalog row (None: the title left the catalog) hold from now on."""
        before = self.catalog.pop(title_id, None)
        if row is not None:
            self.catalog[title_id] = row
        title = self.titles.get(title_id)
        if title is not None:
            release_ms = title.release_ms
            self._join(title, row)
            if release_ms != title.release_ms:
                self._leaving.note_release(title, self.tallies)
        # By the catalog, whether the title was seen or not: what was seen and left no trace, no restored one knows.
        left_and_joined = {_franchise_id(before), _franchise_id(row)}
        if len(left_and_joined) > 1:
            self._uncounted |= {
                each.key: each for each in map(self.franchises.get, left_and_joined) if each is not None
            }

    def _join(self, title: Title, row: CatalogRow | None) -> None:
        title.take_in(row)
        franchise_id = _franchise_id(row)
        if title.franchise is not None and title.franchise.key.title_id != franchise_id:
            title.franchise.titles.remove(title)
            title.franchise = None
        if franchise_id and title.franchise is None:
            title.franchise = self.franchises.get(franchise_id)
            if title.franchise is None:
                title.franchise = self.franchises[franchise_id] = Franchise(franchise_id)
            title.franchise.titles.append(title)

    def count_anew(self, oldest_ms: int) -> None:
        """Let the franchises that titles came to or left be what their titles are now.

        `oldest_ms`: rows whose last applied event came at a stream time before it are not there any more.
        """
        for franchise in self._uncounted.values():
            tally = self.tallies.get(franchise.key, EMPTY_WHOLE)
            counted = franchise.counted_anew(self.tallies, oldest_ms)
            for place in range(1, len(tally)):
                franchise.delta[place] = counted[place] - tally[place]
        self._dirty_franchises |= self._uncounted
        self._uncounted = {}

    def restored(self, catalog: Mapping[str, CatalogRow]) -> None:
        """Go on with a catalog: all tallies and titles are there by now."""
        self.catalog = dict(catalog)
        for title in self.titles.values():
            self._join(title, self.catalog.get(title.title_id))
        for key in self.tallies:
            self._leaving.note(key, self.titles.get(key.title_id))

    # -- what changed -----------------------------------------------------------------------------------------

    def drain(self, sequence: int, stream_time_ms: int, published: int | None) -> Changed:
        """The tallies that changed since the last drain, with this sequence; None for windows that left.

        A window leaves once readers know it: what changed after the sequence `published` (None: nobody waits) stays.
        """
        changed: Changed = {}
        for title in self._dirty_titles:
            title.is_dirty = False
            self._drain_title(title, sequence, changed)
        self._dirty_titles = []
        for franchise in self._dirty_franchises.values():
            change = [(place, by) for place, by in franchise.delta.items() if by]
            if change:
                self._move(franchise.key, EMPTY_WHOLE, change, sequence, changed)
            franchise.delta.clear()
        self._dirty_franchises = {}

        def may_leave(key: TallyKey) -> bool:
            tally = self.tallies.get(key)
            return tally is None or published is None or tally[0] <= published

        for key in self._leaving.left(stream_time_ms, self.titles, may_leave):
            if self.tallies.pop(key, None) is not None:
                changed[key] = None
        return changed

    def _drain_title(self, title: Title, sequence: int, changed: Changed) -> None:
        title.settle()
        franchise = title.franchise
        for change, keys, in_windows in title.settled:
            self._move(title.key, EMPTY_WHOLE, change, sequence, changed)
            self._move_windows(title, keys, in_windows, sequence, changed)
            if franchise is not None:
                franchise.add(change)
        title.settled = []
        if title.parts is not None:
            self._move(title.parts_key, self._empty_parts, list(title.parts.items()), sequence, changed)
            title.parts = None
        self._show_watching(title, sequence, changed)
        if franchise is not None:
            self._dirty_franchises[franchise.key] = franchise

    def _move(self, key: TallyKey, empty: list[int], change: Change, sequence: int, changed: Changed) -> None:
        # A new list each time: the one before may still wait to be published.
        moved = self.tallies.get(key, empty).copy()
        moved[0] = sequence
        for place, by in change:
            moved[place] += by
        changed[key] = self.tallies[key] = moved

    def _move_windows(
        self, title: Title, keys: tuple[TallyKey, ...], change: Change, sequence: int, changed: Changed
    ) -> None:
        """The same for all windows of a change: there are up to seven for each title that anything came to."""
        tallies = self.tallies
        for key in keys:
            tally = tallies.get(key)
            if tally is None:
                self._leaving.note(key, title)
                tally = EMPTY_WINDOW
            moved = tally.copy()
            moved[0] = sequence
            for place, by in change:
                moved[place] += by
            changed[key] = tallies[key] = moved

    def _show_watching(self, title: Title, sequence: int, changed: Changed) -> None:
        """Who watches now is shown of titles that have counted anything."""
        tally, watching = self.tallies.get(title.key), len(title.watching)
        if tally is None or tally[WATCHING] == watching:
            return
        if title.franchise is not None:
            title.franchise.delta[WATCHING] += watching - tally[WATCHING]
        changed[title.key] = self.tallies[title.key] = [sequence, *tally[1:WATCHING], watching]


def _franchise_id(row: CatalogRow | None) -> str:
    """The franchise that a catalog row names; empty: none."""
    return (row.franchise_id if row is not None else None) or ""
