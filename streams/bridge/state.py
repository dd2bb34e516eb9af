"""A bridge's state: the sessions of a foreign partition, and how far it is translated, in a compacted topic.

Owns the records' form, and whether a state may be continued. Keys and values:

    p              the position, JSON (`BridgePosition`): the last record of every transaction
    s session      a foreign session (`models.sources.player.ForeignSession`), msgpack
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from models.sources.foreign_partition import ForeignPartition, Forgetting
from streams.config.settings import Settings
from streams.state.changelog import POSITION_KEY, StateError, check_end

FORMAT = 1
"""Raise it when the form of any record changes, a session's included. A bridge refuses any other."""

_SESSION = b"s"


class BridgePosition(msgspec.Struct, frozen=True):
    """Where a partition's state stands; written in every checkpoint's transaction.

    `next_offset`: the first foreign offset that is not translated. `topic_id`, `state_id`: of the foreign topic and of
    the state's. `sequence`: the number of the checkpoint. `writer`: differs in each process.
    """

    next_offset: int
    topic_id: str
    state_id: str
    sequence: int
    forgetting: Forgetting
    writer: str
    format: int = FORMAT


_decode_position = msgspec.json.Decoder(BridgePosition).decode


def state_messages(sessions: Mapping[str, bytes | None], position: BridgePosition) -> list[dict[str, Any]]:
    """The sessions that changed, and the position, as messages of the state."""
    messages = [{"key": _SESSION + key.encode(), "value": packed} for key, packed in sessions.items()]
    messages.append({"key": POSITION_KEY, "value": msgspec.json.encode(position)})
    return messages


class BridgeRestore:
    """Restores a partition from its state's records, in their order. `rows` counts them; `last` is the last value."""

    def __init__(self, partition: ForeignPartition) -> None:
        self.partition = partition
        self.position: BridgePosition | None = None
        self.last: bytes | None = None
        self.rows = 0
        self._last_key: bytes | None = POSITION_KEY

    def add(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Add records, as keys and values; None is a tombstone. Raises `StateError`."""
        for key, value in records:
            try:
                if key == POSITION_KEY and value is not None:
                    self.position = _decode_position(value)
                elif key[:1] == _SESSION:
                    self.partition.restore(key[1:].decode(), value)
                else:
                    raise ValueError("it is none of a bridge's")
            except (msgspec.DecodeError, ValueError) as problem:
                raise StateError(f"the state cannot be read at the key {key!r}: {problem}") from None
        self.rows += len(records)
        if records:
            self._last_key, self.last = records[-1]

    def finish(self) -> None:
        """Finish, after all records were added. Raises `StateError`."""
        check_end(self._last_key)
        if self.position is not None:
            self.partition.forgetting = self.position.forgetting


def remedy(bridge: Settings) -> str:
    """What to do about a state that cannot be continued: the events have the same ids again, and count once."""
    return (
        f"to translate the topic from its beginning again, stop the bridge, and delete its group {bridge.app_id} and"
        f" the topic {bridge.state_topic}"
    )


def check_continues(
    bridge: Settings, number: int, position: BridgePosition | None, committed: int | None, ids: tuple[str, str]
) -> None:
    """Check that a state is all of it, and of these topics. `committed`: the offset that the group has committed.

    `ids`: of the foreign topic and of the state's. Raises `StateError`.
    """
    where, end = f"{bridge.state_topic}/{number}", remedy(bridge)
    if position is None:
        if committed is not None:
            raise StateError(f"{where} holds no state, and there was one, up to offset {committed}; {end}")
        return
    if position.format != FORMAT:
        raise StateError(f"{where} has format {position.format}, this bridge reads {FORMAT}; {end}")
    if (position.topic_id, position.state_id) != ids:
        raise StateError(
            f"{where} was made with topics of the ids {position.topic_id} and {position.state_id}, they are"
            f" {ids[0]} and {ids[1]} now: {bridge.source_topic} or {bridge.state_topic} was made anew; {end}"
        )
    if committed is not None and committed > position.next_offset:
        raise StateError(
            f"{where} ends too early: the group has committed offset {committed}, the state continues at"
            f" {position.next_offset}; {end}"
        )


def check_source(bridge: Settings, number: int, next_offset: int, first: int, end: int, *, accept_gap: bool) -> int:
    """The offset at which a partition continues: the source has it. Raises `StateError`.

    `accept_gap`: where records from there on are forgotten, the first that is there.
    """
    where = f"{bridge.source_topic}/{number}"
    if next_offset > end:
        raise StateError(
            f"{where} ends at offset {end}, and is translated up to {next_offset}: it has lost its end;"
            f" {remedy(bridge)}"
        )
    if next_offset < first and not accept_gap:
        raise StateError(
            f"Kafka has forgotten offsets {next_offset} to {first - 1} of {where}, and they are not translated. Nothing"
            f" can bring them back: `encore bridge --accept-gap` goes on at offset {first}. Keep more in Kafka than a"
            " bridge is ever away (retention.ms)"
        )
    return max(first, next_offset)
