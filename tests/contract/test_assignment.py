"""What a rebalance crosses: checkpoints in flight, partitions that are being opened, and the end of the worker."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from fake_sink import FakeRedis
from publishing import committed, in_a_loop, opened

from streams.config.settings import Settings
from streams.observability.monitoring import Monitoring
from streams.publishing.publisher import Publisher
from streams.state.committed import Committed
from streams.worker.assignment import Ownership


class Open:
    """A partition that is open; a checkpoint of it is in flight, and is committed while the partition is closed."""

    position = uncheckpointed = 0

    def __init__(self, number: int, publisher: Publisher) -> None:
        self.number, self._publisher = number, publisher
        self.is_closed = False

    def committed_state(self) -> Committed:
        return committed(self.number, 1)

    async def close(self) -> None:
        await asyncio.sleep(0)
        self._publisher.on_committed(committed(self.number, 2, film=1))
        self.is_closed = True


class Member(NamedTuple):
    """A worker's ownership without Kafka; `opening` partitions wait until they are released."""

    ownership: Ownership
    publisher: Publisher
    ending: asyncio.Event
    failures: list[BaseException]
    opening: dict[int, asyncio.Future[Open]]


async def member(*already_open: int) -> Member:
    publisher = await opened(FakeRedis(), *already_open)
    settings, ending, failures = Settings(kafka="127.0.0.1:1"), asyncio.Event(), list[BaseException]()
    nothing: Any = None
    ownership = Ownership(settings, nothing, nothing, publisher, Monitoring(settings), ending, failures.append)
    opening: dict[int, asyncio.Future[Open]] = {}

    async def restored(number: int) -> Open:
        return await opening.setdefault(number, asyncio.get_running_loop().create_future())

    async def sought(number: int, position: int) -> bool:
        return True

    ownership._restored, ownership._read.seek = restored, sought  # type: ignore[method-assign, assignment]
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


@in_a_loop
async def test_a_worker_that_ends_opens_nothing_more() -> None:
    worker = await member()
    worker.ending.set()

    await worker.ownership.assign([0])

    assert (worker.failures, worker.ownership.openings, worker.ownership.delivering) == ([], {}, set())
