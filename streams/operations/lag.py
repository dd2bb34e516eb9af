"""How far an application is behind its source, by the offsets that its group has committed."""

from __future__ import annotations

import time
from typing import NamedTuple

from streams.config.settings import Settings
from streams.kafka.admin import KafkaView


class PartitionLag(NamedTuple):
    """The lag of one partition. `committed`: the next offset that the group has committed; None: it never has.

    `behind_s`: the age of the first record that waits; 0 where none does.
    """

    partition: int
    committed: int | None
    end: int
    records: int
    behind_s: float


class GroupLag(NamedTuple):
    """The lag of all partitions, and how many workers are in the group."""

    partitions: list[PartitionLag]
    workers: int

    @property
    def records(self) -> int:
        """The number of waiting records, over all partitions."""
        return sum(partition.records for partition in self.partitions)

    @property
    def behind_s(self) -> float:
        """The age of the oldest waiting record, in seconds."""
        return max((partition.behind_s for partition in self.partitions), default=0.0)


def read_lag(settings: Settings, view: KafkaView) -> GroupLag:
    """The present lag, from Kafka. Blocks. Raises `KafkaFailed`."""
    numbers = range(view.topic_there(settings.source_topic).partitions)
    spans = view.spans(settings.source_topic, numbers)
    partitions = [_lag(view, settings, number, *spans[number]) for number in numbers]
    return GroupLag(partitions, view.members(settings.app_id))


def _lag(view: KafkaView, settings: Settings, number: int, first: int, end: int) -> PartitionLag:
    committed = view.committed(settings.app_id, settings.source_topic, number)
    at = max(first, committed or 0)
    if at >= end:
        return PartitionLag(number, committed, end, 0, 0.0)
    waits_ms = view.time_of(settings.source_topic, number, at)
    behind_s = 0.0 if waits_ms is None else max(0.0, time.time() - waits_ms / 1000)
    return PartitionLag(number, committed, end, end - at, round(behind_s, 3))
