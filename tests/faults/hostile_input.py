"""Everything that producers do wrong, all at once, while workers die: one event each, never the partition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from application import Application, until
from catalogue import strike
from confluent_kafka import Producer
from playback import DAY_MS, EVENING_MS, HOUR_MS, MINUTE_MS, whole_viewing
from scenes import AT_WORK
from trial import Trial

_HOUSEHOLDS = 40
_TITLES = 6
_VIEWINGS = 120
_LENGTH_MS = 12 * MINUTE_MS
_LARGE_BYTES = 900_000
_OVER_LIMIT_BYTES = 1_500_000
_GARBAGE = 20
_SEEN_S = 60

Record = tuple[bytes | None, bytes | None, int]
"""Key, value, timestamp in ms."""


def viewings(rng: Random, clock_ms: int) -> Iterator[Record]:
    """Viewings whose players' clocks are up to an hour off and jump, some told days late, all of it thrice."""
    for _ in range(_VIEWINGS):
        household, title = f"home-{rng.randrange(_HOUSEHOLDS)}", f"film-{rng.randrange(_TITLES)}"
        begin_ms = clock_ms - rng.choice((0, 0, 0, rng.randrange(20 * DAY_MS), 40 * DAY_MS))
        drift_ms = rng.randrange(-HOUR_MS, HOUR_MS)
        events = whole_viewing(household, title, begin_ms, _LENGTH_MS, runtime_ms=_LENGTH_MS)
        for event in events:
            if rng.random() < 0.05:
                drift_ms = rng.randrange(-HOUR_MS, HOUR_MS)
            event["event_time_ms"] += drift_ms
            record = household.encode(), json.dumps(event).encode(), clock_ms + rng.randrange(MINUTE_MS)
            yield from (record, record, record)


def garbage(rng: Random, clock_ms: int) -> Iterator[Record]:
    """Records that are no events, each by another fault."""
    event = next(whole_viewing("home-1", "film-1", clock_ms))
    whole = json.dumps(event).encode()
    key = b"home-1"

    def with_(**wrong: Any) -> bytes:
        return json.dumps(event | wrong).encode()

    for value in (
        whole[: rng.randrange(1, len(whole) - 1)], b"", b"null", b"[]", b"\x00" * 50, b"\xff\xfe{", b"{" * 2_000,
        with_(position_ms="1"), with_(position_ms=-1), with_(position_ms=1.5), with_(event_time_ms=True),
        with_(event_time_ms=clock_ms + DAY_MS), with_(event_type="rewind"), with_(event_id=""), with_(seq=1 << 70),
        with_(household_id="another"), with_(title_id=None), with_(filler="x" * _LARGE_BYTES),
        with_(filler="x" * _OVER_LIMIT_BYTES),
    ):  # fmt: skip
        yield key, value, clock_ms
    yield None, whole, clock_ms
    yield key, None, clock_ms
    yield None, None, clock_ms
    yield b"\xff\xfe", whole, clock_ms


@strike("hostile input, while a worker is killed", AT_WORK, per_trial=5)
def hostile(trial: Trial, number: int) -> None:
    application = trial.application
    producer = Producer(
        {
            "bootstrap.servers": application.environment["ENCORE_KAFKA"],
            "partitioner": "murmur2_random",
            "message.max.bytes": 8_000_000,
        }
    )
    trial.mid_work()
    before = _dead_letters(application)
    records = burst(trial.rng, EVENING_MS)
    middle = trial.rng.randrange(len(records))
    for place, (key, value, timestamp_ms) in enumerate(records):
        producer.produce(application.environment["ENCORE_SOURCE_TOPIC"], value, key, timestamp=timestamp_ms)
        if place == middle:
            producer.flush(30)
            trial.rng.choice(trial.crew).process.kill()
    assert producer.flush(60) == 0
    trial.until_working()
    until(lambda: _dead_letters(application) - before >= _GARBAGE, "all garbage is among the dead letters", _SEEN_S)
    trial.note("dead_letters", _dead_letters(application) - before)


def _dead_letters(application: Application) -> int:
    return int(application.status().get("dead_letters", 0))


def burst(rng: Random, clock_ms: int) -> list[Record]:
    """Viewings and garbage in any order."""
    records = [*viewings(rng, clock_ms), *garbage(rng, clock_ms)]
    rng.shuffle(records)
    return records
