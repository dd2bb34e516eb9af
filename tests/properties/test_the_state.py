"""What must not matter to the state: duplicates, batches, checkpoints, packing, restarts."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import partial
from random import Random
from typing import Any

import msgspec
import pytest
from checkpoints import (
    Messages,
    apply_batch,
    by_partition,
    checkpoint,
    checkpoints_of,
    compacted,
    cut,
    cut_at_controls,
    restored_from,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from random_logs import LOGS, Log, Step, take
from whole_state import counted, state

from models.catalog import CatalogRow
from models.current_windows import CurrentWindows
from models.fold import Fold
from models.fold_changes import FoldChanges
from models.tally import TITLE, TallyKey


@settings(max_examples=60)
@given(LOGS, st.randoms(use_true_random=False))
def test_a_partition_read_in_any_batches_drained_between_or_not_comes_to_the_same(log: Log, random: Random) -> None:
    for number, steps in by_partition(log):
        (at_once, expected), in_batches = _folded(log, number, steps), log.fold(number)
        drained = []
        for batch in cut(steps, random):
            drained += apply_batch(in_batches, batch)
            if random.random() < 0.5:
                drained.append(in_batches.drain(1))
        drained.append(in_batches.drain(1))
        assert _put_together(drained) == _put_together(expected)
        assert state(in_batches) == state(at_once)


@settings(max_examples=60)
@given(LOGS, st.randoms(use_true_random=False))
def test_checkpoints_packing_and_restarts_anywhere_come_to_the_same(log: Log, random: Random) -> None:
    for number, steps in by_partition(log):
        (undisturbed, _), disturbed = _folded(log, number, steps), restored_from(log, number, [])
        changelog: Messages = []
        for sequence, batch in enumerate(cut_at_controls(steps, random), start=1):
            apply_batch(disturbed.fold, batch, changelog)
            # A partition goes on while its checkpoint is written, and cools and sweeps its rows after that.
            disturbed.fold.evict(random.choice((0, 1, 100)))
            disturbed.fold.sweep(random.choice((1, 5, 100)))
            changelog += checkpoint(disturbed, batch, sequence)
            if random.random() < 0.4:
                disturbed = restored_from(log, number, compacted(changelog, random))
        assert state(disturbed.fold) == state(undisturbed)


@settings(max_examples=60)
@given(LOGS, st.randoms(use_true_random=False))
def test_restored_after_any_prefix_of_checkpoints_it_writes_the_same_in_the_rest_of_them(
    log: Log, random: Random
) -> None:
    for number, steps in by_partition(log):
        batches = list(enumerate(cut_at_controls(steps, random), start=1))
        checkpoints = list(checkpoints_of(restored_from(log, number, []), batches))
        for stop in random.sample(range(len(batches) + 1), min(4, len(batches) + 1)):
            before = [pair for messages in checkpoints[:stop] for pair in messages]
            restored = restored_from(log, number, compacted(before, random))
            rest = list(checkpoints_of(restored, batches[stop:]))
            # In which order a checkpoint's keys come is all the same.
            assert list(map(dict, rest)) == list(map(dict, checkpoints[stop:]))


Again = Callable[[Step], list[Step]]


def in_place(steps: list[Step], again: Again, random: Random) -> list[Step]:
    """Each record three times in a row."""
    return [copy for step in steps for copy in (step, *again(step), *again(step))]


def in_blocks(steps: list[Step], again: Again, random: Random) -> list[Step]:
    """Every batch three times in a row, as from a producer that got no answer."""
    return [step for batch in cut(steps, random) for step in all_over_again(batch, again, random)]


def anywhere_later(steps: list[Step], again: Again, random: Random) -> list[Step]:
    """Two copies of each record somewhere after it, among the others."""
    places = [(float(place), step) for place, step in enumerate(steps)]
    copies = [(random.uniform(place, len(steps)), copy) for place, step in places for copy in again(step) * 2]
    return [step for _, step in sorted([*places, *copies], key=lambda pair: pair[0])]


def all_over_again(steps: list[Step], again: Again, random: Random) -> list[Step]:
    """The whole log, three times."""
    copies = [copy for step in steps for copy in again(step)]
    return [*steps, *copies, *copies]


@pytest.mark.parametrize("delivered", [in_place, in_blocks, anywhere_later, all_over_again])
@settings(max_examples=50)
@given(LOGS, st.randoms(use_true_random=False))
def test_every_record_delivered_three_times_changes_nothing_but_the_counts_of_records(
    delivered: Callable[[list[Step], Again, Random], list[Step]], log: Log, random: Random
) -> None:
    for number, steps in by_partition(log):
        # A row that makes a title count lets events count that did not when they first came.
        # And who was forgotten counts anew by a copy.
        steps = [
            step._replace(titles=[(title_id, _main(row)) for title_id, row in step.titles], erased={}) for step in steps
        ]
        # One that was passed over, older by its number, may be so young by its clock that its session is forgotten
        # before a copy of it is late. Right behind it a copy is as old as itself.
        passed_over = _passed_over(log, number, steps) if delivered is not in_place else set()
        once = _folded(log, number, steps)
        thrice = _folded(log, number, delivered(steps, partial(_copies, passed_over), random))
        assert sum(thrice[0].stream_counts()[:3]) == 3 * len(steps) - 2 * len(passed_over)
        assert _made(*thrice) == _made(*once)


@settings(max_examples=60)
@given(LOGS)
def test_the_parts_of_the_account_add_up_to_the_records(log: Log) -> None:
    for number, steps in by_partition(log):
        fold, drained = _folded(log, number, steps)
        stream, kept = fold.stream, _put_together(drained)
        assert stream.events + stream.dead_letters + stream.late_events == len(steps)
        assert (len(kept["dead letters"]), len(kept["late"])) == (stream.dead_letters, stream.late_events)


# -- a partition and its checkpoints --------------------------------------------------------------------------


def _copies(passed_over: Container[int], step: Step) -> list[Step]:
    return [] if step.record.offset in passed_over else [step._replace(titles=[], silent_ms=None, zones={})]


def _passed_over(log: Log, number: int, steps: list[Step]) -> set[int]:
    """Offsets of the events that changed no row."""
    fold, found = log.fold(number), set()
    for step in steps:
        take(fold, step)
        changes = fold.drain(1)
        if not (changes.rows or changes.dead_letters or changes.late):
            found.add(step.record.offset)
    return found


def _main(row: CatalogRow | None) -> CatalogRow | None:
    return row and msgspec.structs.replace(row, content_kind=None)


def _folded(log: Log, number: int, steps: list[Step]) -> tuple[Fold, list[FoldChanges]]:
    """A partition's fold after these steps, drained, and all that its drains gave."""
    fold = log.fold(number)
    drained = [changes for step in steps for changes in take(fold, step)]
    return fold, [*drained, fold.drain(1)]


