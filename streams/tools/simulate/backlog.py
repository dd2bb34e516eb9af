"""The two loads of the benchmark, cheap to make: a million events in seconds.

Owns their shapes. `replay` is a stored backlog: few sessions, each a minute further with every event. `live` is the
pattern of a live service: no household repeats within a hundred thousand events. In both, a few records are unreadable,
too late or duplicates; each replaces an event of its session, so that the shape holds for any number of events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from streams.kafka.producer import Outgoing
from streams.tools.simulate.sitting import uuid_text
from streams.tools.simulate.world import DAY_MS, MINUTE_MS, ZONES

ORIGIN_MS = 1_767_225_600_000
"""Where both loads begin unless told otherwise: 2026-01-01, UTC."""

BAD_EVERY, TOO_LATE_EVERY, TWICE_EVERY = 1_999, 2_999, 499
"""One in this many records is unreadable, too late, or a duplicate. Primes, so that each comes to every session."""

MASK_48 = (1 << 48) - 1


@dataclass(frozen=True, slots=True)
class Shape:
    """A load: how many sessions run concurrently, how many titles there are, and the titles' lengths in minutes."""

    name: str
    sessions: int
    titles: int
    minutes: tuple[int, ...]
    begun_share: float
    """Share of the sessions that are in the middle of their title when the load begins, as if resumed."""
    again_share: float
    """Share of the endings after which the household plays the same title once more."""


REPLAY = Shape("replay", 20_000, 500, (24, 46, 88, 90, 92, 94, 97, 104), 0.1, 0.5)
LIVE = Shape("live", 100_000, 2_000, (7, 11, 24, 46, 88, 90, 96, 104), 0.9, 0.3)


def replay_backlog(events: int, seed: int = 1, origin_ms: int = ORIGIN_MS) -> Iterator[Outgoing]:
    """`events` records of 20,000 concurrent sessions. Each has one event per minute of event time."""
    return _backlog(REPLAY, events, seed, origin_ms)


def live_backlog(events: int, seed: int = 1, origin_ms: int = ORIGIN_MS) -> Iterator[Outgoing]:
    """`events` records, of which any 100,000 in a row come from different households. A title's are far apart."""
    return _backlog(LIVE, events, seed, origin_ms)


def title_rows(shape: Shape, origin_ms: int = ORIGIN_MS) -> list[dict[str, Any]]:
    """The catalog of a load, as rows for the titles topic."""
    return [
        {
            "title_id": _title_id(shape, number),
            "name": f"Title {number}",
            "franchise_id": f"{shape.name}-franchise-{number // 5}",
            "runtime_ms": runtime_ms,
            "credits_start_ms": runtime_ms - MINUTE_MS // 2,
            "release_time_ms": origin_ms - (number % 200) * DAY_MS,
            "is_kids": number % 2 == 0,
        }
        for number, runtime_ms in enumerate(_runtimes(shape))
    ]


class _BacklogSession:
    """One household's running session: the constant text of its events, and its position."""

    __slots__ = ("again", "end_ms", "event_ids", "key", "last", "position_ms", "seq", "text", "title")

    def __init__(self, number: int, shape: Shape, rng: Random, runtimes: list[int]) -> None:
        self.key = b"household-%08d" % number
        self.title = number * 7 % shape.titles
        self.last = b""
        self.end_ms = 0
        self.begin(number, shape, rng, runtimes)
        if rng.random() < shape.begun_share:
            self.position_ms = rng.randrange(self.end_ms // MINUTE_MS) * MINUTE_MS

    def begin(self, number: int, shape: Shape, rng: Random, runtimes: list[int]) -> None:
        """A new play session of `self.title`, from the start."""
        zone, country, _ = ZONES[number % len(ZONES)]
        household, kind = f"household-{number:08d}", "kids" if self.title % 2 == 0 else "general"
        self.event_ids = uuid_text(rng)[:24]
        self.text = (
            f'"household_id":"{household}","title_id":"{_title_id(shape, self.title)}",'
            f'"play_session_id":"{uuid_text(rng)}","profile_id":"{household}-{kind}","profile_kind":"{kind}",'
            f'"device_id":"{household}-tv","playback_rate":1.0,"time_zone":"{zone}","country":"{country}"'
        )
        self.seq, self.position_ms, self.end_ms = 0, 0, runtimes[self.title]

    def value(self, n: int, now_ms: int) -> bytes:
        """The session's next event, as JSON."""
        seq, ended = self.seq, self.position_ms >= self.end_ms
        kind = "end" if ended else "heartbeat" if seq else "start"
        position_ms = min(self.position_ms, self.end_ms)
        number = n * 0x9E3779B97F4B & MASK_48
        return (
            f'{{"event_id":"{self.event_ids}{number:012x}","event_type":"{kind}","event_time_ms":{now_ms},'
            f'{self.text},"position_ms":{position_ms},"seq":{seq}}}'
        ).encode()


def _backlog(shape: Shape, events: int, seed: int, origin_ms: int) -> Iterator[Outgoing]:
    rng, runtimes, count = Random(f"{seed}:{shape.name}"), _runtimes(shape), shape.sessions
    sessions = [_BacklogSession(number, shape, rng, runtimes) for number in range(count)]
    for n in range(events):
        now_ms = origin_ms + n * MINUTE_MS // count
        session = sessions[n % count]
        value = session.value(n, now_ms)
        yield Outgoing(now_ms, session.key, _on_its_way(n, session.last, value, now_ms), now_ms)
        session.last = value
        _advance(session, n % count, shape, rng, runtimes)


def _advance(session: _BacklogSession, number: int, shape: Shape, rng: Random, runtimes: list[int]) -> None:
    """Advance a session by a minute. After its end, begin a new one for the household."""
    if session.position_ms < session.end_ms:
        session.position_ms += MINUTE_MS
        session.seq += 1
        return
    if rng.random() >= shape.again_share:
        session.title = (session.title + 1) % shape.titles
    session.begin(number, shape, rng, runtimes)


def _on_its_way(n: int, last: bytes, value: bytes, now_ms: int) -> bytes:
    """Nearly always the event itself; else a broken one, one that is too late, or the session's last one again."""
    if n % TWICE_EVERY == 0 and last:
        return last
    if n % BAD_EVERY == 0:
        return value[:-9]
    if n % TOO_LATE_EVERY == 0:
        return value.replace(b'_time_ms":%d' % now_ms, b'_time_ms":%d' % (now_ms - 40 * DAY_MS))
    return value


def _title_id(shape: Shape, number: int) -> str:
    return f"{shape.name}-title-{number:05d}"


def _runtimes(shape: Shape) -> list[int]:
    return [shape.minutes[number % len(shape.minutes)] * MINUTE_MS for number in range(shape.titles)]
