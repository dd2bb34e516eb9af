"""What one partition's log means, folded by the plainest code that the rules allow.

Owns the household, title and session of section 1, with a number for every cell: how often it was seen and
not yet used up by a completion. Gives facts, one row each, and the records that are kept in topics of their own.
It must not know windows, sums, Kafka or Redis, and shares no code with `models` but the thresholds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from models.rules import CELL_MS, SHORTEST_STATED_LENGTH_MS, UNKNOWN_LENGTH_CELLS, Rules
from streams.kept import LARGEST_KEPT_BYTES
from streams.oracle.kept import Kept, Milestone, held
from streams.oracle.records import RawRecord, Unreadable, home_partition, known_zones, read_event


class Fact(NamedTuple):
    """Something that counts, once and for good: `amount` of `kind`, at the time of the event that made it."""

    title_id: str
    kind: str
    event_time_ms: int
    in_hour: bool
    kids: bool
    amount: int


class CatalogRow(NamedTuple):
    """A title's row (`row`: JSON, empty for a removed title), taken in by a partition at `offset`."""

    offset: int
    title_id: str
    row: bytes


@dataclass(slots=True)
class Session:
    allowance_ms: int
    autoplay: bool
    playing: bool = False
    over: bool = False
    position_ms: int = 0
    last_time_ms: int = 0
    rate_thousandths: int = 1000
    credited_ms: int = 0
    played: bool = False
    largest_seq: int | None = None
    ids_at_seq: set[str] = field(default_factory=set)
    largest_time_ms: int | None = None
    ids_at_time: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Viewing:
    """A household and a title."""

    applied_stream_ms: int
    sessions: dict[str, Session] = field(default_factory=dict)
    seen: bytearray = field(default_factory=bytearray)  # 0, 1 or 2 for every cell
    owed: set[int] = field(default_factory=set)
    owed_by: str | None = None
    unjudged: bool = False
    stated_ms: int = 0
    credited_ms: int = 0
    mark_ms: int = 0
    completions: int = 0
    starter: bool = False
    viewer: bool = False
    watcher: bool = False
    skimmer: bool = False


class PartitionLog:
    """Folds the records of one partition, given in the order of their offsets."""

    def __init__(self, partition: int, partitions: int, rules: Rules, catalog: list[CatalogRow]) -> None:
        self.partition = partition
        self.partitions = partitions
        self.rules = rules
        self.coming_rows = sorted(catalog, key=lambda row: row.offset, reverse=True)
        self.catalog: dict[str, dict[str, Any]] = {}
        self.viewings: dict[tuple[str, str], Viewing] = {}
        self.stream_ms = -(2**63)
        self.produced = 0
        self.facts: list[Fact] = []
        self.milestones: list[Milestone] = []
        self.dead_letters: dict[Kept, str] = {}
        self.late: list[Kept] = []
        self.events = self.late_hour_events = self.unknown_zone_events = self.misrouted_events = 0

    def take(self, record: RawRecord) -> None:
        self.produced += 1
        while self.coming_rows and self.coming_rows[-1].offset <= record.offset:
            row = self.coming_rows.pop()
            self.catalog[row.title_id] = json.loads(row.row) if row.row else {}
        self.stream_ms = max(self.stream_ms, record.timestamp_ms)
        try:
            event = read_event(record.key, record.value)
            if event["event_time_ms"] > record.timestamp_ms + self.rules.future_ms:
                raise Unreadable("event_time_ms is in the future")
        except Unreadable as reason:
            self.dead_letters[_kept(record)] = str(reason)
            return
        if event["event_time_ms"] < self.stream_ms - self.rules.grace_ms:
            self.late.append(_kept(record))
            return
        self.events += 1
        title = self.catalog.get(event["title_id"], {})
        if event.get("content_kind", "main") == "main" and (title.get("content_kind") or "main") == "main":
            self._count(event, record, title)

    def _count(self, event: dict[str, Any], record: RawRecord, title: dict[str, Any]) -> None:
        in_hour = event["event_time_ms"] >= self.stream_ms - self.rules.hour_grace_ms
        self.late_hour_events += not in_hour
        self.unknown_zone_events += "time_zone" in event and event["time_zone"] not in known_zones()
        self.misrouted_events += home_partition(record.key or b"", self.partitions) != self.partition
        viewing = self._viewing(event)
        session = viewing.sessions.get(event["play_session_id"])
        if session is not None and _is_no_op(event, session):
            return
        Applied(self, event, record, title, in_hour, viewing).apply(session)
        viewing.applied_stream_ms = self.stream_ms

    def _viewing(self, event: dict[str, Any]) -> Viewing:
        """The household and title as they are now: forgotten where they were silent for long."""
        pair = (event["household_id"], event["title_id"])
        viewing = self.viewings.get(pair)
        if viewing is None or viewing.applied_stream_ms < self.stream_ms - self.rules.forget_ms:
            viewing = self.viewings[pair] = Viewing(self.stream_ms)
        for session_id, session in list(viewing.sessions.items()):
            assert session.largest_time_ms is not None
            if session.largest_time_ms < self.stream_ms - self.rules.grace_ms:
                del viewing.sessions[session_id]
                _end_owed(viewing, session_id)
        return viewing


