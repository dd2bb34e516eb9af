"""What is wrong with the events that producers send, judged from a sample of the source topic.

Owns the mistakes to look for, the threshold for reporting each, and the advice. It also reads dead letters that are
JSON: a wrong unit causes many of them. No finding names an id.

A mistake is reported if at least 1 % of the sampled events have it: every real topic has single faulty records, but a
faulty producer or app version seldom causes less than that. Units differ by a factor of a thousand, so a median speed
within 2.5 times of one unit is unambiguous at any playback rate. A unit is judged from three intervals or more: one
jump does not move their median.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import msgspec

from models.catalog import CatalogRow
from models.events import END_OF_CALENDAR_MS
from models.rules import LARGEST_EVENT_BYTES, SHORTEST_STATED_LENGTH_MS, Rules

LEAST_SHARE, LEAST_EVENTS = 0.01, 3
LEAST_INTERVALS = 3
SHORTEST_INTERVAL_MS, LONGEST_INTERVAL_MS = 1_000, 1_800_000
UNIT_TOLERANCE = 2.5
UNITS = (("seconds", 0.001), ("microseconds", 1_000.0), ("ticks of 10⁻⁷ s", 10_000.0))
"""The wrong units that `position_ms` may be in, and how much of each passes in a millisecond."""

SECONDS_BELOW, SECONDS_FROM = 10**11, 10**8
"""A time from 10⁸ to below 10¹¹ is in seconds, and after 1973. In milliseconds it would be before that."""

MANY_TITLES = 3
"""A film and its trailer may share a session; three titles should not."""

SHORT_MS = 1_800_000
BRIEF_MS = 120_000
"""A session that got no further than this says nothing about a title's length: it was a preview or given up."""

LEAST_ENDS, LEAST_SESSIONS, LEAST_PASSED = 3, 20, 3

_FUTURE_MS = Rules().future_ms
_BEYOND = 2**63
_STILL = ("pause", "stop", "end", "buffer")
_JUMPS = ("seek", "start", "play")


