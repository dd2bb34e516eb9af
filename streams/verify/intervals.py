"""How much of an interval of playing is credited.

Owns the judgement of one interval: budget, speed, gap, loop, and why it is refused. It shares no code with `models` but
the thresholds.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from models.rules import (
    FASTEST_FOUND_THOUSANDTHS,
    GAP_PACE_PERCENT,
    LOOP_PACE_PERCENT,
    PACE_SLACK_MS,
    SHORTEST_SPEED_INTERVAL_MS,
    SHORTEST_STATED_LENGTH_MS,
    Rules,
)
from streams.verify.dayparts import QUARTER_MS
from streams.verify.session import ORDINARY_RATE, Session


class Credit(NamedTuple):
    """Content that was played from one instant to another: one part, or two if the title looped. All in ms."""

    parts: tuple[tuple[int, int], ...]
    from_ms: int
    until_ms: int

    @property
    def amount_ms(self) -> int:
        return sum(end - start for start, end in self.parts)

    def pieces(self, spread_ms: int) -> list[tuple[int, int]]:
        """Where the credit belongs: (instant, amount). Spread over quarter hours if it took longer than `spread_ms`."""
        elapsed_ms = self.until_ms - self.from_ms
        if elapsed_ms <= spread_ms:
            return [(self.until_ms, self.amount_ms)]
        first_cut = (self.from_ms // QUARTER_MS + 1) * QUARTER_MS
        cuts = [self.from_ms, *range(first_cut, self.until_ms, QUARTER_MS), self.until_ms]
        sums = [self.amount_ms * (cut - self.from_ms) // elapsed_ms for cut in cuts]
        pieces = [(cuts[n], sums[n + 1] - sums[n]) for n in range(len(cuts) - 1)]
        return [(instant_ms, amount_ms) for instant_ms, amount_ms in pieces if amount_ms]


class Interval:
    """What a session played between its last event and the one that closes the interval, at `end_ms` of the title.

    `judge` updates the session's allowance, rate and speeds. `refused` counts what is not credited, by reason.
    """

    def __init__(
        self, session: Session, event: dict[str, Any], end_ms: int, title: dict[str, Any], rules: Rules
    ) -> None:
        self.session = session
        self.event = event
        self.rules = rules
        self.start_ms = session.position_ms
        self.end_ms = end_ms
        self.played_ms = end_ms - self.start_ms
        self.elapsed_ms: int = event["event_time_ms"] - session.last_time_ms
        self.runtime_ms = _runtime_ms(title, event)
        self.refused: Counter[str] = Counter()

    def judge(self) -> Credit | None:
        """The credit of the interval; None: none. Call it only if the session was playing."""
        if self.elapsed_ms < 0:
            return None
        if self.elapsed_ms > self.rules.longest_interval_ms:
            self._refuse("refused_long_ms")
            return None
        parts = self._loop() if self.played_ms < 0 else self._straight()
        credit = Credit(parts, self.session.last_time_ms, self.event["event_time_ms"])
        left_ms = self._most_ms() - credit.amount_ms
        self.session.allowance_ms = min(self.rules.allowance_ms, left_ms)
        if self.played_ms > 0:
            self._note_speed()
        return credit if parts else None

    def _most_ms(self) -> int:
        return self.session.allowance_ms + self._at_pace(self.rules.pace_percent)

    def _at_pace(self, percent: int) -> int:
        return self.elapsed_ms * self.session.rate * percent // 100_000

    def _refuse(self, reason: str) -> tuple[tuple[int, int], ...]:
        if self.played_ms > 0:
            self.refused[reason] += self.played_ms
        elif self.played_ms < 0:
            self.refused["refused_back"] += 1
        return ()

    def _straight(self) -> tuple[tuple[int, int], ...]:
        if self.played_ms > self._most_ms():
            self._look_for_speed()
        if self.played_ms > self._most_ms():
            return self._refuse("refused_fast_ms")
        if self.elapsed_ms > self.rules.gap_ms and not self._played_all_the_while():
            return self._refuse("refused_gap_ms")
        return ((self.start_ms, self.end_ms),) if self.played_ms else ()

    def _played_all_the_while(self) -> bool:
        begins = self.event["event_type"] in ("start", "play")
        return not begins and self.played_ms + PACE_SLACK_MS >= self._at_pace(GAP_PACE_PERCENT)

    # A title that loops

    def _loop(self) -> tuple[tuple[int, int], ...]:
        jumps = self.event["event_type"] in ("seek", "start", "play")
        if jumps or not self.runtime_ms or self.start_ms > self.runtime_ms:
            return self._refuse("refused_back")
        around_ms = self.runtime_ms - self.start_ms + self.end_ms
        all_the_while = around_ms + PACE_SLACK_MS >= self._at_pace(LOOP_PACE_PERCENT)
        if not (0 < around_ms <= self._most_ms() and all_the_while):
            return self._refuse("refused_back")
        return (self.start_ms, self.runtime_ms), (0, self.end_ms)

    # A rate that no event states

    def _has_speed(self) -> bool:
        return not self.session.stated and self.elapsed_ms >= SHORTEST_SPEED_INTERVAL_MS

    def _speed(self) -> int:
        return self.played_ms * 1000 // self.elapsed_ms

    def _look_for_speed(self) -> None:
        session = self.session
        if not self._has_speed() or len(session.speeds) < 2:
            return
        speed = self._speed()
        steady = all(abs(speed - before) * 50 <= before for before in session.speeds)
        if speed <= FASTEST_FOUND_THOUSANDTHS and steady:
            session.rate, session.found = speed, True

    def _note_speed(self) -> None:
        session = self.session
        if not self._has_speed():
            return
        speed = self._speed()
        if session.found and speed * 10 < session.rate * 9:
            session.rate, session.found = ORDINARY_RATE, False
        session.speeds = [*session.speeds, speed][-2:]


def _runtime_ms(title: dict[str, Any], event: dict[str, Any]) -> int:
    """The title's runtime by the catalog, else by the event, in milliseconds; 0: not known."""
    runtime_ms: int = title.get("runtime_ms") or 0
    if runtime_ms > 0:
        return runtime_ms
    stated_ms: int = event.get("runtime_ms") or 0
    return stated_ms if stated_ms >= SHORTEST_STATED_LENGTH_MS else 0
