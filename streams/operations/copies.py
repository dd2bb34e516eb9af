"""A copy of the source topic with another number of partitions: what its group's offsets say of it (decision 23).

Owns the form of these offsets. Those of the source are the copy's progress. Those of the new topic say which topic it
is a copy of, and, once it is finished, up to where it reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from confluent_kafka import TopicPartition

from streams.config.settings import Settings
from streams.kafka.admin import KafkaView, TopicNow


class CopyNote(msgspec.Struct, frozen=True):
    """Kept with every offset. A topic that is made anew has another id, so its copy is another one."""

    source: str
    source_id: str
    copy_id: str
    is_finished: bool = False


class Copy(NamedTuple):
    """A copy. `read` maps a partition of the source to the next offset to copy; a partition without one is not begun.

    `ends`: the offset in each partition of the new topic below which all is copied; None: it is not finished.
    """

    topic: str
    note: CopyNote
    read: Mapping[int, int]
    ends: Mapping[int, int] | None

    def places(self, read: Mapping[int, int]) -> list[TopicPartition]:
        """The offsets to commit after records were copied."""
        note = _text(self.note)
        return [TopicPartition(self.note.source, number, offset, note) for number, offset in read.items()]

    def places_of_ends(self, ends: Mapping[int, int], *, is_finished: bool) -> list[TopicPartition]:
        """The offsets of the new topic to commit: once when it begins, and once when it is finished."""
        note = _text(msgspec.structs.replace(self.note, is_finished=is_finished))
        return [TopicPartition(self.topic, number, end, note) for number, end in ends.items()]


def group_of(settings: Settings, topic: str) -> str:
    """The group, and transactional id, of the copy into a topic."""
    return f"{settings.app_id}-repartition-{topic}"


def copy_into(settings: Settings, view: KafkaView, topic: str, now: TopicNow) -> Copy | None:
    """The copy of which `topic` is the new topic; None: it is no copy, or that of a former topic of its name."""
    group = group_of(settings, topic)
    ends = view.commits(group, topic, range(now.partitions))
    notes = {note for _, text in ends.values() if (note := _note(text)) and note.copy_id == now.topic_id}
    if not notes:
        return None
    note = max(notes, key=lambda each: each.is_finished)
    source = view.topic(note.source)
    known = view.commits(group, note.source, range(source.partitions)) if source else {}
    begun = msgspec.structs.replace(note, is_finished=False)
    read = {number: offset for number, (offset, text) in known.items() if _note(text) == begun}
    finished = {number: offset for number, (offset, text) in ends.items()} if note.is_finished else None
    return Copy(topic, begun, read, finished)


def told_in_copy(view: KafkaView, copy: Copy, told: Mapping[int, int]) -> dict[int, int]:
    """For each partition of a finished copy, the offset below which all outputs were written.

    `told` is the same of its source. If all of that was told, the answer is exact. Otherwise it is where the first
    record lies that is as late as the first one that was not told: a record after it may be told twice, none is left
    out as long as timestamps rise.
    """
    assert copy.ends is not None
    waiting = {number: told.get(number, 0) for number, at in copy.read.items() if told.get(number, 0) < at}
    if not waiting:
        return dict(copy.ends)
    spans = view.spans(copy.note.source, list(waiting))
    times_ms = [view.time_of(copy.note.source, number, max(at, spans[number][0])) for number, at in waiting.items()]
    first_ms = min((time_ms for time_ms in times_ms if time_ms is not None), default=None)
    if first_ms is None:
        return dict(copy.ends)
    offsets = view.offsets_at(copy.topic, dict.fromkeys(copy.ends, first_ms))
    return {number: end if (at := offsets[number]) is None else min(end, at) for number, end in copy.ends.items()}


def _text(note: CopyNote) -> str:
    return msgspec.json.encode(note).decode()


def _note(text: str) -> CopyNote | None:
    try:
        return msgspec.json.decode(text, type=CopyNote)
    except msgspec.DecodeError:
        return None
