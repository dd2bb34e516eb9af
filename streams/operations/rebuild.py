"""Makes a new state, so that workers count the source again from its first record: `docs/decisions/0006`.

Owns the order of the steps. A rebuild that is killed between any two steps can simply be run again, and a worker that
is started between any two refuses.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from models.hash_fields import STREAM_FIELDS
from streams.archive.history import history_of
from streams.config.failpoints import arm
from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.config.zones import zones_version
from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.reader import TopicReader, read_all
from streams.kafka.topics import KafkaFailed, make_topics
from streams.operations.copies import copy_into, told_in_copy
from streams.operations.replay import replay
from streams.publishing.redis_sink import RedisSink
from streams.publishing.sink import Sink
from streams.state.changelog import POSITION_KEY, Position, position_message
from streams.state.transactions import CheckpointBatch, TransactionalWriter

_MADE_WITHIN_S = 30.0
Headers = Mapping[str, bytes]


class RebuildRefused(Exception):
    """The rebuild was not started. The message is one line that says why and what to do."""


class Recount(NamedTuple):
    """What will be counted again: each source partition's first offset and last stable offset.

    `archived`: how many of these offsets only the archive has. `gaps`: how many it lacks, which was accepted.
    """

    firsts: dict[int, int]
    ends: dict[int, int]
    archived: int = 0
    gaps: int = 0

    @property
    def records(self) -> int:
        """Source records that exist, in Kafka or in the archive."""
        return sum(self.ends.values()) - self.gone

    @property
    def gone(self) -> int:
        """Records that neither Kafka nor the archive has: perhaps counted once, never again."""
        return sum(self.firsts.values()) + self.gaps


def look(settings: Settings) -> Recount:
    """What a rebuild would count, with the archive of the settings, if they name one.

    Raises `RebuildRefused` while workers run, `KafkaFailed`, and `CannotRead` without a source, or if records are
    neither in Kafka nor in the archive.
    """
    members = KafkaView(settings.kafka_address).members(settings.app_id)
    if members:
        raise RebuildRefused(
            f"stop the workers first: {members} {'is' if members == 1 else 'are'} running"
            " (one that was killed, or has an ENCORE_GROUP_INSTANCE_ID, counts until its session is over)"
        )
    with TopicReader(settings.kafka_address, settings.source_topic) as source:
        if not settings.archive:
            return Recount(source.beginnings, source.ends())
        history = history_of(settings, source)
        spans, gaps = history.spans.values(), chain.from_iterable(history.gaps.values())
        archived = sum(span.until - span.first for span in spans)
        return Recount(history.firsts, source.ends(), archived, sum(end - start for start, end in gaps))


def rebuild(settings: Settings) -> int:
    """Make a new state, from which the next workers count. Returns the new incarnation.

    What Kafka has forgotten is counted here, from the archive. Raises what `look` does, `CheckpointFailed` if a worker
    was started meanwhile, `Unreachable`, `ForeignPrefix`.
    """
    arm(settings.failpoint)
    view, recount = KafkaView(settings.kafka_address), look(settings)
    with _writers(settings, recount.ends) as writers:
        source = view.topic_there(settings.source_topic)
        before = _positions_before(settings)
        if recount.records:
            _check_not_grown(settings, source, before.values())
        told = _told(settings, view, source, before, recount.ends)
        incarnation = asyncio.run(_hold_readers(settings, len(writers), before.values()))
        # From here to the last step, the group's offsets make every worker refuse the state as incomplete.
        view.commit(settings.app_id, settings.source_topic, recount.ends)
        state = _make_state_anew(settings, view)
        for number, writer in writers.items():
            position = Position(
                next_offset=recount.firsts[number],
                topic_id=source.topic_id,
                partitions=source.partitions,
                stream_time_ms=-1,
                sequence=0,
                rules=settings.state_fingerprint(),
                zones=zones_version(),
                incarnation=incarnation,
                stream=[0] * len(STREAM_FIELDS),
                state_id=state.topic_id,
                told=told[number],
                rebuild_until=recount.ends[number],
                changed_rules=settings.changed_rules(),
            )
            writer.write(CheckpointBatch([position_message(position)], []))
    begins = replay(settings, recount.firsts, recount.ends) if recount.archived else recount.firsts
    view.commit(settings.app_id, settings.source_topic, begins)
    return incarnation


@contextmanager
def _writers(settings: Settings, partitions: Iterable[int]) -> Iterator[dict[int, TransactionalWriter]]:
    """The partitions' writers; opening them fences any worker that was frozen and may resume."""
    writers = {number: TransactionalWriter.of(settings, number) for number in partitions}
    try:
        for writer in writers.values():
            writer.open()
        yield writers
    finally:
        for writer in writers.values():
            writer.close()


