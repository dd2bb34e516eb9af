"""A partition of a random log and its checkpoints: what they put into the changelog, and what is restored of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from random import Random
from typing import Any

from random_logs import Log, Step, apply_controls

from models.fold import Fold
from models.fold_changes import FoldChanges
from streams.state.changelog import (
    Erased,
    Position,
    Restored,
    catalog_message,
    erasure_message,
    position_message,
    silence_message,
    state_messages,
)
from streams.state.tally_records import Message
from streams.state.zone_records import zone_message

Messages = list[tuple[bytes, bytes | None]]


def by_partition(log: Log) -> Iterable[tuple[int, list[Step]]]:
    return [(number, [step for step in log.steps if step.partition == number]) for number in range(log.partitions)]


def cut(steps: list[Step], random: Random) -> list[list[Step]]:
    cuts = sorted(random.sample(range(len(steps) + 1), min(len(steps), random.randrange(9))))
    bounds = [0, *cuts, len(steps)]
    return [steps[first:stop] for first, stop in pairwise(bounds)]


def cut_at_controls(steps: list[Step], random: Random) -> list[list[Step]]:
    """The same, and a checkpoint before every step that brings control rows, as a partition makes them."""
    return [
        part
        for batch in cut(steps, random)
        for bounds in [[0, *(at for at, step in enumerate(batch) if at and _has_controls(step)), len(batch)]]
        for part in [batch[first:stop] for first, stop in pairwise(bounds)]
    ]


def _has_controls(step: Step) -> bool:
    return bool(step.titles or step.erased or step.zones) or step.silent_ms is not None


def apply_batch(fold: Fold, batch: list[Step], changelog: Messages | None = None) -> list[FoldChanges]:
    """Records in as few calls as the control rows among them allow, and what was drained for these."""
    waiting: list[Any] = []
    drained: list[FoldChanges] = []
    for step in batch:
        if _has_controls(step):
            fold.apply(waiting)
            waiting = []
            drained += apply_controls(fold, step)
            if changelog is not None:
                changelog += _control_messages(step)
        waiting.append(step.record)
    fold.apply(waiting)
    return drained


def _control_messages(step: Step) -> Messages:
    messages = [catalog_message(step.record.offset, title_id, row) for title_id, row in step.titles]
    messages += [zone_message(step.record.offset, name, data) for name, data in step.zones.items()]
    if step.silent_ms is not None:
        messages.append(silence_message(step.record.offset, step.silent_ms))
    messages += [erasure_message(step.record.offset, digest, Erased(until, 0)) for digest, until in step.erased.items()]
    return list(map(_pair, messages))


def checkpoint(kept: Restored, batch: list[Step], sequence: int) -> Messages:
    fold = kept.fold
    end = batch[-1].record.offset + 1 if batch else 0
    stream_time_ms, stream = fold.stream_time_ms, fold.stream_counts()
    position = Position(end, "topic", fold.partitions, stream_time_ms, sequence, "rules", "zones", 1, stream)
    written = state_messages(fold.drain(sequence))
    return [_pair(message) for message in (*written, position_message(position))]


def _pair(message: Message) -> tuple[bytes, bytes | None]:
    return message["key"] or b"", message["value"]


def checkpoints_of(kept: Restored, batches: list[tuple[int, list[Step]]]) -> Iterator[Messages]:
    """What each batch, by its checkpoint's number, puts into the changelog."""
    for sequence, batch in batches:
        written: Messages = []
        apply_batch(kept.fold, batch, written)
        yield written + checkpoint(kept, batch, sequence)


def compacted(changelog: Messages, random: Random) -> Messages:
    """The changelog as a broker may have compacted it: the last of each key, and any of the older ones."""
    newest = {key: place for place, (key, _) in enumerate(changelog)}
    kept = random.choice((0.0, 0.5, 1.0))
    return [pair for place, pair in enumerate(changelog) if newest[pair[0]] == place or random.random() < kept]


def restored_from(log: Log, number: int, changelog: Messages) -> Restored:
    restored = Restored(log.fold(number))
    restored.add(changelog)
    restored.finish()
    return restored
