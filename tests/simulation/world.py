"""One run: workers, their servers and their faults, from a seed to a verdict.

Owns the order of a run: workers start, the feed and the faults go on, everything heals, all workers come to rest and
are stopped, and the judge looks at what is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from clients import Kafka
from fake_sink import FakeRedis
from faults import (
    AWAY,
    CATALOG,
    COMPACT,
    FLUSH,
    FREEZE,
    JOIN,
    KILL,
    LEAVE,
    REBALANCE,
    REFUSE,
    REQUEST,
    RESTART,
    SKIP,
    STOP,
    Fault,
    drawn,
)
from feed import corrected, events, first_catalog
from group import Application, Group, Record
from host import Feed, ground, replaced
from invariants import Judge
from log import Broker, Place
from loop import Deadlock, Process, SimulatedLoop
from network import Fate, Network
from redis_over import SinkOverNetwork

from streams.config.settings import Settings
from streams.kafka.topics import REMEDY
from streams.state.changelog import StateError
from streams.state.transactions import CheckpointFailed
from streams.worker.partition import Gap
from streams.worker.process import Worker
from streams.worker.startup import Ground

PARTITIONS = 2
SETTINGS = Settings(
    kafka="127.0.0.1:1", redis="redis://127.0.0.1:1", session_timeout_s=6, transaction_timeout_s=10, checkpoint_s=0.7,
    publish_s=0.3, publish_keys_per_s=1_000_000, log_level="error",
)  # fmt: skip
_SESSION_S = 6.0
_FEED_S = 40.0
_FAULTS_GO_ON_S = 3.0
_CATALOG_SHOWN_S = 4.0
_REST_S = 400.0
_STEPS = 3_500
_RESTART_S = (0.3, 2.0)
_ROUND_KEYS = (8, 16, 2_000)
"""So many keys a round of publishing takes: some of them, or all."""
_END_S = 45.0


class Verdict(NamedTuple):
    """How a run ended. `problems` are sentences; none is good. `trace` tells two runs of a seed apart."""

    seed: int
    faults: tuple[Fault, ...]
    problems: tuple[str, ...]
    steps: int
    checkpoints: int
    trace: tuple[Any, ...]
    ends: tuple[str, ...]


class Slot:
    """A worker's place under its supervisor, which restarts whatever ends while it `is_wanted`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_wanted = False
        self.runs = 0
        self.process: Process | None = None
        self.worker: Worker | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and not self.process.is_dead


