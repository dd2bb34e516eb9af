"""Runs on a stored backlog: fill the topic, start the worker or stock Faust, and measure until everything is read.

Owns the order of a run and its figures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from streams.config.settings import Settings
from streams.kafka.producer import Outgoing, send
from streams.operations.titles import write_titles
from streams.tools.bench.progress import CpuClock, Positions
from streams.tools.processes import Child, environment, wait_until
from streams.tools.simulate import backlog as loads
from streams.tools.simulate.world import MINUTE_MS
from streams.tools.trial import Run

SHAPES = {"replay": (loads.REPLAY, loads.replay_backlog), "live": (loads.LIVE, loads.live_backlog)}
LONGEST_RUN_S = 3600.0
STOCK_START_S, LEAST_STOCK_EVENTS_PER_S = 60.0, 50

Advance = Callable[[int], None]


class TooShort(Exception):
    """The backlog was over before anything could be measured."""


@dataclass(frozen=True)
class Measured:
    """The worker over a backlog. Seconds and CPU seconds are of the measured window, `process_` of all."""

    events: int
    measured_events: int
    wall_s: float
    cpu_s: float
    process_cpu_s: float
    peak_bytes: int
    changelog_rows: int
    redis_keys: int

    @property
    def events_per_s(self) -> float:
        return self.measured_events / self.wall_s

    @property
    def events_per_cpu_s(self) -> float:
        return self.measured_events / self.cpu_s

    @property
    def events_per_process_cpu_s(self) -> float:
        """The whole process's: interpreter start, imports and the first checkpoint included."""
        return self.events / self.process_cpu_s


@dataclass(frozen=True)
class Stock:
    """Stock Faust over the beginning of the same backlog, from its first event on."""

    events: int
    wall_s: float
    cpu_s: float
    process_cpu_s: float

    @property
    def events_per_s(self) -> float:
        return self.events / self.wall_s

    @property
    def events_per_cpu_s(self) -> float:
        return self.events / self.cpu_s


def fill(settings: Settings, shape: str, events: int, seed: int, advance: Advance) -> None:
    """Produce the catalog and the whole backlog of a shape, ending now, and wait until the broker has it."""
    load, make = SHAPES[shape]
    origin_ms = _origin_ms(events, load)
    write_titles(settings, settings.kafka_address, loads.title_rows(load, origin_ms))
    items = _counted(make(events, seed, origin_ms), advance)
    send(items, settings.kafka_address, settings.source_topic, stamp=False)


def _origin_ms(events: int, load: loads.Shape) -> int:
    # Recent, so that hour windows are published too: Redis would forget those of long ago at once.
    minutes = events // load.sessions + 1
    return int(time.time()) * 1000 - minutes * MINUTE_MS


def _counted(items: Iterator[Outgoing], advance: Advance) -> Iterator[Outgoing]:
    while some := list(islice(items, 10_000)):
        yield from some
        advance(len(some))


def measure(run: Run, events: int, advance: Advance) -> Measured:
    """Start a worker on the filled topic and measure it until its last checkpoint and publication."""
    settings = run.settings
    positions = Positions(settings.kafka_address, settings.state_topic, settings.topic_partitions)
    try:
        with run.worker() as worker, CpuClock(worker).running() as clock:
            _follow(positions, events, worker, advance)
            end_s, end_cpu_s = time.time(), clock.sample()
            _wait_until_published(run, worker)
            start_s = positions.oldest_s or end_s
            if sum(positions.first.values()) >= events:
                raise TooShort(f"{events:,} events were in before the second checkpoint: ask for more --events")
            return Measured(
                events=events,
                measured_events=events - sum(positions.first.values()),
                wall_s=end_s - start_s,
                cpu_s=end_cpu_s - clock.at(start_s),
                process_cpu_s=end_cpu_s,
                peak_bytes=worker.peak_bytes(),
                changelog_rows=positions.rows,
                redis_keys=run.count_keys(),
            )
    finally:
        positions.close()


def _follow(positions: Positions, events: int, worker: Child, advance: Advance) -> None:
    done = 0
    until = time.monotonic() + LONGEST_RUN_S
    while (now := sum(positions.latest.values())) < events:
        worker.check()
        if time.monotonic() > until:
            raise TimeoutError(f"the worker checkpointed {now:,} of {events:,} events in {LONGEST_RUN_S:g} s")
        advance(now - done)
        done = now
        positions.poll()
    advance(events - done)


def _wait_until_published(run: Run, worker: Child) -> None:
    redis, key = run.redis(), f"{run.settings.redis_prefix}status"
    wait_until(lambda: redis.hget(key, "lag") == "0", "the worker publishes its last counters", 120, worker)


def measure_stock(run: Run, events: int) -> Stock:
    """Start stock Faust on the filled topic and let it consume the first `events` events."""
    settings, app_id = run.settings, f"{run.settings.app_id}-stock"
    _make_stock_changelogs(settings, app_id)
    command = [sys.executable, "-m", "streams.tools.bench.stock", settings.kafka, settings.source_topic]
    command += [app_id, str(events)]
    with Child("stock Faust", command, environment(settings), run.folder / "stock.log") as stock:
        stock.wait(STOCK_START_S + events / LEAST_STOCK_EVENTS_PER_S)
        return Stock(**stock.figures())


def _make_stock_changelogs(settings: Settings, app_id: str) -> None:
    # Made beforehand: an agent that writes before Faust knows of them fails, and fails again, for good.
    from kafka import KafkaAdminClient

    topics = {
        f"{app_id}-{table}-changelog": {
            "num_partitions": settings.topic_partitions,
            "replication_factor": settings.topic_replication,
            "configs": {"cleanup.policy": "compact"},
        }
        for table in ("pairs", "titles")
    }
    with KafkaAdminClient(**settings.kafka_address.for_python()) as admin:
        admin.create_topics(topics, wait_for_metadata=True)
