"""The catalog of a worker: the readable rows of the titles topic."""

from __future__ import annotations

import logging

from confluent_kafka import Message

from models.catalog import BadTitle, CatalogRow, read_title
from streams.config.kafka_security import KafkaAddress
from streams.kafka.compacted_topic import FollowedTopic

log = logging.getLogger(__name__)


def catalog_feed(kafka: KafkaAddress, topic: str) -> FollowedTopic[CatalogRow]:
    """The catalog by title id. Call `load` before use."""
    return FollowedTopic(kafka, topic, "catalog", _take_title)


def _take_title(rows: dict[str, CatalogRow], message: Message) -> None:
    key, value = message.key(), message.value()
    if value is None:
        rows.pop((key or b"").decode(errors="replace"), None)
        return
    try:
        row = read_title(key, value)
    except BadTitle as problem:
        where = f"{message.topic()}/{message.partition()} offset {message.offset()}"
        log.warning("%s is no title and is left out: %s", where, problem)
    else:
        rows[row.title_id] = row
