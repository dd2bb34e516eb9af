"""The households topic: whose household a user of a foreign schema belongs to.

Owns its form: the key is the user as the messages state it, the value `{"household_id": ...}`; null: none any more.
"""

from __future__ import annotations

import logging

import msgspec
from confluent_kafka import Message

from models.sources.told import id_text
from streams.config.kafka_security import KafkaAddress
from streams.kafka.compacted_topic import FollowedTopic

log = logging.getLogger(__name__)


class Household(msgspec.Struct):
    """The household of a user."""

    household_id: str


_decode = msgspec.json.Decoder(Household).decode


def households_feed(kafka: KafkaAddress, topic: str) -> FollowedTopic[str]:
    """The households by user. Call `load` before use."""
    return FollowedTopic(kafka, topic, "households", take_household)


def take_household(rows: dict[str, str], message: Message) -> None:
    """Apply a record of the topic; one that cannot be read is logged and left out."""
    key, value = message.key() or b"", message.value()
    try:
        # As an id of a message is, where it is long.
        user = id_text(key.decode()) or ""
        if value is None:
            rows.pop(user, None)
        else:
            rows[user] = _decode(value).household_id
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        where = f"{message.topic()}/{message.partition()} offset {message.offset()}"
        log.warning("%s is no household of a user and is left out: %s", where, problem)
