"""What must not matter to the state: duplicates, batches, checkpoints, packing, restarts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from random_logs import Log, Step, Writer, take

from models.fold import Fold
from models.rows import pack
from models.viewing import Row
from streams.changelog import Position, Restored, catalog_message, position_message, state_messages
from streams.zones import zone_names

LOGS = st.builds(lambda seed, events: Writer(Random(seed), events).log(), st.integers(0, 2**32), st.integers(1, 150))
Messages = list[tuple[bytes, bytes]]


@settings(max_examples=60)
@given(LOGS, st.randoms(use_true_random=False))
def test_a_partition_read_in_any_batches_comes_to_the_same(log: Log, random: Random) -> None:
    for number, steps in _by_partition(log):
        at_once = _fold(log, number, steps)
        in_batches = _empty(log, number)
        for batch in _cut(steps, random):
            _apply_batch(in_batches, batch)
        assert state(in_batches) == state(at_once)
        assert in_batches.drain(1) == at_once.drain(1)


@settings(max_examples=60)
@given(LOGS, st.randoms(use_true_random=False))
def test_checkpoints_packing_and_restarts_anywhere_come_to_the_same(log: Log, random: Random) -> None:
    for number, steps in _by_partition(log):
        undisturbed, disturbed = _fold(log, number, steps), _empty(log, number)
        changelog: Messages = []
        for sequence, batch in enumerate(_cut(steps, random), start=1):
            _apply_batch(disturbed, batch, changelog)
            changelog += _checkpoint(disturbed, batch, sequence)
            disturbed.cool(random.choice((0, 1, 100)))
            if random.random() < 0.4:
                disturbed = _restored(log, number, _compacted(changelog, random))
        undisturbed.drain(1)
        assert state(disturbed) == state(undisturbed)


@settings(max_examples=60)
@given(LOGS, st.randoms(use_true_random=False))
def test_duplicates_right_away_change_nothing_but_the_counts_of_records(log: Log, random: Random) -> None:
    for number, steps in _by_partition(log):
        once = _fold(log, number, steps)
        doubled = [
            step if copy == 0 else step._replace(titles=[])
            for step in steps
            for copy in range(random.choice((1, 1, 2, 3)))
        ]
        again = _fold(log, number, doubled)
        assert rows(again) == rows(once)
        assert _counters(again) == _counters(once)


@settings(max_examples=60)
@given(LOGS, st.randoms(use_true_random=False))
def test_duplicates_however_late_change_nothing_but_the_counts_of_records(log: Log, random: Random) -> None:
    # Without catalog rows: one that makes a title count lets events count that did not when they first came.
    for number, steps in _by_partition(log):
        steps = [step._replace(titles=[]) for step in steps]
        with_copies = list(steps)
        for place in sorted(random.sample(range(len(steps)), len(steps) // 3), reverse=True):
            with_copies.insert(random.randrange(place + 1, len(with_copies) + 1), steps[place])
        once, again = _fold(log, number, steps), _fold(log, number, with_copies)
        assert rows(again) == rows(once)
        assert _counters(again) == _counters(once)


@settings(max_examples=60)
@given(LOGS)
def test_the_parts_of_the_account_add_up_to_the_records(log: Log) -> None:
    for number, steps in _by_partition(log):
        fold = _fold(log, number, steps)
        changes = fold.drain(1)
        stream = fold.stream
        assert stream.events + stream.dead_letters + stream.late_events == len(steps)
        assert (len(changes.dead_letters), len(changes.late)) == (stream.dead_letters, stream.late_events)


# -- a partition and its checkpoints --------------------------------------------------------------------------


def _by_partition(log: Log) -> Iterable[tuple[int, list[Step]]]:
    return [(number, [step for step in log.steps if step.partition == number]) for number in range(log.partitions)]


def _cut(steps: list[Step], random: Random) -> list[list[Step]]:
    cuts = sorted(random.sample(range(len(steps) + 1), min(len(steps), random.randrange(9))))
    bounds = [0, *cuts, len(steps)]
    return [steps[first:stop] for first, stop in pairwise(bounds)]


def _empty(log: Log, number: int) -> Fold:
    return Fold(log.rules, partition=number, partitions=log.partitions, zones=zone_names())


def _fold(log: Log, number: int, steps: list[Step]) -> Fold:
    fold = _empty(log, number)
    for step in steps:
        take(fold, step)
    return fold


def _apply_batch(fold: Fold, batch: list[Step], changelog: Messages | None = None) -> None:
    """Records in as few calls as the catalog rows among them allow."""
    waiting: list[Any] = []
    for step in batch:
        if step.titles:
            fold.apply(waiting)
            waiting = []
        for title_id, row in step.titles:
            fold.take_in(title_id, row)
            if changelog is not None:
                changelog.append(_pair(catalog_message(step.record.offset, title_id, row)))
        waiting.append(step.record)
    fold.apply(waiting)


def _checkpoint(fold: Fold, batch: list[Step], sequence: int) -> Messages:
    end = batch[-1].record.offset + 1 if batch else 0
    stream_time_ms, stream = fold.stream_time_ms, fold.stream_counts()
    position = Position(end, "topic", fold.partitions, stream_time_ms, sequence, "rules", "zones", 1, stream)
    return [_pair(message) for message in (*state_messages(fold.drain(sequence)), position_message(position))]


def _pair(message: dict[str, bytes]) -> tuple[bytes, bytes]:
    return message["key"], message["value"]


def _compacted(changelog: Messages, random: Random) -> Messages:
    """The changelog as a broker may have compacted it: a head of which only the newest of each key is left."""
    head = changelog[: random.randrange(len(changelog) + 1)]
    newest = {key: place for place, (key, _) in enumerate(head)}
    return [pair for place, pair in enumerate(head) if newest[pair[0]] == place] + changelog[len(head) :]


def _restored(log: Log, number: int, changelog: Messages) -> Fold:
    restored = Restored(_empty(log, number))
    restored.add(changelog)
    restored.finish()
    return restored.fold


# -- the whole state, as values ---------------------------------------------------------------------------------


def state(fold: Fold) -> dict[str, Any]:
    """All that a fold's future depends on, and its counters without their checkpoints' numbers."""
    return {
        "rows": rows(fold),
        "tallies": {key: counts for key, (_, *counts) in fold.tallies.items()},
        "stream": fold.stream_counts(),
        "stream time": fold.stream_time_ms,
        "catalog": fold.catalog,
    }


def rows(fold: Fold) -> dict[tuple[str, str], bytes]:
    """Every row, packed."""
    return {
        (title.title_id, household_id): pack(row) if isinstance(row, Row) else row
        for title in fold.titles.values()
        for household_id, row in title.rows.items()
    }


def _counters(fold: Fold) -> dict[Any, list[int]]:
    fold.drain(1)
    return fold.tallies
