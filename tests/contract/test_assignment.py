"""What a rebalance crosses: checkpoints in flight, partitions that are being opened, and the end of the worker."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from fake_sink import FakeRedis
from publishing import committed, in_a_loop, opened

from streams.config.settings import Settings
from streams.observability.monitoring import Monitoring
from streams.publishing.publisher import Publisher
from streams.state.committed import Committed
from streams.state.transactions import RecordRefused
from streams.worker import stopped
from streams.worker.counted_partitions import CountedPartitions


class Open:
    """A partition that is open; a checkpoint of it is in flight, and is committed while the partition is closed.

    Each checkpoint takes in one record, unless it `is_refused`.
    """

    position = uncheckpointed = checkpointed_position = sequence = 0
    is_refused = False

    def __init__(self, number: int, publisher: Publisher) -> None:
        self.number, self._publisher = number, publisher
        self.is_closed = False
        self.pulse = SimpleNamespace(latest_ms=1_000, measure=lambda lag: None)

    def committed_state(self) -> Committed:
        return committed(self.number, 1)

    async def checkpoint(self) -> None:
        self.position = self.checkpointed_position + 1
        self.sequence += 1
        await asyncio.sleep(0)
        if self.is_refused:
            raise RecordRefused("too large")
        self.checkpointed_position = self.position

    def advance_clock_if_silent(self) -> None: ...

    async def close(self) -> None:
        await asyncio.sleep(0)
        self._publisher.on_committed(committed(self.number, 2, film=1))
        self.is_closed = True


class Member(NamedTuple):
    """A worker's ownership without Kafka; `opening` partitions wait until they are released."""

    ownership: CountedPartitions
    publisher: Publisher
    ending: asyncio.Event
    failures: list[BaseException]
    opening: dict[int, asyncio.Future[Open]]


async def member(*already_open: int) -> Member:
    publisher = await opened(FakeRedis(), *already_open)
    settings, ending, failures = Settings(kafka="127.0.0.1:1"), asyncio.Event(), list[BaseException]()
    nothing: Any = None
    ownership = CountedPartitions(settings, nothing, nothing, publisher, Monitoring(settings), ending, failures.append)
    opening: dict[int, asyncio.Future[Open]] = {}

    async def restored(number: int) -> Open:
        return await opening.setdefault(number, asyncio.get_running_loop().create_future())

    async def sought(number: int, position: int) -> bool:
        return True

    ownership._restored, ownership._read.seek = restored, sought  # type: ignore[method-assign, assignment]
    ownership._read.end = lambda number: 10  # type: ignore[method-assign]
    ownership.partitions = {number: Open(number, publisher) for number in already_open}  # type: ignore[misc]
    return Member(ownership, publisher, ending, failures, opening)


@in_a_loop
async def test_a_checkpoint_in_flight_is_told_to_the_publisher_while_its_partition_is_let_go() -> None:
    worker = await member(0, 1)
    leaving: Any = worker.ownership.partitions[1]
    waiting = worker.publisher.waiting_keys

    await worker.ownership.assign([0])

    assert (worker.failures, leaving.is_closed, set(worker.ownership.partitions)) == ([], True, {0})
    assert worker.publisher.waiting_keys == waiting - 1, "nothing of the partition waits any more"


@in_a_loop
async def test_a_partition_that_was_taken_away_while_it_was_opened_is_closed_and_forgotten() -> None:
    worker = await member()
    await worker.ownership.assign([0, 1])
    await asyncio.sleep(0)
    await worker.ownership.assign([0])
    for number, future in worker.opening.items():
        future.set_result(Open(number, worker.publisher))
    await asyncio.gather(*worker.ownership.delivering)

    assert (worker.failures, set(worker.ownership.partitions)) == ([], {0})
    assert (set(worker.ownership.positions()), worker.ownership.openings) == ({0}, {})


@in_a_loop
async def test_a_partition_that_was_taken_away_and_given_back_while_it_was_opened_is_delivered() -> None:
    worker = await member()
    await worker.ownership.assign([0])
    await asyncio.sleep(0)
    await worker.ownership.revoke([0])
    await worker.ownership.assign([0])
    worker.opening[0].set_result(Open(0, worker.publisher))
    await asyncio.gather(*worker.ownership.delivering)

    assert (worker.failures, set(worker.ownership.positions())) == ([], {0})


