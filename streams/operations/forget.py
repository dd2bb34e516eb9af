"""Has a household forgotten: asks the workers, and waits until every partition has done so (decision record 15).

`streams.source.erasures` and `streams.state.changelog` own the forms of the topics.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from models.erasure import digest_of
from streams.archive.store import Store, open_store
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.producer import Outgoing, send
from streams.kafka.reader import OptionalTopic, TopicReader
from streams.operations.titles import NOW
from streams.source.erasures import Erasure
from streams.state.changelog import ERASURE, read_erasure

if TYPE_CHECKING:
    from streams.archive.erasure import Holding

_POLL_S = 0.2


class ErasureRequest(NamedTuple):
    """The household to forget, by digest, and the offset in each partition up to which its records are forgotten."""

    digest: str
    erasure: Erasure


class ForgetProgress(NamedTuple):
    """The number of rows deleted so far, by partition, and the partitions that have not answered."""

    rows: dict[int, int]
    waiting: list[int]


def digest_by(settings: Settings, household_id: str) -> str:
    """A household's digest: that of its id or, with these settings, of its pseudonym."""
    pseudonyms = settings.pseudonyms()
    return digest_of(household_id if pseudonyms is None else pseudonyms.of(household_id.encode()))


def ask(settings: Settings, household_id: str) -> ErasureRequest:
    """Ask the workers to forget a household and everything that it has sent until now.

    Raises `KafkaFailed` if Kafka does not answer or lacks a topic, `SendFailed` if it does not accept the request.
    """
    view = KafkaView(settings.kafka_address)
    view.topic_there(settings.erasures_topic)
    source = view.topic_there(settings.source_topic)
    ends = view.readable_ends(settings.source_topic, range(source.partitions))
    asked = ErasureRequest(
        digest_by(settings, household_id), Erasure(source.topic_id, [ends[n] for n in range(len(ends))])
    )
    record = Outgoing(0, asked.digest.encode(), msgspec.json.encode(asked.erasure), NOW)
    send([record], settings.kafka_address, settings.erasures_topic, stamp=False)
    return asked


def follow(settings: Settings, asked: ErasureRequest, within_s: float) -> ForgetProgress:
    """Wait up to `within_s` until every partition's state confirms it. Raises `CannotRead`."""
    deadline = time.monotonic() + within_s
    rows: dict[int, int] = {}
    with closing(OptionalTopic(settings.kafka_address, settings.state_topic)) as state:
        while True:
            rows |= _answers(state, asked)
            waiting = [number for number in range(len(asked.erasure.until)) if number not in rows]
            if not waiting or time.monotonic() > deadline:
                return ForgetProgress(rows, waiting)
            time.sleep(_POLL_S)


class Archived(NamedTuple):
    """A household in the archive: the files that hold records of it, or held them until they were rewritten.

    `removed`: how many records are gone by that. `waiting`: partitions whose archive does not reach the erasure yet.
    """

    files: list[Holding]
    removed: int
    waiting: list[int]


def forget_in_archive(
    settings: Settings, asked: ErasureRequest, household_id: str, rewrite: bool, within_s: float
) -> Archived:
    """Find a household's records in the archive and, with `rewrite`, remove them once all are archived.

    Raises `ArchiveFailed`, `CannotRead`.
    """
    from streams.archive.erasure import erase, holding

    store, topic = open_store(settings.archive), settings.source_topic
    key = _key_in_archive(settings, store, asked, household_id)
    until = dict(enumerate(asked.erasure.until))
    deadline = time.monotonic() + within_s
    while (waiting := _not_archived(settings, store, until)) and rewrite and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    files = holding(store, topic, key, until)
    return Archived(files, erase(store, topic, key, until) if rewrite else 0, waiting)


def _key_in_archive(settings: Settings, store: Store, asked: ErasureRequest, household_id: str) -> bytes:
    """The key of a household's records: its id, or its pseudonym where the archive has these."""
    from streams.archive.source_note import check_source, source_of

    erasure, pseudonyms = asked.erasure, settings.pseudonyms()
    source = source_of(TopicNow(erasure.topic_id, len(erasure.until)), pseudonyms)
    found = check_source(store, settings.source_topic, source)
    key = household_id.encode()
    return pseudonyms.of(key).encode() if pseudonyms is not None and found.pseudonyms else key


def _not_archived(settings: Settings, store: Store, until: Mapping[int, int]) -> list[int]:
    """The partitions that have records below these offsets which are not in the archive."""
    from streams.archive.chain import last_file

    ends = {}
    for number in until:
        last = last_file(store, settings.source_topic, number)
        ends[number] = last.footer.next_offset if last else 0
    with TopicReader(settings.kafka_address, settings.source_topic, {}) as source:
        starts = {number: max(end, source.beginnings[number]) for number, end in ends.items()}
    return [number for number, end in until.items() if _has_records(settings, number, starts[number], end)]


def _has_records(settings: Settings, number: int, start: int, end: int) -> bool:
    # Markers of transactions take offsets, too.
    if start >= end:
        return False
    with TopicReader(settings.kafka_address, settings.source_topic, {number: start}) as reader:
        return next(reader.read_below({number: end}, at_once=1), None) is not None


def _answers(state: OptionalTopic, asked: ErasureRequest) -> dict[int, int]:
    """The rows deleted in the partitions that have confirmed since the last call."""
    found: dict[int, int] = {}
    for message in state.read_on():
        number, key, value = message.partition(), message.key() or b"", message.value()
        if key[:1] != ERASURE or value is None:
            continue
        digest, erased = read_erasure(key, value)
        if digest == asked.digest and erased.until >= asked.erasure.until[number]:
            found[number] = erased.rows
    return found
