"""One partition's fold: record after record in log order, into rows, counters and what is to be kept aside.

Owns the order of judgement (the design, section 1: time), stream time, and the sums of titles and windows.
State is a pure function of the records, the catalog rows taken in and the rules: it must not know checkpoints,
topics, Redis or any clock. A record's offset is handed on with what the record made, and looked at nowhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Set
from typing import NamedTuple, Protocol

import msgspec

from models.catalog import CatalogRow
from models.counters import ALL_FIELDS, WINDOW_FIELDS, Counters, StreamCounters, added, count, touches_windows
from models.events import BadEvent, Event, read_event
from models.partitioner import partition_of
from models.rows import pack, unpack
from models.rules import HOUR_MS, Rules
from models.viewing import MISROUTED, NOTHING, Fact, Row, advance
from models.windows import HOURS_A_DAY

TITLE, HOUR, DAY = "t", "h", "d"
_EMPTY = {TITLE: [0] * (1 + ALL_FIELDS), HOUR: [0] * (1 + WINDOW_FIELDS), DAY: [0] * (1 + WINDOW_FIELDS)}
_ROUTES_KEPT = 100_000


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


class TallyKey(NamedTuple):
    """Names a tally: a title's all-time one (number 0), or that of an hour or day, by its number."""

    kind: str
    number: int
    title_id: str


class Milestone(NamedTuple):
    """A fact worth telling others, with the event that made it and its record's offset."""

    fact: Fact
    event: Event
    offset: int


class Changes(NamedTuple):
    """What changed since the last drain. Rows packed; a tally is its sequence, then its counters."""

    rows: list[tuple[str, str, bytes]]
    tallies: dict[TallyKey, list[int]]
    dead_letters: list[tuple[Record, str]]
    late: list[Record]
    milestones: list[Milestone]


