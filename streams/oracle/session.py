"""One playback session: what it is doing, where it is, and which events it has had.

Owns the session of section 1. It must not know coverage, completions or counters, and shares no code with `models`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Any


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
    largest_time_ms: int = -1
    ids_at_time: set[str] = field(default_factory=set)

    def has_had(self, event: dict[str, Any]) -> bool:
        """Whether the event is older than the session's place, or was applied there already."""
        if "seq" in event and self.largest_seq is not None:
            at, place, ids = event["seq"], self.largest_seq, self.ids_at_seq
        else:
            at, place, ids = event["event_time_ms"], self.largest_time_ms, self.ids_at_time
        return at < place or (at == place and event["event_id"] in ids)

    def open(self, event: dict[str, Any]) -> None:
        self.playing = event["event_type"] in ("start", "play", "heartbeat", "rate", "seek")
        self.over = event["event_type"] in ("stop", "end")

    def go_on(self, event: dict[str, Any]) -> None:
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

    def note_place(self, event: dict[str, Any]) -> None:
        self.position_ms = event["position_ms"]
        self.last_time_ms = event["event_time_ms"]
        if "playback_rate" in event:
            self.rate_thousandths = _rate_thousandths(event["playback_rate"])
        if "seq" in event:
            if self.largest_seq is None or event["seq"] > self.largest_seq:
                self.largest_seq, self.ids_at_seq = event["seq"], set()
            if event["seq"] == self.largest_seq:
                self.ids_at_seq.add(event["event_id"])
        if event["event_time_ms"] > self.largest_time_ms:
            self.largest_time_ms, self.ids_at_time = event["event_time_ms"], set()
        if event["event_time_ms"] == self.largest_time_ms:
            self.ids_at_time.add(event["event_id"])


@lru_cache(maxsize=1000)
def _rate_thousandths(rate: float) -> int:
    exact = Decimal(repr(float(rate))) * 1000
    return int(min(max(exact, Decimal(100)), Decimal(4000)).to_integral_value(ROUND_HALF_EVEN))