class Applied:
    """One event that is applied to its household and title."""

    def __init__(
        self,
        log: PartitionLog,
        event: dict[str, Any],
        record: RawRecord,
        title: dict[str, Any],
        in_hour: bool,
        viewing: Viewing,
    ) -> None:
        self.rules = log.rules
        self.facts = log.facts
        self.milestones = log.milestones
        self.event = event
        self.record = record
        self.in_hour = in_hour
        self.viewing = viewing
        self.session_id: str = event["play_session_id"]
        if not viewing.stated_ms:
            viewing.stated_ms = _stated_length(event)
        self.length_ms: int = _length(title) or viewing.stated_ms
        self.cells = max(1, self.length_ms // CELL_MS) if self.length_ms else UNKNOWN_LENGTH_CELLS

    def fact(self, kind: str, amount: int = 1) -> None:
        event = self.event
        kids = event.get("profile_kind") == "kids"
        self.facts.append(Fact(event["title_id"], kind, event["event_time_ms"], self.in_hour, kids, amount))

    def milestone(self, milestone: str, ordinal: int) -> None:
        event, (partition, offset, _, key, _) = self.event, self.record
        self.milestones.append(
            Milestone(
                partition, offset, key, milestone, event["household_id"], event["title_id"], event["event_id"],
                event["event_time_ms"], ordinal,
            )
        )  # fmt: skip

    def apply(self, session: Session | None) -> None:
        if self.length_ms and self.viewing.unjudged:
            self._judge_what_was_kept()
        if session is None:
            session = Session(self.rules.allowance_ms, self.event.get("autoplay", False))
            self.viewing.sessions[self.session_id] = session
            self._open(session)
        else:
            self._close_interval(session)
            self._go_on(session)
        self._look_for_skimmer()
        self._note_place(session)
        if self.event["event_type"] in ("stop", "end"):
            _end_owed(self.viewing, self.session_id)

    def _judge_what_was_kept(self) -> None:
        self.viewing.unjudged = False
        self._judge(owner=None)

    # The interval that ends here

    def _close_interval(self, session: Session) -> None:
        start = session.position_ms
        end = self.event["position_ms"]
        if self.event["event_type"] == "seek":
            end = self.event.get("seek_from_ms")
        elapsed_ms = self.event["event_time_ms"] - session.last_time_ms
        if not session.playing or end is None or not 0 <= elapsed_ms <= self.rules.longest_interval_ms:
            return
        paced_ms = elapsed_ms * session.rate_thousandths * self.rules.pace_percent // 100_000
        most = session.allowance_ms + paced_ms
        credited = end - start if 0 < end - start <= most else 0
        session.allowance_ms = min(self.rules.allowance_ms, most - credited)
        if credited:
            self._credit(session, start, end)

    def _credit(self, session: Session, start_ms: int, end_ms: int) -> None:
        viewing, rules = self.viewing, self.rules
        self.fact("watched_ms", end_ms - start_ms)
        session.credited_ms += end_ms - start_ms
        viewing.credited_ms += end_ms - start_ms
        least = rules.autoplay_play_ms if session.autoplay else rules.play_ms
        if not session.played and session.credited_ms >= least:
            session.played = True
            self.fact("plays")
        if viewing.credited_ms >= rules.starter_ms:
            self._become("starter")
        if viewing.credited_ms >= rules.viewer_ms:
            self._become("viewer")
        self._cover(start_ms, end_ms)
        if self.length_ms:
            self._judge(owner=self.session_id)

    def _become(self, what: str) -> None:
        if not getattr(self.viewing, what):
            setattr(self.viewing, what, True)
            self.fact(what + "s")
            if what in ("starter", "viewer"):
                self.milestone(what, 1)

    # Coverage and completion

    def _cover(self, start_ms: int, end_ms: int) -> None:
        viewing = self.viewing
        owns = viewing.owed_by == self.session_id
        beyond = min(self.cells, end_ms // CELL_MS + 1)
        viewing.seen.extend(bytes(max(0, beyond - len(viewing.seen))))
        for cell in range(start_ms // CELL_MS, beyond):
            alone = self.length_ms and self.cells == 1
            midpoint_ms = self.length_ms // 2 if alone else CELL_MS * cell + CELL_MS // 2
            if not start_ms <= midpoint_ms < end_ms:
                continue
            if not self.length_ms:
                viewing.unjudged = True
            if owns and cell in viewing.owed:
                viewing.owed.remove(cell)
                continue
            viewing.seen[cell] = min(2, viewing.seen[cell] + 1)

    def _judge(self, owner: str | None) -> None:
        if self._covered() * 100 >= self.rules.watcher_percent * self.cells:
            self._become("watcher")
        while self._covered() * 100 >= self.rules.completion_percent * self.cells:
            self._complete(owner)

    def _covered(self) -> int:
        seen = self.viewing.seen[: self.cells]
        return len(seen) - seen.count(0)

    def _complete(self, owner: str | None) -> None:
        viewing = self.viewing
        seen = viewing.seen
        viewing.owed_by = owner
        viewing.owed = {
            cell for cell in range(self.cells) if owner is not None and (cell >= len(seen) or not seen[cell])
        }
        viewing.seen = bytearray(max(0, times - 1) for times in seen)
        for what in ("starter", "viewer", "watcher"):
            self._become(what)
        viewing.completions += 1
        self.fact("completions")
        self.milestone("completion", viewing.completions)
        if viewing.completions == 1:
            self.fact("completers")
            if viewing.skimmer:
                self.fact("skimmers", -1)
        else:
            self.fact("rewatches")
            self.fact(_histogram_field(viewing.completions - 1), -1)
        if viewing.completions == 2:
            self.fact("repeaters")
        self.fact(_histogram_field(viewing.completions))

    def _look_for_skimmer(self) -> None:
        viewing, event = self.viewing, self.event
        viewing.mark_ms = max(viewing.mark_ms, event["position_ms"])
        if event["event_type"] == "seek":
            viewing.mark_ms = max(viewing.mark_ms, event.get("seek_from_ms", 0))
        far = self.length_ms and viewing.mark_ms * 100 >= self.rules.skimmer_percent * self.length_ms
        if far and not viewing.completions and not viewing.skimmer:
            viewing.skimmer = True
            self.fact("skimmers")

    # The session after this event

    def _open(self, session: Session) -> None:
        event_type = self.event["event_type"]
        session.playing = event_type in ("start", "play", "heartbeat", "rate", "seek")
        session.over = event_type in ("stop", "end")

    def _go_on(self, session: Session) -> None:
        event_type = self.event["event_type"]
        advanced = self.event["position_ms"] > session.position_ms
        if event_type in ("start", "play"):
            session.playing, session.over = True, False
        elif event_type in ("pause", "buffer"):
            session.playing = False
        elif event_type in ("stop", "end"):
            session.playing, session.over = False, True
        elif event_type == "heartbeat" and not session.over and advanced:
            session.playing = True

    def _note_place(self, session: Session) -> None:
        event = self.event
        session.position_ms = event["position_ms"]
        session.last_time_ms = event["event_time_ms"]
        if "playback_rate" in event:
            session.rate_thousandths = _rate_thousandths(event["playback_rate"])
        if "seq" in event:
            if session.largest_seq is None or event["seq"] > session.largest_seq:
                session.largest_seq, session.ids_at_seq = event["seq"], set()
            if event["seq"] == session.largest_seq:
                session.ids_at_seq.add(event["event_id"])
        if session.largest_time_ms is None or event["event_time_ms"] > session.largest_time_ms:
            session.largest_time_ms, session.ids_at_time = event["event_time_ms"], set()
        if event["event_time_ms"] == session.largest_time_ms:
            session.ids_at_time.add(event["event_id"])


def _is_no_op(event: dict[str, Any], session: Session) -> bool:
    """Whether the event is older than the session's place, or was applied there already."""
    if "seq" in event and session.largest_seq is not None:
        at, place, ids = event["seq"], session.largest_seq, session.ids_at_seq
    else:
        assert session.largest_time_ms is not None
        at, place, ids = event["event_time_ms"], session.largest_time_ms, session.ids_at_time
    return at < place or (at == place and event["event_id"] in ids)


def _end_owed(viewing: Viewing, session_id: str) -> None:
    if viewing.owed_by == session_id:
        viewing.owed, viewing.owed_by = set(), None


def _length(title: dict[str, Any]) -> int:
    """The catalog's length of a title in ms, 0 where it knows none."""
    lengths = (title.get("credits_start_ms") or 0, title.get("runtime_ms") or 0)
    return next((length for length in lengths if length > 0), 0)


def _stated_length(event: dict[str, Any]) -> int:
    lengths = (event.get("credits_start_ms", 0), event.get("runtime_ms", 0))
    return next((length for length in lengths if length >= SHORTEST_STATED_LENGTH_MS), 0)


def _rate_thousandths(rate: float) -> int:
    exact = Decimal(repr(float(rate))) * 1000
    return int(min(max(exact, Decimal(100)), Decimal(4000)).to_integral_value(ROUND_HALF_EVEN))


def _histogram_field(completions: int) -> str:
    for least, name in ((10, "10_plus"), (5, "5_9"), (3, "3_4"), (2, "2")):
        if completions >= least:
            return f"rewatch_hist_{name}"
    return "rewatch_hist_1"


def _kept(record: RawRecord) -> Kept:
    (key, key_bytes), (value, value_bytes) = _cut(record.key), _cut(record.value)
    return Kept(record.partition, record.offset, key, value, key_bytes, value_bytes)


def _cut(data: bytes | None) -> tuple[bytes | None, int | None]:
    """What a topic keeps of a key or value, and its length where that is not all."""
    if data is None or len(data) <= LARGEST_KEPT_BYTES:
        return held(data), None
    return held(data[:LARGEST_KEPT_BYTES]), len(data)