class Sampled(NamedTuple):
    """A record of the source topic, as it is stored."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class Complaint(NamedTuple):
    """A mistake: how many of the `of` readable records have it, where the first of them is, and the remedy.

    `is_grave`: such events are not counted, or counted wrongly.
    """

    what: str
    is_grave: bool
    events: int
    of: int
    partition: int
    offset: int
    advice: str


class RecordFields(msgspec.Struct, gc=False):
    """The fields of a record, of whatever types."""

    event_type: Any = None
    event_time_ms: Any = None
    household_id: Any = None
    title_id: Any = None
    play_session_id: Any = None
    position_ms: Any = None
    runtime_ms: Any = None
    credits_start_ms: Any = None
    content_kind: Any = None


class _Seen(NamedTuple):
    """A record and its fields. `time_ms` is converted if it was in seconds. None: not a number."""

    record: Sampled
    told: RecordFields
    time_ms: float | None
    position_ms: float | None


class _SampledSession(NamedTuple):
    """The events of one session of one household and title, by event time.

    `unit` is the wrong unit that its positions are in; empty: none; None: too few intervals to tell.
    """

    title: str
    seen: list[_Seen]
    unit: str | None

    @property
    def furthest_ms(self) -> float:
        return max((each.position_ms or 0 for each in self.seen), default=0)


def diagnose(records: Iterable[Sampled], catalog: Mapping[str, CatalogRow]) -> list[Complaint]:
    """The mistakes found in a sample; an empty list for healthy events. `catalog` maps title ids to rows."""
    seen = [each for record in records if (each := _seen(record)) is not None]
    sessions = _sessions(seen)
    found = [
        *_units(sessions),
        ("event_time_ms in seconds", True, [each for each in seen if _is_in_seconds(each.told.event_time_ms)], _TIME),
        ("device clocks that are fast", True, [each for each in seen if _is_ahead(each)], _CLOCKS),
        ("households in two partitions", True, _in_two_partitions(seen), _PARTITIONS),
        ("one session id for many titles", False, _of_many_titles(seen), _SESSIONS),
        *_lengths(sessions, catalog),
        ("short titles without credits_start_ms", False, _without_credits(seen, catalog), _CREDITS),
    ]
    return [
        Complaint(what, is_grave, len(those), len(seen), those[0].record.partition, those[0].record.offset, advice)
        for what, is_grave, those, advice in found
        if len(those) >= max(LEAST_EVENTS, LEAST_SHARE * len(seen))
    ]


_Found = tuple[str, bool, list[_Seen], str]

_TIME = "event_time_ms is in milliseconds since 1970: multiply by 1,000 in the producer; these events are late or dead"
_CLOCKS = (
    "events more than 5 min ahead of their record are dead letters: let the player correct its clock by the server's "
    "before it stamps events"
)
_PARTITIONS = (
    "key every record by household_id, with the Java producer's partitioner (murmur2), from every producer; what is "
    "there already, also after partitions were added: `encore repartition` moves it (docs/growing.md)"
)
_SESSIONS = (
    "make a new play_session_id for each viewing: two devices that share one close each other's intervals, and a title "
    "that is watched again may count as the same play"
)
_CREDITS = (
    "under 30 min the credits are a large part, and who leaves at them may not complete: add credits_start_ms to the "
    "catalog (`encore titles load`)"
)
_UNREACHED = "the catalog's runtime_ms is too long, or in another unit: nobody completes the title; mend its row"
_PASSED = "the catalog's runtime_ms is too short, or in another unit: it is completed too early; mend its row"


# -- reading ------------------------------------------------------------------------------------------------------

_decode = msgspec.json.Decoder(RecordFields).decode


def _seen(record: Sampled) -> _Seen | None:
    if record.value is None or len(record.value) > LARGEST_EVENT_BYTES:
        return None
    try:
        told = _decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    time = _number(told.event_time_ms)
    if time is not None and _is_in_seconds(time):
        time *= 1_000
    return _Seen(record, told, time, _number(told.position_ms))


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and -_BEYOND <= value <= _BEYOND else None


def _is_in_seconds(time: Any) -> bool:
    number = _number(time)
    return number is not None and SECONDS_FROM <= number < SECONDS_BELOW


def _is_main(told: RecordFields) -> bool:
    return told.content_kind in (None, "main")


def _sessions(seen: Sequence[_Seen]) -> list[_SampledSession]:
    groups: defaultdict[tuple[str, str, str], list[_Seen]] = defaultdict(list)
    for each in seen:
        told = each.told
        names = (told.household_id, told.title_id, told.play_session_id)
        if each.time_ms is not None and each.position_ms is not None and all(isinstance(name, str) for name in names):
            groups[names].append(each)
    for events in groups.values():
        events.sort(key=lambda each: each.time_ms or 0)
    return [_SampledSession(title, events, _unit(events)) for (_, title, _), events in groups.items()]


# -- units --------------------------------------------------------------------------------------------------------


def _unit(events: Sequence[_Seen]) -> str | None:
    speeds = list(_speeds(events))
    if len(speeds) < LEAST_INTERVALS:
        return None
    speed = median(speeds)
    return next((unit for unit, factor in UNITS if factor / UNIT_TOLERANCE < speed < factor * UNIT_TOLERANCE), "")


def _speeds(events: Sequence[_Seen]) -> Iterator[float]:
    """Δposition ÷ Δtime of the intervals that seem to have been played. Frozen players are left out."""
    for before, after in pairwise(events):
        if before.told.event_type in _STILL or after.told.event_type in _JUMPS:
            continue
        passed = (after.time_ms or 0) - (before.time_ms or 0)
        moved = (after.position_ms or 0) - (before.position_ms or 0)
        if SHORTEST_INTERVAL_MS <= passed <= LONGEST_INTERVAL_MS and moved > 0:
            yield moved / passed


def _units(sessions: Sequence[_SampledSession]) -> Iterator[_Found]:
    for unit, factor in UNITS:
        those = [each for session in sessions if session.unit == unit for each in session.seen]
        mended = f"multiply by {1 / factor:,.0f}" if factor < 1 else f"divide by {factor:,.0f}"
        advice = f"position_ms is in milliseconds: {mended} in the producer, seek_from_ms and lengths too"
        yield f"positions in {unit}", True, those, advice


# -- clocks, partitions, sessions ---------------------------------------------------------------------------------


def _is_ahead(each: _Seen) -> bool:
    stamp_ms = each.record.timestamp_ms
    return each.time_ms is not None and 0 <= stamp_ms < each.time_ms - _FUTURE_MS and each.time_ms < END_OF_CALENDAR_MS


def _in_two_partitions(seen: Sequence[_Seen]) -> list[_Seen]:
    good = [each for each in seen if isinstance(each.told.household_id, str)]
    good = [each for each in good if each.told.household_id.encode() == each.record.key]
    return _in_groups(good, lambda each: each.record.key, lambda each: each.record.partition, 2)


def _of_many_titles(seen: Sequence[_Seen]) -> list[_Seen]:
    good = [each for each in seen if _is_main(each.told) and isinstance(each.told.title_id, str)]
    good = [each for each in good if isinstance(each.told.play_session_id, str)]
    return _in_groups(
        good, lambda each: (each.record.key, each.told.play_session_id), lambda each: each.told.title_id, MANY_TITLES
    )


def _in_groups(
    seen: Sequence[_Seen], group: Callable[[_Seen], Any], differing: Callable[[_Seen], Any], least: int
) -> list[_Seen]:
    """The events in whose group `differing` takes at least `least` values."""
    values: defaultdict[Any, set[Any]] = defaultdict(set)
    for each in seen:
        values[group(each)].add(differing(each))
    return [each for each in seen if len(values[group(each)]) >= least]


# -- the catalog --------------------------------------------------------------------------------------------------


def _lengths(sessions: Sequence[_SampledSession], catalog: Mapping[str, CatalogRow]) -> Iterator[_Found]:
    """Titles whose runtime nobody reaches, and titles that everybody passes.

    Sessions whose positions are, or may be, in a wrong unit are left out.
    """
    in_doubt = any(session.unit for session in sessions)
    of_titles: defaultdict[str, list[_SampledSession]] = defaultdict(list)
    for session in sessions:
        if session.unit == "" or (session.unit is None and not in_doubt):
            of_titles[session.title].append(session)
    unreached: list[_Seen] = []
    passed: list[_Seen] = []
    for title, those in of_titles.items():
        row = catalog.get(title)
        if row is None or not row.is_main or not row.known_runtime_ms:
            continue
        events = [each for session in those for each in session.seen if _is_main(each.told)]
        if _nobody_reaches(those, row.known_runtime_ms):
            unreached += events
        elif _all_pass(those, row.known_runtime_ms):
            passed += events
    yield "titles whose runtime nobody reaches", False, unreached, _UNREACHED
    yield "titles whose runtime everybody passes", False, passed, _PASSED


def _nobody_reaches(sessions: Sequence[_SampledSession], runtime_ms: int) -> bool:
    """Judged by sessions with an `end`, if there are enough. Otherwise by many sessions, over at least twice the time
    that it takes to play to the furthest position."""
    told = [session for session in sessions if session.furthest_ms >= min(BRIEF_MS, runtime_ms / 2)]
    furthest = max((session.furthest_ms for session in told), default=0)
    ends = sum(any(each.told.event_type == "end" for each in session.seen) for session in told)
    if ends >= LEAST_ENDS:
        return furthest < 0.8 * runtime_ms
    times = [each.time_ms or 0 for session in told for each in session.seen]
    return len(told) >= LEAST_SESSIONS and furthest < 0.5 * runtime_ms and max(times) - min(times) >= 2 * furthest


def _all_pass(sessions: Sequence[_SampledSession], runtime_ms: int) -> bool:
    """Whether at least half of the sessions that came near the runtime went well past it."""
    reached = sum(session.furthest_ms >= 0.9 * runtime_ms for session in sessions)
    passed = sum(session.furthest_ms > 1.1 * runtime_ms + 5_000 for session in sessions)
    return passed >= LEAST_PASSED and 2 * passed >= reached


def _without_credits(seen: Sequence[_Seen], catalog: Mapping[str, CatalogRow]) -> list[_Seen]:
    return [each for each in seen if _is_main(each.told) and _lacks_credits(each.told, catalog)]


def _lacks_credits(told: RecordFields, catalog: Mapping[str, CatalogRow]) -> bool:
    """Whether a short title has no credits mark. If the catalog has no length, the event's lengths decide."""
    row = catalog.get(told.title_id) if isinstance(told.title_id, str) else None
    if row is not None and not row.is_main:
        return False
    if row is not None and row.length_ms:
        return row.known_runtime_ms < SHORT_MS and (row.credits_start_ms or 0) <= 0
    stated, credits_ms = _number(told.runtime_ms) or 0, _number(told.credits_start_ms) or 0
    return credits_ms < SHORTEST_STATED_LENGTH_MS <= stated < SHORT_MS
