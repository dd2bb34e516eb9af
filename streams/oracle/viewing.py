"""What one event does to a household's viewing of a title, by the plainest code that the rules allow.

Owns the household and title of section 1, with a number for every cell: how often it was seen and not yet used up by
a completion. It must not know records, catalogs, windows or sums, and shares no code with `models` but the thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from models.rules import CELL_MS, SHORTEST_STATED_LENGTH_MS, UNKNOWN_LENGTH_CELLS, Rules
from streams.oracle.dayparts import Dayparts, zone_of
from streams.oracle.facts import WEEK_MS, WEEKS, Fact, Made, When, histogram_field
from streams.oracle.franchises import Standing
from streams.oracle.kept import Milestone
from streams.oracle.records import RawRecord
from streams.oracle.session import Session
from streams.oracle.streaks import Habits

# What becomes of how often cells were seen, all at once: once more, twice at most, and once less.
ONCE_MORE = bytes([1, 2, 2, *range(3, 256)])
ONCE_LESS = bytes([0, 0, 1, *range(3, 256)])


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
    habits: Habits = field(default_factory=Habits)

    @property
    def standing(self) -> Standing:
        skimmer = self.skimmer and not self.completions
        return Standing(self.starter, self.viewer, self.watcher, skimmer, self.completions)

    def is_live(self, stream_ms: int, rules: Rules) -> bool:
        """Whether it is not dropped yet at that stream time."""
        return self.applied_stream_ms >= stream_ms - rules.forget_ms

    def end_owed(self, session_id: str) -> None:
        """Let what the session owes, if it does, be nobody's."""
        if self.owed_by == session_id:
            self.owed, self.owed_by = set(), None


class Moment(NamedTuple):
    """An event, its record, and what holds there: the catalog's row, the clock, whether the hour still counts."""

    event: dict[str, Any]
    record: RawRecord
    title: dict[str, Any]
    clock_ms: int
    in_hour: bool


