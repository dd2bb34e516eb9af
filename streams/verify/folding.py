"""Folds one partition's log, with the plainest code that the rules allow.

Owns the order of checks, stream time and clock, the applied catalog rows, and what is forgotten. Returns facts and the
records of the side topics. It shares no code with `models` but the thresholds.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple

from models.rules import LARGEST_KEPT_BYTES, Rules
from streams.registry.decoder import SourceDecoder
from streams.registry.values import UndecodableValue
from streams.verify.coverage import catalog_length
from streams.verify.dayparts import Dayparts
from streams.verify.facts import Made
from streams.verify.franchises import CatalogFranchises, Standing, household_counts
from streams.verify.gauges import Gauges
from streams.verify.kept import KeptRecord, held
from streams.verify.records import (
    TIMES_MS,
    RawRecord,
    UnreadableRecord,
    digest,
    home_partition,
    pseudonym,
    read_event,
)
from streams.verify.session import DOUBLE, RESTART, STALE, Session
from streams.verify.telling import EventContext, Telling
from streams.verify.viewing import Applied, Viewing
from streams.verify.zones import ZoneRow, ZonesInForce

NEVER = -(2**63)


class CatalogRow(NamedTuple):
    """A title's row in the catalog, which a partition applies from `offset` on. `row`: JSON; empty: it was removed."""

    offset: int
    title_id: str
    row: bytes


