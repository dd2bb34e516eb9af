"""The campaign: many trials of many faults from one seed, side by side on servers of their own, and what came of them.

Owns the plan (which trials, with which seeds), the lanes in which trials run, and the results.
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
from typing import Any, NamedTuple

from catalogue import FAULTS, Fault, Scene, Strikes, share
from trial import Trial, Void

from streams.tools.devstack import Devstack

MOST_VOIDS = 4
MOST_HITS = 40


class Job(NamedTuple):
    """One trial to be made, of one fault or of several that share it, in this order."""

    strikes: tuple[Strikes, ...]
    seed: str

    @property
    def faults(self) -> list[str]:
        return [each.fault.name for each in self.strikes]

    @property
    def hits(self) -> int:
        return sum(each.hits for each in self.strikes)

    @property
    def brokers(self) -> int:
        return self.strikes[0].fault.brokers

    def run(self, trial: Trial) -> None:
        ((fault, _), *others) = self.strikes
        if others:
            share(trial, self.strikes)
        else:
            trial.next_fault(fault.name)
            fault.run(trial)

    def alone(self) -> list[Job]:
        """A trial for each of the faults."""
        return [Job((each,), f"{self.seed}/{each.fault.name}") for each in self.strikes]


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


def plan(seed: int, hits: Callable[[Fault], int], names: Iterable[str] = (), *, shared: bool = False) -> list[Job]:
    """The trials of the named faults (none: of all); each has a seed of its own.

    `shared`: faults on one scene strike in one trial, in any order.
    """
    rng = random.Random(seed)
    faults = [FAULTS[name] for name in names] or list(FAULTS.values())
    jobs = [job for fault in faults for job in _alone(seed, fault, hits(fault))]
    if shared:
        jobs = _sharing(seed, jobs, rng)
    # In any order, so that what runs side by side differs, and a campaign cut short has tried some of everything.
    rng.shuffle(jobs)
    # The longest first: no lane waits for one at the end.
    return sorted(jobs, key=lambda job: -len(job.strikes))


def _alone(seed: int, fault: Fault, hits: int) -> Iterator[Job]:
    for number, done in enumerate(range(0, hits, fault.per_trial)):
        yield Job((Strikes(fault, min(hits - done, fault.per_trial)),), f"{seed}/{fault.name}/{number}")


def _sharing(seed: int, jobs: list[Job], rng: random.Random) -> list[Job]:
    """The same strikes: the number-th jobs of all faults on a scene in one."""
    together: dict[tuple[Scene, str], list[Strikes]] = defaultdict(list)
    others = []
    for job in jobs:
        ((fault, _),) = job.strikes
        if fault.scene is None:
            others.append(job)
        else:
            together[fault.scene, job.seed.rpartition("/")[2]] += job.strikes
    return others + [
        _shared(f"{seed}/{scene.name}/{number}/{part}", strikes, rng)
        for (scene, number), strikes in together.items()
        for part, strikes in enumerate(_parts(strikes))
    ]


def _parts(strikes: list[Strikes]) -> list[list[Strikes]]:
    """Parts of about `MOST_HITS` hits: the longer an application lives, the more of it is restored after each hit."""
    parts: list[list[Strikes]] = [[]]
    for each in strikes:
        if parts[-1] and sum(other.hits for other in parts[-1]) + each.hits > MOST_HITS:
            parts.append([])
        parts[-1].append(each)
    return parts


def _shared(seed: str, strikes: list[Strikes], rng: random.Random) -> Job:
    rng.shuffle(strikes)
    # First those before which all must be verified: then there is little to be verified yet.
    return Job(tuple(sorted(strikes, key=lambda each: not each.fault.hides)), seed)


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
        self.results: dict[str, Result] = {name: Result(name) for job in jobs for name in job.faults}
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
            self._jobs.setdefault(job.brokers, queue.SimpleQueue()).put(job)

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

    def run_on(self, servers: Any) -> None:
        """Make all trials, of faults that strike no server, on servers that run already, and may be used by others."""
        for jobs in self._jobs.values():
            for job in self._drained(jobs):
                self._try(job, servers, self._folder)

    def _end(self) -> None:
        """Begin nothing more, and end what trials under way have started; servers end with this process."""
        self._last_begin_s = 0.0
        for trial in list(self._under_way):
            trial.close()

    def _lane(self, number: int, kinds: list[int]) -> None:
        for brokers in kinds:
            if brokers in self._jobs and not self._jobs[brokers].empty():
                folder = self._folder / f"lane-{number}-{brokers}"
                with Devstack.start(folder, brokers=brokers, brief=not self._is_long) as servers:
                    for job in self._drained(self._jobs[brokers]):
                        self._try(job, servers, folder / "trials")

    def _drained(self, jobs: queue.SimpleQueue[Job]) -> Iterator[Job]:
        while time.monotonic() < self._last_begin_s:
            try:
                yield jobs.get_nowait()
            except queue.Empty:
                return

    def _try(self, job: Job, servers: Any, folder: Path) -> None:
        """One trial, made again with another seed where a fault met no work: of each fault alone where several shared
        it."""
        for attempt in range(MOST_VOIDS + 1):
            seed = f"{job.seed}/{attempt}" if attempt else job.seed
            said = self._trial(job, seed, servers, folder)
            self._on_result(job, said)
            if not said.startswith("void"):
                return
            if len(job.strikes) > 1:
                for alone in job.alone():
                    self._try(alone, servers, folder)
                return
        self._note_failure(job, f"{job.seed}: void {MOST_VOIDS + 1} times")

    def _trial(self, job: Job, seed: str, servers: Any, folder: Path) -> str:
        trial = Trial(servers, folder, seed, job.hits, self._settings, is_long=self._is_long, wait_s=self._wait_s)
        self._under_way.add(trial)
        try:
            job.run(trial)
        except Void as reason:
            self._note_void(trial)
            return f"void: {reason}"
        except Exception as problem:
            self._note_failure(job, f"{seed}\n{_story(job, trial)}{traceback.format_exc()}")
            return f"FAILED: {str(problem)[:500] or type(problem).__name__}"
        else:
            self._note(job, trial)
            return "verified"
        finally:
            self._under_way.discard(trial)
            if isinstance(servers, Devstack):
                heal(servers)
            trial.close()

    def _note(self, job: Job, trial: Trial) -> None:
        ends_s = [*list(trial.begun_s.values())[1:], time.monotonic()]
        with self._lock:
            for (fault, hits), end_s in zip(job.strikes, ends_s, strict=True):
                result = self.results[fault.name]
                result.trials, result.hits = result.trials + 1, result.hits + hits
                result.seconds += end_s - trial.begun_s[fault.name]
                for name, values in trial.figures(fault.name).items():
                    result.figures[name] += values

    def _note_void(self, trial: Trial) -> None:
        with self._lock:
            self.results[list(trial.struck)[-1]].voids += 1

    def _note_failure(self, job: Job, failure: str) -> None:
        """None of the faults that share a trial is cleared where it fails."""
        with self._lock:
            for name in job.faults:
                self.results[name].failures.append(failure)


def _story(job: Job, trial: Trial) -> str:
    """Which faults had struck a trial that several share, in their order."""
    if len(job.strikes) == 1:
        return ""
    struck = "".join(f"  {hits} × {name}\n" for name, hits in trial.struck.items())
    left = job.faults[len(trial.struck) :]
    return (
        f"one application was struck, in this order, by:\n{struck}not yet by: {', '.join(left) or 'none'}\n"
        "each alone: make faults ARGS='--alone --only \"…\"'\n"
    )


def heal(servers: Devstack) -> None:
    """Whatever a trial did to its servers: they run and answer again."""
    for server in (*servers.brokers, servers.redis_server):
        if server.running:
            server.resume()
    servers.up()