class Applied:
    """One event that is applied to its household and title."""

    def __init__(self, rules: Rules, dayparts: Dayparts, made: Made, moment: Moment, viewing: Viewing) -> None:
        self.rules = rules
        self.dayparts = dayparts
        self.made = made
        self.moment = moment
        self.event = moment.event
        self.viewing = viewing
        self.session_id: str = moment.event["play_session_id"]
        if not viewing.stated_ms:
            viewing.stated_ms = _stated_length(self.event)
        self.length_ms: int = _length(moment.title) or viewing.stated_ms
        self.cells = max(1, self.length_ms // CELL_MS) if self.length_ms else UNKNOWN_LENGTH_CELLS
        self.credited_ms = 0
        self.zone = zone_of(self.event.get("time_zone"))
        self.daypart, self.local_day = dayparts.at(self.zone, self.event["event_time_ms"])
        self.when = self._when()

    def _when(self) -> When:
        event, release_ms = self.event, self.moment.title.get("release_time_ms")
        age_ms = -1 if release_ms is None else event["event_time_ms"] - release_ms
        return When(
            event["title_id"],
            event["event_time_ms"],
            self.moment.in_hour,
            event.get("profile_kind") == "kids",
            age_ms if 0 <= age_ms < WEEKS * WEEK_MS else None,
            self.daypart,
        )

    def fact(self, kind: str, amount: int = 1) -> None:
        self.made.facts.append(Fact(kind, amount, self.when))

    def milestone(self, milestone: str, ordinal: int, *, rewatch: bool | None = None, part: str | None = None) -> None:
        event, (partition, offset, *_) = self.event, self.moment.record
        household_id = event["household_id"]
        self.made.milestones.append(
            Milestone(
                partition, offset, household_id.encode(), milestone, household_id, event["title_id"], event["event_id"],
                event["event_time_ms"], ordinal, rewatch, part,
            )
        )  # fmt: skip

    def apply(self, session: Session | None) -> None:
        if self.length_ms and self.viewing.unjudged:
            self._judge_what_was_kept()
        if session is None:
            session = Session(self.rules.allowance_ms, self.event.get("autoplay", False))
            self.viewing.sessions[self.session_id] = session
            session.open(self.event)
        else:
            self._close_interval(session)
            session.go_on(self.event)
        self._look_for_skimmer()
        session.note_place(self.event)
        if self.event["event_type"] in ("stop", "end"):
            self.viewing.end_owed(self.session_id)
        if self.credited_ms:
            self._fill_day()

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
        self.credited_ms = end_ms - start_ms
        self.fact("watched_ms", self.credited_ms)
        session.credited_ms += self.credited_ms
        viewing.credited_ms += self.credited_ms
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
        viewing, cells = self.viewing, self._cells_of(start_ms, end_ms)
        if cells and not self.length_ms:
            viewing.unjudged = True
        viewing.seen.extend(bytes(max(0, cells.stop - len(viewing.seen))))
        owed = viewing.owed.intersection(cells) if viewing.owed and viewing.owed_by == self.session_id else ()
        if owed:
            viewing.owed.difference_update(owed)
            for cell in set(cells).difference(owed):
                viewing.seen[cell] = ONCE_MORE[viewing.seen[cell]]
        else:
            viewing.seen[cells.start : cells.stop] = viewing.seen[cells.start : cells.stop].translate(ONCE_MORE)

    def _cells_of(self, start_ms: int, end_ms: int) -> range:
        """The cells whose midpoint was played: of all that were touched, the first or the last may be without."""
        first, beyond = start_ms // CELL_MS, min(self.cells, end_ms // CELL_MS + 1)
        if first < beyond and self._midpoint_ms(first) < start_ms:
            first += 1
        if first < beyond and self._midpoint_ms(beyond - 1) >= end_ms:
            beyond -= 1
        return range(first, max(first, beyond))

    def _midpoint_ms(self, cell: int) -> int:
        alone = self.length_ms and self.cells == 1
        return self.length_ms // 2 if alone else CELL_MS * cell + CELL_MS // 2

    def _judge(self, owner: str | None) -> None:
        covered = self._covered()
        if covered * 100 >= self.rules.watcher_percent * self.cells:
            self._become("watcher")
        while covered * 100 >= self.rules.completion_percent * self.cells:
            self._complete(owner)
            covered = self._covered()

    def _covered(self) -> int:
        seen = self.viewing.seen
        return min(self.cells, len(seen)) - seen.count(0, 0, self.cells)

    def _complete(self, owner: str | None) -> None:
        viewing = self.viewing
        seen = viewing.seen
        viewing.owed_by = owner
        viewing.owed = set() if owner is None else _not_seen(seen, self.cells)
        viewing.seen = seen.translate(ONCE_LESS)
        for what in ("starter", "viewer", "watcher"):
            self._become(what)
        viewing.completions += 1
        self.fact("completions")
        self.milestone("completion", viewing.completions, rewatch=viewing.completions > 1)
        if viewing.completions == 1:
            self.fact("completers")
            if viewing.skimmer:
                self.fact("skimmers", -1)
        else:
            self.fact("rewatches")
            self.fact(histogram_field(viewing.completions - 1), -1)
        if viewing.completions == 2:
            self.fact("repeaters")
        self.fact(histogram_field(viewing.completions))

    def _look_for_skimmer(self) -> None:
        viewing, event = self.viewing, self.event
        viewing.mark_ms = max(viewing.mark_ms, event["position_ms"])
        if event["event_type"] == "seek":
            viewing.mark_ms = max(viewing.mark_ms, event.get("seek_from_ms", 0))
        far = self.length_ms and viewing.mark_ms * 100 >= self.rules.skimmer_percent * self.length_ms
        if far and not viewing.completions and not viewing.skimmer:
            viewing.skimmer = True
            self.fact("skimmers")

    # The household's days

    def _fill_day(self) -> None:
        part = self.dayparts.parts[self.daypart]
        for level in self.viewing.habits.credit(
            self.daypart, part, self.local_day, self.zone, self.credited_ms,
            fills_ms=self.rules.streak_day_ms, clock_ms=self.moment.clock_ms,
        ):  # fmt: skip
            self.milestone("streak", level, part=part.name)


def _not_seen(seen: bytearray, cells: int) -> set[int]:
    return {cell for cell, times in enumerate(seen[:cells]) if not times} | set(range(len(seen), cells))


def _length(title: dict[str, Any]) -> int:
    """The catalog's length of a title in ms, 0 where it knows none."""
    return _first_of(title, 1)


def _stated_length(event: dict[str, Any]) -> int:
    return _first_of(event, SHORTEST_STATED_LENGTH_MS)


def _first_of(stated: dict[str, Any], least_ms: int) -> int:
    """The credits' start, or else the runtime, where it is stated and no shorter than that."""
    for name in ("credits_start_ms", "runtime_ms"):
        length_ms: int = stated.get(name) or 0
        if length_ms >= least_ms:
            return length_ms
    return 0
