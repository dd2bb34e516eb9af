"""What differs between the expectation and what was found.

Owns the differences and their words. It must not know how either side came to be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from streams.oracle.folding import Kept
from streams.oracle.recomputation import Expected
from streams.oracle.sums import RATES, Hashes

NOTHING = "nothing"
SIX_DECIMALS = re.compile(r"\d+\.\d{6}")


class Difference(NamedTuple):
    """One thing that is not as it should be. `field` is empty where all of `key` is concerned."""

    key: str
    field: str
    expected: str
    found: str


@dataclass(frozen=True)
class Found:
    """What the worker wrote: hashes by key without the prefix, and the two topics of kept records."""

    hashes: Hashes = field(default_factory=dict)
    dead_letters: list[Kept] = field(default_factory=list)
    late: list[Kept] = field(default_factory=list)


def compare(expected: Expected, found: Found, *, may_lack: Collection[str] = frozenset()) -> list[Difference]:
    """Every difference; `may_lack` names keys that may be missing (their time to live may be over).

    `watching_now` is a gauge of the wall clock's moment and is not looked at; `as_of_ms`, `version` and
    `complete` are checked for their form.
    """
    return [
        *_missing_and_extra(expected.hashes, found.hashes, may_lack),
        *(
            difference
            for key in sorted(expected.hashes.keys() & found.hashes.keys())
            for difference in _fields(key, expected.hashes[key], found.hashes[key])
        ),
        *_balance(expected, found),
        *_kept("dead letter", expected.dead_letters, found.dead_letters),
        *_kept("late event", dict.fromkeys(expected.late, "late"), found.late),
    ]


def _missing_and_extra(expected: Hashes, found: Hashes, may_lack: Collection[str]) -> Iterable[Difference]:
    for key in sorted(expected.keys() - found.keys() - set(may_lack)):
        yield Difference(key, "", _shown(expected[key]), NOTHING)
    for key in sorted(found.keys() - expected.keys()):
        yield Difference(key, "", NOTHING, _shown(found[key]))


def _shown(fields: dict[str, str]) -> str:
    """A hash in a few words: what is not zero in it."""
    return " ".join(f"{name}={value}" for name, value in fields.items() if value.strip("0.")) or "zeros"


def _fields(key: str, expected: dict[str, str], found: dict[str, str]) -> Iterable[Difference]:
    for name, value in expected.items():
        if not _equal(name, value, found.get(name)):
            yield Difference(key, name, value, found.get(name, NOTHING))
    if key != "status":
        for name in sorted(found.keys() - expected.keys() - BOOKKEEPING.keys() - {"watching_now"}):
            yield Difference(key, name, NOTHING, found[name])
    for name, form in BOOKKEEPING.items():
        if not re.fullmatch(form, found.get(name, "")):
            yield Difference(key, name, BOOKKEEPING_WORDS[name], found.get(name, NOTHING))


BOOKKEEPING = {"as_of_ms": r"-?\d+", "version": r"\d+", "complete": "1"}
BOOKKEEPING_WORDS = {"as_of_ms": "an integer", "version": "an integer", "complete": "1"}


def _equal(name: str, expected: str, found: str | None) -> bool:
    if expected == found:
        return True
    if name not in RATES or not found or not expected or not SIX_DECIMALS.fullmatch(found):
        return False
    return abs(Decimal(expected) - Decimal(found)) <= Decimal("0.000001")  # the last digit rounds either way


def _balance(expected: Expected, found: Found) -> Iterable[Difference]:
    status = found.hashes.get("status", {})
    counts = [status.get(name, "") for name in ("events", "dead_letters", "late_events")]
    if all(count.isdecimal() for count in counts) and sum(map(int, counts)) != expected.produced:
        yield Difference("status", "events + dead_letters + late_events", str(expected.produced), " + ".join(counts))


def _kept(what: str, expected: dict[Kept, str], found: list[Kept]) -> Iterable[Difference]:
    """Every expected record kept exactly once with its bytes, and no other."""
    times = Counter(found)
    others = {(kept.partition, kept.offset) for kept in times if kept not in expected}
    for kept, reason in expected.items():
        if times[kept] == 0:
            changed = "other bytes" if (kept.partition, kept.offset) in others else NOTHING
            yield Difference(_source(what, kept), "", f"once ({reason})", changed)
        elif times[kept] > 1:
            yield Difference(_source(what, kept), "", f"once ({reason})", f"{times[kept]} times")
    for kept, count in times.items():
        if kept not in expected:
            yield Difference(_source(what, kept), "", NOTHING, f"{count} times: {(kept.value or b'')[:60]!r}")


def _source(what: str, kept: Kept) -> str:
    return f"{what} {kept.partition}:{kept.offset}"