class Title:
    """A title in one partition: its catalog facts, its households' rows, its sums since the last drain."""

    __slots__ = (
        "_key",
        "_keys",
        "_keys_hour",
        "delta",
        "delta_hour",
        "deltas",
        "is_main",
        "length_ms",
        "rows",
        "title_id",
    )

    def __init__(self, title_id: str, row: CatalogRow | None) -> None:
        self.title_id = title_id
        self.rows: dict[str, Row | bytes] = {}
        # Keyed by hour; by ~hour where the event came too late for its hour window.
        self.deltas: dict[int, Counters] = {}
        self.delta_hour: int | None = None
        self.delta = Counters()
        self._key = TallyKey(TITLE, 0, title_id)
        self._keys: tuple[TallyKey, ...] = ()
        self._keys_hour: int | None = None
        self.take_in(row)

    def tally_keys(self, hour: int, delta: Counters) -> tuple[TallyKey, ...]:
        """The tallies that a sum belongs to; `hour` as in `deltas`."""
        if hour != self._keys_hour:
            self._keys_hour, in_time = hour, hour >= 0
            number = hour if in_time else ~hour
            day = TallyKey(DAY, number // HOURS_A_DAY, self.title_id)
            windows = (day, TallyKey(HOUR, number, self.title_id)) if in_time else (day,)
            self._keys = (self._key, *windows)
        # Facts that concern all time only (a skimmer) make no window.
        return self._keys if touches_windows(delta) else (self._key,)

    def take_in(self, row: CatalogRow | None) -> None:
        """Let a catalog row hold from now on."""
        self.length_ms = row.length_ms if row is not None else 0
        self.is_main = row is None or row.is_main


class Fold:
    """The state of one partition. Feed it records with `apply`, take what changed with `drain`."""

    def __init__(self, rules: Rules, *, partition: int = 0, partitions: int = 1, zones: Set[str] = frozenset()) -> None:
        self.rules = rules
        self.partition = partition
        self.partitions = partitions
        self.zones = zones
        self.stream_time_ms = -1
        self.stream = StreamCounters()
        self.catalog: dict[str, CatalogRow] = {}
        self.titles: dict[str, Title] = {}
        self.tallies: dict[TallyKey, list[int]] = {}
        self.generation = 1
        self._routes: dict[str, int] = {}
        self._live: deque[tuple[Title, str]] = deque()
        self._reset()

    def _reset(self) -> None:
        self._dirty_rows: list[tuple[Title, str, Row]] = []
        self._dirty_titles: list[Title] = []
        self._dead_letters: list[tuple[Record, str]] = []
        self._late: list[Record] = []
        self._milestones: list[Milestone] = []

    def apply(self, records: Iterable[Record]) -> None:
        """Fold records in, in log order."""
        grace_ms, future_ms, stream = self.rules.grace_ms, self.rules.future_ms, self.stream
        for record in records:
            timestamp_ms = record.timestamp
            if timestamp_ms > self.stream_time_ms:
                self.stream_time_ms = timestamp_ms
            try:
                event = read_event(record.key, record.value)
            except BadEvent as problem:
                self._set_aside(record, str(problem))
                continue
            ahead_ms = event.event_time_ms - timestamp_ms
            if ahead_ms > future_ms:
                self._set_aside(record, f"event_time_ms is {ahead_ms} ms ahead of the record, accepted: {future_ms}")
            elif event.event_time_ms < self.stream_time_ms - grace_ms:
                stream.late_events += 1
                self._late.append(record)
            else:
                stream.events += 1
                self._view(event, record)

    def _set_aside(self, record: Record, reason: str) -> None:
        self.stream.dead_letters += 1
        self._dead_letters.append((record, reason))

    def _view(self, event: Event, record: Record) -> None:
        title = self.titles.get(event.title_id)
        if title is None:
            title = self.title(event.title_id)
        if event.content_kind not in (None, "main") or not title.is_main:
            return
        stream_time_ms, time_ms = self.stream_time_ms, event.event_time_ms
        hour = time_ms // HOUR_MS
        if time_ms < stream_time_ms - self.rules.hour_grace_ms:
            self.stream.late_hour_events += 1
            hour = ~hour
        if event.time_zone is not None and event.time_zone not in self.zones:
            self.stream.unknown_zone_events += 1
        row = title.rows.get(event.household_id)
        if row.__class__ is not Row or stream_time_ms - row.touched_ms > self.rules.forget_ms:
            row = self._touched_row(title, event.household_id)
        if row.flags & MISROUTED:
            self.stream.misrouted_events += 1
        outcome = advance(row, event, stream_time_ms, title.length_ms, self.rules)
        if outcome is NOTHING:
            return
        if not row.dirty:
            row.dirty = True
            row.generation = self.generation
            self._dirty_rows.append((title, event.household_id, row))
        credited_ms, facts = outcome
        if credited_ms or facts:
            if title.delta_hour != hour:
                self._turn_to_hour(title, hour)
            is_kids = event.profile_kind == "kids"
            delta = title.delta
            delta.watched_ms += credited_ms
            if is_kids:
                delta.kids_watched_ms += credited_ms
            for fact in facts:
                count(delta, fact, is_kids)
                self._milestones.append(Milestone(fact, event, record.offset))

    def title(self, title_id: str) -> Title:
        """The title of an id; made on first sight."""
        title = self.titles.get(title_id)
        if title is None:
            title = self.titles[title_id] = Title(title_id, self.catalog.get(title_id))
        return title

    def _touched_row(self, title: Title, household_id: str) -> Row:
        kept = title.rows.get(household_id)
        if not isinstance(kept, Row):
            self._live.append((title, household_id))
        row = unpack(kept) if isinstance(kept, bytes) else kept
        if row is None or self.stream_time_ms - row.touched_ms > self.rules.forget_ms:
            row = Row(touched_ms=self.stream_time_ms)
            if self._partition_of(household_id) != self.partition:
                row.flags = MISROUTED
        title.rows[household_id] = row
        return row

    def _partition_of(self, household_id: str) -> int:
        """Remembered for each household: murmur2 costs as much as folding an event."""
        number = self._routes.get(household_id)
        if number is None:
            if len(self._routes) >= _ROUTES_KEPT:
                self._routes.clear()
            number = self._routes[household_id] = partition_of(household_id.encode(), self.partitions)
        return number

    def _turn_to_hour(self, title: Title, hour: int) -> None:
        if not title.deltas:
            self._dirty_titles.append(title)
        delta = title.deltas.get(hour)
        if delta is None:
            delta = title.deltas[hour] = Counters()
        title.delta_hour, title.delta = hour, delta

    def take_in(self, title_id: str, row: CatalogRow | None) -> None:
        """Let a catalog row (None: the title left the catalog) hold for all records from now on."""
        if row is None:
            self.catalog.pop(title_id, None)
        else:
            self.catalog[title_id] = row
        if title_id in self.titles:
            self.titles[title_id].take_in(row)

    def stream_counts(self) -> list[int]:
        """The counts of all records so far, in the order of `StreamCounters`."""
        return list(msgspec.structs.astuple(self.stream))

    def drain(self, sequence: int) -> Changes:
        """What changed since the last drain; the tallies among it bear this checkpoint's sequence."""
        rows = [(title.title_id, household_id, self._rest(row)) for title, household_id, row in self._dirty_rows]
        tallies: dict[TallyKey, list[int]] = {}
        for title in self._dirty_titles:
            for hour, delta in title.deltas.items():
                for key in title.tally_keys(hour, delta):
                    tally = self.tallies.get(key) or _EMPTY[key.kind]
                    # A new list each time: the one before may still wait to be published.
                    tallies[key] = self.tallies[key] = added(tally, delta, sequence)
            title.deltas = {}
            title.delta_hour = None
        changes = Changes(rows, tallies, self._dead_letters, self._late, self._milestones)
        self._reset()
        self.generation += 1
        return changes

    def _rest(self, row: Row) -> bytes:
        row.dirty = False
        packed = row.packed = pack(row)
        return packed

    def cool(self, hot_rows: int) -> None:
        """Pack the rows that were not touched lately, until at most `hot_rows` are decoded.

        Call after a drain only: a row with changes must not be packed before they are drained.
        """
        live = self._live
        for _ in range(len(live) - hot_rows):
            title, household_id = live.popleft()
            row = title.rows.get(household_id)
            if not isinstance(row, Row):
                continue
            if row.generation >= self.generation - 1:
                live.append((title, household_id))
            else:
                title.rows[household_id] = row.packed
