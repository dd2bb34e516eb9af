"""What each hostile load costs, and how long it holds up ordinary events.

Owns the order of a trial: a worker is sent twenty ordinary events a second (probes), then the load at once, and is
watched until everything is published and nobody counts as watching any more. The idle share is measured after that: a
worker with a large state may need more.
"""

from __future__ import annotations

import json
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from streams.config.settings import Settings
from streams.kafka.last_record import last_record
from streams.kafka.producer import Outgoing, send
from streams.operations.titles import write_titles
from streams.redis.keys import Keys
from streams.tools.bench.live import LINGER_MS, Arrivals, probe, probe_name
from streams.tools.processes import Child, wait_until
from streams.tools.simulate.hostile import Load
from streams.tools.trial import Run

WATCHING_S = 10
"""What a trial's settings should say instead of five minutes: then the end of what was watched lies within it."""

PROBE_EACH_S = 0.05
KNOWN_TITLES = 500
"""Titles of the probes, all in Redis before the load comes. Each gets an event every 25 s."""

NEW_EACH = 10
"""Every tenth probe is of a title of its own instead."""

BEHIND = 80
"""Probes, four seconds of them: none of the partitions is without one."""

IDLE_S, SETTLED_S = 5.0, 5.0
LONGEST_S = 600.0
READ_S = 30.0


@dataclass(frozen=True)
class Hostile:
    """A load's cost: CPU of the worker beyond its idle share, and the longest way of an ordinary event to Redis: of one
    of a title that readers know, and of one of a new title."""

    load: str
    events: int
    cpu_s: float
    longest_wait_s: float
    longest_new_s: float
    peak_bytes: int
    end_bytes: int
    redis_keys: int

    @property
    def cpu_us_per_event(self) -> float:
        return self.cpu_s / self.events * 1e6


def title_of(number: int) -> str:
    """The title of probe `number`: a known one, or one of its own."""
    return probe_name(number) if number % NEW_EACH == 0 else probe_name(number % KNOWN_TITLES) + "-known"


class _Probes:
    """Ordinary events, sent until the block is left; those that make titles known are sent at once.

    `sent`: when each was sent, and its title.
    """

    def __init__(self, run: Run) -> None:
        self.sent: list[tuple[float, str]] = []
        self._over = threading.Event()
        self._settings = run.settings
        self._thread = threading.Thread(target=self._send, name="probes", daemon=True)

    def _send(self) -> None:
        settings = self._settings
        send(self._items(), settings.kafka_address, settings.source_topic, stamp=False, linger_ms=LINGER_MS)

    def _items(self) -> Iterator[Outgoing]:
        for number in count():
            if number >= KNOWN_TITLES and self._over.wait(PROBE_EACH_S):
                return
            self.sent.append((time.time(), title_of(number)))
            yield probe(number, int(time.time() * 1000), title_of(number))

    def __enter__(self) -> _Probes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more; all that was sent is delivered."""
        self._over.set()
        self._thread.join()


def measure(run: Run, load: Load, most_events: int) -> Hostile:
    """Send a load, or its first `most_events`, to a worker that is at work. Raises TimeoutError where it is not done
    within ten minutes."""
    settings = run.settings
    write_titles(settings, settings.kafka_address, load.titles())
    with run.worker() as worker, Arrivals(run) as arrivals, _Probes(run) as probes:
        run.wait_until_ready(worker)
        _wait_until_shown(worker, arrivals, probes.sent[:KNOWN_TITLES])
        time.sleep(SETTLED_S)
        begun_s, begun_cpu_s = time.time(), worker.cpu_s()
        records = islice(load.records(int(begun_s * 1000)), most_events)
        sent = send(records, settings.kafka_address, settings.source_topic, stamp=False)
        _wait_for_those_behind(worker, arrivals, probes)
        time.sleep(WATCHING_S + SETTLED_S)
        _wait_until_published(run, worker)
        end_s, end_cpu_s = time.time(), worker.cpu_s()
        time.sleep(IDLE_S)
        idle_share = (worker.cpu_s() - end_cpu_s) / (time.time() - end_s)
        peak_bytes, end_bytes = worker.peak_bytes(), worker.memory_bytes()
        probes.stop()
        _wait_until_shown(worker, arrivals, probes.sent)
        _wait_until_published(run, worker)
    cpu_s = end_cpu_s - begun_cpu_s - idle_share * (end_s - begun_s)
    longest_s, longest_new_s = _longest(arrivals, [each for each in probes.sent if each[0] >= begun_s])
    return Hostile(load.name, sent.events, cpu_s, longest_s, longest_new_s, peak_bytes, end_bytes, run.count_keys())


def _wait_for_those_behind(worker: Child, arrivals: Arrivals, probes: _Probes) -> None:
    """Until some probes of each partition are in Redis that were sent behind the load."""
    first = len(probes.sent)
    wait_until(lambda: len(probes.sent) >= first + BEHIND, "probes behind the load", LONGEST_S, worker)
    _wait_until_shown(worker, arrivals, probes.sent[first : first + BEHIND])


def _wait_until_shown(worker: Child, arrivals: Arrivals, sent: Sequence[tuple[float, str]]) -> None:
    wait_until(
        lambda: all(_shown_s(arrivals, *each) is not None for each in sent),
        "ordinary events in Redis",
        LONGEST_S,
        worker,
    )


def _shown_s(arrivals: Arrivals, sent_s: float, title: str) -> float | None:
    """When the title's hash changed first after a probe was sent; None: not yet."""
    times = arrivals.times.get(title, [])
    place = bisect_left(times, sent_s)
    return times[place] if place < len(times) else None


def _longest(arrivals: Arrivals, sent: Sequence[tuple[float, str]]) -> tuple[float, float]:
    """The longest way of a probe of a known title, and of a new one."""
    waits_s: tuple[list[float], list[float]] = [0.0], [0.0]
    for sent_s, title in sent:
        shown_s = _shown_s(arrivals, sent_s, title)
        assert shown_s is not None
        waits_s[not title.endswith("-known")].append(shown_s - sent_s)
    return max(waits_s[0]), max(waits_s[1])


def _wait_until_published(run: Run, worker: Child) -> None:
    """Until everything that is committed now is published: a worker that ends has only some seconds for the rest."""
    committed = _committed(run.settings)

    def is_published() -> bool:
        return all(there >= wanted for there, wanted in zip(_published(run), committed, strict=True))

    wait_until(is_published, "everything published", LONGEST_S, worker)


def _committed(settings: Settings) -> list[tuple[int, int]]:
    """By partition, incarnation and sequence of the state's last checkpoint."""
    found = []
    for partition in range(settings.topic_partitions):
        last = last_record(settings.kafka_address, settings.state_topic, partition, READ_S)
        position = json.loads(last.value) if last is not None and last.value else {}
        found.append((position.get("incarnation", 0), position.get("sequence", 0)))
    return found


def _published(run: Run) -> list[tuple[int, int]]:
    """By partition, incarnation and sequence of the last checkpoint that is published."""
    noted = run.redis().hgetall(Keys(run.settings.redis_prefix).published)
    pairs = [noted.get(str(p), "0:0").split(":") for p in range(run.settings.topic_partitions)]
    return [(int(incarnation), int(sequence)) for incarnation, sequence in pairs]