@pytest.mark.parametrize(("generation", "kept"), [(7, True), (8, True), (9, False), (6, False)])
@in_a_loop
async def test_a_partition_is_kept_unless_another_worker_may_have_owned_it_in_between(
    generation: int, kept: bool
) -> None:
    worker = await member(0)
    before: Any = worker.ownership.partitions[0]
    worker.ownership._generation = 7
    worker.ownership._read._app.consumer_generation_id = generation
    await worker.ownership.revoke([0])
    await worker.ownership.assign([0])
    await asyncio.sleep(0)

    assert (worker.failures, before.is_closed, set(worker.ownership.openings)) == ([], not kept, set() if kept else {0})
    assert (set(worker.ownership.positions()), bool(worker.publisher.waiting_keys)) == ({0} if kept else set(), False)


@in_a_loop
async def test_a_partition_that_another_worker_may_have_owned_while_it_was_opened_is_opened_once_more() -> None:
    worker = await member()
    await worker.ownership.assign([0])
    await asyncio.sleep(0)
    first, opened_before = worker.opening.pop(0), Open(0, worker.publisher)
    worker.ownership._read._app.consumer_generation_id = 2
    await worker.ownership.assign([0])
    first.set_result(opened_before)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (opened_before.is_closed, worker.ownership.positions()) == (True, {})

    worker.opening[0].set_result(Open(0, worker.publisher))
    await asyncio.gather(*worker.ownership.delivering)
    assert (worker.failures, set(worker.ownership.positions())) == ([], {0})


@in_a_loop
async def test_a_worker_that_ends_opens_nothing_more() -> None:
    worker = await member()
    worker.ending.set()

    await worker.ownership.assign([0])

    assert (worker.failures, worker.ownership.openings, worker.ownership.delivering) == ([], {}, set())


# -- what is delivered ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("beyond", "is_delivered"), [(-1, True), (0, False), (1, False)])
@in_a_loop
async def test_a_partition_is_delivered_until_too_many_records_wait_for_its_checkpoint(
    beyond: int, is_delivered: bool
) -> None:
    worker = await member(0)
    await worker.ownership.assign([0])
    partition: Any = worker.ownership.partitions[0]
    partition.uncheckpointed = worker.ownership.settings.uncheckpointed_records + beyond

    assert (worker.failures, worker.ownership.positions()) == ([], {0: 0} if is_delivered else {})


@in_a_loop
async def test_a_worker_that_ends_is_delivered_nothing_more() -> None:
    worker = await member(0)
    await worker.ownership.assign([0])
    worker.ending.set()

    assert (worker.failures, worker.ownership.positions()) == ([], {})


@in_a_loop
async def test_a_partition_that_is_not_open_is_not_delivered() -> None:
    worker = await member(0)
    await worker.ownership.assign([0, 1])

    assert (worker.failures, worker.ownership.epoch(1)) == ([], None)


# -- Kafka refuses a record -----------------------------------------------------------------------------------


