"""A partition's log, written second by second, for the tests of whatever folds it.

Times and positions are in seconds; `T0` is midnight UTC of a Monday. What is told arrives at once unless a test says
when.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec
from playing import T0

from models.account import StreamCounters
from models.catalog import CatalogRow
from models.counters import Counters
from models.current_windows import Tallies
from models.dayparts import read_dayparts
from models.fold import Fold
from models.fold_changes import FoldChanges
from models.rules import DAY_MS, Rules
from models.streaks import PART_FIELDS
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE, TallyKey
from models.viewing import STREAK
from models.windows import AUDIENCE, KINDS, audience_week
from streams.config.zones import Zones

FILM = CatalogRow(title_id="film", runtime_ms=1_000_000)
"""The film of `playing`: 1,000 s long."""

SAGA = CatalogRow(title_id="film", runtime_ms=36_000_000)
"""Ten hours: nobody completes it by the way."""

AUDIENCE_NAMES = ("reached", "new", "returning", "resurrected")
WEEK_0 = audience_week(T0 // DAY_MS)
WHOLE_NAMES = (*Counters.__struct_fields__, "watching_now")
ZONES = Zones()


class Record(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Log:
    """A log and the fold that reads it."""

    def __init__(self, *titles: CatalogRow, rules: Rules | None = None, **of_the_fold: Any) -> None:
        self.of_the_fold = {"rules": rules or Rules(), "zones": ZONES, **of_the_fold}
        self.fold = Fold(**self.of_the_fold)
        self.offset = 0
        self._rows: dict[tuple[str, str], bytes | None] = {}
        self._streaks: dict[tuple[str, int], list[int] | None] = {}
        self.takes_in(*titles)

    # -- what comes ------------------------------------------------------------------------------------------------

    def takes_in(self, *titles: CatalogRow) -> Log:
        """Rows of the catalog hold from now on."""
        for title in titles:
            self.fold.apply_catalog_row(title.title_id, title)
        return self

    def raw(self, at: float, key: bytes | None, value: bytes | None) -> Log:
        """A record of any bytes, appended at that second after T0."""
        self.fold.apply([Record(self.offset, T0 + round(at * 1000), key, value)])
        self.offset += 1
        return self

    def waits(self, at: float) -> Log:
        """Nothing but the stream's time: a record that is no event."""
        return self.raw(at, b"k", b"no event")

    def tells(self, kind: str, position: float, at: float, arrives: float | None = None, **fields: Any) -> Log:
        """An event at a second, which arrives then or later."""
        event = {
            "event_id": f"event-{self.offset}", "event_type": kind, "event_time_ms": T0 + round(at * 1000),
            "household_id": "household", "title_id": "film", "play_session_id": "sitting",
            "position_ms": round(position * 1000),
        } | fields  # fmt: skip
        return self.raw(at if arrives is None else arrives, event["household_id"].encode(), json.dumps(event).encode())

    def plays(self, begin: float, end: float, at: float, **fields: Any) -> Log:
        """A sitting with a heartbeat every minute."""
        self.tells("start", begin, at, **fields)
        position = begin + 60
        while position < end:
            self.tells("heartbeat", position, at + position - begin, **fields)
            position += 60
        return self.tells("stop", end, at + end - begin, **fields)

    def watches(self, at: float, seconds: float = 300, **fields: Any) -> Log:
        """A sitting of its own from the film's beginning; all of it is credited at its end."""
        fields = {"play_session_id": f"sitting-{self.offset}", **fields}
        return self.tells("start", 0, at, **fields).tells("stop", seconds, at + seconds, **fields)

    def completes(self, at: float, times: int = 1, **fields: Any) -> Log:
        """The whole film, in one go, so many times."""
        for time in range(times):
            self.watches(at + time * 1_000, 1_000, **fields)
        return self

    def passes(self, at: float) -> Log:
        """Time passes in silence up to that second."""
        self.fold.advance_clock(T0 + round(at * 1000))
        return self

    # -- what became of it -----------------------------------------------------------------------------------------

    def drained(self, sequence: int = 1) -> FoldChanges:
        changes = self.fold.drain(sequence)
        self._rows |= {(title_id, household_id): packed for title_id, household_id, packed in changes.rows}
        self._streaks |= changes.streaks
        return changes

    def changed(self, sequence: int = 1) -> dict[TallyKey, list[int] | None]:
        """All tallies that changed since the last drain, those of current windows among them."""
        changes, changed = self.drained(sequence), {}
        for title_id in changes.moved:
            changed.update(self.fold.tallies.current[title_id].tallies(self.fold.tallies[TallyKey(TITLE, 0, title_id)]))
        return {**changed, **changes.tallies}

    def title(self, title_id: str = "film") -> dict[str, int]:
        return self.tally(TallyKey(TITLE, 0, title_id))

    def franchise(self, franchise_id: str = "saga") -> dict[str, int]:
        return self.tally(TallyKey(FRANCHISE, 0, franchise_id))

    def watching(self, title_id: str = "film") -> int:
        """Who is watching now."""
        return self.title(title_id).get("watching_now", 0)

    def dayparts(self, title_id: str = "film") -> dict[str, int]:
        """The tally of dayparts: `<daypart>_<counter>`."""
        parts = read_dayparts(self.fold.rules.dayparts)
        names = [f"{part.name}_{field}" for part in parts for field in PART_FIELDS]
        return self.tally(TallyKey(DAYPARTS, 0, title_id), names)

    def audience(self, title_id: str = "film") -> dict[int, dict[str, int]]:
        """The audience of each week, by its number from that of T0 on."""
        self.drained()
        keys = [key for key in self.fold.tallies if (key.kind, key.title_id) == (AUDIENCE, title_id)]
        return {key.number - WEEK_0: self.tally(key, AUDIENCE_NAMES) for key in sorted(keys)}

    def curve(self, title_id: str = "film") -> list[int] | None:
        """The sums of a title's slices; None where it has no curve."""
        self.drained()
        tally = self.fold.tallies.get(TallyKey(CURVE, 0, title_id))
        return None if tally is None else tally[1:]

    def streaks(self, daypart: str) -> list[int]:
        """Households whose current streaks are at least 3, 5 and 10 days long."""
        found = self.dayparts()
        return [found.get(f"{daypart}_streak_{level}", 0) for level in (3, 5, 10)]

    def windows(self, *kinds: str) -> dict[str, dict[str, int]]:
        """Every window of these kinds, by its name."""
        self.drained()
        keys = [key for key in self.fold.tallies if key.kind in kinds]
        return {KINDS[key.kind].name(key.number): self.tally(key) for key in keys}

    def tally(self, key: TallyKey, names: tuple[str, ...] | list[str] = WHOLE_NAMES) -> dict[str, int]:
        """The counters of a tally that are not nought."""
        self.drained()
        return {name: count for name, count in zip(names, self.fold.tallies.get(key, [0])[1:], strict=False) if count}

    def account(self) -> dict[str, int]:
        return {name: count for name, count in msgspec.structs.asdict(self.fold.stream).items() if count}

    def told(self) -> list[str]:
        """The streaks told since the last drain: `<offset> <household> <length> <daypart>`."""
        return [
            f"{offset} {event.household_id} {fact.ordinal} {fact.daypart}"
            for fact, event, offset in self.drained().milestones
            if fact.name == STREAK
        ]

    # -- another worker goes on ------------------------------------------------------------------------------------

    def restarts(self) -> Log:
        """Another fold goes on from what this one's drains gave."""
        self.drained()
        before, self.fold = self.fold, Fold(**self.of_the_fold)
        for (title_id, household_id), packed in self._rows.items():
            if packed is not None:
                self.fold.title(title_id).rows[household_id] = packed
        self._bring_back(before.tallies)
        self.fold.stream = StreamCounters(*before.stream_counts())
        self.fold.restored(before.catalog, before.stream_time_ms, before.clock_ms)
        return self

    def _bring_back(self, tallies: Tallies) -> None:
        self.fold.tallies.own.update(tallies.own)
        self.fold.tallies.current.update(tallies.current)
        for key in tallies.own:
            if key.kind == TITLE:
                self.fold.title(key.title_id)
        for (title_id, end_quarter), sums in self._streaks.items():
            if sums is not None:
                self.fold.restore_streaks(title_id, end_quarter, list(sums))