def _positions_before(settings: Settings) -> dict[int, dict[str, Any]]:
    """The positions of the present state, of whatever version; none if there is no state."""
    return {
        message.partition(): msgspec.json.decode(message.value())
        for message in read_all(settings.kafka_address, settings.state_topic)
        if message.key() == POSITION_KEY and message.value() is not None
    }


def _check_not_grown(settings: Settings, source: TopicNow, before: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a topic to which partitions were added: households have records in their former one and their new one."""
    counts = {int(position["partitions"]) for position in before if position.get("topic_id") == source.topic_id}
    if counts - {source.partitions}:
        raise RebuildRefused(
            f"{settings.source_topic} had {max(counts)} partitions when it was counted, and has {source.partitions}:"
            f" households would count in two of them; run `encore repartition NEW_TOPIC --partitions"
            f" {source.partitions}`, and then this with ENCORE_SOURCE_TOPIC=NEW_TOPIC (docs/growing.md)"
        )


def _told(
    settings: Settings,
    view: KafkaView,
    source: TopicNow,
    before: Mapping[int, dict[str, Any]],
    ends: Mapping[int, int],
) -> dict[int, int]:
    """For each partition, the offset below which all outputs were written: they must not be written again."""
    told = _told_of(settings, settings.source_topic, source.topic_id, before, ends)
    copy = copy_into(settings, view, settings.source_topic, source)
    if copy is None:
        return told
    if copy.ends is None:
        raise RebuildRefused(
            f"{settings.source_topic} is a copy of {copy.note.source} that is not finished: run `encore repartition"
            f" {settings.source_topic} --last` with ENCORE_SOURCE_TOPIC={copy.note.source} (docs/growing.md)"
        )
    of_source = _told_of(settings, copy.note.source, copy.note.source_id, before, copy.read)
    of_copy = told_in_copy(view, copy, of_source)
    return {number: max(told[number], of_copy.get(number, 0)) for number in ends}


def _told_of(
    settings: Settings,
    source_topic: str,
    topic_id: str,
    before: Mapping[int, dict[str, Any]],
    ends: Mapping[int, int],
) -> dict[int, int]:
    """The same for one topic. Outputs and positions are committed together, so they agree; either may be lost."""
    of_outputs: dict[int, int] = {}
    for topic in (settings.milestones_topic, settings.dead_letters_topic, settings.late_topic):
        for number, told in told_by(_headers(settings.kafka_address, topic), source_topic, topic_id).items():
            of_outputs[number] = max(told, of_outputs.get(number, 0))
    return {
        number: min(end, max(of_outputs.get(number, 0), _told_before(before.get(number, {}), topic_id)))
        for number, end in ends.items()
    }


def told_by(outputs: Iterable[Headers], source_topic: str, topic_id: str) -> dict[int, int]:
    """For each source partition, one more than the largest offset in the headers of the side outputs.

    Records of a former topic of the same name do not count; those without a topic id do.
    """
    told: dict[int, int] = {}
    for headers in outputs:
        is_of_source = headers.get("topic") == source_topic.encode()
        if is_of_source and headers.get("topic_id", topic_id.encode()) == topic_id.encode() and "offset" in headers:
            number, offset = int(headers["partition"]), int(headers["offset"])
            told[number] = max(offset + 1, told.get(number, 0))
    return told


def _headers(kafka: KafkaAddress, topic: str) -> Iterator[Headers]:
    return (dict(message.headers() or []) for message in read_all(kafka, topic))


def _told_before(position: Mapping[str, Any], topic_id: str) -> int:
    if position.get("topic_id") != topic_id:
        return 0
    return max(int(position["next_offset"]), int(position.get("told", 0)))


async def _hold_readers(settings: Settings, partitions: int, before: Iterable[Mapping[str, Any]]) -> int:
    """Make readers keep the former counters until all is recounted. Returns an incarnation newer than any before."""
    sink: Sink = RedisSink.of(settings)
    try:
        await sink.join(partitions)
        published = await sink.begin_rebuild(partitions)
    finally:
        await sink.close()
    newest = max([published, *(int(position["incarnation"]) for position in before)])
    return max(time.time_ns() // 1_000_000, newest + 1)


def _make_state_anew(settings: Settings, view: KafkaView) -> TopicNow:
    before = view.topic(settings.state_topic)
    if before is not None:
        view.delete(settings.state_topic)
    until = time.monotonic() + _MADE_WITHIN_S
    while time.monotonic() < until:
        now = view.topic(settings.state_topic)
        if now is not None and now != before:
            return now
        if now is None:
            make_topics(settings, settings.kafka_address, all_of_them=True)
        time.sleep(0.05)
    raise KafkaFailed(f"topic {settings.state_topic} could not be created again within {_MADE_WITHIN_S:g} s: try again")
