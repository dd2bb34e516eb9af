"""The partitions of a worker that are stopped, as Kafka refused a record of theirs.

Owns how long each rests before it is tried again, what the log says of it, and when it has gone on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from streams.observability.partition_metrics import CheckpointLag

log = logging.getLogger(__name__)

FIRST_REST_S = 10.0
LONGEST_REST_S = 300.0

Progress = tuple[int, int]
"""How far a partition is: its position, and the sequence of its last checkpoint."""


class Stop(NamedTuple):
    """A stopped partition. `refused`: where the refused checkpoint ends. `lag`: when it stopped last. `rest`: what ends
    the rest; None once over."""

    tries: int
    refused: Progress
    lag: CheckpointLag
    rest: asyncio.TimerHandle | None


class StoppedPartitions(Collection[int]):
    """The numbers of stopped partitions. One that is tried again stays among them until it is past what was refused."""

    def __init__(self, try_again: Callable[[int], object]) -> None:
        self._stops: dict[int, Stop] = {}
        self._try_again = try_again

    def __contains__(self, number: object) -> bool:
        return number in self._stops

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._stops))

    def __len__(self) -> int:
        return len(self._stops)

    def is_resting(self, number: int) -> bool:
        """Whether a partition must not be opened yet."""
        return number in self._stops and self._stops[number].rest is not None

    def lags(self) -> dict[int, CheckpointLag]:
        """How far behind each was when it stopped last: more records may have come since. May be called from any
        thread."""
        return {number: stop.lag for number, stop in list(self._stops.items())}

    def stop(self, number: int, refused: Progress, lag: CheckpointLag, why: Exception) -> None:
        """Let a partition rest, the longer the more often it was tried."""
        tries = self._stops[number].tries + 1 if number in self._stops else 1
        rest_s = min(FIRST_REST_S * 2 ** (tries - 1), LONGEST_REST_S)
        rest = _after(rest_s, self._end_rest, number)
        self._stops[number] = Stop(tries, refused, lag, rest)
        log.error(
            "partition %d is stopped, and tried again in %.0f s; nothing of it is lost, and the other partitions go on"
            " (try %d): %s",
            number,
            rest_s,
            tries,
            why,
        )

    def _end_rest(self, number: int) -> None:
        self._stops[number] = self._stops[number]._replace(rest=None)
        self._try_again(number)

    def note_committed(self, number: int, progress: Progress) -> None:
        """Note how far a partition is committed: past what was refused, it is not stopped any more."""
        if number in self._stops and progress >= self._stops[number].refused:
            del self._stops[number]
            log.info("partition %d goes on: Kafka took what it had refused", number)

    def forget(self, number: int) -> None:
        """Forget a partition, which was taken away."""
        stop = self._stops.pop(number, None)
        if stop is not None and stop.rest is not None:
            stop.rest.cancel()


def _after(seconds: float, call: Callable[[int], object], number: int) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, call, number)
