"""What one event does to a household's viewing of a title, with the plainest code that the rules allow.

Owns the household and title of section 1 of the design, and the order in which an event is applied. It shares no code
with `models` but the thresholds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from models.rules import DAY_MS, MOST_PROFILES, MOST_SESSIONS, RETURN_DAYS, Rules
from streams.verify.audience import CreditedWeeks, week_of
from streams.verify.coverage import Cells, Coverage, catalog_length, stated_length
from streams.verify.curves import slices_of
from streams.verify.facts import histogram_field
from streams.verify.franchises import Standing
from streams.verify.intervals import Credit, Interval
from streams.verify.session import Session
from streams.verify.streaks import Habits
from streams.verify.telling import Telling


@dataclass(slots=True)
class Viewing:
    """A household's viewing of a title. `credited_ms` is the credit of sessions that have made a play."""

    applied_stream_ms: int
    sessions: dict[str, Session] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)
    stated_ms: int = 0
    credited_ms: int = 0
    has_credit: bool = False
    mark_ms: int = 0
    completions: int = 0
    completed_ms: int | None = None
    profiles: list[str] = field(default_factory=list)
    starter: bool = False
    viewer: bool = False
    watcher: bool = False
    skimmer: bool = False
    habits: Habits = field(default_factory=Habits)
    audience: CreditedWeeks = field(default_factory=CreditedWeeks)

    @property
    def standing(self) -> Standing:
        return Standing(self.starter, self.viewer, self.watcher, self.skimmer, self.completions)

    def is_live(self, stream_ms: int, rules: Rules) -> bool:
        """Whether it is not forgotten yet at a stream time."""
        return self.applied_stream_ms >= stream_ms - rules.forget_ms

    def forget_session(self, session_id: str) -> None:
        del self.sessions[session_id]
        self.coverage.end_owed(session_id)

    def forget_sessions_before(self, kept_ms: int) -> None:
        for session_id in [name for name, session in self.sessions.items() if session.largest_time_ms < kept_ms]:
            self.forget_session(session_id)

    def make_room_for_session(self) -> None:
        if len(self.sessions) >= MOST_SESSIONS:
            self.forget_session(min(self.sessions, key=lambda name: self.sessions[name].largest_time_ms))


