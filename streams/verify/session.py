"""One playback session: its state, its position, and which events it has applied.

Owns the session of section 1 of the design. It shares no code with `models` but the thresholds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any

from models.rules import MOST_IDS, REPLAY_MS, RESTART_MS

ORDINARY_RATE = 1000
NEWS, STALE, DOUBLE, RESTART = "news", "stale", "double", "restart"
"""What an event is to a session: new, older, already applied, or the first after a player restarted its numbering."""


@dataclass(slots=True)
class Session:
    """A session. Times are in ms, rates and speeds in thousandths.

    `speeds` are those of its last two intervals while no event has stated a rate; `found`: the rate was inferred from
    them. `played`: it has made a play. `waits`: `credited_ms` is not yet enough for the next play.
    """

    allowance_ms: int
    autoplay: bool
    playing: bool = False
    over: bool = False
    position_ms: int = 0
    last_time_ms: int = 0
    rate: int = ORDINARY_RATE
    stated: bool = False
    found: bool = False
    speeds: list[int] = field(default_factory=list)
    credited_ms: int = 0
    played: bool = False
    waits: bool = True
    largest_seq: int | None = None
    ids_at_seq: list[str] = field(default_factory=list)
    largest_time_ms: int = -1
    ids_at_time: list[str] = field(default_factory=list)
    run_start_ms: int | None = None

    def what_is(self, event: dict[str, Any]) -> str:
        """How the event compares with the session's place."""
        if self.run_start_ms is not None and event["event_time_ms"] <= self.run_start_ms:
            return STALE
        if "seq" in event and self.largest_seq is not None:
            if event["seq"] < self.largest_seq and event["event_time_ms"] > self.largest_time_ms + RESTART_MS:
                return RESTART
            return _beside(event["seq"], self.largest_seq, event["event_id"], self.ids_at_seq)
        return _beside(event["event_time_ms"], self.largest_time_ms, event["event_id"], self.ids_at_time)

    def begin_run(self) -> None:
        """Begin a new run: the player restarted its numbering, and the next event's `seq` becomes the largest."""
        self.run_start_ms = self.largest_time_ms
        self.largest_seq, self.ids_at_seq = None, []

    def open(self, event: dict[str, Any]) -> None:
        self.playing = event["event_type"] in ("start", "play", "heartbeat", "rate", "seek")
        self.over = event["event_type"] in ("stop", "end")

    def advance(self, event: dict[str, Any]) -> None:
        event_type = event["event_type"]
        advanced = event["position_ms"] > self.position_ms
        if event_type in ("start", "play"):
            self.playing, self.over = True, False
        elif event_type in ("pause", "buffer"):
            self.playing = False
        elif event_type in ("stop", "end"):
            self.playing, self.over = False, True
        elif event_type == "heartbeat" and not self.over and advanced:
            self.playing = True

    def goes_back_to_the_beginning(self, event: dict[str, Any]) -> bool:
        """Whether the event begins the title again from its start."""
        to_ms: int = event["position_ms"]
        jumps = event["event_type"] in ("start", "play", "seek")
        return jumps and to_ms < REPLAY_MS and self.position_ms - to_ms >= REPLAY_MS

    def begin_another_play(self) -> None:
        """Begin another play, unless the present one still waits for its credit."""
        if not self.waits:
            self.waits, self.credited_ms = True, 0

    def note_place(self, event: dict[str, Any]) -> None:
        self.position_ms = event["position_ms"]
        self.last_time_ms = event["event_time_ms"]
        if "playback_rate" in event:
            self.rate, self.stated, self.found = _thousandths(event["playback_rate"]), True, False
        if "seq" in event:
            if self.largest_seq is None or event["seq"] > self.largest_seq:
                self.largest_seq, self.ids_at_seq = event["seq"], []
            if event["seq"] == self.largest_seq:
                _add(self.ids_at_seq, event["event_id"])
        if event["event_time_ms"] > self.largest_time_ms:
            self.largest_time_ms, self.ids_at_time = event["event_time_ms"], []
        if event["event_time_ms"] == self.largest_time_ms:
            _add(self.ids_at_time, event["event_id"])


def _beside(at: int, place: int, event_id: str, ids: list[str]) -> str:
    if at < place:
        return STALE
    return DOUBLE if at == place and event_id in ids else NEWS


def _add(ids: list[str], event_id: str) -> None:
    if event_id in ids:
        ids.remove(event_id)
    ids.append(event_id)
    del ids[:-MOST_IDS]


@lru_cache(maxsize=1000)
def _thousandths(rate: float) -> int:
    exact = Decimal(repr(float(rate))) * 1000
    return int(min(max(exact, Decimal(100)), Decimal(4000)).to_integral_value(ROUND_HALF_EVEN))
