"""When a worker is alive, started and ready, and what it says where it is not."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest

from streams.observability import liveness
from streams.observability.liveness import Vitals


class Pulse(NamedTuple):
    checkpoint_age_s: float


class Partition(NamedTuple):
    pulse: Pulse


def partition(age_s: float = 0.0) -> Partition:
    return Partition(Pulse(age_s))


def test_it_has_not_started_before_the_group_has_spoken_and_all_is_restored() -> None:
    openings = {2: None, 0: None}
    worker = Vitals({}, openings)
    assert worker.why_not_started() == worker.why_not_ready() == "the group has not assigned partitions yet"
    worker.note_assigned()
    assert worker.why_not_started() == worker.why_not_ready() == "partitions are being restored: 0, 2"
    openings.clear()
    assert (worker.why_not_started(), worker.why_not_ready()) == ("", "")


def test_a_worker_without_partitions_is_ready() -> None:
    worker = Vitals({}, ())
    worker.note_assigned()
    assert (worker.why_not_started(), worker.why_not_ready()) == ("", "")


def test_once_started_it_stays_so_while_it_restores_and_is_not_ready() -> None:
    openings: dict[int, None] = {}
    worker = Vitals({}, openings)
    worker.note_assigned()
    assert worker.why_not_started() == ""
    openings[1] = None
    assert (worker.why_not_started(), worker.why_not_ready()) == ("", "partitions are being restored: 1")


def test_a_worker_with_a_stopped_partition_is_ready_also_while_it_tries_it_again() -> None:
    openings: dict[int, None] = {3: None}
    worker = Vitals({0: partition()}, openings, {3})
    worker.note_assigned()
    assert worker.why_not_ready() == ""
    openings[1] = None
    assert worker.why_not_ready() == "partitions are being restored: 1"


@pytest.mark.parametrize(("age_s", "is_ready"), [(59.0, True), (60.0, True), (61.0, False)])
def test_it_is_ready_while_no_record_waits_longer_than_a_minute_for_a_checkpoint(age_s: float, is_ready: bool) -> None:
    worker = Vitals({0: partition(), 7: partition(age_s)}, ())
    worker.note_assigned()
    why = "" if is_ready else f"partition 7 has records that have waited for a checkpoint for {age_s:.0f} s"
    assert worker.why_not_ready() == why


@pytest.mark.parametrize(("silent_s", "is_alive"), [(14.0, True), (15.0, True), (16.0, False)])
def test_it_lives_while_its_event_loop_moves(silent_s: float, is_alive: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1_000.0
    monkeypatch.setattr(liveness.time, "monotonic", lambda: now_s)
    worker = Vitals({}, ())
    now_s += silent_s
    assert worker.why_dead() == ("" if is_alive else "the event loop has not moved for 16 s")


def test_a_loop_that_moves_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "_DEAD_S", 0.05)
    monkeypatch.setattr(liveness, "_BEAT_S", 0.005)

    async def watched() -> tuple[str, str]:
        worker = Vitals({}, ())
        await asyncio.sleep(0.1)
        before = worker.why_dead()
        beating = asyncio.create_task(worker.keep_beating())
        await asyncio.sleep(0.1)
        after = worker.why_dead()
        beating.cancel()
        return before, after

    before, after = asyncio.run(watched())
    assert (before.startswith("the event loop has not moved"), after) == (True, "")
