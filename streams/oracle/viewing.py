"""What one event does to a household's viewing of a title, by the plainest code that the rules allow.

Owns the household, title and session of section 1, with a number for every cell: how often it was seen and not yet
used up by a completion. It must not know records, catalogs, windows or sums, and shares no code with `models` but
the thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from models.rules import CELL_MS, SHORTEST_STATED_LENGTH_MS, UNKNOWN_LENGTH_CELLS, Rules
from streams.oracle.kept import Milestone
from streams.oracle.records import RawRecord


class Fact(NamedTuple):
    """Something that counts, once and for good: `amount` of `kind`, at the time of the event that made it."""

    title_id: str
    kind: str
    event_time_ms: int
    in_hour: bool
    kids: bool
    amount: int


@dataclass(slots=True)
class Made:
    """What events made: facts to be summed up, milestones to be told."""

    facts: list[Fact] = field(default_factory=list)
    milestones: list[Milestone] = field(default_factory=list)


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


class Applied:
    """One event that is applied to its household and title."""

    def __init__(
        self,
        rules: Rules,
        made: Made,
        event: dict[str, Any],
        record: RawRecord,
        title: dict[str, Any],
        in_hour: bool,
        viewing: Viewing,
    ) -> None:
        self.rules = rules
        self.made = made
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
        self.made.facts.append(Fact(event["title_id"], kind, event["event_time_ms"], self.in_hour, kids, amount))

    def milestone(self, milestone: str, ordinal: int) -> None:
        event, (partition, offset, _, key, _) = self.event, self.record
        self.made.milestones.append(
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
            end_owed(self.viewing, self.session_id)

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


def is_no_op(event: dict[str, Any], session: Session) -> bool:
    """Whether the event is older than the session's place, or was applied there already."""
    if "seq" in event and session.largest_seq is not None:
        at, place, ids = event["seq"], session.largest_seq, session.ids_at_seq
    else:
        assert session.largest_time_ms is not None
        at, place, ids = event["event_time_ms"], session.largest_time_ms, session.ids_at_time
    return at < place or (at == place and event["event_id"] in ids)


def end_owed(viewing: Viewing, session_id: str) -> None:
    """Let what the session owes, if it does, be nobody's."""
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
