"""What each hostile load costs, and how long it holds up ordinary events.

Owns the order of a trial: a worker is sent twenty ordinary events a second (the probes of `live`), then the load at
once, and is watched until everything is published and nobody counts as watching any more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from streams.kafka.producer import Outgoing, send
from streams.operations.titles import write_titles
from streams.tools.bench.live import LINGER_MS, Arrivals, probe, probe_name
from streams.tools.processes import Child, wait_until
from streams.tools.simulate.hostile import Load
from streams.tools.trial import Run

WATCHING_S = 10
"""What a trial's settings should say instead of five minutes: then the end of what was watched lies within it."""

PROBE_EACH_S = 0.05
BEHIND = 80
"""Probes, four seconds of them: none of the partitions is without one."""

IDLE_S, SETTLED_S = 5.0, 5.0
LONGEST_S = 600.0


@dataclass(frozen=True)
class Hostile:
    """A load's cost: CPU of the worker beyond its idle share, and the longest way of an ordinary event to Redis."""

    load: str
    events: int
    cpu_s: float
    longest_wait_s: float
    peak_bytes: int
    end_bytes: int
    redis_keys: int

    @property
    def cpu_us_per_event(self) -> float:
        return self.cpu_s / self.events * 1e6


class _Probes:
    """Ordinary events, sent until the block is left; when each was sent."""

    def __init__(self, run: Run) -> None:
        self.sent_s: dict[str, float] = {}
        self._over = threading.Event()
        self._settings = run.settings
        self._thread = threading.Thread(target=self._send, name="probes", daemon=True)

    def _send(self) -> None:
        settings = self._settings
        send(self._items(), settings.kafka_address, settings.source_topic, stamp=False, linger_ms=LINGER_MS)

    def _items(self) -> Iterator[Outgoing]:
        for number in count():
            if self._over.wait(PROBE_EACH_S):
                return
            self.sent_s[probe_name(number)] = time.time()
            yield probe(number, int(time.time() * 1000))

    def __enter__(self) -> _Probes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more; all that was sent is delivered."""
        self._over.set()
        self._thread.join()


def measure(run: Run, load: Load) -> Hostile:
    """Send a load to a worker that is at work. Raises TimeoutError where it is not done within ten minutes."""
    settings = run.settings
    write_titles(settings, settings.kafka_address, load.titles())
    with run.worker() as worker, Arrivals(run) as arrivals, _Probes(run) as probes:
        run.wait_until_ready(worker)
        time.sleep(SETTLED_S)
        clock = _Clock(worker)
        sent = send(load.records(int(time.time() * 1000)), settings.kafka_address, settings.source_topic, stamp=False)
        _wait_for_those_behind(worker, arrivals, probes)
        probes.stop()
        wait_until(lambda: arrivals.seen.keys() >= probes.sent_s.keys(), "the probes are in Redis", LONGEST_S, worker)
        time.sleep(WATCHING_S + SETTLED_S)
        cpu_s, peak_bytes, end_bytes = clock.cpu_s(), worker.peak_bytes(), worker.memory_bytes()
    waits_s = [arrivals.seen[name] - at_s for name, at_s in probes.sent_s.items() if at_s >= clock.begun_s]
    return Hostile(load.name, sent.events, cpu_s, max(waits_s), peak_bytes, end_bytes, run.count_keys())


class _Clock:
    """The CPU seconds of a worker from now on, less what it uses when there is nothing but probes."""

    def __init__(self, worker: Child) -> None:
        self._worker = worker
        before_s = worker.cpu_s()
        time.sleep(IDLE_S)
        self._idle_share = (worker.cpu_s() - before_s) / IDLE_S
        self.begun_s, self._begun_cpu_s = time.time(), worker.cpu_s()

    def cpu_s(self) -> float:
        return self._worker.cpu_s() - self._begun_cpu_s - self._idle_share * (time.time() - self.begun_s)


def _wait_for_those_behind(worker: Child, arrivals: Arrivals, probes: _Probes) -> None:
    """Until some probes of each partition are in Redis that were sent behind the load."""
    behind = [probe_name(len(probes.sent_s) + number) for number in range(BEHIND)]
    wait_until(lambda: all(name in arrivals.seen for name in behind), "ordinary events again", LONGEST_S, worker)
