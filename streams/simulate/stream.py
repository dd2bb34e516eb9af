"""All viewers at once: one endless stream of records in the order of sending.

Owns the merge. It must not know a clock: the origin is an argument. Memory is bounded by the number of
profiles and by the few records on a detour, however long the stream runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush, heapreplace
from itertools import dropwhile
from random import Random

from streams.simulate.faults import Item, with_faults
from streams.simulate.plan import Plan
from streams.simulate.viewer import Sent, Viewer
from streams.simulate.world import MINUTE_MS, Shelf, Title, household, titles

Ready = tuple[int, int, Sent | Item, Iterator[Sent] | None]


WARM_UP_MS = 2 * 60 * MINUTE_MS
"""The simulation begins this much before the origin, so that at the origin people are watching already."""


def stream(plan: Plan, origin_ms: int) -> Iterator[Item]:
    """Records without end, by `due_ms`, none before `origin_ms` (Unix ms); same arguments, same records."""
    everything = titles(plan, origin_ms)
    return dropwhile(lambda item: item.due_ms < origin_ms, _stream(plan, everything, origin_ms - WARM_UP_MS))


def _stream(plan: Plan, everything: list[Title], begin_ms: int) -> Iterator[Item]:
    rng = Random(f"{plan.seed}:faults")
    heap = _first_events(plan, everything, begin_ms)
    tie = len(heap)
    while True:
        due_ms, order, ready, viewer = heap[0]
        if viewer is None:
            heappop(heap)
            assert isinstance(ready, Item)
            yield ready
            continue
        following = next(viewer)
        heapreplace(heap, (following.due_ms, order, following, viewer))
        assert isinstance(ready, Sent)
        for item in with_faults(rng, plan, due_ms, ready.event):
            if item.due_ms <= due_ms:
                yield item
            else:
                tie += 1
                heappush(heap, (item.due_ms, tie, item, None))


def _first_events(plan: Plan, everything: list[Title], begin_ms: int) -> list[Ready]:
    kids = Shelf([title for title in everything if title.is_kids])
    general = Shelf([title for title in everything if not title.is_kids])
    heap: list[Ready] = []
    for number in range(plan.households):
        for viewer in _viewers(plan, number, kids, general):
            events = viewer.watch(begin_ms)
            first = next(events)
            heap.append((first.due_ms, len(heap), first, events))
    heapify(heap)
    return heap


def _viewers(plan: Plan, number: int, kids: Shelf, general: Shelf) -> list[Viewer]:
    rng = Random(f"{plan.seed}:household:{number}")
    home = household(plan, number, rng)
    return [Viewer(plan, rng, home, profile, kids, general) for profile in home.profiles]
