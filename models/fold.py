"""One partition's fold: record after record in log order, into rows, counters and side outputs.

Owns the order of checks (the design, section 1: time), stream time, and the changes since the last drain. State is a
pure function of the records, the applied catalog rows, zones and erasures, the time that passed without records, and
the rules. It must not know checkpoints, topics, Redis or any clock. A record's offset is passed through; the fold uses
it only to decide whether an erasure covers the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import Final

import msgspec

from models.account import StreamCounters
from models.audience import WatchedWeeks
from models.catalog import CatalogRow
from models.counters import count, count_return
from models.credit import spread
from models.dayparts import LocalTimes, read_dayparts
from models.erasure import Erasures, HouseholdRow, held_of
from models.events import END_OF_CALENDAR_MS, BadEvent, Event
from models.expiry import sweep
from models.fold_changes import FoldChanges, Milestone
from models.partition_tallies import PartitionTallies
from models.pseudonymous_record import PseudonymousRecord, refusal_of
from models.pseudonyms import Pseudonyms
from models.reading import read_event
from models.row_cache import RowCache
from models.rows import pack
from models.rules import DAY_MS, Rules
from models.session import Session
from models.source_record import SourceRecord
from models.streaks import COMPLETIONS, PART, WATCHED, Streaks
from models.title import TitleState
from models.viewing import COMPLETED, MISROUTED, NO_WEEK, Outcome, Row, advance
from models.watching import Watching
from models.windows import KEPT_FOR, Retention, audience_week

_WEEKS_KEPT: Final = 2
"""Weeks that are not reached are kept this much longer than the grace: an interval may begin in an earlier week than
the event that closes it."""


class Fold:
    """The state of one partition. Feed it records with `apply`, take what changed with `drain`.

    `decode` turns a value into JSON, or raises `BadEvent`; None: all values are JSON.
    `zones` are the time zones that events may name, until `apply_zones` changes them. With `pseudonyms`, `apply`
    replaces a household's id, if the record still has it, by its pseudonym before the event is counted. `clock_ms` is
    the stream time, or later after a silence (`advance_clock`). `credited_ms` is the content that this instance has
    credited: no part of the state.
    """

    def __init__(
        self,
        rules: Rules,
        *,
        partition: int = 0,
        partitions: int = 1,
        zones: Mapping[str, tzinfo] | None = None,
        retention: Retention = KEPT_FOR,
        pseudonyms: Pseudonyms | None = None,
        decode: Callable[[bytes | None], bytes | None] | None = None,
    ) -> None:
        self.rules = rules
        self.partitions = partitions
        self.stream_time_ms = self.clock_ms = -1
        self.stream = StreamCounters()
        self.generation = 1
        self.credited_ms = 0
        self._decode = decode
        self._pseudonym_of = pseudonyms.of if pseudonyms is not None else None
        self._zones: Mapping[str, tzinfo] = zones or {}
        self._local = LocalTimes(read_dayparts(rules.dayparts), self._zones)
        self._sums = PartitionTallies(retention, PART * len(self._local.dayparts))
        self.titles, self.tallies, self.title = self._sums.titles, self._sums.tallies, self._sums.title
        self.erasures = Erasures()
        self._watching = Watching(rules.watching_ms, rules.future_ms)
        self._rows = RowCache(rules, partition, partitions, self._watching)
        self._streaks = Streaks(rules, self._local)
        self._swept_day = 0
        self._sweep: Iterator[list[tuple[str, str]]] = iter(())
        self._reset()

    def _reset(self) -> None:
        self._dirty_rows: list[tuple[TitleState, str, Row]] = []
        self._gone_rows: list[tuple[str, str]] = []
        self._dead_letters: list[tuple[SourceRecord, str]] = []
        self._late: list[SourceRecord] = []
        self._milestones: list[Milestone] = []

    # -- records ----------------------------------------------------------------------------------------------

    def apply(self, records: Iterable[SourceRecord]) -> None:
        """Fold records in, in log order."""
        self._sums.count_anew(self.stream_time_ms - self.rules.forget_ms)
        grace_ms, future_ms, stream, events = self.rules.grace_ms, self.rules.future_ms, self.stream, 0
        pseudonym_of, erased_below, decode = self._pseudonym_of, self.erasures.below, self._decode
        for record in records:
            timestamp_ms = record.timestamp
            if not 0 <= timestamp_ms < END_OF_CALENDAR_MS:
                self._dead_letter(record, f"the record's timestamp is {timestamp_ms}, accepted: the years 1970 to 9999")
                continue
            if timestamp_ms > self.stream_time_ms:
                self.stream_time_ms = timestamp_ms
                if timestamp_ms > self.clock_ms:
                    self.clock_ms = timestamp_ms
            try:
                event = read_event(record.key, record.value if decode is None else decode(record.value))
            except BadEvent as problem:
                self._dead_letter(record, refusal_of(record, problem))
                continue
            time_ms: int = event.event_time_ms
            ahead_ms = time_ms - timestamp_ms
            if ahead_ms > future_ms:
                self._dead_letter(record, f"event_time_ms is {ahead_ms} ms ahead of the record, accepted: {future_ms}")
            elif time_ms < self.stream_time_ms - grace_ms:
                stream.late_events += 1
                self._late.append(record)
            else:
                events += 1
                if pseudonym_of is not None and not isinstance(record, PseudonymousRecord):
                    event.household_id = pseudonym_of(event.household_id.encode())
                if erased_below and self._is_erased(event, record.offset):
                    continue
                self._view(event, record, time_ms)
        stream.events += events

    def _is_erased(self, event: Event, offset: int) -> bool:
        return offset < self.erasures.below and self.erasures.covers(event.household_id, offset)

    def _dead_letter(self, record: SourceRecord, reason: str) -> None:
        self.stream.dead_letters += 1
        self._dead_letters.append((record, reason))

    def _view(self, event: Event, record: SourceRecord, time_ms: int) -> None:
        title = self.titles.get(event.title_id)
        if title is None:
            title = self.title(event.title_id)
        content_kind = event.content_kind
        if (content_kind is not None and content_kind != "main") or not title.is_main:
            return
        rules, stream_time_ms = self.rules, self.stream_time_ms
        in_hour = time_ms >= stream_time_ms - rules.hour_grace_ms
        if not in_hour:
            self.stream.late_hour_events += 1
        zone = event.time_zone
        if zone is not None and zone not in self._zones:
            self.stream.unknown_zone_events += 1
        household_id = event.household_id
        row = title.rows.get(household_id)
        if not isinstance(row, Row) or stream_time_ms - row.touched_ms > rules.forget_ms:
            row = self._rows.touch(title, household_id, record, stream_time_ms)
        if row.flags & MISROUTED:
            self.stream.misrouted_events += 1
        session_id: str = event.play_session_id
        outcome = advance(row, session_id, event, time_ms, stream_time_ms, title.lengths, rules, self.stream)
        if outcome is None:
            return
        if not row.dirty:
            row.dirty = True
            row.generation = self.generation
            self._dirty_rows.append((title, household_id, row))
        session = row.sessions[session_id]
        if outcome.gave_room in row.watched:
            self._watching.set_watched(title, household_id, row, outcome.gave_room, False)
        is_watched = session.playing and time_ms >= self.clock_ms - rules.watching_ms
        if is_watched is not (session_id in row.watched):
            self._watching.set_watched(title, household_id, row, session_id, is_watched)
            self._sums.mark(title)
        elif is_watched and session.later_ms:
            self._watching.schedule_earlier(title, household_id, session_id, time_ms)
        if outcome.credited_ms or outcome.facts:
            self.credited_ms += outcome.credited_ms
            if not title.delta_from_ms <= time_ms < title.delta_until_ms or not in_hour:
                title.select_delta(time_ms, in_hour)
            self._count(title, row, session, event, record, time_ms, outcome, in_hour)

    def _count(
        self, title: TitleState, row: Row, session: Session, event: Event, record: SourceRecord, time_ms: int,
        outcome: Outcome, in_hour: bool,
    ) -> None:  # fmt: skip
        if not title.is_dirty:
            self._sums.mark(title)
        if title.parts is None:
            # A title that counts anything has a tally of dayparts, even if that is all zeros.
            title.parts_changed()
        if outcome.facts:
            self._count_facts(title, row, event, record.offset, outcome)
        if outcome.before_play_ms:
            self._count_audience(title, row, time_ms, outcome.before_play_ms)
        credited_ms = outcome.credited_ms
        if not credited_ms:
            return
        in_play = session.has_played
        if outcome.elapsed_ms <= self.rules.spread_ms:
            self._credit(title, row, event, record, time_ms, credited_ms, in_play)
        else:
            for instant_ms, part_ms in spread(credited_ms, time_ms, outcome.elapsed_ms):
                title.select_delta(instant_ms, in_hour)
                self._credit(title, row, event, record, instant_ms, part_ms, in_play)
        if title.lengths.content_ms:
            first, beyond = outcome.cells
            title.note_played(first, beyond)
            first, beyond = outcome.earlier_cells
            if beyond:
                title.note_played(first, beyond)

    def _credit(
        self,
        title: TitleState,
        row: Row,
        event: Event,
        record: SourceRecord,
        instant_ms: int,
        credited_ms: int,
        in_play: bool,
    ) -> None:
        """Credit one instant, with the event's zone and segment. `title.delta` must be that instant's already."""
        delta, zone = title.delta, event.time_zone
        delta.watched_ms += credited_ms
        if event.profile_kind == "kids":
            delta.kids_watched_ms += credited_ms
        local = self._local.at(zone, instant_ms)
        parts = title.parts
        if parts is None:
            parts = title.parts_changed()
        parts[local.daypart * PART + WATCHED] += credited_ms
        # In the common case the day is filled and the week reached, so neither habits nor weeks are looked up.
        if row.filled != local.span:
            now = self.stream_time_ms, self.clock_ms
            for fact in self._streaks.credit(title, row, local, zone, credited_ms, now):
                self._milestones.append(Milestone(fact, event, record.offset))
        if in_play and row.reached_week != title.week:
            self._count_audience(title, row, instant_ms, credited_ms)

    def _count_audience(self, title: TitleState, row: Row, instant_ms: int, credited_ms: int) -> None:
        week, weeks = audience_week(instant_ms // DAY_MS), row.weeks
        if weeks is None:
            weeks = row.weeks = WatchedWeeks(week, self.rules.audience_ms)
        elif weeks.others is not None:
            weeks.forget(audience_week((self.stream_time_ms - self.rules.grace_ms) // DAY_MS) - _WEEKS_KEPT)
        changes = weeks.credit(week, credited_ms, self.rules.audience_ms)
        row.reached_week = week if not weeks.left_ms else NO_WEEK
        if changes:
            title.note_audience(changes)

    def _count_facts(self, title: TitleState, row: Row, event: Event, offset: int, outcome: Outcome) -> None:
        counters, is_kids, facts = title.delta.facts_moved(), event.profile_kind == "kids", outcome.facts
        for fact in facts:
            count(counters, fact, is_kids)
            self._milestones.append(Milestone(fact, event, offset))
        if title.franchise is not None:
            oldest_ms = self.stream_time_ms - self.rules.forget_ms
            title.franchise.note_facts(title, event.household_id, row, facts, oldest_ms)
        completed = [fact for fact in facts if fact.name == COMPLETED]
        if completed:
            part = self._local.at(event.time_zone, event.event_time_ms).daypart
            title.parts_changed()[part * PART + COMPLETIONS] += len(completed)
            self._count_returns(title, event, [fact.before_ms for fact in completed if fact.before_ms is not None])

    def _count_returns(self, title: TitleState, event: Event, followed: list[int]) -> None:
        """Count completions that were followed, in the windows of their own times; hour windows do not count them."""
        at_hand = title.delta, title.delta_from_ms, title.delta_until_ms, title.week
        for before_ms in followed:
            title.select_delta(before_ms, False)
            count_return(title.delta.facts_moved(), abs(event.event_time_ms - before_ms))
        title.delta, title.delta_from_ms, title.delta_until_ms, title.week = at_hand

    # -- the catalog ------------------------------------------------------------------------------------------

    @property
    def catalog(self) -> Mapping[str, CatalogRow]:
        """The catalog rows that hold now, by title id."""
        return self._sums.catalog

    def apply_catalog_row(self, title_id: str, row: CatalogRow | None) -> None:
        """Apply a catalog row to all records from now on. None: the title left the catalog."""
        self._sums.apply_catalog_row(title_id, row)

    # -- zones ------------------------------------------------------------------------------------------------

    def apply_zones(self, zones: Mapping[str, tzinfo]) -> None:
        """Use these zones' rules for all records from now on. Zones that are not named stay as they are."""
        self._zones = {**self._zones, **zones}
        self._local.judge_by(self._zones)

    # -- erasures ---------------------------------------------------------------------------------------------

    def erase(self, until: Mapping[str, int]) -> dict[str, int]:
        """Forget households, named by digest: their rows, and their part in counts of households.

        Their records below these offsets do not count from now on; later ones count as those of a new household. Sums
        of what was watched identify nobody, and stay. Returns the number of rows that each household had. Looks
        through all rows.
        """
        self.erasures.note(until)
        found = held_of(self.titles.values(), until)
        for held in found.values():
            self._erase(held)
        gone = {each.household_id for held in found.values() for each in held}
        self._dirty_rows = [dirty for dirty in self._dirty_rows if dirty[1] not in gone]
        return {digest: len(held) for digest, held in found.items()}

    def _erase(self, held: list[HouseholdRow]) -> None:
        """Forget a household. `held`: all its rows."""
        oldest_ms = self.stream_time_ms - self.rules.forget_ms
        live = [each for each in held if each.row.touched_ms >= oldest_ms]
        self._sums.erase([(each.title, each.row.flags, each.row.completions) for each in live])
        for title, _, row in live:
            self._streaks.leave(title, row, self.clock_ms)
        for title, household_id, _ in held:
            del title.rows[household_id]
            self._gone_rows.append((title.title_id, household_id))
            self._watching.leave(title, household_id)
            self._sums.mark(title)

    # -- time, and what leaves by it ----------------------------------------------------------------------------

    def advance_clock(self, clock_ms: int) -> None:
        """Advance the clock after a silence. It ends streaks and *watching now*, nothing else."""
        self.clock_ms = max(self.clock_ms, clock_ms)

    def ends_by(self, clock_ms: int) -> bool:
        """Whether a streak, or a session that is watched now, may end by an instant."""
        ends = (self._streaks.next_end_ms, self._watching.next_end_ms)
        return any(end_ms is not None and end_ms <= clock_ms for end_ms in ends)

    def sweep(self, rows: int) -> None:
        """Check the next `rows` rows for what need not be kept. A pass begins at most once a day of stream time."""
        day = self.stream_time_ms // DAY_MS
        gone = next(self._sweep, None)
        if gone is not None:
            self._gone_rows += gone
        elif day > self._swept_day:
            self._swept_day = day
            self._sweep = sweep(self.titles, self.stream_time_ms, self.rules, rows)

    # -- what changed -----------------------------------------------------------------------------------------

    def stream_counts(self) -> list[int]:
        """The counts of all records so far, in the order of `StreamCounters`."""
        return list(msgspec.structs.astuple(self.stream))

    def drain(self, sequence: int, published: int | None = None) -> FoldChanges:
        """What changed since the last drain. Tallies get `sequence`, that of the checkpoint to be written.

        `published`: the sequence up to which all tallies are published. A window that changed later does not expire
        yet. None: every window may expire.
        """
        self._sums.count_anew(self.stream_time_ms - self.rules.forget_ms)
        for title in self._streaks.end(self.clock_ms, self.titles):
            self._sums.mark(title)
        for title in self._watching.end(self.clock_ms):
            self._sums.mark(title)
        rows: list[tuple[str, str, bytes | None]] = [
            (title_id, household, None) for title_id, household in self._gone_rows
        ]
        rows += [(title.title_id, household_id, self._rest(row)) for title, household_id, row in self._dirty_rows]
        sums = self._sums.drain(sequence, self.stream_time_ms, published)
        changes = FoldChanges(
            rows,
            sums.tallies,
            self._dead_letters,
            self._late,
            self._milestones,
            self._streaks.drain(),
            sums.current,
            sums.titles,
        )
        self._reset()
        self.generation += 1
        return changes

    def _rest(self, row: Row) -> bytes:
        row.dirty = False
        packed = row.packed = pack(row)
        return packed

    # -- packed rows ------------------------------------------------------------------------------------------

    def evict(self, hot_rows: int) -> None:
        """Pack the rows that were not touched lately, until at most `hot_rows` are decoded.

        Call after a drain only: a row with changes must not be packed before they are drained.
        """
        self._rows.evict(hot_rows, self.generation)

    # -- restored ---------------------------------------------------------------------------------------------

    def restore_streaks(self, title_id: str, end_quarter: int, sums: list[int]) -> None:
        """Restore a sum of `FoldChanges.streaks`."""
        self._streaks.restore(self.title(title_id), end_quarter, sums)

    def restored(self, catalog: Mapping[str, CatalogRow], stream_time_ms: int, clock_ms: int) -> None:
        """Finish a restore from the last checkpoint. Call it after all rows, tallies and streaks are restored."""
        self.stream_time_ms, self.clock_ms = stream_time_ms, max(stream_time_ms, clock_ms)
        self._sums.restored(catalog)
        for title in self.titles.values():
            self._watching.restore(title, self.clock_ms)