class Applied:
    """Applies one event to its household's viewing of a title."""

    def __init__(self, rules: Rules, telling: Telling, viewing: Viewing) -> None:
        self.rules = rules
        self.telling = telling
        self.title = telling.moment.title
        self.event = telling.moment.event
        self.viewing = viewing
        self.coverage = viewing.coverage
        self.session_id: str = self.event["play_session_id"]
        if not viewing.stated_ms:
            viewing.stated_ms = stated_length(self.event)
        self.cells = Cells(catalog_length(self.title) or viewing.stated_ms)
        self.pieces: list[tuple[int, int]] = []

    def apply(self, session: Session | None) -> None:
        opens = session is None
        if session is None:
            self.viewing.make_room_for_session()
            session = Session(self.rules.allowance_ms, self.event.get("autoplay", False))
            self.viewing.sessions[self.session_id] = session
        self.session = session
        if self.cells.length_ms and self.coverage.unjudged:
            self.coverage.unjudged = False
            self._judge(owner=None)
        if opens:
            session.open(self.event)
        else:
            self._close_interval()
            if session.goes_back_to_the_beginning(self.event):
                session.begin_another_play()
            session.advance(self.event)
        self._look_for_skimmer()
        session.note_place(self.event)
        if self.event["event_type"] in ("stop", "end"):
            self.coverage.end_owed(self.session_id)
        self._fill_days()

    # The interval that ends here

    def _close_interval(self) -> None:
        end_ms = self.event["position_ms"]
        if self.event["event_type"] == "seek":
            end_ms = self.event.get("seek_from_ms")
        if not self.session.playing or end_ms is None:
            return
        interval = Interval(self.session, self.event, end_ms, self.title, self.rules)
        credit = interval.judge()
        self.telling.made.account.update(interval.refused)
        if credit is not None:
            self._credit(credit)

    def _credit(self, credit: Credit) -> None:
        self.viewing.has_credit = True
        self.pieces = credit.pieces(self.rules.spread_ms)
        for instant_ms, amount_ms in self.pieces:
            self.telling.fact("watched_ms", amount_ms, self.telling.at(instant_ms))
        before_the_play_ms = 0 if self.session.played else self.session.credited_ms
        for number, (start_ms, end_ms) in enumerate(credit.parts):
            if number:
                self.session.begin_another_play()  # the title loops
            if end_ms > start_ms:
                self._credit_part(start_ms, end_ms)
        if self.session.played:
            self._count_in_audience(before_the_play_ms)

    def _credit_part(self, start_ms: int, end_ms: int) -> None:
        self._count_play(end_ms - start_ms)
        if self.viewing.credited_ms >= self.rules.starter_ms:
            self._become("starter")
        if self.viewing.credited_ms >= self.rules.viewer_ms:
            self._become("viewer")
        self._cover(start_ms, end_ms)
        if self.cells.length_ms:
            self._judge(owner=self.session_id)

    def _count_play(self, amount_ms: int) -> None:
        session, viewing = self.session, self.viewing
        if session.played:
            viewing.credited_ms += amount_ms
        if not session.waits:
            return
        session.credited_ms += amount_ms
        if session.credited_ms >= (self.rules.autoplay_play_ms if session.autoplay else self.rules.play_ms):
            if not session.played:
                viewing.credited_ms += session.credited_ms
            session.played, session.waits = True, False
            self.telling.fact("plays")

    def _count_in_audience(self, before_the_play_ms: int) -> None:
        """Credit audience weeks, piece by piece. Credit from before the play counts in the week of the event that made
        the play."""
        earlier = [(self.event["event_time_ms"], before_the_play_ms)] if before_the_play_ms else []
        for instant_ms, amount_ms in [*earlier, *self.pieces]:
            week = week_of(instant_ms)
            self.telling.audience(self.viewing.audience.credit(week, amount_ms, self.rules.audience_ms))

    def _become(self, what: str) -> None:
        if not getattr(self.viewing, what):
            setattr(self.viewing, what, True)
            self.telling.fact(what + "s")
            if what in ("starter", "viewer"):
                self.telling.milestone(what, 1)

    # Coverage and completion

    def _cover(self, start_ms: int, end_ms: int) -> None:
        played = self.cells.played(start_ms, end_ms)
        if played and not self.cells.length_ms:
            self.coverage.unjudged = True
        self.coverage.cover(played, self.session_id)
        if catalog_length(self.title):
            curve = self.telling.made.curves.setdefault(self.event["title_id"], Counter())
            curve.update(slices_of(played, self.cells))

    def _judge(self, owner: str | None) -> None:
        count = self.cells.count
        if self.coverage.covered(count) * 100 >= self.rules.watcher_percent * count:
            self._become("watcher")
        while self.coverage.is_complete(count, self.rules):
            self.coverage.complete(count, owner)
            self._complete()

    def _complete(self) -> None:
        viewing, fact = self.viewing, self.telling.fact
        for what in ("starter", "viewer", "watcher"):
            self._become(what)
        viewing.completions += 1
        fact("completions")
        self.telling.milestone("completion", viewing.completions, rewatch=viewing.completions > 1)
        if viewing.completions == 1:
            fact("completers")
            self._end_skimming()
        else:
            fact("rewatches")
            fact(histogram_field(viewing.completions - 1), -1)
        if viewing.completions == 2:
            fact("repeaters")
        fact(histogram_field(viewing.completions))
        if self.session.autoplay:
            fact("autoplay_completions")
        self._note_profile()
        self._note_return()

    def _note_profile(self) -> None:
        profile_id, profiles = self.event.get("profile_id"), self.viewing.profiles
        if profile_id and profile_id in profiles:
            self.telling.fact("profile_rewatches")
        elif profile_id and len(profiles) < MOST_PROFILES:
            profiles.append(profile_id)

    def _note_return(self) -> None:
        before_ms, now_ms = self.viewing.completed_ms, self.event["event_time_ms"]
        self.viewing.completed_ms = now_ms
        for days in RETURN_DAYS:
            if before_ms is not None and abs(now_ms - before_ms) <= days * DAY_MS:
                self.telling.returned(days, before_ms)

    # Skimming

    def _look_for_skimmer(self) -> None:
        viewing, event, length_ms = self.viewing, self.event, self.cells.length_ms
        viewing.mark_ms = max(viewing.mark_ms, event["position_ms"])
        if event["event_type"] == "seek":
            viewing.mark_ms = max(viewing.mark_ms, event.get("seek_from_ms", 0))
        if not length_ms or viewing.completions:
            return
        covered_percent = self.coverage.covered(self.cells.count) * 100
        if covered_percent >= self.rules.skimmer_covered_percent * self.cells.count:
            self._end_skimming()
        elif viewing.mark_ms * 100 >= self.rules.skimmer_percent * length_ms and not viewing.skimmer:
            viewing.skimmer = True
            self.telling.fact("skimmers")

    def _end_skimming(self) -> None:
        if self.viewing.skimmer:
            self.viewing.skimmer = False
            self.telling.fact("skimmers", -1)

    # The household's days

    def _fill_days(self) -> None:
        dayparts, zone = self.telling.dayparts, self.telling.zone
        for instant_ms, amount_ms in self.pieces:
            number, local_day = dayparts.at(zone, instant_ms)
            for level in self.viewing.habits.credit(
                number, dayparts.parts[number], local_day, zone, amount_ms,
                fills_ms=self.rules.streak_day_ms, clock_ms=self.telling.moment.clock_ms,
            ):  # fmt: skip
                self.telling.milestone("streak", level, part=dayparts.parts[number].name)
