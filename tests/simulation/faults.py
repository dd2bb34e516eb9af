"""The faults of a run, drawn from its seed: each strikes at a step, so that it may hit any await.

Owns which faults there are. A run's faults may be cut down to some of them, and run again the same way.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from network import LATE, LOST, SLOW, UNANSWERED

KILL, FREEZE, STOP, JOIN, LEAVE = "kill", "freeze", "stop", "join", "leave"
REQUEST, SKIP, COMPACT, CATALOG, REBALANCE = "request", "skip", "compact", "catalog", "rebalance"
FLUSH, RESTART, AWAY, REFUSE = "flush redis", "restart redis", "redis away", "refuse"

_REQUESTS = (
    "EndTxn",
    "EndTxn",
    "EndTxn",
    "Produce",
    "AddPartitions",
    "InitProducerId",
    "Fetch",
    "ListOffsets",
    "Redis",
)
_WEIGHTS = {
    KILL: 6, FREEZE: 9, STOP: 2, JOIN: 3, LEAVE: 2, REQUEST: 12, SKIP: 1, COMPACT: 3, CATALOG: 1,
    REBALANCE: 3, FLUSH: 1, RESTART: 1, AWAY: 2, REFUSE: 2,
}  # fmt: skip


class Fault(NamedTuple):
    """A fault, the step at which it strikes, which worker, and for how many seconds (or requests, below 0).

    `times`: so many requests in a row meet the same fate, or so many rebalances follow each other.
    """

    step: int
    kind: str
    worker: int = 0
    seconds: float = 0.0
    api: str = ""
    fate: str = ""
    times: int = 1


def drawn(random: Random, number: int, steps: int) -> list[Fault]:
    """So many faults within the first steps of a run, in order."""
    kinds = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=number)
    return sorted(_drawn(random, kind, random.randrange(steps)) for kind in kinds)


def _drawn(random: Random, kind: str, step: int) -> Fault:
    worker = random.randrange(3)
    if kind == FREEZE:
        return Fault(step, kind, worker, random.choice((random.uniform(0.1, 3), random.uniform(7, 20))))
    if kind in (KILL, STOP, LEAVE):
        return Fault(step, kind, worker, random.uniform(0.1, 3))
    if kind == REBALANCE:
        return Fault(step, kind, seconds=random.uniform(0.02, 0.3), times=random.choice((1, 2, 5)))
    if kind == REFUSE:
        return Fault(step, kind, worker, random.uniform(0.1, 25))
    if kind == AWAY:
        return Fault(step, kind, seconds=random.uniform(0.1, 6))
    if kind == REQUEST:
        fate = random.choice((LATE, LATE, LOST, SLOW, UNANSWERED))
        value = (
            random.uniform(0.8, 3) if fate == SLOW else random.choice((-random.randint(1, 9), random.uniform(0, 20)))
        )
        return Fault(step, kind, worker, value, random.choice(_REQUESTS), fate, random.choice((1, 1, 8)))
    return Fault(step, kind, worker)
