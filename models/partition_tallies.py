"""The tallies of one partition: titles, their windows and dayparts, franchises.

Owns which titles and franchises exist, the catalog as it is now, and how changes become tallies.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping

from models.catalog import CatalogRow
from models.counters import WINDOW_FIELDS
from models.current_windows import CurrentWindows, Tallies, lack_of, window_of
from models.curve import add_played, slices_of
from models.expiry import ExpiringWindows
from models.franchise import NO_STANDING, FranchiseState, Standing, places_of, together
from models.tally import EMPTY_AUDIENCE, EMPTY_WHOLE, EMPTY_WINDOW, NO_SLOT, WATCHING, Change, TallyKey
from models.title import TitleState
from models.windows import AUDIENCE, Retention


class TallyChanges:
    """What changed since the last drain.

    `tallies`: those that are stored as they are; None: deleted. `current`: the current windows of the titles where
    they changed; None: the title has none any more. `titles`: the titles whose current windows moved with them.
    """

    def __init__(self) -> None:
        self.tallies: dict[TallyKey, list[int] | None] = {}
        self.current: dict[str, CurrentWindows | None] = {}
        self.titles: set[str] = set()


class PartitionTallies:
    """All tallies of a partition. `mark` the titles that change; `drain` applies their changes to the tallies."""

    def __init__(self, retention: Retention, dayparts_places: int) -> None:
        self.catalog: dict[str, CatalogRow] = {}
        self.titles: dict[str, TitleState] = {}
        self.franchises: dict[str, FranchiseState] = {}
        self.tallies = Tallies()
        self._empty_parts = [0] * (1 + dayparts_places)
        self._expiring = ExpiringWindows(retention)
        self._dirty_titles: list[TitleState] = []
        self._dirty_franchises: dict[TallyKey, FranchiseState] = {}
        self._uncounted: dict[TallyKey, FranchiseState] = {}
        self._curves_ended: dict[TallyKey, None] = {}
        self._sequence = 0
        self._moved = TallyChanges()

    def title(self, title_id: str) -> TitleState:
        """The title with this id; created at the first call."""
        title = self.titles.get(title_id)
        if title is None:
            title_id = sys.intern(title_id)
            title = self.titles[title_id] = TitleState(title_id, self._empty_parts)
            self._join(title, self.catalog.get(title_id))
        return title

    def mark(self, title: TitleState) -> None:
        """Note that a title changed, for the next drain."""
        if not title.is_dirty:
            title.is_dirty = True
            self._dirty_titles.append(title)

    # -- erasures ---------------------------------------------------------------------------------------------

    def erase(self, household: Iterable[tuple[TitleState, int, int]]) -> None:
        """Stop counting a household. `household`: its titles, each with its flags and completions.

        Only all-time counts of households change. Windows hold facts, which stay.
        """
        standings: dict[FranchiseState, Standing] = {}
        for title, flags, completions in household:
            change = [(place, -1) for place in places_of(flags, completions)]
            if change:
                in_windows = [(place, by) for place, by in change if place <= WINDOW_FIELDS]
                title.settled.append((NO_SLOT, change, (), in_windows))
                self.mark(title)
            if title.franchise is not None:
                standing = standings.get(title.franchise, NO_STANDING)
                standings[title.franchise] = together(standing, flags, completions)
        for franchise, standing in standings.items():
            for place in places_of(*standing):
                franchise.delta[place] -= 1

    # -- the catalog ------------------------------------------------------------------------------------------

    def apply_catalog_row(self, title_id: str, row: CatalogRow | None) -> None:
        """Apply a catalog row from now on. None: the title left the catalog."""
        before = self.catalog.pop(title_id, None)
        if row is not None:
            self.catalog[title_id] = row
        title = self.titles.get(title_id)
        if title is not None:
            release_ms = title.release_ms
            length_ms = title.lengths.content_ms
            self._join(title, row)
            if length_ms != title.lengths.content_ms:
                self._begin_curve(title)
            if release_ms != title.release_ms:
                self._settle_windows(title_id)
                self._expiring.note_release(title, self.tallies.own)
        # Decided by the catalog, not by the titles seen: a title that left no trace is unknown after a restore.
        left_and_joined = {_franchise_id(before), _franchise_id(row)}
        if len(left_and_joined) > 1:
            self._uncounted |= {
                each.key: each for each in map(self.franchises.get, left_and_joined) if each is not None
            }

    def _join(self, title: TitleState, row: CatalogRow | None) -> None:
        title.apply_catalog_row(row)
        franchise_id = _franchise_id(row)
        if title.franchise is not None and title.franchise.key.title_id != franchise_id:
            title.franchise.titles.remove(title)
            title.franchise = None
        if franchise_id and title.franchise is None:
            title.franchise = self.franchises.get(franchise_id)
            if title.franchise is None:
                title.franchise = self.franchises[franchise_id] = FranchiseState(franchise_id)
            title.franchise.titles.append(title)

    def _begin_curve(self, title: TitleState) -> None:
        """Start a title's curve anew, as its slices changed."""
        title.played = None
        if title.curve_key in self.tallies.own:
            self._curves_ended[title.curve_key] = None

    def count_anew(self, oldest_ms: int) -> None:
        """Recompute the franchises that titles joined or left.

        `oldest_ms`: rows whose last applied event came at an earlier stream time are forgotten.
        """
        for franchise in self._uncounted.values():
            tally = self.tallies.own.get(franchise.key, EMPTY_WHOLE)
            counted = franchise.counted_anew(self.tallies.own, oldest_ms)
            for place in range(1, len(tally)):
                franchise.delta[place] = counted[place] - tally[place]
        self._dirty_franchises |= self._uncounted
        self._uncounted = {}

    def restored(self, catalog: Mapping[str, CatalogRow]) -> None:
        """Finish a restore with the catalog. Call it after all titles and tallies are restored."""
        self.catalog = dict(catalog)
        for title in self.titles.values():
            self._join(title, self.catalog.get(title.title_id))
        for key in self.tallies:
            self._expiring.note(key, self.titles.get(key.title_id))

    # -- what changed -----------------------------------------------------------------------------------------

    def drain(self, sequence: int, stream_time_ms: int, published: int | None) -> TallyChanges:
        """What changed since the last drain. Changed tallies get `sequence`.

        A window expires only after it is published: one that changed after the sequence `published` stays. None:
        nothing is published, and every window may expire.
        """
        self._sequence = sequence
        for key in self._curves_ended:
            # An empty tally: as the partition's new share, it takes the former one out of the total.
            self._put(key, [sequence])
        self._curves_ended = {}
        for title in self._dirty_titles:
            title.is_dirty = False
            self._drain_title(title)
        self._dirty_titles = []
        for franchise in self._dirty_franchises.values():
            change = [(place, by) for place, by in franchise.delta.items() if by]
            if change:
                self._move(franchise.key, EMPTY_WHOLE, change)
            franchise.delta.clear()
        self._dirty_franchises = {}
        self._expire(stream_time_ms, published)
        moved, self._moved = self._moved, TallyChanges()
        return moved

    def _expire(self, stream_time_ms: int, published: int | None) -> None:
        def may_leave(key: TallyKey) -> bool:
            tally = self.tallies.get(key)
            return tally is None or published is None or tally[0] <= published

        for key in self._expiring.left(stream_time_ms, self.titles, may_leave):
            current = self.tallies.current.get(key.title_id)
            if current is not None and key in current.lacks:
                self._settle_windows(key.title_id)
            if self.tallies.own.pop(key, None) is not None:
                self._moved.tallies[key] = None

    def _drain_title(self, title: TitleState) -> None:
        title.settle()
        if title.settled:
            self._move_title(title)
        if title.parts is not None:
            self._move_parts(title, title.parts)
            title.parts = None
        if title.audience is not None:
            self._move_audience(title, title.audience)
            title.audience = None
        if title.played is not None:
            self._move_curve(title, title.played)
            title.played = None
        self._show_watching(title)
        if title.franchise is not None:
            self._dirty_franchises[title.franchise.key] = title.franchise

    def _move_parts(self, title: TitleState, changes: list[int]) -> None:
        # Place by place, as most do not change: a sum of all would be a new integer for each.
        moved = self.tallies.own.get(title.parts_key, self._empty_parts).copy()
        moved[0] = self._sequence
        for place, by in enumerate(changes):
            if by:
                moved[place] += by
        self._put(title.parts_key, moved)

    def _move_audience(self, title: TitleState, changes: Mapping[tuple[int, int], int]) -> None:
        weeks: defaultdict[int, Change] = defaultdict(list)
        for (week, place), by in changes.items():
            weeks[week].append((place, by))
        for week, change in weeks.items():
            key = TallyKey(AUDIENCE, week, title.title_id)
            if key not in self.tallies.own:
                self._expiring.note(key, title)
            self._move(key, EMPTY_AUDIENCE, change)

    def _move_curve(self, title: TitleState, played: list[int]) -> None:
        length_ms = title.lengths.content_ms
        before = self.tallies.own.get(title.curve_key)
        # An empty tally ended the curve of a former length.
        moved = before.copy() if before is not None and len(before) > 1 else [0] * (1 + slices_of(length_ms))
        moved[0] = self._sequence
        add_played(moved, played, length_ms)
        self._put(title.curve_key, moved)

    def _move_title(self, title: TitleState) -> None:
        """Apply a title's settled changes. Its current windows move with it."""
        before = self.tallies.own.get(title.key, EMPTY_WHOLE)
        current = self._select_current(title, before)
        slot = None if current is None else current.slot
        moved = before.copy()
        moved[0] = self._sequence
        for settled_slot, change, keys, in_windows in title.settled:
            for place, by in change:
                moved[place] += by
            if in_windows and settled_slot != slot:
                self._move_others(title, keys, in_windows)
        self._put(title.key, moved)
        if current is not None:
            self._moved.titles.add(title.title_id)
        if title.franchise is not None:
            for _, change, _, _ in title.settled:
                title.franchise.add(change)
        title.settled = []

    def _move(self, key: TallyKey, empty: list[int], change: Change) -> None:
        moved = _added(self.tallies.own.get(key, empty), change)
        moved[0] = self._sequence
        self._put(key, moved)

    def _put(self, key: TallyKey, tally: list[int]) -> None:
        """Store a changed tally."""
        self._moved.tallies[key] = self.tallies.own[key] = tally

    def _show_watching(self, title: TitleState) -> None:
        """Update `watching_now` of a title, if it has counted anything."""
        tally, watching = self.tallies.own.get(title.key), len(title.watching)
        if tally is None or tally[WATCHING] == watching:
            return
        if title.franchise is not None:
            title.franchise.delta[WATCHING] += watching - tally[WATCHING]
        self._put(title.key, [self._sequence, *tally[1:WATCHING], watching])

    # -- current windows --------------------------------------------------------------------------------------

    def _select_current(self, title: TitleState, before: list[int]) -> CurrentWindows | None:
        """The title's current windows: those of the latest settled slot. `before`: its tally before the changes."""
        current = self.tallies.current.get(title.title_id)
        latest, latest_keys = -1 if current is None else current.slot, None
        for slot, _, keys, _ in title.settled:
            if keys and slot > latest:
                latest, latest_keys = slot, keys
        if latest_keys is None:
            return current
        held = {} if current is None else current.lacks
        for key in [key for key in held if key not in latest_keys]:
            self._put(key, window_of(before, held[key]))
        lacks = {key: held[key] if key in held else self._joining(key, title, before) for key in latest_keys}
        return self._set_current(title.title_id, CurrentWindows(latest, lacks))

    def _joining(self, key: TallyKey, title: TitleState, before: list[int]) -> list[int]:
        """What a window lacks of its title's tally. From now on the window moves with the title."""
        self._moved.tallies.pop(key, None)
        window = self.tallies.own.pop(key, None)
        if window is None:
            self._expiring.note(key, title)
        return lack_of(before, window or EMPTY_WINDOW)

    def _set_current(self, title_id: str, current: CurrentWindows) -> CurrentWindows:
        self._moved.current[title_id] = self.tallies.current[title_id] = current
        return current

    def _move_others(self, title: TitleState, keys: tuple[TallyKey, ...], change: Change) -> None:
        """Move the windows of a slot that is not current. The title moves too, so its current windows must lack more.

        A window that belongs to both slots moves with the title as before.
        """
        current = self.tallies.current.get(title.title_id)
        lacks = {} if current is None else current.lacks
        for key in keys:
            if key not in lacks:
                if key not in self.tallies.own:
                    self._expiring.note(key, title)
                self._move(key, EMPTY_WINDOW, change)
        if current is not None and any(key not in keys for key in lacks):
            lacks = {key: lack if key in keys else _added(lack, change) for key, lack in lacks.items()}
            self._set_current(title.title_id, current._replace(lacks=lacks))

    def _settle_windows(self, title_id: str) -> None:
        """Store the current windows of a title as tallies of their own. It has no current windows then."""
        current = self.tallies.current.pop(title_id, None)
        if current is not None:
            title = self.tallies.own[self.titles[title_id].key]
            for key, window in current.tallies(title):
                self._put(key, window)
            self._moved.current[title_id] = None
            self._moved.titles.discard(title_id)


def _added(tally: list[int], change: Change) -> list[int]:
    """A changed copy: the list before may still wait to be published."""
    moved = tally.copy()
    for place, by in change:
        moved[place] += by
    return moved


def _franchise_id(row: CatalogRow | None) -> str:
    """The franchise that a catalog row names; an empty string: none."""
    return (row.franchise_id if row is not None else None) or ""
