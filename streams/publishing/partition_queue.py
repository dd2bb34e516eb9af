"""One partition's committed tallies, and which of them are pending, in their order.

Owns the precedence where a round cannot take everything: what checkpoints changed since the last one goes before the
rest, titles before their windows, and titles that readers know before those that they have never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from models.current_windows import CurrentWindows
from models.tally import CURVE, TITLE, TallyKey
from streams.publishing.hashes import STATUS
from streams.publishing.sink import Version
from streams.publishing.waits import ALWAYS_QUEUED, NOT_MISSED, Item, Waits
from streams.state.committed import Committed

_LEAST = 16
"""No kind of pending keys waits for ever: each gets at least one in so many places of a round."""

_CURVE_WEIGHT = 10
_NOTHING: Version = (0, 0)


class Pending(NamedTuple):
    """One pending item, and about how many hashes it costs to write it."""

    item: Item
    weight: int


class PartitionQueue:
    """A partition's committed tallies, and which of them are pending.

    `waits` are changes of checkpoints since the last round, `new` those of titles that no round has taken yet. `old` is
    what is queued again, or what was left over by a round before. An item is in one of them at most. `noted` is the
    version up to which everything is known to be published. All partitions of a worker share `never_taken`, and
    `is_counted`: whether any of them has a tally with a key.
    """

    def __init__(self, state: Committed, never_taken: set[str], is_counted: Callable[[TallyKey], bool]) -> None:
        self.tallies = {key: tally for key, tally in state.tallies.items() if tally is not None}
        self.current = {title_id: windows for title_id, windows in state.current.items() if windows is not None}
        self.waits, self.new, self.old = Waits(), Waits(), Waits()
        self.version: Version = _NOTHING
        self.next_offset = 0
        self.noted: Version = _NOTHING
        self.oldest_ms: int | None = None
        self._never_taken, self._is_counted = never_taken, is_counted

    @property
    def left(self) -> int:
        """How many items are pending."""
        return sum(map(len, self._all()))

    @property
    def is_charts_alone(self) -> bool:
        """Whether nothing is pending, or only charts."""
        return not any(len(waits) - len(waits.charts) for waits in self._all())

    def weight(self, *, with_charts: bool) -> int:
        """About how many hashes all that is pending is."""
        charts = 0 if with_charts else len(self.waits.charts) + len(self.old.charts)
        return sum(waits.weight() for waits in self._all()) - charts

    def _all(self) -> tuple[Waits, Waits, Waits]:
        return self.waits, self.new, self.old

    # -- what a round takes -----------------------------------------------------------------------------------

    def tallies_of(self, waits: Waits) -> Iterator[tuple[TallyKey, list[int]]]:
        """The tallies of pending items."""
        for key in waits.tally_keys():
            yield key, self.tallies[key]
        for title_id in waits.windows:
            yield from self.current[title_id].tallies(self.tallies[TallyKey(TITLE, 0, title_id)])

    def take_all(self, *, with_charts: bool) -> Waits:
        """Take everything, or all but charts."""
        taken, new, old = self._all()
        self.waits, self.new, self.old = Waits(), Waits(), Waits()
        taken.add(new)
        taken.add(old)
        if not with_charts:
            self.waits.charts, taken.charts = taken.charts, {}
        self._note_taken(taken)
        return taken

    def take(self, chosen: Waits, *, with_charts: bool) -> Waits:
        """Take of these items what is pending. Changes that stay will wait behind newer ones."""
        taken, (waits, new, old) = Waits(), self._all()
        for each in (waits, new, old):
            each.move(chosen, taken)
        self.waits, self.new = Waits(), Waits()
        if not with_charts:
            self.waits.charts, waits.charts = waits.charts, {}
        old.add(waits)
        old.add(new)
        self._note_taken(taken)
        return taken

    def _note_taken(self, taken: Waits) -> None:
        if self._never_taken:
            self._never_taken.difference_update(key.title_id for key in taken.titles if key.kind == TITLE)

    def queues(self, *, with_charts: bool) -> list[Iterator[Pending]]:
        """What is pending, in queues by precedence."""
        waits, new, old = self._all()
        charts = (waits.charts, old.charts) if with_charts else ()
        queues: list[tuple[Mapping[TallyKey, int] | Mapping[str, int], ...]] = [
            *((waits.titles,), (new.titles,)),
            *((waits.windows, waits.others), (new.windows, new.others)),
            *(charts, (old.titles,), (old.windows, old.others)),
        ]
        return [self._pending(chain(*queue)) for queue in queues]

    def _pending(self, items: Iterable[Item]) -> Iterator[Pending]:
        for item in items:
            if isinstance(item, str):
                yield Pending(item, len(self.current[item].lacks))
            else:
                yield Pending(item, _CURVE_WEIGHT if item.kind == CURVE else 1)

    def version_before(self) -> Version:
        """The version up to which everything is published, once all but what is pending now is."""
        incarnation, sequence = self.version
        return incarnation, min(sequence, *(waits.oldest() - 1 for waits in self._all()))

    # -- what is queued ---------------------------------------------------------------------------------------

    def commit(self, state: Committed) -> None:
        """Queue a checkpoint's changes."""
        changed, waits = self._store(state.tallies), Waits()
        # Once for each kind: there are thousands of keys, and a dozen kinds.
        lanes = {kind: waits.of_kind(kind) for kind in {key[0] for key in changed}}
        for key, tally in changed.items():
            lanes[key[0]][key] = tally[0]
        self.tallies[STATUS] = [state.sequence, *state.stream]
        waits.titles[STATUS] = state.sequence
        self._enqueue(waits)
        for title_id, windows in state.current.items():
            self._set_current(title_id, windows)
        missed = {key[2]: tally[0] for key, tally in changed.items() if key[0] == TITLE}
        self._enqueue(Waits(windows={title_id: missed[title_id] for title_id in state.moved}))
        self.version = (state.incarnation, state.sequence)
        self.next_offset = state.next_offset
        if self.oldest_ms is None:
            self.oldest_ms = state.oldest_ms

    def _store(self, tallies: Mapping[TallyKey, list[int] | None]) -> dict[TallyKey, list[int]]:
        """Store changed tallies, forget deleted ones (None), and note new titles. Returns the changed ones."""
        changed = {key: tally for key, tally in tallies.items() if tally is not None}
        if len(changed) < len(tallies):
            for key in tallies.keys() - changed.keys():
                self._forget(key)
        new = [key for key in changed if key[0] == TITLE and key not in self.tallies and not self._is_counted(key)]
        self._never_taken.update(key.title_id for key in new)
        self.tallies.update(changed)
        return changed

    def _enqueue(self, changed: Waits) -> None:
        """Queue changes of a checkpoint; those of titles that no round has taken yet are new, except charts."""
        never_taken = self._never_taken
        if never_taken:
            new: list[Item] = [key for key in chain(changed.titles, changed.others) if key[2] in never_taken]
            new += [title_id for title_id in changed.windows if title_id in never_taken]
            for item in new:
                self.new.put(item, changed.pop(item) or 0)
                self.old.pop(item)
        self.waits.add(changed)
        self.old.remove(changed)

    def _set_current(self, title_id: str, windows: CurrentWindows | None) -> None:
        if windows is None:
            self.current.pop(title_id, None)
            for waits in self._all():
                waits.pop(title_id)
            return
        self.current[title_id] = windows
        for key in windows.lacks:
            # From now on these tallies are computed from their title's.
            self._forget(key)

    def _forget(self, key: TallyKey) -> None:
        if self.tallies.pop(key, None) is not None:
            for waits in self._all():
                waits.pop(key)

    def requeue(self, items: Iterable[Item]) -> None:
        """Queue items again, as far as they still exist."""
        for item in items:
            exists = item in self.current if isinstance(item, str) else item in self.tallies
            if exists and not self.waits.has(item) and not self.new.has(item):
                self.old.put(item, self._missed(item))

    def _missed(self, item: Item) -> int:
        """The sequence that the next owner would miss if this was not published."""
        if isinstance(item, str):
            return self.tallies[TallyKey(TITLE, 0, item)][0]
        changed, (incarnation, known) = self.tallies[item][0], self.noted
        is_known = incarnation == self.version[0] and changed <= known
        return NOT_MISSED if is_known and item.kind in ALWAYS_QUEUED else changed

    def age(self, published: Version) -> None:
        """Give what is published by that version, and is queued again all the same, the last place."""
        self.noted = published
        known = [key for key in self.waits.tally_keys() if (self.version[0], self.tallies[key][0]) <= published]
        for key in known:
            self.waits.pop(key)
        self.requeue(known)

    def requeue_all(self) -> None:
        self.noted = _NOTHING
        self.requeue(self.tallies)
        self.requeue(self.current)


def in_turns(queues: Iterable[Iterator[Pending]]) -> Iterator[Pending]:
    """What is pending of all partitions, of each in turn."""
    left = list(queues)
    while left:
        for queue in list(left):
            pending = next(queue, None)
            if pending is None:
                left.remove(queue)
            else:
                yield pending


def first_of(queues: Sequence[Iterator[Pending]], most: int) -> Iterator[Item]:
    """A part of every queue, then the first queues, until it is about `most` hashes. Each item once."""
    left, chosen = most, set[Item]()
    for at_most in (most // _LEAST, most):
        for queue in queues:
            end = max(0, left - at_most)
            while left > end and (pending := next(queue, None)) is not None:
                if pending.item not in chosen:
                    chosen.add(pending.item)
                    left -= pending.weight
                    yield pending.item
