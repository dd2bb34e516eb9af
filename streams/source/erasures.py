"""The erasures topic, through which workers learn which households to forget.

Owns its form: the key is the household's digest (`models.erasure`), the value the end offset of each source partition
at the time of the request.
"""

from __future__ import annotations

import logging

import msgspec
from confluent_kafka import Message

from streams.config.kafka_security import KafkaAddress
from streams.kafka.compacted_topic import FollowedTopic

log = logging.getLogger(__name__)


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """`until` holds the end offset of each source partition at the time of the request.

    `topic_id` is the id of the source topic then: a recreated topic of the same name has other offsets. `copies`: the
    same offsets in topics, by id, to which records of the household were copied before (decision 23).
    """

    topic_id: str
    until: list[int]
    copies: dict[str, list[int]] = {}

    def reaches(self, topic_id: str, partition: int) -> int:
        """The offset below which a partition's records of the household do not count; 0: all count."""
        until = self.until if topic_id == self.topic_id else self.copies.get(topic_id, ())
        return until[partition] if partition < len(until) else 0


_decode = msgspec.json.Decoder(Erasure).decode


def erasures_feed(kafka: KafkaAddress, topic: str) -> FollowedTopic[Erasure]:
    """The erasures by digest. Call `load` before use."""
    return FollowedTopic(kafka, topic, "erasures", take_erasure)


def take_erasure(rows: dict[str, Erasure], message: Message) -> None:
    """Apply a record of the topic to the erasures by digest; one that is none is logged and left out."""
    key, value = message.key() or b"", message.value()
    try:
        if value is None:
            rows.pop(key.decode(), None)
        else:
            rows[key.decode()] = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        where = f"{message.topic()}/{message.partition()} offset {message.offset()}"
        log.warning("%s is no erasure and is left out: %s", where, problem)
