"""Compares expected and published values.

Owns the differences and their wording.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple, TypeVar

from streams.verify.boards import LISTS
from streams.verify.falling import Fallen
from streams.verify.kept import NOWHERE, KeptRecord, Milestone
from streams.verify.readers import is_computed
from streams.verify.reading import Version
from streams.verify.recomputation import Expected
from streams.verify.shown import Hashes

NOTHING = "nothing"
LAST_DIGIT = Decimal("0.000001")
SIX_DECIMALS = re.compile(r"\d+\.\d{6}")
NUMBER = re.compile(r"\d+(\.\d+)?")
ANY_INTEGER = re.compile(r"-?\d+")
RATES = (
    "views", "completion_rate", "repeat_rate", "return_rate_7d",
    "hold", "multiple", "half_life_days", "hold_4w", "hold_4w_before", "rewatch_share", "rewatch_share_before",
    "completion_rate_before",
)  # fmt: skip

INTEGER = ("an integer", re.compile(r"-?\d+"))
BOOKKEEPING = {"as_of_ms": INTEGER, "version": INTEGER, "complete": ("1", re.compile("1"))}
"""Fields of every hash of which only the form is checked: its words in a difference, and its pattern."""

STATUS_BOOKKEEPING = {
    **BOOKKEEPING,
    **dict.fromkeys(("incarnation", "partitions_ready", "lag", "checkpointed_ms"), INTEGER),
    "rebuilding": ("0", re.compile("0")),
}
"""The same for the status hash. It has these fields and the counts of records, and no others."""

R = TypeVar("R", KeptRecord, Milestone)


class Difference(NamedTuple):
    """One difference. `field` is empty if it concerns the whole `key`."""

    key: str
    field: str
    expected: str
    found: str


@dataclass(frozen=True)
class WorkerOutput:
    """What the worker wrote. All keys are without the prefix.

    `boards` maps keys to members and scores. `shares` names the hashes that have shares. `odd_keys` maps keys of a
    wrong Redis type to that type. The records of side topics are counted: how often each occurs. Those `elsewhere` came
    from other topics than the source, and have no place. `odd_records` are those that cannot be read. `versions`: by
    partition, the checkpoint that was published before Redis was read.
    """

    hashes: Hashes = field(default_factory=dict)
    boards: Hashes = field(default_factory=dict)
    shares: Collection[str] = frozenset()
    odd_keys: Mapping[str, str] = field(default_factory=dict)
    dead_letters: Mapping[KeptRecord, int] = field(default_factory=dict)
    late: Mapping[KeptRecord, int] = field(default_factory=dict)
    milestones: Mapping[Milestone, int] = field(default_factory=dict)
    dead_letters_elsewhere: Mapping[KeptRecord, int] = field(default_factory=dict)
    late_elsewhere: Mapping[KeptRecord, int] = field(default_factory=dict)
    odd_records: Collection[Difference] = ()
    versions: Mapping[int, Version] = field(default_factory=dict)


def compare(
    expected: Expected,
    found: WorkerOutput,
    *,
    may_lack: Collection[str] = frozenset(),
    may_be_less: Collection[str] = frozenset(),
    told: Mapping[int, int] | None = None,
    later: Expected | None = None,
) -> list[Difference]:
    """All differences. `may_lack` names keys that may be missing, as their time to live may be over.

    `may_be_less` names windows that a partition may have dropped: later events count in them from 0 on, so what is
    found may be less than expected. `told` maps a partition to the first source offset whose milestones the present
    state has written. Those below it were written by a former state, perhaps by other rules: they are checked only for
    duplicates. Other records of side topics below it may have been written for the topic of which the source is a copy.
    `later` is what is expected by later clocks of silent partitions: where it differs (in gauges, which fall), anything
    from it to `expected` is right. Of bookkeeping fields only the form is checked.
    """
    later, told = later or expected, told or {}
    dead_letters = _without_told(expected.dead_letters, found.dead_letters, found.dead_letters_elsewhere, told)
    late = _without_told(expected.late, found.late, found.late_elsewhere, told)
    fallen = Fallen(later.hashes, later.boards)
    gone = expected.boards.keys() - later.boards.keys()
    return [
        *_keys(expected.hashes | expected.boards, found, {*may_lack, *gone}),
        *(
            difference
            for key in sorted(expected.hashes.keys() & found.hashes.keys())
            for difference in _fields(key, expected.hashes[key], found.hashes[key], key in may_be_less)
            if not fallen.has_field(*difference)
        ),
        *(
            difference
            for key in sorted(expected.boards.keys() & found.boards.keys())
            for difference in _scores(key, expected.boards[key], found.boards[key], key in may_be_less)
            if not fallen.has_score(key, difference.field, difference.expected, found.boards[key].get(difference.field))
        ),
        *_shares(expected.hashes, found, may_lack),
        *_balance(expected, found),
        *_records("dead letter", dead_letters, found.dead_letters, expected.dead_letters.__getitem__),
        *_records("late event", late, found.late, lambda _: "late"),
        *_milestones(expected.milestones, found.milestones, told),
        *found.odd_records,
    ]


def _keys(expected: Hashes, found: WorkerOutput, may_lack: Collection[str]) -> Iterator[Difference]:
    there = found.hashes | found.boards
    for key in sorted(expected.keys() - there.keys() - found.odd_keys.keys() - set(may_lack)):
        yield Difference(key, "", _shown(key, expected[key]), NOTHING)
    for key in sorted(there.keys() - expected.keys()):
        yield Difference(key, "", NOTHING, _shown(key, there[key]))
    for key, type_ in sorted(found.odd_keys.items()):
        should = _shown(key, expected[key]) if key in expected else NOTHING
        yield Difference(key, "", "a stream" if key in ("changes", "verdicts") else should, f"a {type_}")


def _shown(key: str, fields: dict[str, str]) -> str:
    """A hash or board in short: its fields that are not zero; a list: its members."""
    if key in LISTS:
        return " ".join(sorted(fields))
    return " ".join(f"{name}={value}" for name, value in fields.items() if value.strip("0.")) or "zeros"


def _fields(key: str, expected: dict[str, str], found: dict[str, str], may_be_less: bool) -> Iterator[Difference]:
    bookkeeping = STATUS_BOOKKEEPING if key == "status" else BOOKKEEPING
    for name, value in expected.items():
        there = found.get(name)
        if not _equal(name, value, there) and not (may_be_less and _is_less(key, value, there)):
            yield Difference(key, name, value, found.get(name, NOTHING))
    for name in sorted(found.keys() - expected.keys() - bookkeeping.keys()):
        yield Difference(key, name, NOTHING, found[name])
    for name, (words, form) in bookkeeping.items():
        if not form.fullmatch(found.get(name, "")):
            yield Difference(key, name, words, found.get(name, NOTHING))


def _equal(name: str, expected: str, found: str | None) -> bool:
    if expected == found:
        return True
    if name not in RATES or not found or not expected or not SIX_DECIMALS.fullmatch(found):
        return False
    should, is_ = Decimal(expected), Decimal(found)
    # The last digit may round either way. A half-life is the inverse of a slope, a float with 15 digits.
    slack = LAST_DIGIT + (should**2 * Decimal("1e-14") if name == "half_life_days" else 0)
    return abs(should - is_) <= slack


def _is_less(key: str, expected: str, found: str | None) -> bool:
    """Whether a count may be what a window has since it was dropped. Computed hashes (legs) may have any value."""
    if found is None or is_computed(key):
        return found is not None
    # A household may leave a class of a week's audience after the partition dropped the week: that counts -1.
    form = ANY_INTEGER if ":audience:" in key else NUMBER
    return form.fullmatch(found) is not None and Decimal(found) <= Decimal(expected)


def _scores(key: str, expected: dict[str, str], found: dict[str, str], may_be_less: bool) -> Iterator[Difference]:
    """Compare a board member by member. A missing member has a score of 0; on a list none may be missing."""
    if key in LISTS:
        for member in sorted(expected.keys() ^ found.keys()):
            yield Difference(key, member, expected.get(member, NOTHING), found.get(member, NOTHING))
        return
    metric = key.split(":")[1]
    slack = LAST_DIGIT if metric in RATES else Decimal(0)
    for member in sorted(expected.keys() | found.keys()):
        should, is_ = (Decimal(scores.get(member, "0")) for scores in (expected, found))
        is_shown = member not in found or is_ != 0
        if not (is_shown and (abs(should - is_) <= slack or (may_be_less and is_ <= should))):
            yield Difference(key, member, expected.get(member, NOTHING), found.get(member, NOTHING))


def _shares(expected: Hashes, found: WorkerOutput, may_lack: Collection[str]) -> Iterator[Difference]:
    """Check that every hash that readers read has shares, and that there are no others.

    Computed hashes have no shares, but may have a revision. A curve that was started anew, and not played since, has
    shares but no hash.
    """
    shares = set(found.shares)
    for key in sorted(shares - found.hashes.keys() - expected.keys()):
        of = key.rpartition(":")[0] if is_computed(key) else key.removesuffix(":curve")
        if of not in found.hashes:
            yield Difference(f"internal:shares:{key}", "", NOTHING, "shares of a hash that is not there")
    for key in sorted((found.hashes.keys() & expected.keys()) - shares - set(may_lack)):
        if not is_computed(key):
            yield Difference(f"internal:shares:{key}", "", "shares of a hash that is there", NOTHING)


def _balance(expected: Expected, found: WorkerOutput) -> Iterator[Difference]:
    """Check that the counts of events, dead letters and late events add up to the records of the raw topic."""
    status = found.hashes.get("status", {})
    counts = [status.get(name, "") for name in ("events", "dead_letters", "late_events")]
    if all(count.isdecimal() for count in counts) and sum(map(int, counts)) != expected.produced:
        yield Difference("status", "events + dead_letters + late_events", str(expected.produced), " + ".join(counts))


def _milestones(
    expected: Collection[Milestone], found: Mapping[Milestone, int], told: Mapping[int, int]
) -> Iterator[Difference]:
    if any(told.values()):
        before = {each: times for each, times in found.items() if each.offset < told.get(each.partition, 0)}
        yield from _doubled(before)
        found = {each: times for each, times in found.items() if each not in before}
        expected = [each for each in expected if each.offset >= told.get(each.partition, 0)]
    yield from _records("milestone", expected, found, _words)


def _without_told(
    expected: Collection[KeptRecord],
    found: Mapping[KeptRecord, int],
    elsewhere: Mapping[KeptRecord, int],
    told: Mapping[int, int],
) -> list[KeptRecord]:
    """The records without those that a former state has written for another topic, as often as they are there."""
    there, left = Counter(elsewhere), []
    for each in expected:
        no_place = each._replace(partition=NOWHERE, offset=NOWHERE)
        if each.offset < told.get(each.partition, 0) and each not in found and there[no_place] > 0:
            there[no_place] -= 1
        else:
            left.append(each)
    return left


def _doubled(before: Mapping[Milestone, int]) -> Iterator[Difference]:
    """Milestones that one record made twice: same household, title and number, whatever the other fields."""
    times: Counter[Milestone] = Counter()
    for each, count in before.items():
        times[each._replace(key=None, event_id="", event_time_ms=0, rewatch=None, daypart=None)] += count
    for each, count in times.items():
        if count > 1:
            yield Difference(_source("milestone", each), "", f"once ({_words(each)})", f"{count} times")


def _records(
    what: str, expected: Collection[R], found: Mapping[R, int], words: Callable[[R], str]
) -> Iterator[Difference]:
    """Check that every expected record occurs exactly once, equal in each field, and no other record."""
    wanted = dict.fromkeys(expected, 1)
    if wanted == found:
        return
    missing = _by_place(each for each in wanted if each not in found)
    extra = _by_place(each for each in found if each not in wanted)
    for each, times in found.items():
        if times > 1 and each in wanted:
            yield Difference(_source(what, each), "", f"once ({words(each)})", f"{times} times")
    for place in sorted(missing.keys() | extra.keys()):
        others = extra.get(place, [])
        for each in missing.get(place, ()):
            if others:
                yield from _unlike(what, each, _take_nearest(each, others))
            else:
                yield Difference(_source(what, each), "", f"once ({words(each)})", NOTHING)
        for other in others:
            yield Difference(_source(what, other), "", NOTHING, f"{found[other]} times: {_words(other)}")


def _by_place(records: Iterable[R]) -> dict[tuple[int, int], list[R]]:
    places: dict[tuple[int, int], list[R]] = {}
    for each in records:
        places.setdefault((each.partition, each.offset), []).append(each)
    return places


def _take_nearest(record: R, others: list[R]) -> R:
    """Remove and return the one of `others` that differs in the fewest fields."""
    nearest = min(others, key=lambda other: sum(a != b for a, b in zip(record, other, strict=True)))
    others.remove(nearest)
    return nearest


def _unlike(what: str, expected: R, found: R) -> Iterator[Difference]:
    for name, should, value in zip(expected._fields, expected, found, strict=True):
        if should != value:
            yield Difference(_source(what, expected), name, _text(should), _text(value))


def _text(value: object) -> str:
    return NOTHING if value is None else str(value) if isinstance(value, (str, int)) else repr(value)


def _source(what: str, record: KeptRecord | Milestone) -> str:
    kind = f" {record.milestone}" if isinstance(record, Milestone) else ""
    return f"{what} {record.partition}:{record.offset}{kind}"


def _words(record: KeptRecord | Milestone) -> str:
    if isinstance(record, Milestone):
        return f"{record.milestone} {record.ordinal} of {record.title_id} by {record.household_id}"
    return _text(record.value)
