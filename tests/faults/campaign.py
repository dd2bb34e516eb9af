"""The campaign: many trials of many faults from one seed, side by side on servers of their own, and what came of them.

Owns the plan (which trials, with which seeds), the lanes in which trials run, and the results. It must not know
what a fault does.
"""

from __future__ import annotations

import math
import queue
import random
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from catalogue import FAULTS, Fault
from trial import Trial, Void

from streams.tools.devstack import Devstack

MOST_VOIDS = 4


class Job(NamedTuple):
    """One trial to be made: the number-th of its fault, `hits` strikes."""

    fault: Fault
    number: int
    hits: int
    seed: str


@dataclass
class Result:
    """What a fault's trials came to. `failures` are texts; none is good."""

    fault: str
    trials: int = 0
    hits: int = 0
    voids: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def plan(seed: int, hits: Callable[[Fault], int], names: Iterable[str] = ()) -> list[Job]:
    """The trials of the named faults (none: of all); each has a seed of its own."""
    jobs = []
    for fault in [FAULTS[name] for name in names] or FAULTS.values():
        left, number = hits(fault), 0
        while left > 0:
            strikes = min(left, fault.per_trial)
            jobs.append(Job(fault, number, strikes, f"{seed}/{fault.name}/{number}"))
            left, number = left - strikes, number + 1
    # In any order, so that what runs side by side differs, and a campaign cut short has tried some of everything.
    random.Random(seed).shuffle(jobs)
    return jobs


class Campaign:
    """Runs jobs in lanes. `results` by fault, complete when `run` returns; `on_result` is told of each trial."""

    def __init__(
        self,
        jobs: list[Job],
        folder: Path,
        on_result: Callable[[Job, str], None],
        *,
        is_long: bool = False,
        begin_within_s: float = math.inf,
        wait_s: float = 60.0,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.results: dict[str, Result] = {job.fault.name: Result(job.fault.name) for job in jobs}
        self.seconds = 0.0
        self._folder = folder
        self._on_result = on_result
        self._settings = settings or {}
        self._is_long = is_long
        self._wait_s = wait_s
        self._last_begin_s = time.monotonic() + begin_within_s
        self._under_way: set[Trial] = set()
        self._lock = threading.Lock()
        self._jobs: dict[int, queue.SimpleQueue[Job]] = {}
        for job in jobs:
            self._jobs.setdefault(job.fault.brokers, queue.SimpleQueue()).put(job)

    def run(self, lanes: int) -> None:
        """Make all trials: those on three brokers in one lane, which then joins the others."""
        begun_s = time.monotonic()
        threads = [
            threading.Thread(target=self._lane, args=(number, [3, 1] if number == 0 else [1]))
            for number in range(lanes)
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            self._end()
            raise
        self.seconds = time.monotonic() - begun_s

    def _end(self) -> None:
        """Begin nothing more, and end what trials under way have started; servers end with this process."""
        self._last_begin_s = 0.0
        for trial in list(self._under_way):
            trial.close()

    def _lane(self, number: int, kinds: list[int]) -> None:
        for brokers in kinds:
            if brokers in self._jobs and not self._jobs[brokers].empty():
                folder = self._folder / f"lane-{number}-{brokers}"
                with Devstack.start(folder, brokers=brokers) as servers:
                    for job in self._drained(self._jobs[brokers]):
                        self._try(job, servers, folder / "trials")

    def _drained(self, jobs: queue.SimpleQueue[Job]) -> Iterator[Job]:
        while time.monotonic() < self._last_begin_s:
            try:
                yield jobs.get_nowait()
            except queue.Empty:
                return

    def _try(self, job: Job, servers: Devstack, folder: Path) -> None:
        """One trial, made again with another seed where the fault met no work."""
        for attempt in range(MOST_VOIDS + 1):
            seed = f"{job.seed}/{attempt}" if attempt else job.seed
            said = self._trial(job, seed, servers, folder)
            self._on_result(job, said)
            if not said.startswith("void"):
                return
        self._note(job, failure=f"{job.seed}: void {MOST_VOIDS + 1} times")

    def _trial(self, job: Job, seed: str, servers: Devstack, folder: Path) -> str:
        servers.up()
        trial = Trial(servers, folder, seed, job.hits, self._settings, is_long=self._is_long, wait_s=self._wait_s)
        begun_s = time.monotonic()
        self._under_way.add(trial)
        try:
            job.fault.run(trial)
        except Void as reason:
            self._note(job, voids=1)
            return f"void: {reason}"
        except Exception as problem:
            self._note(job, failure=f"{seed}\n{traceback.format_exc()}")
            return f"FAILED: {str(problem)[:500] or type(problem).__name__}"
        else:
            self._note(job, trial=trial, seconds=time.monotonic() - begun_s)
            return "verified"
        finally:
            self._under_way.discard(trial)
            heal(servers)
            trial.close()

    def _note(
        self, job: Job, *, trial: Trial | None = None, seconds: float = 0.0, voids: int = 0, failure: str = ""
    ) -> None:
        with self._lock:
            result = self.results[job.fault.name]
            result.voids += voids
            if failure:
                result.failures.append(failure)
            if trial is not None:
                result.trials, result.hits = result.trials + 1, result.hits + job.hits
                result.seconds += seconds
                for name, values in trial.figures.items():
                    result.figures[name] += values


def heal(servers: Devstack) -> None:
    """Whatever a trial did to its servers: they run and answer again."""
    for server in (*servers.brokers, servers.redis_server):
        if server.running:
            server.resume()
    servers.up()
