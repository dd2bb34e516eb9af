"""All viewers merged into one endless stream of records, in sending order.

The origin is an argument; there is no clock. Memory is bounded by the number of profiles and of delayed records,
however long the stream runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heapify, heappop, heappush, heapreplace
from itertools import dropwhile
from random import Random

from streams.kafka.producer import Outgoing
from streams.tools.simulate.faults import with_faults
from streams.tools.simulate.plan import Plan
from streams.tools.simulate.routine import WEEKS, Ordinary
from streams.tools.simulate.viewer import DueEvent, Viewer
from streams.tools.simulate.world import MINUTE_MS, household, shelves, titles

Ready = tuple[int, int, DueEvent | Outgoing, Iterator[DueEvent] | None]


WARM_UP_MS = 2 * 60 * MINUTE_MS
"""The simulation begins this much before the origin, so that sessions are under way at the origin."""


def stream(plan: Plan, origin_ms: int, viewers: Iterable[Viewer] | None = None) -> Iterator[Outgoing]:
    """Endless records in the order of `due_ms`, none before `origin_ms` (Unix ms). Same arguments, same records.

    `viewers`: everybody who watches; None: the plan's households in ordinary weeks.
    """
    if viewers is None:
        viewers = ordinary_viewers(plan, origin_ms)
    return dropwhile(lambda item: item.due_ms < origin_ms, _stream(plan, viewers, origin_ms - WARM_UP_MS))


def ordinary_viewers(plan: Plan, origin_ms: int) -> Iterator[Viewer]:
    """Every profile of every household, in ordinary weeks. They choose among all titles."""
    kids, general = shelves(titles(plan, origin_ms))
    for number in range(plan.households):
        rng = Random(f"{plan.seed}:household:{number}")
        home = household(plan, number, rng)
        yield from [Viewer(plan, rng, home, who, kids, general, Ordinary(WEEKS[who.kind])) for who in home.profiles]


def _stream(plan: Plan, viewers: Iterable[Viewer], begin_ms: int) -> Iterator[Outgoing]:
    rng = Random(f"{plan.seed}:faults")
    heap = _first_events(viewers, begin_ms)
    tie = len(heap)
    while True:
        due_ms, order, ready, viewer = heap[0]
        if viewer is None:
            heappop(heap)
            assert isinstance(ready, Outgoing)
            yield ready
            continue
        following = next(viewer)
        heapreplace(heap, (following.due_ms, order, following, viewer))
        assert isinstance(ready, DueEvent)
        for item in with_faults(rng, plan, due_ms, ready.event):
            if item.due_ms <= due_ms:
                yield item
            else:
                tie += 1
                heappush(heap, (item.due_ms, tie, item, None))


def _first_events(viewers: Iterable[Viewer], begin_ms: int) -> list[Ready]:
    heap: list[Ready] = []
    for viewer in viewers:
        events = viewer.watch(begin_ms)
        first = next(events)
        heap.append((first.due_ms, len(heap), first, events))
    heapify(heap)
    return heap
