"""Whether a partition's state may be continued: compares its changelog with everything else that is known.

Owns the checks and the message of each refusal: what is wrong, where, and the remedy. It does no I/O. A state that is
lost, truncated or foreign never passes for an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from streams.config.rule_settings import JSON, RuleSettings
from streams.config.settings import variable
from streams.kafka.topics import GROWN, REMEDY
from streams.state.changelog import READABLE_FORMATS, ZONES_SINCE, Position, StateError


class RecordedElsewhere(NamedTuple):
    """What others have recorded of a partition's state, always of committed checkpoints.

    `committed`: the source offset that the consumer group has committed. `published`: the incarnation and sequence
    noted in Redis. None: nothing is recorded there (any more).
    """

    committed: int | None
    published: tuple[int, int] | None


class StateNames(NamedTuple):
    """Names for messages: the source partition, the state's partition with the same number, and the group."""

    source: str
    state: str
    group: str


def check_remembered(place: StateNames, position: Position | None, known: RecordedElsewhere) -> None:
    """Check that no checkpoint is recorded elsewhere that the changelog lacks. Raises `StateError`."""
    committed, published = known
    # Redis also has versions of partitions that never had a checkpoint: with sequence 0.
    if published is not None and published[1] == 0:
        published = None
    if position is None:
        _check_is_new(place, committed, published)
    elif committed is not None and committed > position.next_offset:
        raise StateError(
            f"{place.state} ends too early: the group {place.group} has committed offset {committed} of"
            f" {place.source}, the state continues at {position.next_offset}; {REMEDY}"
        )
    elif published is not None and published > (position.incarnation, position.sequence):
        raise StateError(
            f"{place.state} ends too early: Redis was told of checkpoint {_version(published)}, the state's"
            f" last one is {_version((position.incarnation, position.sequence))}; {REMEDY}"
        )


def _check_is_new(place: StateNames, committed: int | None, published: tuple[int, int] | None) -> None:
    lost = f"{place.state} holds no state, and there was one: its topic was deleted, emptied or made anew"
    if committed is not None:
        raise StateError(
            f"{lost} (the group {place.group} has committed offset {committed} of {place.source}); {REMEDY}"
        )
    if published is not None:
        raise StateError(f"{lost} (Redis was told of its checkpoint {_version(published)}); {REMEDY}")


def check_fits(place: StateNames, position: Position, now: Position) -> None:
    """Check that the state was computed as this worker would compute it. Raises `StateError`.

    `now` is the position that this worker would write.
    """
    if position.format not in READABLE_FORMATS:
        raise StateError(
            f"{place.source}: the format of the state is {position.format}, this worker reads"
            f" {' and '.join(map(str, sorted(READABLE_FORMATS)))}: go back to what it was, or {REMEDY}"
        )
    _check_rules(place, position, now)
    _check_format(place, position, now)
    knows_its_zones = position.format >= ZONES_SINCE
    for name, of_state, of_worker in (
        ("the zone data", now.zones if knows_its_zones else position.zones, now.zones),
        ("the partition count", position.partitions, now.partitions),
        ("the source topic's id", position.topic_id, now.topic_id),
        # A state that lost its first rows with its topic must not continue in a new one.
        ("the state topic's id", position.state_id or now.state_id, now.state_id),
    ):
        if of_state != of_worker:
            is_grown = name == "the partition count" and position.topic_id == now.topic_id
            raise StateError(
                f"{place.source}: {name} of the state is {of_state!r}, of this worker {of_worker!r}:"
                f" {GROWN if is_grown else f'go back to what it was, or {REMEDY}'}"
            )


def _check_rules(place: StateNames, position: Position, now: Position) -> None:
    if position.rules != now.rules:
        raise StateError(
            f"{place.source}: the state was computed with other rule settings{_differing(position, now)}: go back to"
            f" what it was, or {REMEDY}"
        )


def _check_format(place: StateNames, position: Position, now: Position) -> None:
    """Every format is read beside JSON, so only from JSON a state may go over to another one."""
    of_state, here = _format(position), _format(now)
    if of_state not in (JSON, here):
        name = variable("source_format")
        raise StateError(
            f"{place.source}: the state was computed with {name}={of_state}, here it is {here}, and records of"
            f" {of_state} would become dead letters: go back to what it was, or {REMEDY}"
        )


def _format(position: Position) -> str:
    changed = position.changed_rules
    return JSON if changed is msgspec.UNSET else str(changed.get("source_format", JSON))


def _differing(position: Position, now: Position) -> str:
    of_state, here = position.changed_rules, now.changed_rules
    if of_state is msgspec.UNSET or here is msgspec.UNSET:
        return f" ({position.rules}, here {now.rules})"
    names = [name for name in {**of_state, **here} if of_state.get(name) != here.get(name)]
    if not names:
        return " (those of another version: the defaults have changed)"
    told = (f"{variable(name)} {_valued(name, of_state)}, here {_valued(name, here)}" for name in names)
    return ", " + "; ".join(told)


def _valued(name: str, changed: Mapping[str, int | str]) -> str:
    """The value of a rule setting, of which only those that are not at their defaults are given."""
    default = RuleSettings.model_fields[name].default if name in RuleSettings.model_fields else "not known"
    if name != "pseudonym_key_file":
        return str(changed.get(name, default))
    return f"with the key {changed[name]}" if name in changed else "empty"


def check_source(place: StateNames, next_offset: int, first_offset: int, end_offset: int) -> None:
    """Check that the source still has the offset at which the state continues. Raises `StateError`."""
    if not first_offset <= next_offset <= end_offset:
        raise StateError(
            f"{place.source} has records {first_offset} to {end_offset}, the state continues at {next_offset}:"
            f" the records between are gone; {REMEDY}"
        )


def _version(version: tuple[int, int]) -> str:
    return f"{version[1]} of incarnation {version[0]}"
