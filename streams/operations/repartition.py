"""Copies the source topic into one with another number of partitions: `docs/growing.md`, and `docs/decisions/0023`.

Owns the order of the steps. A copy that is killed between any two steps, or while it copies, is simply run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from streams.config.settings import Settings
from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.copy_writer import CopyWriter
from streams.kafka.merged_topic import MergedTopic
from streams.kafka.topics import LARGEST_MESSAGE_BYTES
from streams.operations.copies import Copy, CopyNote, copy_into, group_of
from streams.operations.forgotten import CopyErasures

_COMMIT_EVERY, _COMMIT_EVERY_S = 50_000, 5.0
_QUICK_S = 2.0
"""A round that took no longer than this has caught up: what it left came while it ran."""

_SETTLED_S, _SETTLED_WITHIN_S = 3.0, 15.0
WHILE_COPIED: Mapping[str, str] = {
    # Records keep their timestamps, none is deleted for its age, and none is too large for having been compressed.
    "message.timestamp.type": "CreateTime",
    "message.timestamp.after.max.ms": str((1 << 63) - 1),
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "max.message.bytes": str(LARGEST_MESSAGE_BYTES),
    "cleanup.policy": "delete",
}
"""The options that the new topic has until it is finished. All others are those of the source."""

Advance = Callable[[int, int], None]
"""Called with how many records were copied, and how many are to be copied."""


class RepartitionRefused(Exception):
    """Nothing was copied, or the copy is not finished. The message is one line that says why and what to do."""


class Copied(NamedTuple):
    """What a run did. `left_out`: records of households that were forgotten. `partitions`: of the new topic.

    `is_finished`: the copy holds everything, and the topic has the options of the source. `was_finished`: it was
    before this run, so what was copied now was sent to the source too late.
    """

    records: int
    left_out: int
    partitions: int
    is_finished: bool
    was_finished: bool


def repartition(
    settings: Settings,
    topic: str,
    partitions: int | None,
    *,
    is_last: bool,
    advance: Advance,
    is_stopped: Callable[[], bool],
) -> Copied:
    """Copy what was not copied yet; with `is_last`, finish the copy. Raises `RepartitionRefused`, `CopyFailed`,
    `CannotRead`, `KafkaFailed`, and `SendFailed` if an erasure cannot be extended to the new topic."""
    view = KafkaView(settings.kafka_address)
    source, now = view.topic_there(settings.source_topic), _new_topic(settings, view, topic, partitions)
    group = group_of(settings, topic)

    def committed() -> dict[int, int]:
        known = view.commits(group, settings.source_topic, range(source.partitions))
        return {number: offset for number, (offset, _) in known.items()}

    writer = CopyWriter(settings.kafka_address, group, topic, settings.transaction_timeout_s, committed)
    try:
        writer.open()
        copy = _begun(settings, view, topic, source, now, writer)
        with _Copier(settings, view, copy, source, now, writer, advance, is_stopped) as copier:
            copier.catch_up()
            if is_last and not is_stopped():
                copier.settle()
            is_finished = is_last and not is_stopped()
            if is_finished:
                _finish(settings, view, copy, source, now, copier)
            return Copied(copier.records, copier.left_out, now.partitions, is_finished, copy.ends is not None)
    finally:
        writer.close()


def _new_topic(settings: Settings, view: KafkaView, topic: str, partitions: int | None) -> TopicNow:
    if topic == settings.source_topic:
        raise RepartitionRefused(f"{topic} is the source topic itself: name a new one")
    now = view.topic(topic)
    if now is None:
        if partitions is None:
            raise RepartitionRefused(f"topic {topic} does not exist yet: give its number of partitions by --partitions")
        options = {**view.own_options(settings.source_topic), **WHILE_COPIED}
        return view.create(topic, partitions, view.replication(settings.source_topic), options)
    if partitions not in (None, now.partitions):
        raise RepartitionRefused(f"topic {topic} has {now.partitions} partitions, not {partitions}: name another topic")
    return now


def _begun(
    settings: Settings, view: KafkaView, topic: str, source: TopicNow, now: TopicNow, writer: CopyWriter
) -> Copy:
    """The copy as it was left, or a new one. Call it after the writer was opened."""
    note = CopyNote(settings.source_topic, source.topic_id, now.topic_id)
    copy = copy_into(settings, view, topic, now)
    if copy is not None and copy.note == note:
        return copy
    if copy is not None or any(view.written_ends(topic, range(now.partitions)).values()):
        raise RepartitionRefused(
            f"topic {topic} holds records that are no copy of {settings.source_topic}: name another topic"
        )
    new = Copy(topic, note, {}, None)
    writer.commit({}, new.places_of_ends({0: 0}, is_finished=False))
    return new


class _Copier:
    """One run: rounds, each up to the ends of the source as they are when it begins."""

    def __init__(
        self,
        settings: Settings,
        view: KafkaView,
        copy: Copy,
        source: TopicNow,
        now: TopicNow,
        writer: CopyWriter,
        advance: Advance,
        is_stopped: Callable[[], bool],
    ) -> None:
        self.records = self.left_out = 0
        self._view, self._copy, self._source, self._now, self._writer = view, copy, source, now, writer
        self._advance, self._is_stopped = advance, is_stopped
        self.read = _starts(view, copy, source)
        self._total = 0
        self._merged = MergedTopic(settings.kafka_address, copy.note.source, self.read)
        self._forgotten = CopyErasures(settings, copy.note, self.read)

    def __enter__(self) -> _Copier:
        return self

    def __exit__(self, *_: object) -> None:
        self._merged.close()
        self._forgotten.close()

    def catch_up(self) -> None:
        """Copy until nothing is left but what came during a short round."""
        while not self._is_stopped():
            begun_s = time.monotonic()
            if not self._round() or time.monotonic() - begun_s < _QUICK_S:
                return

    def settle(self) -> None:
        """Copy until nothing comes any more. Raises `RepartitionRefused` if that does not happen."""
        until = time.monotonic() + _SETTLED_WITHIN_S
        quiet_since_s: float | None = None
        while not self._is_stopped() and (quiet_since_s is None or time.monotonic() - quiet_since_s < _SETTLED_S):
            if self._round() or self._waiting():
                quiet_since_s = None
            elif quiet_since_s is None:
                quiet_since_s = time.monotonic()
            if time.monotonic() > until and quiet_since_s is None:
                raise RepartitionRefused(
                    f"the copy is not finished, as records still come to {self._copy.note.source}, or a transaction"
                    " there is still open: stop what writes to it, and run this again"
                )
            time.sleep(0.2)

    def _waiting(self) -> bool:
        """Whether a transaction in the source is still open."""
        numbers = range(self._source.partitions)
        written = self._view.written_ends(self._copy.note.source, numbers)
        return written != self._view.readable_ends(self._copy.note.source, numbers)

    def _round(self) -> int:
        """Copy up to the present ends. Returns how many records there were."""
        ends = self._merged.ends()
        ends = {number: end for number, end in ends.items() if number in self.read}
        self._forgotten.read_on(self._view.readable_ends(self._copy.topic, range(self._now.partitions)))
        self._total = max(self._total, self.records + sum(ends[number] - at for number, at in self.read.items()))
        before, sent, begun_s = self.records, 0, time.monotonic()
        for message in self._merged.below(ends):
            if self._forgotten.covers(message):
                self.left_out += 1
            else:
                self._writer.send(message)
            self.read[message.partition()] = message.offset() + 1
            self.records += 1
            sent += 1
            if sent >= _COMMIT_EVERY or (not sent % 1_000 and time.monotonic() - begun_s > _COMMIT_EVERY_S):
                self._commit()
                sent, begun_s = 0, time.monotonic()
                if self._is_stopped():
                    break
        if sent:
            self._commit()
        return self.records - before

    def _commit(self) -> None:
        self._writer.commit(self.read, self._copy.places(self.read))
        self._advance(self.records, self._total)

    def finish(self, ends: Mapping[int, int]) -> None:
        """Note up to where the copy reaches."""
        places = [*self._copy.places(self.read), *self._copy.places_of_ends(ends, is_finished=True)]
        self._writer.commit(self.read, places)


def _starts(view: KafkaView, copy: Copy, source: TopicNow) -> dict[int, int]:
    """Where each partition is read next. Raises `RepartitionRefused` if records that were not copied are gone."""
    spans = view.spans(copy.note.source, range(source.partitions))
    gone = {number: (at, spans[number][0]) for number, at in copy.read.items() if at < spans[number][0]}
    if gone:
        number, (at, first) = next(iter(gone.items()))
        raise RepartitionRefused(
            f"{copy.note.source}/{number} lost its records {at} to {first - 1} before they were copied: name another"
            " topic, and copy what there is"
        )
    return {number: copy.read.get(number, first) for number, (first, _) in spans.items()}


def _finish(settings: Settings, view: KafkaView, copy: Copy, source: TopicNow, now: TopicNow, copier: _Copier) -> None:
    if view.topic_there(settings.source_topic) != source:
        raise RepartitionRefused(f"{settings.source_topic} was changed in the meantime: run this again")
    own = view.own_options(settings.source_topic)
    view.set_options(copy.topic, {name: own.get(name) for name in WHILE_COPIED})
    if copy.ends is None:
        copier.finish(view.readable_ends(copy.topic, range(now.partitions)))
