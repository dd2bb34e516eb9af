"""Reads the partitions of a topic as one sequence: by timestamp, and each partition in its own order.

Owns a reader for each partition, so that none is read far ahead of the others, whatever lies in them.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from streams.config.kafka_security import KafkaAddress
from streams.kafka.reader import TopicReader

_QUEUED_KB = 262_144
_AT_ONCE = 1_000


class MergedTopic:
    """Reads partitions from the offsets in `start` on. Raises what `TopicReader` does."""

    def __init__(self, kafka: KafkaAddress, topic: str, start: Mapping[int, int]) -> None:
        queue_kb = max(1_024, _QUEUED_KB // max(1, len(start)))
        self._readers = {
            number: TopicReader(kafka, topic, {number: offset}, queue_kb=queue_kb) for number, offset in start.items()
        }
        self._ahead: dict[int, deque[Any]] = {number: deque() for number in start}

    def ends(self) -> dict[int, int]:
        """Each partition's last stable offset."""
        return next(iter(self._readers.values())).ends()

    def below(self, ends: Mapping[int, int]) -> Iterator[Any]:
        """The messages that were not read yet, up to these ends. Read them all, or none any more.

        The next is always the one with the least timestamp among the partitions' next ones.
        """
        return heapq.merge(*(self._below(number, ends[number]) for number in self._readers), key=_time_ms)

    def _below(self, number: int, end: int) -> Iterator[Any]:
        ahead = self._ahead[number]
        while ahead and ahead[0].offset() < end:
            yield ahead.popleft()
        if ahead:
            return
        for message in self._readers[number].read({number: end}, at_once=_AT_ONCE):
            if message.offset() < end:
                yield message
            else:
                ahead.append(message)

    def close(self) -> None:
        """Close the connections."""
        for reader in self._readers.values():
            reader.close()


def _time_ms(message: Any) -> int:
    time_ms: int = message.timestamp()[1]
    return time_ms
