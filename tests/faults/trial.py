"""One trial: a fresh application under load, hit by a fault while it works, and what must hold afterwards.

Owns the workers and their supervisor, the proof that a hit met work under way, the figures a trial notes, and
the verdict: `encore verify` holds, no worker left a traceback, readers never saw a number go back.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from application import Application, Process, fresh_names, until
from follower import Follower
from polling_reader import GROWS, Reader

RATE = 200
CHECKPOINT_S = 0.4
"""Not the default: a transaction costs Kafka more than the records in it."""

SESSION_TIMEOUT_S = 6.0
_WORK_S = 40.0
_STEP_S = 0.02
_RESTART_S = 0.3
_FAILURES, _REST_S = 3, 10.0
"""After so many failures of its own, a worker is started again at most that often."""

Entered = TypeVar("Entered")


class Void(Exception):
    """The fault met no work under way: the trial says nothing and is made again."""


class Worker:
    """A worker under a supervisor: restarted, with the same settings, whenever it is found ended."""

    def __init__(self, application: Application, settings: dict[str, str]) -> None:
        self._application = application
        self.settings = settings
        self.supervised = True
        self.ends: list[int] = []
        self._begun_s = time.monotonic()
        self.process = application.worker(**settings)
        self.lives = [self.process]

    def restart(self, **settings: str) -> None:
        """Start it anew; `settings` are added for this life only."""
        self._begun_s = time.monotonic()
        self.process = self._application.worker(**{**self.settings, **settings})
        self.lives.append(self.process)

    @contextmanager
    def unsupervised(self) -> Iterator[None]:
        """Nobody restarts it inside the block; at its end it is started anew, and looked after again."""
        self.supervised = False
        yield
        self.restart()
        self.supervised = True

    def look_after(self) -> None:
        if self.supervised and self.process.popen.poll() is not None and not self._rests():
            self.ends.append(self.process.popen.returncode)
            self.restart()

    def _rests(self) -> bool:
        return self.ends.count(1) >= _FAILURES and time.monotonic() - self._begun_s < _REST_S

    def until_restored(self, within_s: float = 60) -> None:
        """Wait until a partition is open in its present life."""
        self.process.until_logged("restored:", within_s)


class Trial:
    """What a fault's function gets. `rng` is the trial's own; `hits` how many times it is to strike.

    `crew`: the workers of `start_work`. `struck`: the faults of this trial, in order, and how often each has hit.
    """

    def __init__(
        self,
        servers: Any,
        folder: Path,
        seed: str,
        hits: int,
        settings: dict[str, str],
        *,
        is_long: bool = False,
        wait_s: float = 60.0,
    ) -> None:
        self.servers = servers
        self.folder = folder
        self.rng = random.Random(seed)
        self.hits = hits
        self.is_long = is_long
        self.wait_s = wait_s
        self.struck: dict[str, int] = {}
        self.begun_s: dict[str, float] = {}
        self.workers: list[Worker] = []
        self.crew: list[Worker] = []
        self.reader: Reader | None = None
        self.proxy: Any = None
        self.feeds: list[Process] = []
        self._settings = settings
        self._closing = threading.Event()
        self._closers: list[Any] = []
        self._until_removed = ExitStack()
        self._fault = ""
        self._noted: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._from_logs: dict[str, list[float]] = {}
        self._follower: Follower | None = None
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)

    # -- the application --------------------------------------------------------------------------------------

    def set_up(self, **settings: str) -> Application:
        """A fresh application on the trial's servers; `settings` are further environment variables."""
        names = fresh_names(self.servers.kafka, self.servers.redis, "faults")
        folder = self.folder / names["ENCORE_APP_ID"]
        folder.mkdir(parents=True)
        pace = {"ENCORE_CHECKPOINT_S": str(CHECKPOINT_S)}
        self.application = Application({**names, **pace, **self._settings, **settings}, folder)
        self._supervisor.start()
        return self.application

    def worker(self, **settings: str) -> Worker:
        """Start a supervised worker."""
        worker = Worker(self.application, settings)
        self.workers.append(worker)
        return worker

    def named_workers(self, count: int) -> list[Worker]:
        """Start workers with names of their own: restarted, they go on at once."""
        return [self.worker(ENCORE_GROUP_INSTANCE_ID=f"worker-{number}") for number in range(count)]

    def feed(self, rate: int = RATE, households: int = 200) -> Process:
        """Start simulated viewing, with all that goes wrong in it, until `stop_feeds`."""
        feed = self.application.feed(rate, 24 * 3600, self.rng.randrange(1 << 30), households)
        self.feeds.append(feed)
        return feed

    def end_feed(self, feed: Process) -> None:
        """End a feed in order: all that it sent is delivered."""
        assert feed.stopped().code == 0, feed.log
        self.feeds.remove(feed)

    def stop_feeds(self) -> None:
        for feed in list(self.feeds):
            self.end_feed(feed)

    def start_work(self, workers: int = 2) -> list[Worker]:
        """The usual beginning: a feed and named workers, and checkpoints of every partition move."""
        self.feed()
        self.crew = self.named_workers(workers)
        self.until_working()
        return self.crew

    def read_on(self, *, may_fall_back: bool = False, grows: Sequence[str] = GROWS) -> Reader:
        """Start a reader that must never see numbers go back."""
        named = self.application.environment
        url, prefix = named["ENCORE_REDIS"], named["ENCORE_REDIS_PREFIX"]
        self.reader = Reader(url, prefix, may_fall_back=may_fall_back, grows=grows)
        self._closers.append(self.reader.close)
        return self.reader

    def on_close(self, call: Any) -> None:
        self._closers.append(call)

    def enter(self, context: AbstractContextManager[Entered]) -> Entered:
        """Enter a context that ends last, when the trial's topics and keys are removed."""
        return self._until_removed.enter_context(context)

    def forget_follower(self) -> None:
        """The state topic is to be another one: the next look at it begins anew."""
        if self._follower is not None:
            self._follower.close()
            self._closers.remove(self._follower.close)
            self._follower = None

    # -- work under way -----------------------------------------------------------------------------------------

    @property
    def follower(self) -> Follower:
        if self._follower is None:
            self._follower = Follower(self.application)
            self._closers.append(self._follower.close)
        return self._follower

    def until_working(self, since_s: float | None = None, within_s: float | None = None) -> float:
        """Wait until every partition was checkpointed after a moment (None: now); the seconds from it."""
        begun_s = time.monotonic() if since_s is None else since_s
        until(
            lambda: self.follower.moved_since(begun_s),
            lambda: f"all partitions go on\n{self.logs()}",
            within_s or 1.5 * self.wait_s,
        )
        return time.monotonic() - begun_s

    def mid_work(self) -> None:
        """Return at a moment at which checkpoints move and records wait. Raises `Void` where none comes."""
        deadline = time.monotonic() + _WORK_S
        begun_s = time.monotonic()
        while not (self.follower.moved_since(begun_s, 1) and self.follower.behind() > 0):
            if time.monotonic() > deadline:
                raise Void("no checkpoint moved, or no record waited")
            time.sleep(_STEP_S)

    def sleep(self, least_s: float, most_s: float) -> None:
        time.sleep(self.rng.uniform(least_s, most_s))

    # -- what it came to ----------------------------------------------------------------------------------------

    def next_fault(self, name: str) -> None:
        """What is noted from now on is that fault's."""
        self._fault = name
        self.struck[name] = 0
        self.begun_s[name] = time.monotonic()

    def note_hit(self) -> None:
        self.struck[self._fault] += 1

    def note(self, figure: str, value: float) -> None:
        """Note a figure, for the report."""
        self._noted[self._fault][figure].append(value)

    def figures(self, fault: str) -> dict[str, list[float]]:
        """What was noted of a fault; what the logs say at the end counts to the last one."""
        return {**self._noted[fault], **(self._from_logs if fault == self._fault else {})}

    # -- the verdict --------------------------------------------------------------------------------------------

    def verify(self, within_s: float = 300) -> dict[str, Any]:
        """End the feeds; everything must verify, no log holds a traceback, readers saw nothing go back."""
        self.stop_feeds()
        answer = self.application.verify(self.wait_s, within_s)
        assert answer["produced"] > 0
        status = self.application.status()
        counted = sum(int(status[name]) for name in ("events", "dead_letters", "late_events"))
        assert counted == answer["produced"], f"{counted} records counted, {answer['produced']} produced"
        self._note_from_logs()
        assert self.reader is None or not self.reader.problems, self.reader.problems[:5]
        self.note("events", answer["events"])
        return answer

    def _note_from_logs(self) -> None:
        """Note what all logs hold by now, in the place of what they held before."""
        found: dict[str, list[float]] = defaultdict(list)
        for log in self._logs():
            assert "Traceback" not in log, log[-4000:]
            for rows, took_s in re.findall(r"restored: (\d+) rows in ([\d.]+) s", log):
                found["restored_rows"].append(int(rows))
                found["restore_s"].append(float(took_s))
            for hashes, took_s in re.findall(r"whole again: (\d+) hashes written in ([\d.]+) s", log):
                found["redis_rebuilt_hashes"].append(int(hashes))
                found["redis_rebuild_s"].append(float(took_s))
            for took_ms in re.findall(r"goes on with a new producer, made in (\d+) ms", log):
                found["renewal_s"].append(int(took_ms) / 1000)
            found["refused_transactions"].append(log.count("another worker owns the partition by now"))
            found["refused_shares"].append(sum(map(int, re.findall(r"Redis refused (\d+) shares", log))))
        self._from_logs = found

    def _logs(self) -> list[str]:
        return [life.log for worker in self.workers for life in worker.lives]

    def logs(self) -> str:
        """The ends of the workers' logs, for a message."""
        return "\n---\n".join(log[-1500:] for log in self._logs()[-6:])

    def close(self) -> None:
        """End all that the trial started, and remove its topics and keys. Closing again does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        for worker in self.workers:
            worker.supervised = False
        for call in reversed(self._closers):
            call()
        if hasattr(self, "application"):
            self._supervisor.join(5)
            self.application.close()
            self.application.remove()
        self._until_removed.close()

    def _supervise(self) -> None:
        while not self._closing.wait(_RESTART_S):
            for worker in list(self.workers):
                worker.look_after()
