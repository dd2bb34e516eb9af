"""When a publisher begins a round by itself, and when it lets Redis rest."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fake_sink import FakeRedis, FakeSink
from publishing import committed, empty, in_a_loop, shown, worker

from models.tally import CURVE, TallyKey
from streams.publishing import publisher as publishing
from streams.publishing.publisher import Publisher
from streams.publishing.sink import Begun

AN_HOUR_S = 3_600.0
SOME_ROUNDS_S = 0.3
"""Time for several rounds: there are 0.05 s between two of them."""


class CountingSink(FakeSink):
    """Counts the rounds that begin."""

    rounds = 0

    async def begin_round(self, *given: Any) -> Begun:
        self.rounds += 1
        return await super().begin_round(*given)


async def idle(redis: FakeRedis, monkeypatch: pytest.MonkeyPatch, status_s: float = AN_HOUR_S) -> Publisher:
    """A publisher that has published all there is. Its status is due after `status_s`, its charts in an hour."""
    monkeypatch.setattr(publishing, "_STATUS_S", status_s)
    publisher = worker(redis, partitions=1, sink=CountingSink, chart_publish_s=AN_HOUR_S)
    await publisher.join()
    await publisher.open_partition(empty(0))
    # The second round says that all is complete, the third says it of everything.
    for _ in range(3):
        await publisher.publish()
    return publisher


async def rounds(publisher: Publisher) -> int:
    """How many rounds begin while it runs for a moment."""
    sink = publisher._sink
    assert isinstance(sink, CountingSink)
    before, running = sink.rounds, asyncio.create_task(publisher.run())
    await asyncio.sleep(SOME_ROUNDS_S)
    running.cancel()
    return sink.rounds - before


@in_a_loop
async def test_redis_rests_while_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rounds(await idle(FakeRedis(), monkeypatch)) == 0


@in_a_loop
async def test_the_status_is_told_again_though_nothing_else_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rounds(await idle(FakeRedis(), monkeypatch, status_s=0.01)) >= 1


@in_a_loop
async def test_a_checkpoint_is_published_by_one_round_and_then_redis_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    redis = FakeRedis()
    publisher = await idle(redis, monkeypatch)
    publisher.on_committed(committed(0, 1, film=1))
    assert (await rounds(publisher), shown(redis)) == (1, {"film": "1"})


@in_a_loop
async def test_redis_rests_while_charts_alone_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = await idle(FakeRedis(), monkeypatch)
    played = committed(0, 1, film=1)
    publisher.on_committed(played._replace(tallies=played.tallies | {TallyKey(CURVE, 0, "film"): [1, 4, 2]}))
    assert (await rounds(publisher), publisher.waiting_keys) == (1, 1)
    assert await rounds(publisher) == 0
