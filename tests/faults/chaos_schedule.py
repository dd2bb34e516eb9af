"""Which fault strikes when: a schedule of hits drawn from a seed, each kind by itself, so that kinds overlap.

Owns the kinds of the chaos run, how often each strikes and how long it lasts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from trial import SESSION_TIMEOUT_S

Span = tuple[float, float]


class Kind(NamedTuple):
    """A kind of fault: the seconds between two of its hits, and how long one lasts."""

    name: str
    pause_s: Span
    lasts_s: Span = (0.0, 0.0)


class Hit(NamedTuple):
    """One strike, so many seconds after the beginning. `worker`: the number of the worker it is meant for, if any."""

    at_s: float
    kind: str
    lasts_s: float
    worker: int


KILL, FREEZE, LONG_FREEZE = "worker: kill -9", "worker: SIGSTOP", "worker: SIGSTOP longer than its session"
ROLL = "workers: SIGTERM, one after the other"
KAFKA, REDIS, FLUSHALL = "Kafka: kill -9", "Redis: kill -9 without persistence", "Redis: FLUSHALL"
CORRECT, FORGET = "catalog corrected", "households forgotten"

KINDS = (
    Kind(KILL, (5, 25)),
    Kind(FREEZE, (5, 25), (0.5, SESSION_TIMEOUT_S - 1)),
    Kind(LONG_FREEZE, (20, 60), (SESSION_TIMEOUT_S + 1, 2.5 * SESSION_TIMEOUT_S)),
    Kind(ROLL, (20, 60)),
    Kind(KAFKA, (30, 75), (0.2, 5.0)),
    Kind(REDIS, (20, 60), (0.0, 5.0)),
    Kind(FLUSHALL, (10, 50)),
    Kind(CORRECT, (5, 30)),
    Kind(FORGET, (10, 40)),
)


def schedule(seed: int, seconds: float, workers: int) -> list[Hit]:
    """All hits of a run, in the order in which they begin. Each is over when the run is."""
    hits = (hit for kind in KINDS for hit in _hits(kind, random.Random(f"{seed}/{kind.name}"), seconds, workers))
    return sorted(hits)


def _hits(kind: Kind, rng: random.Random, seconds: float, workers: int) -> Iterator[Hit]:
    end_s = 0.0
    while True:
        at_s, lasts_s = end_s + rng.uniform(*kind.pause_s), rng.uniform(*kind.lasts_s)
        end_s = at_s + lasts_s
        if end_s > seconds:
            return
        yield Hit(at_s, kind.name, lasts_s, rng.randrange(workers))