class PartitionLog:
    """Folds the records of one partition, which must come in the order of their offsets.

    `silent`, the control rows of silences, maps a source offset to the clock's time from there on, in milliseconds.
    `erasures` maps the offset at which an erasure applied, and the household's digest, to the offset below which its
    records do not count. With a `pseudonym_key`, households go by their pseudonyms, and records of side topics keep
    only the length of their value. `zones` are the rows of zone data; without any, the installed zones apply. `decode`
    turns values into JSON; None: they are JSON.
    """

    def __init__(
        self,
        partition: int,
        partitions: int,
        rules: Rules,
        catalog: Sequence[CatalogRow],
        silent: Mapping[int, int],
        pseudonym_key: bytes | None = None,
        erasures: Mapping[tuple[int, str], int] = MappingProxyType({}),
        zones: Iterable[ZoneRow] = (),
        decode: SourceDecoder | None = None,
    ) -> None:
        self.partition = partition
        self.partitions = partitions
        self.rules = rules
        self.pseudonym_key = pseudonym_key
        self.decode = decode
        self.dayparts = Dayparts(rules.dayparts)
        self.zones = ZonesInForce(zones)
        self.coming_rows = sorted(catalog, key=lambda row: row.offset, reverse=True)
        self.coming_silences = sorted(silent.items(), reverse=True)
        self.coming_erasures = sorted(erasures.items(), reverse=True)
        self.rows_known = set(catalog)
        self.erasures_known = set(erasures)
        self.erased_until: dict[str, int] = {}
        self.households_gone: dict[str, Counter[str]] = defaultdict(Counter)
        self.catalog: dict[str, dict[str, Any]] = {}
        self.earliest_release_ms: dict[str, int] = {}
        self.franchises = CatalogFranchises()
        self.viewings: dict[str, dict[str, Viewing]] = defaultdict(dict)
        # By household, the titles that it has, or had, a viewing of.
        self.seen: dict[str, set[str]] = defaultdict(set)
        # By household that belongs to another partition, the offset of its first event here.
        self.misrouted: dict[str, int] = {}
        self.stream_ms = self.silent_ms = self.end_silent_ms = NEVER
        self.produced = 0
        self.made = Made()
        self.dead_letters: dict[KeptRecord, str] = {}
        self.late: list[KeptRecord] = []
        self._gauges: Gauges | None = None

    @property
    def clock_ms(self) -> int:
        return max(self.stream_ms, self.silent_ms, self.end_silent_ms)

    def take(self, record: RawRecord) -> None:
        self.produced += 1
        self._take_controls(record.offset)
        try:
            if record.timestamp_ms not in TIMES_MS:
                raise UnreadableRecord("the record's timestamp is not between 1970 and the end of 9999")
            self.stream_ms = max(self.stream_ms, record.timestamp_ms)
            event = _event(record, self.decode)
            if event["event_time_ms"] > record.timestamp_ms + self.rules.future_ms:
                raise UnreadableRecord("event_time_ms is in the future")
        except (UnreadableRecord, UndecodableValue) as reason:
            self.dead_letters[_kept(record, self.pseudonym_key)] = str(reason)
            return
        if event["event_time_ms"] < self.stream_ms - self.rules.grace_ms:
            self.late.append(_kept(record, self.pseudonym_key))
            return
        self.made.account["events"] += 1
        if self.pseudonym_key is not None and record.nameless is None:
            event["household_id"] = pseudonym(self.pseudonym_key, event["household_id"].encode())
        if self.erased_until and record.offset < self.erased_until.get(digest(event["household_id"]), 0):
            return
        title = self.catalog.get(event["title_id"], {})
        if event.get("content_kind", "main") == "main" and (title.get("content_kind") or "main") == "main":
            self._count(event, record, title)

    def end(
        self,
        catalog: Iterable[CatalogRow],
        silent: Mapping[int, int],
        erasures: Mapping[tuple[int, str], int] = MappingProxyType({}),
    ) -> None:
        """Apply the control rows from the end of the log, and those that have come since.

        Silences are not kept: the clock is that of the last call, and may be earlier than before.
        """
        self._apply_rows(reversed(self.coming_rows))
        self.coming_rows = []
        new = sorted(row for row in catalog if row not in self.rows_known)
        self.rows_known.update(new)
        self._apply_rows(new)
        self.end_silent_ms = max(silent.values(), default=NEVER)
        while self.coming_erasures:
            self._erase(*self.coming_erasures.pop())
        for taken_in, until in erasures.items():
            if taken_in not in self.erasures_known:
                self.erasures_known.add(taken_in)
                self._erase(taken_in, until)

    def gauges(self) -> Gauges:
        """The gauges at the end of the log. Once this was called, `take` may not be."""
        if self._gauges is None or self._gauges.clock_ms > self.clock_ms:
            self._gauges = Gauges(self.viewings, self.rules, stream_ms=self.stream_ms, clock_ms=self.clock_ms)
        return self._gauges

    def _count(self, event: dict[str, Any], record: RawRecord, title: dict[str, Any]) -> None:
        in_hour = event["event_time_ms"] >= self.stream_ms - self.rules.hour_grace_ms
        account = self.made.account
        account["late_hour_events"] += not in_hour
        account["unknown_zone_events"] += "time_zone" in event and not self.zones.has(event["time_zone"])
        if self._is_misrouted(record):
            account["misrouted_events"] += 1
            self.misrouted.setdefault(event["household_id"], record.offset)
        viewing = self._viewing(event)
        session = viewing.sessions.get(event["play_session_id"])
        if session is not None and not self._is_news(session, event):
            return
        before = viewing.standing
        moment = EventContext(event, record, title, self.zones.of(event.get("time_zone")), self.clock_ms, in_hour)
        Applied(self.rules, Telling(moment, self.dayparts, self.made), viewing).apply(session)
        viewing.applied_stream_ms = self.stream_ms
        if viewing.has_credit:
            self.franchises.watched.add(event["title_id"])
        if viewing.standing != before:
            self._tell_franchise(event, before, viewing.standing)

    def _is_misrouted(self, record: RawRecord) -> bool:
        if record.nameless is not None:
            return record.nameless.is_misrouted
        return home_partition(record.key or b"", self.partitions) != self.partition

    def _is_news(self, session: Session, event: dict[str, Any]) -> bool:
        what = session.what_is(event)
        self.made.account["stale_events"] += what == STALE
        if what == RESTART:
            self.made.account["player_restarts"] += 1
            session.begin_run()
        return what not in (STALE, DOUBLE)

    def _viewing(self, event: dict[str, Any]) -> Viewing:
        """The household's viewing of the title; a new one if there was none, or if it is forgotten by now."""
        households, household_id = self.viewings[event["title_id"]], event["household_id"]
        viewing = households.get(household_id)
        if viewing is None or not viewing.is_live(self.stream_ms, self.rules):
            viewing = households[household_id] = Viewing(self.stream_ms)
            self.seen[household_id].add(event["title_id"])
        viewing.forget_sessions_before(self.stream_ms - self.rules.grace_ms)
        return viewing

    # The catalog and its franchises

    def _take_controls(self, offset: int) -> None:
        self.zones.reach(offset)
        due = []
        while self.coming_rows and self.coming_rows[-1].offset <= offset:
            due.append(self.coming_rows.pop())
        self._apply_rows(due)
        while self.coming_silences and self.coming_silences[-1][0] <= offset:
            self.silent_ms = max(self.silent_ms, self.coming_silences.pop()[1])
        while self.coming_erasures and self.coming_erasures[-1][0][0] <= offset:
            self._erase(*self.coming_erasures.pop())

    def _erase(self, taken_in: tuple[int, str], until: int) -> None:
        """Forget a household: counts of households lose it, and facts stay."""
        _, whom = taken_in
        self.erased_until[whom] = max(until, self.erased_until.get(whom, 0))
        self.misrouted = {name: offset for name, offset in self.misrouted.items() if digest(name) != whom}
        self._gauges = None
        in_franchises: dict[str, list[Standing]] = defaultdict(list)
        for title_id, households in self.viewings.items():
            for household_id in [household_id for household_id in households if digest(household_id) == whom]:
                viewing = households.pop(household_id)
                if viewing.is_live(self.stream_ms, self.rules):
                    self.households_gone[title_id].update(household_counts([viewing.standing]))
                    if title_id in self.franchises.of:
                        in_franchises[self.franchises.of[title_id]].append(viewing.standing)
        for franchise_id, standings in in_franchises.items():
            self.franchises.leave(franchise_id, standings)

    def _apply_rows(self, rows: Iterable[CatalogRow]) -> None:
        """Rows of one checkpoint move all their titles before any franchise is recounted."""
        for _, together in groupby(rows, key=lambda row: row.offset):
            for franchise_id in {moved for row in together for moved in self._apply_row(row)}:
                self.franchises.recount(franchise_id, self._households(franchise_id).values())

    def _apply_row(self, row: CatalogRow) -> list[str]:
        """Apply a row of the catalog. Returns the franchises to recount."""
        title: dict[str, Any] = json.loads(row.row) if row.row else {}
        if catalog_length(title) != catalog_length(self.catalog.get(row.title_id, {})):
            self.made.curves.pop(row.title_id, None)
        self.catalog[row.title_id] = title
        release_ms = title.get("release_time_ms")
        if release_ms is not None:
            earliest_ms = self.earliest_release_ms.get(row.title_id, release_ms)
            self.earliest_release_ms[row.title_id] = min(earliest_ms, release_ms)
        return self.franchises.move(row.title_id, title.get("franchise_id") or None)

    def _households(self, franchise_id: str) -> dict[str, list[Standing]]:
        """Each household's standings in the titles of a franchise, as far as they are not forgotten."""
        standings: dict[str, list[Standing]] = defaultdict(list)
        for title_id in self.franchises.members[franchise_id]:
            for household_id, viewing in self.viewings.get(title_id, {}).items():
                if viewing.is_live(self.stream_ms, self.rules):
                    standings[household_id].append(viewing.standing)
        return standings

    def _tell_franchise(self, event: dict[str, Any], before: Standing, after: Standing) -> None:
        franchise_id = self.franchises.of.get(event["title_id"])
        if franchise_id is None:
            return
        household_id, of = event["household_id"], self.franchises.of
        others = self.seen[household_id] - {event["title_id"]}
        seen = (title_id for title_id in others if of.get(title_id) == franchise_id)
        viewings = [self.viewings[title_id].get(household_id) for title_id in seen]
        live = [each.standing for each in viewings if each is not None and each.is_live(self.stream_ms, self.rules)]
        self.franchises.change(franchise_id, live, before, after)


