"""Loads that a careless or malicious producer can send, each the worst of its kind: what grows with its square shows.

Owns their shapes. `ordinary` is what the others are compared with. Each ends at the present.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from streams.kafka.producer import Outgoing
from streams.tools.simulate import backlog
from streams.tools.simulate.world import MINUTE_MS

LARGEST_VALUE_BYTES = 64 * 1024
"""What an event may have at most; longer values are dead letters."""

Rows = list[dict[str, Any]]
Records = Iterator[Outgoing]


@dataclass(frozen=True, slots=True)
class Load:
    """Records, made from the time at which they end; `titles`: the catalog rows that must be there before."""

    name: str
    records: Callable[[int], Records]
    titles: Callable[[], Rows] = list


def _sent(now_ms: int, household: str, title: str, session: str, n: int, **fields: Any) -> Outgoing:
    """A heartbeat, changed by `fields`, as a record of its household."""
    event = {
        "event_id": f"{session}-{n}",
        "event_type": "heartbeat",
        "event_time_ms": now_ms,
        "household_id": household,
        "title_id": title,
        "play_session_id": session,
        "position_ms": 60_000,
        "runtime_ms": 90 * MINUTE_MS,
        **fields,
    }
    return Outgoing(now_ms, household.encode(), json.dumps(event).encode(), now_ms)


def _played(begun_ms: int, household: str, title: str, session: str, step: int) -> Outgoing:
    """One of a session's two events: its start, or a heartbeat a minute later."""
    kind, at_ms = ("heartbeat" if step else "start"), step * MINUTE_MS
    return _sent(begun_ms + at_ms, household, title, session, step, position_ms=at_ms, event_type=kind)


def _ordinary(now_ms: int) -> Records:
    return backlog.replay_backlog(100_000, origin_ms=now_ms - 5 * MINUTE_MS)


def _sessions(now_ms: int) -> Records:
    """A player that begins a session with each heartbeat: 10 households, 5,000 sessions each of one title."""
    for number in range(5_000):
        at_ms = now_ms - (5_000 - number) * 10_000
        for household in range(10):
            for step in range(2):
                position_ms = (number + step) * 10_000 % (90 * MINUTE_MS)
                session = f"session-{household}-{number}"
                yield _sent(
                    at_ms + step * 9_000, f"household-{household}", "title", session, step, position_ms=position_ms
                )


def _one_instant(now_ms: int) -> Records:
    """One session with 50,000 events at one instant."""
    for n in range(50_000):
        yield _sent(now_ms, "household", "title", "session", n, seq=n, position_ms=n * 7_919 % (90 * MINUTE_MS))


def _one_title(now_ms: int) -> Records:
    """5,000 households on one title, ten events each, all at one instant."""
    for n in range(10):
        for household in range(5_000):
            name = f"household-{household}"
            yield _sent(now_ms, name, "title", f"session-{household}", n, seq=n, position_ms=n * MINUTE_MS)


def _titles(now_ms: int) -> Records:
    """100,000 titles, two events each, of a thousand households."""
    for n in range(100_000):
        for step in range(2):
            begun_ms = now_ms - (100_000 - n) - MINUTE_MS
            yield _played(begun_ms, f"household-{n % 1000}", f"title-{n}", f"session-{n}", step)


FRANCHISE_TITLES = 20_000


def _franchise(now_ms: int) -> Records:
    """A franchise of 20,000 titles; ten households see some of each, two events for a title."""
    for n in range(FRANCHISE_TITLES):
        for step in range(2):
            begun_ms = now_ms - (FRANCHISE_TITLES - n) * 100 - MINUTE_MS
            yield _played(begun_ms, f"household-{n % 10}", f"episode-{n}", f"session-{n}", step)


def _franchise_rows() -> Rows:
    return [{"title_id": f"episode-{n}", "franchise_id": "franchise"} for n in range(FRANCHISE_TITLES)]


def _large(now_ms: int) -> Records:
    """2,000 values of 64 KiB: readable ones with a long field, brackets in brackets, and text without an end."""
    for n in range(2_000):
        record = _sent(now_ms, f"household-{n % 100}", "title", f"session-{n}", n)
        assert record.value is not None
        room = LARGEST_VALUE_BYTES - len(record.value) - 20
        filled = record.value[:-1] + b', "note": "' + b"x" * room + b'"}'
        values = filled, b"[" * LARGEST_VALUE_BYTES, b'"' + b"\\u00e9" * (LARGEST_VALUE_BYTES // 6)
        yield record._replace(value=values[n % 3])


def _watched(now_ms: int) -> Records:
    """20,000 households that watch when the log ends, two events each."""
    for step in range(2):
        for n in range(20_000):
            yield _played(now_ms - MINUTE_MS, f"household-{n}", f"title-{n % 500}", f"session-{n}", step)


ORDINARY = Load("ordinary", _ordinary)
LOADS = (
    Load("5,000 sessions of a household and title", _sessions),
    Load("one session, 50,000 events at one instant", _one_instant),
    Load("5,000 households on one title at one instant", _one_title),
    Load("100,000 titles", _titles),
    Load("a franchise of 20,000 titles", _franchise, _franchise_rows),
    Load("values of 64 KiB", _large),
    Load("20,000 watched when the log ends", _watched),
)
