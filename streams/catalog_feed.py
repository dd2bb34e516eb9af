"""The catalog as the worker knows it: all of the titles topic, read before any partition opens, then followed.

Owns one reader without a group, in a thread of its own, and the mapping that it keeps up to date. It must not
know when a row takes effect: each partition takes the mapping in at a checkpoint, and records it.
"""

from __future__ import annotations

import logging
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.catalog import BadTitle, CatalogRow, read_title
from streams.logs import LIBRDKAFKA
from streams.topics import KafkaFailed

log = logging.getLogger(__name__)

_CALL_S = 10.0
_FOLLOW_S = 0.5
_LOAD_S = 0.05


class CatalogFeed:
    """`rows` is replaced as a whole when titles change, so that a reader's copy stays as it was."""

    def __init__(self, servers: str, topic: str) -> None:
        self.rows: dict[str, CatalogRow] = {}
        self.topic = topic
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="catalog", daemon=True)
        self._reader = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": "encore-catalog",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "log_level": 2,
                "logger": logging.getLogger(LIBRDKAFKA),
            }
        )

    def load(self, timeout_s: float) -> None:
        """Read all of the topic as it is now, then follow it. Blocks. Raises `KafkaFailed`."""
        try:
            self._read_to_end(time.monotonic() + timeout_s)
        except KafkaException as problem:
            self._reader.close()
            raise KafkaFailed(f"topic {self.topic} cannot be read: {problem.args[0].str()}") from None
        except KafkaFailed:
            self._reader.close()
            raise
        self._thread.start()

    def _read_to_end(self, until: float) -> None:
        parts = self._partitions()
        self._reader.assign(parts)
        at_end: set[int] = set()
        while len(at_end) < len(parts):
            at_end |= self._take_in(self._reader.consume(10_000, timeout=_LOAD_S))
            if time.monotonic() > until:
                raise KafkaFailed(f"topic {self.topic} could not be read to its end in time")

    def _partitions(self) -> list[TopicPartition]:
        partitions = self._reader.list_topics(self.topic, timeout=_CALL_S).topics[self.topic].partitions
        return [TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in partitions]

    def _follow(self) -> None:
        while not self._stopped.is_set():
            self._take_in(self._reader.consume(10_000, timeout=_FOLLOW_S))
        self._reader.close()

    def _take_in(self, messages: list[Message]) -> set[int]:
        """Take in records; returns the partitions whose end was reached."""
        if not messages:
            return set()
        at_end, rows = set(), dict(self.rows)
        for message in messages:
            error = message.error()
            if error is None:
                _take_row(rows, message)
            elif error.code() == KafkaError._PARTITION_EOF:
                at_end.add(message.partition())
            else:
                log.warning("topic %s: %s", self.topic, error.str())
        if rows != self.rows:
            self.rows = rows
        return at_end

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()


def _take_row(rows: dict[str, CatalogRow], message: Message) -> None:
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
