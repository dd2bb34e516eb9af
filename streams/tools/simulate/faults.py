"""What goes wrong between a player and the topic: duplicates, late, reordered and broken events.

Owns the kinds of faults. A broken record is always an extra one: the viewing that it was copied from stays complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import msgspec

from streams.kafka.producer import Outgoing
from streams.tools.simulate.plan import Plan
from streams.tools.simulate.sitting import Event, uuid_text
from streams.tools.simulate.world import DAY_MS, MINUTE_MS

LONGEST_DETOUR_MS = 90_000
"""Reordered and duplicate events arrive at most this much after they were due."""


encode = msgspec.json.Encoder().encode


def item(due_ms: int, event: Event) -> Outgoing:
    """The record of an event, keyed by its household."""
    return Outgoing(due_ms, event["household_id"].encode(), encode(event), due_ms)


def with_faults(rng: Random, plan: Plan, due_ms: int, event: Event) -> Iterator[Outgoing]:
    """The event's record, perhaps delayed, and extra duplicate, late and broken records. None before `due_ms`."""
    delayed = rng.random() < plan.out_of_order_share
    sent = item(due_ms + _detour(rng) if delayed else due_ms, event)
    yield sent
    if rng.random() < plan.duplicate_share:
        again_ms = sent.due_ms + _detour(rng)
        yield sent._replace(due_ms=again_ms, timestamp_ms=again_ms)
    if rng.random() < plan.too_late_share:
        age_ms = int(rng.uniform(31, 60) * DAY_MS)
        yield item(due_ms, _copy(rng, event) | {"event_time_ms": due_ms - age_ms, "offline": True})
    if rng.random() < plan.bad_share:
        yield rng.choice(BAD)(rng, due_ms, _copy(rng, event))


def _detour(rng: Random) -> int:
    return rng.randrange(1, LONGEST_DETOUR_MS)


def _copy(rng: Random, event: Event) -> Event:
    return event | {"event_id": uuid_text(rng), "play_session_id": uuid_text(rng)}


def _truncated(rng: Random, due_ms: int, event: Event) -> Outgoing:
    whole = item(due_ms, event)
    assert whole.value is not None
    return whole._replace(value=whole.value[: rng.randrange(1, len(whole.value) - 1)])


def _wrong_type(rng: Random, due_ms: int, event: Event) -> Outgoing:
    wrong = rng.choice((("position_ms", "12"), ("event_time_ms", 1.5), ("autoplay", 1), ("title_id", 7)))
    return item(due_ms, event | dict([wrong]))


def _missing_field(rng: Random, due_ms: int, event: Event) -> Outgoing:
    key = event["household_id"].encode()
    lost = rng.choice(("event_id", "event_type", "event_time_ms", "household_id", "title_id", "position_ms"))
    return Outgoing(due_ms, key, encode({name: event[name] for name in event if name != lost}), due_ms)


def _impossible_position(rng: Random, due_ms: int, event: Event) -> Outgoing:
    return item(due_ms, event | {"position_ms": rng.choice((-1, -60_000, 1 << 40))})


def _unlisted_word(rng: Random, due_ms: int, event: Event) -> Outgoing:
    return item(due_ms, event | {"event_type": "rewind"})


def _not_utf8(rng: Random, due_ms: int, event: Event) -> Outgoing:
    return item(due_ms, event)._replace(value=b'{"event_id":"\xff\xfe"}')


def _wrong_key(rng: Random, due_ms: int, event: Event) -> Outgoing:
    return item(due_ms, event)._replace(key=b"another-household")


def _no_key(rng: Random, due_ms: int, event: Event) -> Outgoing:
    return item(due_ms, event)._replace(key=None)


def _no_value(rng: Random, due_ms: int, event: Event) -> Outgoing:
    return item(due_ms, event)._replace(value=None)


def _from_the_future(rng: Random, due_ms: int, event: Event) -> Outgoing:
    return item(due_ms, event | {"event_time_ms": due_ms + rng.randrange(6 * MINUTE_MS, 400 * DAY_MS)})


BAD: tuple[Callable[[Random, int, Event], Outgoing], ...] = (
    _truncated,
    _wrong_type,
    _missing_field,
    _impossible_position,
    _unlisted_word,
    _not_utf8,
    _wrong_key,
    _no_key,
    _no_value,
    _from_the_future,
)
