"""Says that Kafka refused a record of a checkpoint, which one, and what to do.

Owns which errors are a record's own: its partition stops, and all others go on. A missing right is none of them: every
partition writes to the same topics. The words name topic, partition, offset and title, never a household.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from confluent_kafka import KafkaError

from streams.state.tally_records import CURRENT, Message, UnknownKind, read_tally_key

if TYPE_CHECKING:
    from streams.state.transactions import CheckpointBatch, SideRecord

_LARGEST = {
    KafkaError.MSG_SIZE_TOO_LARGE: "raise max.message.bytes of that topic, and the brokers' message.max.bytes",
    KafkaError.RECORD_LIST_TOO_LARGE: "raise segment.bytes of that topic",
}
REFUSED = frozenset({*_LARGEST, KafkaError.INVALID_RECORD, KafkaError.INVALID_TIMESTAMP})
"""Codes of errors by which Kafka refuses a record itself. Nobody can write the checkpoint until Kafka is changed."""

_CHECKS = {
    KafkaError.INVALID_RECORD: "look at what they check in",
    KafkaError.INVALID_TIMESTAMP: "raise message.timestamp.before.max.ms and message.timestamp.after.max.ms of",
}
_KINDS_WITH_AN_OFFSET = (b"c", b"e", b"z")
_decode = msgspec.json.Decoder(dict[str, object]).decode


class _Record(NamedTuple):
    size: int
    what: str


def refused(batch: CheckpointBatch, topic: str, partition: int, error: KafkaError) -> str:
    """Which record of a batch Kafka refused, as far as is known, and what to do. `topic`, `partition`: the state's."""
    position = _fields(batch.state[-1]["value"])
    end = f"the checkpoint ends before offset {position.get('next_offset', '?')} of source partition {partition}"
    if error.code() not in _LARGEST:
        topics = ", ".join(dict.fromkeys([topic, *batch.sent, *(kept.topic for kept in batch.kept)]))
        return (
            f"Kafka refused a record as invalid: {error.str()} ({end}); nothing of the checkpoint was written; the"
            f" brokers' logs say why; {_CHECKS[error.code()]} the topics {topics}"
        )
    largest = max(_records(batch.state, batch.kept, topic), key=lambda record: record.size)
    return (
        f"Kafka refused a record for its size, the largest is {largest.what}, {largest.size:,} bytes ({end});"
        f" nothing of the checkpoint was written; {_LARGEST[error.code()]} (`encore doctor` checks the topics)"
    )


def _records(state: Sequence[Message], kept: Sequence[SideRecord], topic: str) -> Iterator[_Record]:
    for message in state:
        key = message["key"] or b""
        yield _Record(_size(key, message["value"]), f"{_state_record(key)} in {topic}")
    for each in kept:
        yield _Record(_size(each.key, each.value), _kept_record(each))


def _size(key: bytes | None, value: bytes | None) -> int:
    return len(key or b"") + len(value or b"")


def _state_record(key: bytes) -> str:
    """What a record of the state is of."""
    kind = key[:1]
    if kind == b"r":
        return f"a household's row of title {_text(key[3 : 3 + int.from_bytes(key[1:3], 'big')])}"
    if kind == CURRENT:
        return f"the current windows of title {_text(key[1:])}"
    if kind == b"s":
        return f"the streaks of title {_text(key[5:])}"
    if kind == b"c":
        return f"the catalog row of title {_text(key[22:])} from offset {_text(key[1:21])}"
    if kind in _KINDS_WITH_AN_OFFSET:
        return f"a control row from offset {_text(key[1:21])}"
    try:
        tally = read_tally_key(key)
    except (UnknownKind, ValueError):
        return "a control row"
    return f"the counts ({tally.kind}) of title or franchise {tally.title_id!r}"


def _kept_record(kept: SideRecord) -> str:
    headers = dict(kept.headers)
    title = _fields(kept.value).get("title_id")
    of = "" if title is None else f" of title {title!r}"
    return f"what {kept.topic} keeps{of} of source offset {headers.get('offset', b'?').decode()}"


def _text(data: bytes) -> str:
    return repr(data.decode(errors="replace"))


def _fields(value: bytes | None) -> dict[str, object]:
    try:
        return _decode(value or b"{}")
    except msgspec.DecodeError:
        return {}
