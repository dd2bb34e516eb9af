"""A worker that gets nothing although there is something ends, and says where; anything else goes on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import pytest

from streams.kafka.topics import KafkaFailed
from streams.worker import watchdog
from streams.worker.watchdog import Stalled, watch_progress

LOOKS = 20
STALL_LOOKS = 3


class View:
    """A Kafka whose partitions end at 10; it is away while `is_away` says so."""

    def __init__(self, is_away: Callable[[], bool] = lambda: False) -> None:
        self.looks = 0
        self._is_away = is_away

    def readable_ends(self, topic: str, partitions: Collection[int]) -> dict[int, int]:
        self.looks += 1
        if self._is_away():
            raise KafkaFailed("away")
        return dict.fromkeys(partitions, 10)


class _Over(Exception):
    pass


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What is said within twenty looks, one a second, where three seconds are a stall; empty: nothing."""
    clock = iter(range(LOOKS))

    async def sleep(_: float) -> None:
        second = next(clock, None)
        if second is None:
            raise _Over
        monkeypatch.setattr(watchdog.time, "monotonic", lambda: float(second))

    def watched(positions: Callable[[], dict[int, int]], view: View | None = None) -> str:
        monkeypatch.setattr(watchdog.asyncio, "sleep", sleep)
        looking = watch_progress(view or View(), "events", positions, STALL_LOOKS)  # type: ignore[arg-type]
        try:
            looking.send(None)
        except _Over:
            return ""
        except Stalled as stalled:
            return str(stalled)
        raise AssertionError("it waits")

    monkeypatch.setattr(watchdog.asyncio, "to_thread", _here)
    return watched


async def _here(call: Callable[..., object], *arguments: object) -> object:
    return call(*arguments)


def test_a_partition_with_records_that_stands_still_is_named(watched: Callable[..., str]) -> None:
    said = watched(lambda: {0: 10, 3: 7})
    assert said.startswith("events/3: records from offset 7 to 10 have waited")


def test_at_the_end_of_its_records_a_partition_may_stand_still(watched: Callable[..., str]) -> None:
    assert watched(lambda: {0: 10, 3: 10}) == ""


def test_a_partition_that_goes_on_may_be_behind_for_ever(watched: Callable[..., str]) -> None:
    steps: Iterator[int] = iter(range(-1000, 10))
    assert watched(lambda: {3: next(steps)}) == ""


def test_a_partition_that_is_held_back_now_and_then_is_not_stalled(watched: Callable[..., str]) -> None:
    turns = iter([{3: 7}, {3: 7}, {}] * 100)
    assert watched(lambda: next(turns)) == ""


def test_while_kafka_is_away_no_time_counts(watched: Callable[..., str]) -> None:
    view = View(lambda: view.looks % 3 == 0)
    assert watched(lambda: {3: 7}, view) == ""
    assert view.looks > 6
