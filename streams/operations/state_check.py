"""Checks each partition's state as a worker does before it continues from it, and changes nothing.

Owns what is compared; the rules of it and the messages are in `streams.state.consistency`.
"""

from __future__ import annotations

import msgspec

from streams.config.settings import Settings
from streams.config.zones import zones_version
from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.last_record import last_record
from streams.kafka.reader import CannotRead
from streams.state.changelog import Position, StateError, check_end, decode_position
from streams.state.consistency import RecordedElsewhere, StateNames, check_fits, check_remembered, check_source

_ANSWER_S = 10.0


def refusals(settings: Settings, view: KafkaView, source: TopicNow, state: TopicNow) -> dict[int, str]:
    """Why a worker would refuse the state, by partition; empty: it would continue from all of them. Blocks.

    Both topics must have the same number of partitions. Raises `KafkaFailed`.
    """
    spans = view.spans(settings.source_topic, range(source.partitions))
    here = _position_here(settings, source, state)
    refused = {}
    for number, (first, end) in spans.items():
        place = StateNames(f"{settings.source_topic}/{number}", f"{settings.state_topic}/{number}", settings.app_id)
        committed = view.committed(settings.app_id, settings.source_topic, number)
        try:
            position = _position(settings, number)
            check_remembered(place, position, RecordedElsewhere(committed, None))
            if position is not None:
                check_fits(place, position, here)
                check_source(place, position.next_offset, first, end)
        except (StateError, CannotRead) as problem:
            refused[number] = str(problem)
    return refused


def _position(settings: Settings, number: int) -> Position | None:
    """The last position of a partition's state; None: it has none yet. Raises `StateError`, `CannotRead`."""
    last = last_record(settings.kafka_address, settings.state_topic, number, _ANSWER_S)
    if last is None:
        return None
    check_end(last.key)
    try:
        return decode_position(last.value or b"")
    except msgspec.DecodeError as problem:
        raise StateError(f"{settings.state_topic}/{number} cannot be read at offset {last.offset}: {problem}") from None


def _position_here(settings: Settings, source: TopicNow, state: TopicNow) -> Position:
    """What a worker with these settings would write, as far as it is compared."""
    return Position(
        next_offset=0,
        topic_id=source.topic_id,
        partitions=source.partitions,
        stream_time_ms=-1,
        sequence=0,
        rules=settings.state_fingerprint(),
        zones=zones_version(),
        incarnation=0,
        stream=[],
        state_id=state.topic_id,
        changed_rules=settings.changed_rules(),
    )
