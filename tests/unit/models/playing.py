"""Little scripts of viewing, for the tests of the rules.

`household()` is one household in front of one title; each verb is one event (or a run of them), told to
`models.viewing.advance`. The film is 1,000 s long unless a test says otherwise: 200 cells of five seconds,
of which 140 make a watcher and 160, the end among them, a completion. Times and positions are in seconds; `T0` is
midnight UTC.
"""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from models.account import StreamCounters
from models.events import Event
from models.rules import Rules
from models.session import Session
from models.viewing import COMPLETED, Fact, Lengths, Outcome, Row, advance

T0 = 1_750_032_000_000
"""2025-06-16T00:00:00Z, a Monday."""

HOUR, DAY = 3_600, 86_400
FILM_S = 1_000


class Household:
    """One household and one title. The clock `now` moves by what is played; events take its time."""

    def __init__(self, film_s: float, rules: Rules) -> None:
        self.learns(film_s)
        self.account = StreamCounters()
        self.outcome: Outcome | None = None
        self.rules = rules
        self.row = Row()
        self.now = 0.0
        self.stream = 0.0
        self.session = "sitting-1"
        self.position = 0.0
        self.facts: list[str] = []
        self.credits_s: list[float] = []
        self.last: Event | None = None
        self._events = 0
        self._positions: dict[str, float] = {}

    def learns(self, film_s: float, runtime_s: float | None = None) -> Household:
        """From now on the catalog says that the film is so long (0: it does not say)."""
        self.lengths = Lengths(round(film_s * 1000), round((film_s if runtime_s is None else runtime_s) * 1000))
        return self

    # -- who and when ---------------------------------------------------------------------------------------

    def sits_down(self, session: str) -> Household:
        """Go on in this session: another sitting, device or child, or back to an earlier one."""
        self._positions[self.session] = self.position
        self.session, self.position = session, self._positions.get(session, 0.0)
        return self

    def waits(self, seconds: float) -> Household:
        """Nothing happens for so long (negative: a clock runs backwards)."""
        self.now += seconds
        return self

    # -- what a player tells --------------------------------------------------------------------------------

    def tells(self, kind: str, position: float | None = None, **fields: Any) -> Household:
        """One event, now, at a position (the one before, if none is given)."""
        if position is not None:
            self.position = position
        self._events += 1
        event = {
            "event_id": f"event-{self._events}",
            "event_type": kind,
            "event_time_ms": T0 + round(self.now * 1000),
            "household_id": "household",
            "title_id": "film",
            "play_session_id": self.session,
            "position_ms": round(self.position * 1000),
        }
        return self.hears(Event(**(event | fields)))

    def hears(self, event: Event) -> Household:
        """An event as it is, from whom and whenever."""
        self.last = event
        self.stream = max(self.stream, self.now)
        stream_time_ms = T0 + round(self.stream * 1000)
        self.outcome = advance(
            self.row,
            event.play_session_id,
            event,
            event.event_time_ms,
            stream_time_ms,
            self.lengths,
            self.rules,
            self.account,
        )
        self.facts += map(_told, self.outcome.facts if self.outcome else ())
        self.credits_s.append(self.outcome.credited_ms / 1000 if self.outcome else 0)
        return self

    def plays(
        self, begin: float, end: float, every: float = 30, ends: str = "stop", pace: float = 1, **fields: Any
    ) -> Household:
        """Start at a position and play to another, with heartbeats; `pace` is content per clock time."""
        self.tells("start", begin, **fields)
        return self.plays_on(end, every, ends, pace, **fields)

    def plays_on(
        self, end: float, every: float = 30, ends: str = "heartbeat", pace: float = 1, **fields: Any
    ) -> Household:
        """From where it is to another position, with heartbeats, and `ends` as the last event."""
        while self.position + every < end:
            self.now += every / pace
            self.tells("heartbeat", self.position + every, **fields)
        self.now += (end - self.position) / pace
        return self.tells(ends, end, **fields)

    # -- what became of it ----------------------------------------------------------------------------------

    @property
    def completions(self) -> int:
        return self.row.completions

    @property
    def watched_s(self) -> float:
        return self.row.watched_ms / 1000

    @property
    def credited_s(self) -> float:
        """All that was credited, in sessions that have made a play or not."""
        return round(sum(self.credits_s), 3)

    @property
    def allowance_s(self) -> float:
        """What is left of the session's allowance."""
        return (self.rules.allowance_ms - self.row.sessions[self.session].spent_ms) / 1000

    @property
    def counted(self) -> dict[str, int]:
        """What the account counts: events that were stale, players that counted anew, what was refused."""
        return {name: count for name, count in msgspec.structs.asdict(self.account).items() if count}

    @property
    def is_playing(self) -> bool:
        return self.row.sessions[self.session].playing

    def state(self) -> dict[str, Any]:
        """All that is remembered, to be compared as a whole; not the fold's own marks."""
        return {name: value for name, value in held(self.row).items() if name not in ("dirty", "generation", "packed")}


def household(film_s: float = FILM_S, rules: Rules | None = None) -> Household:
    """A household that has not seen the film yet. `film_s` 0: the catalog does not know its length."""
    return Household(film_s, rules or Rules())


def row_of(**fields: Any) -> Row:
    """A row that holds this."""
    row = Row()
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def held(kept: Any) -> Any:
    """What a row, or a part of one, holds: as plain values, which compare, compiled or not."""
    if isinstance(kept, Row | Session):
        return {name: held(getattr(kept, name)) for name, each in vars(type(kept)).items() if _is_field(name, each)}
    if isinstance(kept, dict):
        return {key: held(value) for key, value in kept.items()}
    return [held(each) for each in kept] if isinstance(kept, list) else kept


def _is_field(name: str, member: object) -> bool:
    """A slot of an interpreted class, or a compiled one's (whose properties look like it, and do no harm)."""
    return not name.startswith("__") and (inspect.ismemberdescriptor(member) or inspect.isgetsetdescriptor(member))


def _told(fact: Fact) -> str:
    return f"{fact.name} {fact.ordinal}" if fact.name == COMPLETED else fact.name
