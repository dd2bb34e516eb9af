"""Has a household forgotten: asks the workers, and waits until every partition has done so (decision record 15).

`streams.source.erasures` and `streams.state.changelog` own the forms of the topics.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import NamedTuple

import msgspec

from models.erasure import digest_of
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView
from streams.kafka.producer import Outgoing, send
from streams.kafka.reader import OptionalTopic
from streams.operations.titles import NOW
from streams.source.erasures import Erasure
from streams.state.changelog import ERASURE, read_erasure

_POLL_S = 0.2


class Asked(NamedTuple):
    """The household to forget, by digest, and the offset in each partition up to which its records are forgotten."""

    digest: str
    erasure: Erasure


class Forgotten(NamedTuple):
    """The number of rows deleted so far, by partition, and the partitions that have not answered."""

    rows: dict[int, int]
    waiting: list[int]


def digest_by(settings: Settings, household_id: str) -> str:
    """A household's digest: that of its id or, with these settings, of its pseudonym."""
    pseudonyms = settings.pseudonyms()
    return digest_of(household_id if pseudonyms is None else pseudonyms.of(household_id.encode()))


def ask(settings: Settings, household_id: str) -> Asked:
    """Ask the workers to forget a household and everything that it has sent until now.

    Raises `KafkaFailed` if Kafka does not answer or lacks a topic, `SendFailed` if it does not accept the request.
    """
    view = KafkaView(settings.kafka_address)
    view.topic_there(settings.erasures_topic)
    source = view.topic_there(settings.source_topic)
    ends = view.readable_ends(settings.source_topic, range(source.partitions))
    asked = Asked(digest_by(settings, household_id), Erasure(source.topic_id, [ends[n] for n in range(len(ends))]))
    record = Outgoing(0, asked.digest.encode(), msgspec.json.encode(asked.erasure), NOW)
    send([record], settings.kafka_address, settings.erasures_topic, stamp=False)
    return asked


def follow(settings: Settings, asked: Asked, within_s: float) -> Forgotten:
    """Wait up to `within_s` until every partition's state confirms it. Raises `CannotRead`."""
    deadline = time.monotonic() + within_s
    rows: dict[int, int] = {}
    with closing(OptionalTopic(settings.kafka_address, settings.state_topic)) as state:
        while True:
            rows |= _answers(state, asked)
            waiting = [number for number in range(len(asked.erasure.until)) if number not in rows]
            if not waiting or time.monotonic() > deadline:
                return Forgotten(rows, waiting)
            time.sleep(_POLL_S)


def _answers(state: OptionalTopic, asked: Asked) -> dict[int, int]:
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