def _event(record: RawRecord, decode: SourceDecoder | None) -> dict[str, Any]:
    if record.nameless is not None and record.nameless.refusal is not None:
        raise UnreadableRecord(record.nameless.refusal)
    return read_event(record.key, record.value if decode is None else decode(record.value))


def _kept(record: RawRecord, pseudonym_key: bytes | None) -> KeptRecord:
    if record.nameless is not None:
        length = record.nameless.value_bytes
        return KeptRecord(
            record.partition, record.offset, record.key, None if length is None else b"", None, length or None
        )
    if pseudonym_key is not None:
        name = None if record.key is None else pseudonym(pseudonym_key, record.key).encode()
        length = len(record.value) if record.value else None
        return KeptRecord(record.partition, record.offset, name, record.value and b"", None, length)
    (key, key_bytes), (value, value_bytes) = _cut(record.key), _cut(record.value)
    return KeptRecord(record.partition, record.offset, key, value, key_bytes, value_bytes)


def _cut(data: bytes | None) -> tuple[bytes | None, int | None]:
    """What a side topic keeps of a key or value, and its full length if that was cut."""
    if data is None or len(data) <= LARGEST_KEPT_BYTES:
        return held(data), None
    return held(data[:LARGEST_KEPT_BYTES]), len(data)
