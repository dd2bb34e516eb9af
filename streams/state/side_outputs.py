"""Side outputs: dead letters, late events and milestones as they are written to their topics.

Owns the topics' form (keys, values, headers).
"""

from __future__ import annotations

import msgspec

from models.fold_changes import FoldChanges, Milestone
from models.pseudonymous_record import PseudonymousRecord
from models.pseudonyms import Pseudonyms, without_quotes
from models.rules import LARGEST_KEPT_BYTES
from models.source_record import SourceRecord
from models.viewing import COMPLETED, STARTED, STREAK, VIEWED
from streams.config.settings import Settings
from streams.state.transactions import SideRecord

Headers = list[tuple[str, bytes]]

_MILESTONES = {STARTED.name: "starter", VIEWED.name: "viewer", COMPLETED: "completion", STREAK: "streak"}


def kept_records(
    changes: FoldChanges, settings: Settings, partition: int, topic_id: str, pseudonyms: Pseudonyms | None = None
) -> list[SideRecord]:
    """The records that a checkpoint writes to side topics, in log order for each topic.

    `topic_id` is the id that Kafka gave the source topic, since a recreated topic has other offsets. With `pseudonyms`,
    dead letters and late events keep no bytes, in which ids may be anywhere: the key is a pseudonym, the value is
    empty, and quoted words are removed from the reason.
    """
    source = [
        ("topic", settings.source_topic.encode()),
        ("topic_id", topic_id.encode()),
        ("partition", str(partition).encode()),
    ]
    kept = [
        _kept(settings.dead_letters_topic, record, source, [("error", _reason(reason, pseudonyms))], pseudonyms)
        for record, reason in changes.dead_letters
    ]
    kept += [_kept(settings.late_topic, record, source, [], pseudonyms) for record in changes.late]
    kept += [
        _milestone(settings.milestones_topic, milestone, source)
        for milestone in changes.milestones
        if milestone.fact.name in _MILESTONES
    ]
    return kept


def refused_record(
    topic: str,
    record: SourceRecord,
    source: tuple[str, str, int],
    reason: str,
    pseudonyms: Pseudonyms | None = None,
    more: Headers | None = None,
) -> SideRecord:
    """A record of another topic that was refused, as a dead letter. `source`: that topic, its id, and the partition."""
    topic_name, topic_id, partition = source
    headers = [
        ("topic", topic_name.encode()),
        ("topic_id", topic_id.encode()),
        ("partition", str(partition).encode()),
    ]
    return _kept(topic, record, headers, [("error", _reason(reason, pseudonyms)), *(more or ())], pseudonyms)


def _kept(
    topic: str, record: SourceRecord, source: Headers, more: Headers, pseudonyms: Pseudonyms | None
) -> SideRecord:
    headers = [*source, _offset(record.offset), *more]
    if pseudonyms is not None:
        return _without_bytes(topic, record, headers, pseudonyms)
    for name, whole in (("key", record.key), ("value", record.value)):
        if whole is not None and len(whole) > LARGEST_KEPT_BYTES:
            headers.append(_length(name, len(whole)))
    return SideRecord(topic, _cut(record.key), _cut(record.value), headers)


def _without_bytes(topic: str, record: SourceRecord, headers: Headers, pseudonyms: Pseudonyms) -> SideRecord:
    if isinstance(record, PseudonymousRecord):
        key, length = record.key, record.value_bytes
    else:
        key = None if record.key is None else pseudonyms.of(record.key).encode()
        length = None if record.value is None else len(record.value)
    if length:
        headers = [*headers, _length("value", length)]
    return SideRecord(topic, key, None if length is None else b"", headers)


def _reason(reason: str, pseudonyms: Pseudonyms | None) -> bytes:
    return (reason if pseudonyms is None else without_quotes(reason)).encode()


def _length(name: str, length: int) -> tuple[str, bytes]:
    return f"{name}_bytes", str(length).encode()


def _offset(offset: int) -> tuple[str, bytes]:
    return "offset", str(offset).encode()


def _cut(data: bytes | None) -> bytes | None:
    return data if data is None else data[:LARGEST_KEPT_BYTES]


def _milestone(topic: str, milestone: Milestone, source: Headers) -> SideRecord:
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
    return SideRecord(topic, event.household_id.encode(), msgspec.json.encode(value), headers)
