"""A title in one partition: its households' rows, and the changes since the last drain.

Owns which windows a change belongs to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from models.catalog import CatalogRow
from models.counters import WINDOW_FIELDS, Counters
from models.rules import HOUR_MS
from models.tally import CURVE, DAYPARTS, KIDS_WATCHED, NO_SLOT, TITLE, WATCHED, Change, TallyKey
from models.viewing import Lengths, Row
from models.windows import HOURS_A_DAY, audience_week, windows_at

if TYPE_CHECKING:
    from models.franchise import FranchiseState


class Delta:
    """The changes that an hour's events make to a title's counters: watched time, and those of facts, if any."""

    __slots__ = ("facts", "kids_watched_ms", "watched_ms")

    def __init__(self) -> None:
        self.facts: Counters | None = None
        self.watched_ms = self.kids_watched_ms = 0

    def facts_moved(self) -> Counters:
        """The counters of facts, for the caller to change; created at the first call."""
        if self.facts is None:
            self.facts = Counters()
        return self.facts

    def change(self) -> Change:
        """The same as a change of a tally."""
        change: Change = []
        if self.facts is not None:
            change += [(place, by) for place, by in enumerate(msgspec.structs.astuple(self.facts), 1) if by]
        if self.watched_ms:
            change.append((WATCHED, self.watched_ms))
        if self.kids_watched_ms:
            change.append((KIDS_WATCHED, self.kids_watched_ms))
        return change


class TitleState:
    """A title in one partition: its catalog data, its households' rows, its changes since the last drain.

    `deltas` are the changes by slot. A slot is the number of a UTC hour, or ~hour for events that came too late for
    their hour window. A release that is not on the hour splits its hours: a slot is then twice the hour, plus 1 from
    the release's minute on. `settled` are changes whose windows are decided (`settle`).

    `parts` are the changes of the tally of dayparts, place by place; `no_parts` is one that changes nothing. `streaks`
    counts, by the UTC quarter hour at which they end, the households whose streaks have reached each level of each
    daypart. `watching` are the (household, session) pairs that are watched now. `audience` are the changes of weeks'
    audiences, by week and place. `played` are the spans of cells that were played (`models.coverage`): the first cell,
    and the one after the last, in turns.
    """

    __slots__ = (
        "_keys",
        "_keys_slot",
        "audience",
        "curve_key",
        "delta",
        "delta_from_ms",
        "delta_until_ms",
        "deltas",
        "franchise",
        "is_dirty",
        "is_main",
        "key",
        "lengths",
        "no_parts",
        "parts",
        "parts_key",
        "phase_ms",
        "played",
        "release_ms",
        "rows",
        "settled",
        "streaks",
        "title_id",
        "watching",
        "week",
    )

    def __init__(self, title_id: str, no_parts: list[int]) -> None:
        self.title_id = title_id
        self.no_parts = no_parts
        self.key = TallyKey(TITLE, 0, title_id)
        self.parts_key = TallyKey(DAYPARTS, 0, title_id)
        self.curve_key = TallyKey(CURVE, 0, title_id)
        self.rows: dict[str, Row | bytes] = {}
        self.streaks: dict[int, list[int]] = {}
        self.watching: set[tuple[str, str]] = set()
        self.franchise: FranchiseState | None = None
        self.settled: list[tuple[int, Change, tuple[TallyKey, ...], Change]] = []
        self.deltas: dict[int, Delta] = {}
        self.parts: list[int] | None = None
        self.audience: dict[tuple[int, int], int] | None = None
        self.played: list[int] | None = None
        self.delta_from_ms = self.delta_until_ms = self.week = 0
        self.delta = Delta()
        self.is_dirty = False
        self.apply_catalog_row(None)

    def apply_catalog_row(self, row: CatalogRow | None) -> None:
        """Apply a catalog row from now on. Earlier changes stay in the windows that they belonged to."""
        self.settle()
        # With another release, the numbers of slots may mean other spans.
        self.settled = [(NO_SLOT, change, keys, in_windows) for _, change, keys, in_windows in self.settled]
        self.lengths = Lengths(row.length_ms, row.known_runtime_ms) if row is not None else Lengths()
        self.is_main = row is None or row.is_main
        self.release_ms = row.release_time_ms if row is not None else None
        self.phase_ms = (self.release_ms or 0) % HOUR_MS
        self._keys: tuple[TallyKey, ...] = ()
        self._keys_slot: int | None = None

    def settle(self) -> None:
        """Decide which windows the changes so far belong to.

        Appends to `settled`: slot, change of the title, its windows, and the part of the change that they take.
        """
        for slot, delta in self.deltas.items():
            change = in_windows = delta.change()
            if delta.facts is not None:
                # Facts that concern all time only (a skimmer) make no window.
                in_windows = [(place, by) for place, by in change if place <= WINDOW_FIELDS]
            self.settled.append((slot, change, self._window_keys(slot) if in_windows else (), in_windows))
        self.deltas = {}
        self.delta_from_ms = self.delta_until_ms = 0

    def select_delta(self, time_ms: int, in_hour: bool) -> None:
        """Make `delta` the one for an instant. It holds from `delta_from_ms` to before `delta_until_ms`."""
        hour = slot = time_ms // HOUR_MS
        from_ms, until_ms = hour * HOUR_MS, (hour + 1) * HOUR_MS
        if self.phase_ms:
            split_ms = from_ms + self.phase_ms
            is_after = time_ms >= split_ms
            slot = 2 * hour + is_after
            from_ms, until_ms = (split_ms, until_ms) if is_after else (from_ms, split_ms)
        if not in_hour:
            # The next instant may be in time for its hour.
            slot, until_ms = ~slot, from_ms
        delta = self.deltas.get(slot)
        if delta is None:
            delta = self.deltas[slot] = Delta()
        self.delta, self.delta_from_ms, self.delta_until_ms = delta, from_ms, until_ms
        self.week = audience_week(hour // HOURS_A_DAY)

    def parts_changed(self) -> list[int]:
        """The changes of the tally of dayparts, for the caller to add to; every place starts at 0."""
        if self.parts is None:
            self.parts = self.no_parts.copy()
        return self.parts

    def note_audience(self, changes: Iterable[tuple[int, int, int]]) -> None:
        """Add changes of weeks' audiences: week, place in its tally, amount."""
        if self.audience is None:
            self.audience = defaultdict(int)
        for week, place, by in changes:
            self.audience[week, place] += by

    def note_played(self, first: int, beyond: int) -> None:
        """Note that the cells from `first` to before `beyond` were played once more."""
        if first == beyond:
            return
        played = self.played
        if played is None:
            played = self.played = []
        played.append(first)
        played.append(beyond)

    def _window_keys(self, slot: int) -> tuple[TallyKey, ...]:
        if slot != self._keys_slot:
            self._keys_slot, self._keys = slot, tuple(self._windows(slot))
        return self._keys

    def _windows(self, slot: int) -> list[TallyKey]:
        number, after = (~slot, 1) if slot < 0 else (slot, 1)
        if self.phase_ms:
            number, after = divmod(number, 2)
        age_hours = None if self.release_ms is None else number + after - 1 - self.release_ms // HOUR_MS
        return [TallyKey(kind, each, self.title_id) for kind, each in windows_at(number, age_hours, slot >= 0)]
