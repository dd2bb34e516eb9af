"""Follows the state topic as it is written: where each partition's checkpoints stand, and when they last moved.

Owns what a campaign knows of work under way: whether a fault hit it, and how long until it went on.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import Any

from application import Application, until
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

_READY_S = 60


class Follower:
    """One reader in a thread of its own, from the topic's beginning on. `close` ends it."""

    def __init__(self, application: Application) -> None:
        self._source = application.environment["ENCORE_SOURCE_TOPIC"]
        options = {
            "bootstrap.servers": application.environment["ENCORE_KAFKA"],
            "group.id": "encore-campaign",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
        self._consumer = Consumer(options)
        # Asked by a client of its own: a question for the ends waits behind a fetch.
        self._ends = Consumer(options)
        self.positions: dict[int, int] = {}
        self._moved_s: dict[int, float] = {}
        self._topic = application.state_topic
        self.partitions = until(self._count_partitions, f"topic {self._topic} is there", _READY_S)
        self._consumer.assign(
            [TopicPartition(self._topic, number, OFFSET_BEGINNING) for number in range(self.partitions)]
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(10)
        self._consumer.close()
        self._ends.close()

    def _count_partitions(self) -> int:
        try:
            found = self._consumer.list_topics(self._topic, timeout=5).topics[self._topic]
        except KafkaException:
            return 0
        return 0 if found.error else len(found.partitions)

    def _follow(self) -> None:
        while not self._ended.is_set():
            for message in self._consumer.consume(1_000, timeout=0.02):
                if message.error() is None and message.key() == b"p":
                    self._take(message)

    def _take(self, message: Any) -> None:
        partition = message.partition()
        self.positions[partition] = json.loads(message.value())["next_offset"]
        written_ms = message.timestamp()[1]
        self._moved_s[partition] = time.monotonic() - (time.time() - written_ms / 1000)

    def moved_since(self, moment_s: float, partitions: int = 0) -> bool:
        """Whether so many partitions (0: all) were checkpointed after a moment of the monotonic clock."""
        return sum(moved_s > moment_s for moved_s in self._moved_s.values()) >= (partitions or self.partitions)

    def _learn_leaders(self) -> None:
        """A client that asked a broker just come back may think for minutes that there is no such partition."""
        with suppress(KafkaException):
            self._ends.list_topics(self._source, timeout=2)

    def behind(self) -> int:
        """Source records that are not checkpointed; -1 while Kafka does not say."""
        positions = dict(self.positions)
        try:
            ends = [
                self._ends.get_watermark_offsets(TopicPartition(self._source, number), timeout=2, cached=False)
                for number in range(self.partitions)
            ]
        except KafkaException:
            self._learn_leaders()
            return -1
        return sum(end for _, end in ends) - sum(positions.values())
