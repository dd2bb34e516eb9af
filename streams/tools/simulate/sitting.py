"""What one player reports from start to stop.

Owns the player's clock, position, rate and `seq`, and the incidents of watching.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from streams.tools.simulate.plan import Plan
from streams.tools.simulate.world import MINUTE_MS

HOUR_MS = 60 * MINUTE_MS
RATES = (0.5, 1.0, 1.25, 1.5, 2.0)
NEVER_MS = 1 << 60

Event = dict[str, Any]


def uuid_text(rng: Random) -> str:
    """A random UUID in its usual form of 36 characters."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


class Player:
    """One play session. `say` makes its next event; `run_to` plays on to a time (Unix ms)."""

    def __init__(self, rng: Random, facts: Event, now_ms: int, position_ms: int, *, numbers: bool = True) -> None:
        """`facts` are fields that every event of the session has. `numbers`: every event also has a `seq`."""
        self.rng, self.facts = rng, facts
        self.now_ms, self.position_ms = now_ms, position_ms
        self.rate_thousandths = 1000
        self._numbers, self._seq = numbers, 0

    def say(self, event_type: str, **more: Any) -> Event:
        """The player's next event, as a dict in the form of the playback-events topic."""
        event = {
            "event_id": uuid_text(self.rng),
            "event_type": event_type,
            "event_time_ms": self.now_ms,
            "position_ms": self.position_ms,
            **({"seq": self._seq} if self._numbers else {}),
            "playback_rate": self.rate_thousandths / 1000,
            **self.facts,
            **more,
        }
        self._seq += 1
        return event

    def restart(self) -> None:
        """Restart the numbering: the next event has `seq` 0 again."""
        self._seq = 0

    def run_to(self, then_ms: int) -> None:
        """Play on until `then_ms`."""
        self.position_ms += (then_ms - self.now_ms) * self.rate_thousandths // 1000
        self.now_ms = then_ms

    def time_at(self, position_ms: int) -> int:
        """When the player reaches `position_ms`, which lies ahead, if nothing interferes."""
        return self.now_ms - (self.position_ms - position_ms) * 1000 // self.rate_thousandths


class SittingPlan(NamedTuple):
    """How a sitting goes if nothing interferes. It ends at position `length_ms` with the event `ending`: `end`, `stop`.

    `theme_ms`: the position up to which the opening theme is skipped; 0: it is not skipped.
    """

    length_ms: int
    ending: str = "end"
    theme_ms: int = 0


def play(player: Player, plan: Plan, stop_ms: int, course: SittingPlan, first: Event) -> Iterator[Event]:
    """Events from the start, with the fields of `first`, to the stop at `stop_ms` or the end of the course."""
    length_ms = course.length_ms
    yield player.say("start", **first)
    if player.position_ms < course.theme_ms:
        yield from _skip_theme(player, stop_ms, course.theme_ms)
    beat_ms = max(1, round(plan.heartbeat_s * 1000))
    beat_at, incident_at = player.now_ms + beat_ms, _next_incident(player, plan)
    while True:
        end_at = player.time_at(length_ms)
        player.run_to(max(player.now_ms, min(beat_at, incident_at, stop_ms, end_at)))
        if player.now_ms >= end_at:
            player.position_ms = length_ms
            yield player.say(course.ending)
            return
        if player.now_ms >= stop_ms:
            yield player.say("stop")
            return
        if player.now_ms >= incident_at:
            yield from _incident(player, plan, length_ms)
            beat_at, incident_at = player.now_ms + beat_ms, _next_incident(player, plan)
        else:
            yield player.say("heartbeat")
            beat_at += beat_ms


def _skip_theme(player: Player, stop_ms: int, theme_ms: int) -> Iterator[Event]:
    """Play a few seconds of the theme, then jump to its end, unless the sitting ends before."""
    reached_ms = player.now_ms + player.rng.randrange(2_000, 8_000)
    if reached_ms < min(stop_ms, player.time_at(theme_ms)):
        player.run_to(reached_ms)
        source_ms, player.position_ms = player.position_ms, theme_ms
        yield player.say("seek", seek_from_ms=source_ms)


def play_frozen(player: Player, plan: Plan) -> Iterator[Event]:
    """A frozen or background player: heartbeats for half an hour to three hours, then a stop."""
    beat_ms = max(1, round(plan.heartbeat_s * 1000))
    yield player.say("play")
    until_ms = player.now_ms + player.rng.randrange(30, 180) * MINUTE_MS
    while player.now_ms + beat_ms < until_ms:
        player.now_ms += beat_ms
        yield player.say("heartbeat")
    yield player.say("stop")


def _next_incident(player: Player, plan: Plan) -> int:
    per_hour = sum(_weights(plan))
    return player.now_ms + 1 + int(player.rng.expovariate(per_hour) * HOUR_MS) if per_hour else NEVER_MS


def _weights(plan: Plan) -> tuple[float, ...]:
    return plan.pauses_per_hour, plan.buffers_per_hour, plan.seeks_per_hour, plan.rate_changes_per_hour


def _incident(player: Player, plan: Plan, length_ms: int) -> Iterator[Event]:
    kind = player.rng.choices(INCIDENTS, weights=_weights(plan))[0]
    yield from kind(player, plan, length_ms)


def _pause(player: Player, plan: Plan, length_ms: int) -> Iterator[Event]:
    yield player.say("pause")
    paused_ms = 1000 + int(player.rng.expovariate(1 / (5 * MINUTE_MS)))
    player.now_ms += paused_ms
    if paused_ms > MINUTE_MS and player.rng.random() < plan.restart_share:
        player.restart()
    yield player.say("play")


def _buffer(player: Player, plan: Plan, length_ms: int) -> Iterator[Event]:
    yield player.say("buffer")
    player.now_ms += player.rng.randrange(300, 20_000)
    yield player.say("play")


def _seek(player: Player, plan: Plan, length_ms: int) -> Iterator[Event]:
    source_ms = player.position_ms
    jump_ms = player.rng.choice((-10_000, -30_000, 10_000, 30_000, 30_000, -300_000, 120_000, length_ms // 2))
    player.position_ms = min(max(0, source_ms + jump_ms), length_ms - 1)
    origin = {"seek_from_ms": source_ms} if player.rng.random() < plan.seek_from_share else {}
    yield player.say("seek", **origin)


def _rate(player: Player, plan: Plan, length_ms: int) -> Iterator[Event]:
    player.rate_thousandths = round(player.rng.choice(RATES) * 1000)
    yield player.say("rate")


Incident = Callable[[Player, Plan, int], Iterator[Event]]
INCIDENTS: tuple[Incident, ...] = (_pause, _buffer, _seek, _rate)
"""In the order of `_weights`."""