class World:
    """Everything in one run."""

    def __init__(self, seed: int, faults: Sequence[Fault] | None = None) -> None:
        self.seed = seed
        shape = Random(f"{seed} shape")
        self._number = shape.randint(20, 60)
        self._workers = shape.choice((2, 2, 3))
        self._round_keys = Random(f"{seed} rounds").choice(_ROUND_KEYS)
        drawn_faults = drawn(shape, shape.randint(2, 10), _STEPS)
        self.faults = tuple(drawn_faults if faults is None else faults)
        self._left = list(self.faults)
        self._feed_random = Random(f"{seed} feed")
        self.loop = SimulatedLoop(Random(f"{seed} order"))
        self.loop.on_step = self._on_step
        self.network = Network(self.loop)
        self.group = Group(self.loop, self.network, PARTITIONS, _SESSION_S)
        self.redis = FakeRedis()
        self.broker = Broker(self.network.later, lambda place: self.judge.look_at_state(place))
        self.broker.after = self.network.after
        self.kafka = Kafka(self.broker, self.network, self.loop)
        self.judge = Judge(SETTINGS, self.broker, self.redis, self.group.source)
        self.catalog = first_catalog()
        self.feeds: list[Feed] = []
        self.slots = [Slot(number) for number in range(3)]
        self.ends: list[str] = []
        self._has_skipped = self._is_ending = False

    # -- the run --------------------------------------------------------------------------------------------

    def run(self) -> Verdict:
        asyncio.set_event_loop(self.loop)
        try:
            with (
                replaced(self.loop, self.kafka, self._application, self._sink, self._ground, self._alarm),
                patch("streams.publishing.pace._LEAST_ROUND_KEYS", self._round_keys),
            ):
                self._play()
        finally:
            asyncio.set_event_loop(None)
            self.loop.finish()
        problems = tuple(self.judge.problems[:5])
        trace = (self.loop.steps, round(self.loop.now_s, 6), len(self.redis.changes), self.loop.random.random())
        return Verdict(
            self.seed, self.faults, problems, self.loop.steps, self.judge.checkpoints, trace, tuple(self.ends)
        )

    def _play(self) -> None:
        for slot in self.slots[: self._workers]:
            self._want(slot)
        try:
            self.loop.run_until_complete(self._until_stopped())
        except Deadlock:
            self.judge.problems.append("nothing happens any more")
        except Failed:
            return
        for problem in self.loop.problems:
            self.judge.problems.append(problem)
        if not self.judge.problems:
            self.judge.look_at_kept()
            self.judge.look_at_hashes(self.catalog, self._at_once)
            self.judge.look_at_verdicts()

    def _at_once(self, coroutine: Any) -> None:
        self.loop.on_step = lambda: None
        self.loop.run_until_complete(coroutine)

    async def _until_stopped(self) -> None:
        await self._feed()
        await asyncio.sleep(_FAULTS_GO_ON_S)
        self._heal()
        await asyncio.sleep(_CATALOG_SHOWN_S)
        await self._until_at_rest()
        self._is_ending = True
        for slot in self.slots:
            self._stop(slot)
        await self._until(lambda: not any(slot.is_running for slot in self.slots), _END_S, "the workers do not end")

    async def _feed(self) -> None:
        random = self._feed_random
        for partition, timestamp, key, value in events(random, self._number, PARTITIONS):
            records = self.group.source[partition]
            records.append(Record(len(records), timestamp, key, value))
            await asyncio.sleep(random.choice((0.0, 0.01, random.uniform(0, 4 * _FEED_S / self._number))))

    def _heal(self) -> None:
        self._left.clear()
        self.network.heal()
        self.group.skips = 0
        self.broker.refuses.clear()

    async def _until_at_rest(self) -> None:
        await self._until(lambda: self.judge.is_all_committed, _REST_S, "not all records are committed")
        await self._until(self._is_at_rest, _REST_S, "not everything is published")

    def _is_at_rest(self) -> bool:
        versions = {reference.number: reference.sequence for reference in self.judge.references if reference.sequence}
        published = {number: sequence for number, (_, sequence) in self.redis.published.items() if sequence}
        return versions == published and not self.redis.pending and not self.redis.away

    async def _until(self, condition: Callable[[], bool], within_s: float, otherwise: str) -> None:
        end_s = self.loop.now_s + within_s
        while not condition():
            if self.loop.now_s > end_s:
                self.judge.problems.append(otherwise)
                raise Failed
            await asyncio.sleep(0.5)

    # -- what is around workers -----------------------------------------------------------------------------

    def _application(self, owner: Any) -> Application:
        return Application(self.group, self.loop.current, owner)

    def _sink(self) -> SinkOverNetwork:
        return SinkOverNetwork(self.redis, self.network, self.loop, SETTINGS.app_id, self.judge.look_at_redis)

    def _ground(self) -> Ground:
        feed = Feed(self.catalog)
        self.feeds.append(feed)
        return ground(self.kafka, self.group.offsets, PARTITIONS, feed, Feed({}))

    def _alarm(self, seconds: int) -> None:
        process = self.loop.current
        self.network.after(seconds, lambda: self._hangs(process))

    def _hangs(self, process: Process) -> None:
        if not process.is_dead:
            self.ends.append(f"{process}: ended by the alarm")
            self._gone(process)

    # -- workers --------------------------------------------------------------------------------------------

    def _want(self, slot: Slot) -> None:
        slot.is_wanted = True
        if not slot.is_running:
            self._start(slot)

    def _start(self, slot: Slot) -> None:
        if slot.is_running or not slot.is_wanted or self._is_ending:
            return
        slot.runs += 1
        slot.process = Process(f"worker-{slot.number}.{slot.runs}")
        self.loop.start(slot.process, self._main(slot, slot.process))

    async def _main(self, slot: Slot, process: Process) -> None:
        worker = slot.worker = Worker(SETTINGS)
        try:
            await worker.run()
            self._note_end(process, worker)
        except Exception as problem:
            self.judge.problems.append(f"{process} ended by {problem!r}")
        self._gone(process)

    def _note_end(self, process: Process, worker: Worker) -> None:
        failure = worker.failure
        self.ends.append(f"{self.loop.now_s:.2f} {process}: {failure!r}")
        if failure is None:
            # A worker that is stopped while it starts has no partitions yet.
            openings = worker.ownership.openings if hasattr(worker, "ownership") else {}
            left = [number for number, task in openings.items() if not task.done()]
            if left:
                self.judge.problems.append(f"{process} ended while it was opening partitions {left}")
        elif not self._may_end_by(failure):
            self.judge.problems.append(f"{process} failed: {failure!r}")

    def _may_end_by(self, failure: BaseException) -> bool:
        """Whether a restart is all that is needed: nothing in a run takes the state or the source away."""
        if isinstance(failure, Gap):
            return self._has_skipped
        if isinstance(failure, StateError):
            return REMEDY not in str(failure)
        return isinstance(failure, CheckpointFailed)

    def _gone(self, process: Process) -> None:
        self.loop.kill(process)
        for slot in self.slots:
            if slot.process is process:
                self.network.after(self.loop.random.uniform(*_RESTART_S), lambda slot=slot: self._start(slot))  # type: ignore[misc]

    def _stop(self, slot: Slot) -> None:
        if slot.is_running and slot.process is not None:
            handler = slot.process.signal_handlers.get(signal.SIGTERM)
            if handler is not None:
                handler()
            else:
                self._gone(slot.process)

    def _freeze(self, process: Process, seconds: float) -> None:
        process.is_frozen = True
        self.network.after(seconds, lambda: setattr(process, "is_frozen", False))

    # -- faults ---------------------------------------------------------------------------------------------

    def _on_step(self) -> None:
        while self._left and self._left[0].step <= self.loop.steps:
            self._strike(self._left.pop(0))
        if self.judge.problems:
            raise Failed

    def _strike(self, fault: Fault) -> None:
        slot = self.slots[fault.worker]
        if fault.kind in (KILL, FREEZE, STOP, LEAVE, JOIN):
            self._strike_worker(fault, slot)
        elif fault.kind == REQUEST:
            for _ in range(fault.times):
                self.network.meet(fault.api, Fate(fault.fate, fault.seconds))
        elif fault.kind == REBALANCE:
            for place in range(fault.times):
                self.network.after(place * fault.seconds, self.group.rebalance)
        elif fault.kind == SKIP:
            self.group.skips, self._has_skipped = 1, True
        elif fault.kind == COMPACT:
            for number in range(PARTITIONS):
                self.broker.at((SETTINGS.state_topic, number)).compact(self.loop.random)
        elif fault.kind == CATALOG:
            self._correct_catalog()
        elif fault.kind == REFUSE:
            self._refuse((SETTINGS.state_topic, fault.worker % PARTITIONS), fault.seconds)
        elif fault.kind == FLUSH:
            self.redis.flush()
        elif fault.kind == RESTART:
            self.redis.restart()
        elif fault.kind == AWAY:
            self.redis.away = True
            self.network.after(fault.seconds, lambda: setattr(self.redis, "away", False))

    def _strike_worker(self, fault: Fault, slot: Slot) -> None:
        if fault.kind == JOIN:
            self._want(slot)
        elif fault.kind == LEAVE:
            slot.is_wanted &= sum(each.is_wanted for each in self.slots) < 2
            self._stop(slot)
        elif slot.is_running and slot.process is not None:
            if fault.kind == KILL:
                self._gone(slot.process)
            elif fault.kind == FREEZE:
                self._freeze(slot.process, fault.seconds)
            else:
                self._stop(slot)

    def _refuse(self, place: Place, seconds: float) -> None:
        self.broker.refuses.add(place)
        self.network.after(seconds, lambda: self.broker.refuses.discard(place))

    def _correct_catalog(self) -> None:
        self.judge.is_catalog_corrected = True
        self.catalog = corrected(self._feed_random, self.catalog)
        for feed in self.feeds:
            # The newest rows: of two corrections, the first must not come last.
            self.network.after(self.loop.random.uniform(0, 1), lambda feed=feed: setattr(feed, "rows", self.catalog))  # type: ignore[misc]


class Failed(BaseException):
    """The judge has found a problem: the run ends at once."""


def run(seed: int, faults: Sequence[Fault] | None = None) -> Verdict:
    """Run a seed, with its own faults or with these."""
    with contextlib.suppress(Failed):
        return World(seed, faults).run()
    raise AssertionError
