"""Compares what two applications show, live.

Owns how keys are put into kinds, and which fields are compared: all counters, none of the fields that say when a hash
was written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from redis import RedisError

from streams.config.redis_address import without_password
from streams.kafka.reader import CannotRead
from streams.redis.clients import sync_client
from streams.redis.keys import Keys
from streams.verify.comparison import STATUS_BOOKKEEPING
from streams.verify.published import published

_ALL = "all"
_DONE, _TOPIC = "done:", "topic_id"

Fields = Mapping[str, str]


class ApplicationProgress(NamedTuple):
    """How far an application is: its source topic's id, and by partition the offset below which readers see all."""

    topic_id: str
    offsets: dict[str, int]


class FieldSums(NamedTuple):
    """A field over all keys of a kind: how many keys differ in it, and its sum in either application."""

    keys: int
    first: Decimal
    second: Decimal


@dataclass
class KeyKind:
    """Keys of one kind. `sums`: the fields that differ anywhere."""

    both: int = 0
    only_first: int = 0
    only_second: int = 0
    differing: int = 0
    sums: dict[str, FieldSums] = field(default_factory=dict)
    example: str = ""

    @property
    def is_equal(self) -> bool:
        return not (self.only_first or self.only_second or self.differing)


class Diff(NamedTuple):
    """What differs between two applications, by kind of key.

    `apart`: records that only one of the two has counted; None: they count different source topics, or do not say.
    `is_still`: neither counted anything while it was read.
    """

    kinds: dict[str, KeyKind]
    apart: int | None
    is_still: bool

    @property
    def is_equal(self) -> bool:
        return all(kind.is_equal for kind in self.kinds.values())


def diff(url: str, first: str, second: str) -> Diff:
    """Compare the applications under two prefixes of one Redis. Raises `CannotRead`."""
    before = [standing(url, prefix) for prefix in (first, second)]
    shown = [published(url, prefix) for prefix in (first, second)]
    after = [standing(url, prefix) for prefix in (first, second)]
    kinds = differences(*({**each.hashes, **each.boards} for each in shown))
    return Diff(kinds, apart(*after), before == after)


def standing(url: str, prefix: str) -> ApplicationProgress:
    """How far the application under a prefix is. Raises `CannotRead`."""
    try:
        with sync_client(url, decode_responses=True) as redis:
            found: Any = redis.hgetall(Keys(prefix).offsets)
    except RedisError as problem:
        raise CannotRead(f"Redis at {without_password(url)} cannot be read: {problem}") from None
    offsets = {name.removeprefix(_DONE): int(text) for name, text in found.items() if name.startswith(_DONE)}
    return ApplicationProgress(found.get(_TOPIC, ""), offsets)


def apart(first: ApplicationProgress, second: ApplicationProgress) -> int | None:
    """How many records one of the two has counted and the other has not; None: that cannot be said."""
    if not first.topic_id or first.topic_id != second.topic_id or first.offsets.keys() != second.offsets.keys():
        return None
    return sum(abs(offset - second.offsets[partition]) for partition, offset in first.offsets.items())


def differences(first: Mapping[str, Fields], second: Mapping[str, Fields]) -> dict[str, KeyKind]:
    """What differs between two sets of hashes and boards, by kind of key, in the order of the keys."""
    kinds: dict[str, KeyKind] = defaultdict(KeyKind)
    for key in sorted(first.keys() | second.keys()):
        kind = kinds[kind_of(key)]
        if key not in second:
            kind.only_first += 1
        elif key not in first:
            kind.only_second += 1
        else:
            kind.both += 1
        differing = dict(_differing(first.get(key, {}), second.get(key, {}), is_board=key.startswith("board:")))
        kind.differing += key in first and key in second and bool(differing)
        kind.example = kind.example or (key if differing else "")
        for name, values in differing.items():
            keys, *sums = kind.sums.get(name, FieldSums(0, Decimal(0), Decimal(0)))
            kind.sums[name] = FieldSums(keys + 1, *(total + value for total, value in zip(sums, values, strict=True)))
    _add_what_is_equal(kinds, first, second)
    return dict(kinds)


def kind_of(key: str) -> str:
    """The kind of a key, without the prefix: `title`, `day`, `board`, …"""
    root, _, rest = key.partition(":")
    window = rest.partition(":")[2].partition(":")[0]
    return window if root == "title" and window else f"{root} of a day" if ":day:" in key else root


def _differing(first: Fields, second: Fields, *, is_board: bool) -> Iterator[tuple[str, tuple[Decimal, Decimal]]]:
    if is_board:
        if {k: float(v) for k, v in first.items()} != {k: float(v) for k, v in second.items()}:
            yield _ALL, (sum(map(Decimal, first.values()), Decimal(0)), sum(map(Decimal, second.values()), Decimal(0)))
        return
    for name in sorted((first.keys() | second.keys()) - STATUS_BOOKKEEPING.keys()):
        if first.get(name, "0") != second.get(name, "0"):
            yield name, (_number(first.get(name)), _number(second.get(name)))


def _add_what_is_equal(kinds: Mapping[str, KeyKind], first: Mapping[str, Fields], second: Mapping[str, Fields]) -> None:
    """Sums are of all keys of a kind: add those in which the field does not differ."""
    for key in first.keys() & second.keys():
        for name, sums in kinds[kind_of(key)].sums.items():
            if name != _ALL and first[key].get(name, "0") == second[key].get(name, "0"):
                value = _number(first[key].get(name))
                kinds[kind_of(key)].sums[name] = FieldSums(sums.keys, sums.first + value, sums.second + value)


def _number(text: str | None) -> Decimal:
    try:
        return Decimal(text or 0)
    except InvalidOperation:
        return Decimal(0)