# -- what drains gave ------------------------------------------------------------------------------------------


def _made(fold: Fold, drained: list[FoldChanges]) -> dict[str, Any]:
    """All that events made: rows, counters, streaks, who is watching, and what others are told of."""
    without = ("stream", "time", "catalog")
    made = {name: value for name, value in state(fold).items() if name not in without}
    return made | {"milestones": _put_together(drained)["milestones"]}


def _told(drained: list[FoldChanges]) -> dict[TallyKey, list[int] | None]:
    """The last of each tally; that of a current window by its title's."""
    told: dict[TallyKey, list[int] | None] = {}
    current: dict[str, CurrentWindows | None] = {}
    for changes in drained:
        told |= changes.tallies
        current |= changes.current
        for title_id in changes.moved:
            windows, title = current[title_id], told[TallyKey(TITLE, 0, title_id)]
            assert windows is not None and title is not None
            told.update(windows.tallies(title))
    return told


def _put_together(drained: list[FoldChanges]) -> dict[str, Any]:
    """What several drains gave, as one: the last of each row and tally, all of the rest in order."""
    return {
        "rows": {(title_id, home): packed for changes in drained for title_id, home, packed in changes.rows},
        "tallies": counted(_told(drained)),
        "streaks": {key: sums for changes in drained for key, sums in changes.streaks.items()},
        "dead letters": [kept for changes in drained for kept in changes.dead_letters],
        "late": [record for changes in drained for record in changes.late],
        "milestones": [milestone for changes in drained for milestone in changes.milestones],
    }
