"""Records set aside: dead letters, late events and milestones as they are written to their topics.

Owns the topics' form (keys, values, headers). It must not know why a record was set aside, nor how it is sent.
"""

from __future__ import annotations

import msgspec

from models.fold import Changes, Milestone, Record
from models.viewing import COMPLETED, STARTED, STREAK, VIEWED
from streams.settings import Settings
from streams.transactions import Kept

LARGEST_KEPT_BYTES = 5_000_000
"""A key or value beyond this is cut, and a header `key_bytes` or `value_bytes` says how long it was: what the
topic refuses would end the worker at this record for ever. The source topic still has it whole."""

Headers = list[tuple[str, bytes]]

_MILESTONES = {STARTED.name: "starter", VIEWED.name: "viewer", COMPLETED: "completion", STREAK: "streak"}


def kept_records(changes: Changes, settings: Settings, partition: int, topic_id: str) -> list[Kept]:
    """What a checkpoint writes beside the state, in log order for each topic.

    `topic_id` is the id that Kafka gave the source topic: offsets of another topic of that name are others.
    """
    source = [
        ("topic", settings.source_topic.encode()),
        ("topic_id", topic_id.encode()),
        ("partition", str(partition).encode()),
    ]
    kept = [
        _kept(settings.dead_letters_topic, record, source, [("error", reason.encode())])
        for record, reason in changes.dead_letters
    ]
    kept += [_kept(settings.late_topic, record, source, []) for record in changes.late]
    kept += [
        _milestone(settings.milestones_topic, milestone, source)
        for milestone in changes.milestones
        if milestone.fact.name in _MILESTONES
    ]
    return kept


def _kept(topic: str, record: Record, source: Headers, more: Headers) -> Kept:
    headers = [*source, _offset(record.offset), *more]
    key, value = record.key, record.value
    for name, whole in (("key", key), ("value", value)):
        if whole is not None and len(whole) > LARGEST_KEPT_BYTES:
            headers.append((f"{name}_bytes", str(len(whole)).encode()))
    return Kept(topic, _cut(key), _cut(value), headers)


def _offset(offset: int) -> tuple[str, bytes]:
    return "offset", str(offset).encode()


def _cut(data: bytes | None) -> bytes | None:
    return data if data is None else data[:LARGEST_KEPT_BYTES]


def _milestone(topic: str, milestone: Milestone, source: Headers) -> Kept:
    event, fact = milestone.event, milestone.fact
    value = {
        "milestone": _MILESTONES[fact.name],
        "household_id": event.household_id,
        "title_id": event.title_id,
        "event_id": event.event_id,
        "event_time_ms": event.event_time_ms,
        "ordinal": fact.ordinal or 1,
    }
    if fact.name == COMPLETED:
        value["rewatch"] = fact.ordinal > 1
    if fact.name == STREAK:
        value["daypart"] = fact.daypart
    headers = [*source, _offset(milestone.offset)]
    return Kept(topic, event.household_id.encode(), msgspec.json.encode(value), headers)