class Refusing(NamedTuple):
    """A worker with two partitions; of the first, Kafka refuses a record."""

    worker: Member
    bad: Open

    async def tried(self, *, is_refused: bool) -> Open:
        """The partition once its rest is over and it is open again."""
        await asyncio.sleep(0.01)
        again = Open(0, self.worker.publisher)
        again.is_refused = is_refused
        self.worker.opening.pop(0).set_result(again)
        await asyncio.gather(*self.worker.ownership.delivering)
        return again


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rests that were begun, in seconds; they are over at once."""
    begun: list[float] = []

    def brief(seconds: float, call: Any, number: int) -> asyncio.TimerHandle:
        begun.append(seconds)
        return asyncio.get_running_loop().call_at(0, call, number)

    monkeypatch.setattr(stopped, "_after", brief)
    return begun


async def refusing() -> Refusing:
    worker = await member(0, 1)
    await worker.ownership.assign([0, 1])
    bad: Any = worker.ownership.partitions[0]
    bad.is_refused = True
    await worker.ownership.checkpoint()
    return Refusing(worker, bad)


@in_a_loop
async def test_a_partition_of_which_kafka_refuses_a_record_is_closed_and_the_others_go_on() -> None:
    worker, bad = await refusing()
    other: Any = worker.ownership.partitions[1]
    await worker.ownership.checkpoint()

    assert (worker.failures, bad.is_closed, other.checkpointed_position) == ([], True, 2)
    assert (set(worker.ownership.positions()), set(worker.ownership.stopped)) == ({1}, {0})
    assert worker.ownership.epoch(0) is None, "its source is read no more"


def test_it_is_tried_again_after_rests_that_grow_and_goes_on_once_kafka_takes_it(rests: list[float]) -> None:
    @in_a_loop
    async def scenario() -> None:
        refused = await refusing()
        ownership = refused.worker.ownership
        for _ in range(6):
            await refused.tried(is_refused=True)
            await ownership.checkpoint()
        healed = await refused.tried(is_refused=False)
        assert set(ownership.stopped) == {0}, "it is not past the refused record yet"
        await ownership.checkpoint()

        assert (refused.worker.failures, ownership.partitions[0]) == ([], healed)
        assert (set(ownership.positions()), set(ownership.stopped)) == ({0, 1}, set())

    scenario()
    assert rests == [10, 20, 40, 80, 160, 300, 300]


def test_a_partition_that_heals_and_is_refused_later_rests_briefly_again(rests: list[float]) -> None:
    @in_a_loop
    async def scenario() -> None:
        refused = await refusing()
        healed = await refused.tried(is_refused=False)
        await refused.worker.ownership.checkpoint()
        healed.is_refused = True
        await refused.worker.ownership.checkpoint()

    scenario()
    assert rests == [10, 10]


def lag(worker: Member, name: str) -> float | None:
    """A gauge of the partition 0 in a worker's metrics."""
    monitoring: Any = worker.ownership._monitoring
    monitoring.watch(worker.ownership, worker.publisher)
    monitoring.measure()
    found: float | None = monitoring.metrics.registry.get_sample_value(f"encore_lag_{name}", {"partition": "0"})
    return found


@in_a_loop
async def test_how_far_behind_a_stopped_partition_is_stays_in_the_metrics_until_it_is_taken_away() -> None:
    worker, bad = await refusing()
    assert lag(worker, "records") == 10 - bad.checkpointed_position
    age_s = lag(worker, "seconds")
    assert age_s is not None and time.time() - 2 < age_s < time.time(), "it grows while the partition stands"

    await worker.ownership.revoke([0, 1])
    await worker.ownership.assign([1])

    assert (lag(worker, "records"), lag(worker, "seconds")) == (None, None)


@in_a_loop
async def test_a_stopped_partition_that_is_taken_away_is_forgotten_and_opened_at_once_when_it_comes_back() -> None:
    worker, _ = await refusing()
    await worker.ownership.revoke([0, 1])
    await worker.ownership.assign([1])
    assert (list(worker.ownership.stopped), worker.ownership.openings) == ([], {})

    await worker.ownership.assign([0, 1])

    assert (worker.failures, list(worker.ownership.openings)) == ([], [0])


@in_a_loop
async def test_a_stopped_partition_that_a_rebalance_leaves_here_goes_on_resting() -> None:
    worker, _ = await refusing()
    await worker.ownership.revoke([0, 1])
    await worker.ownership.assign([0, 1])

    assert (worker.failures, list(worker.ownership.stopped)) == ([], [0])
    assert (set(worker.ownership.partitions), worker.ownership.openings) == ({1}, {})


@in_a_loop
async def test_a_record_that_is_refused_in_a_rebalance_stops_its_partition_too() -> None:
    worker = await member(0, 1)
    await worker.ownership.assign([0, 1])
    bad: Any = worker.ownership.partitions[0]
    bad.is_refused = True

    await asyncio.gather(worker.ownership.revoke([0, 1]), worker.ownership.checkpoint())
    await worker.ownership.assign([0, 1])

    assert (worker.failures, bad.is_closed, list(worker.ownership.stopped)) == ([], True, [0])
    assert set(worker.ownership.partitions) == {1}


def test_a_worker_that_ends_tries_nothing_again(rests: list[float]) -> None:
    @in_a_loop
    async def scenario() -> None:
        worker = await member(0)
        await worker.ownership.assign([0])
        bad: Any = worker.ownership.partitions[0]
        bad.is_refused = True
        worker.ending.set()
        await worker.ownership.checkpoint()
        await asyncio.sleep(0.01)

        assert (worker.failures, worker.ownership.openings, worker.ownership.delivering) == ([], {}, set())

    scenario()
