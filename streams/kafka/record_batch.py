"""A batch: consecutive records of one partition, and their offsets."""

from __future__ import annotations

from typing import Any, NamedTuple


class RecordBatch(NamedTuple):
    """Consecutive records of one partition.

    `start` is the position they were fetched from, `end` the position after them; both count control records
    and aborted ones, which are not among `records`. `epoch` is the gate's, as of the fetch.
    """

    partition: int
    start: int
    end: int
    epoch: int
    records: list[Any]
