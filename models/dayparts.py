"""Parts of the local day: parses the setting, and finds the daypart and local day of an instant.

Owns the form of the setting, weekdays, local days (numbered from 1970-01-01) and the instant at which a local day ends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

QUARTER_MS: Final = 900_000
"""Local time is taken at the start of a UTC quarter hour: every zone's offset is a multiple of it."""

QUARTERS_A_DAY: Final = 96

OTHER: Final = "other"
"""The daypart of every instant that no other daypart contains. It is always the last, and every day is eligible."""

MOST_DAYPARTS: Final = 8
_QUARTER_S: Final = QUARTER_MS // 1000
_DAY_S: Final = 86_400
_LARGEST_OFFSET_QUARTERS: Final = 15 * 4
_QUARTERS_KEPT: Final = 4_000
_EPOCH_WEEKDAY: Final = 3
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENTRY: Final = re.compile(r"([a-z][a-z0-9_]*)=(\d\d):(\d\d)-(\d\d):(\d\d)(?:/([a-z+-]+))?", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_OFFSET_S: Final = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
"""Later instants keep the offset of this one: the calendar ends with the year 9999, in the east a little earlier."""


class Daypart(NamedTuple):
    """A half-open span of local minutes, on the weekdays (0: Monday) that are eligible."""

    name: str
    start_minute: int
    end_minute: int
    days: frozenset[int]


class Local(NamedTuple):
    """The daypart (its place in the setting) and local day of an instant in a zone; `span` is both as one number."""

    daypart: int
    day: int
    span: int


def read_dayparts(text: str) -> tuple[Daypart, ...]:
    """The dayparts of the setting, in its order, then `other`. Raises `ValueError`, which says what is accepted."""
    dayparts = tuple(_daypart(entry.strip()) for entry in text.split(",") if entry.strip())
    names = [OTHER]
    for daypart in dayparts:
        if daypart.name in names:
            raise ValueError(f"{daypart.name!r} is there twice: every name once, {OTHER!r} is the name of the rest")
        names.append(daypart.name)
    if len(dayparts) > MOST_DAYPARTS:
        raise ValueError(f"{len(dayparts)} dayparts: accepted: at most {MOST_DAYPARTS}")
    return (*dayparts, Daypart(OTHER, 0, 24 * 60, frozenset(range(7))))


def _daypart(entry: str) -> Daypart:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise ValueError(f"{entry!r}: accepted: NAME=HH:MM-HH:MM or NAME=HH:MM-HH:MM/DAYS, such as mon-fri or sat+sun")
    name, *clock, days = found.groups()
    hours_from, minutes_from, hours_to, minutes_to = map(int, clock)
    start, end = hours_from * 60 + minutes_from, hours_to * 60 + minutes_to
    if start % 15 or end % 15 or max(minutes_from, minutes_to) > 59 or not start < end <= 24 * 60:
        raise ValueError(f"{entry!r}: accepted: whole quarter hours from 00:00 to 24:00, the end after the start")
    return Daypart(name, start, end, _days(entry, days))


def _days(entry: str, text: str | None) -> frozenset[int]:
    if text is None:
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split("+"):
        first, to, last = part.partition("-")
        last = last if to else first
        if first not in _WEEKDAYS or last not in _WEEKDAYS:
            raise ValueError(f"{entry!r}: accepted days: {' '.join(_WEEKDAYS)}, ranges such as mon-fri, joined by +")
        begin, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last)
        if end < begin:
            raise ValueError(f"{entry!r}: a range of days goes from Monday towards Sunday")
        days.update(range(begin, end + 1))
    return frozenset(days)


def weekday(day: int) -> int:
    """The weekday of a local day; 0 is Monday."""
    return (day + _EPOCH_WEEKDAY) % 7


class LocalTimes:
    """Finds the daypart and local day of instants. Caches them by zone and quarter hour.

    `zones` maps names to their rules. A name that it lacks, and None, mean UTC.
    """

    def __init__(self, dayparts: tuple[Daypart, ...], zones: Mapping[str, tzinfo]) -> None:
        self.dayparts = dayparts
        self._zones = zones
        self._known: dict[str | None, dict[int, Local]] = {}
        self._ends: dict[tuple[str | None, int], int] = {}

    def judge_by(self, zones: Mapping[str, tzinfo]) -> None:
        """Use these zones from now on."""
        self._zones = zones
        self._known.clear()
        self._ends.clear()

    def at(self, zone: str | None, time_ms: int) -> Local:
        """The daypart and local day of an instant in a zone."""
        quarter = time_ms // QUARTER_MS
        known = self._known.get(zone)
        if known is None:
            # Events may name anything, so only real zones get a cache.
            zone = zone if zone in self._zones else None
            known = self._known.setdefault(zone, {})
        local = known.get(quarter)
        return self._looked_up(known, zone, quarter) if local is None else local

    def end_quarter(self, zone: str | None, day: int) -> int:
        """The first UTC quarter hour, numbered from the epoch, that begins on a later local day."""
        end = self._ends.get((zone, day))
        if end is None:
            if len(self._ends) >= _QUARTERS_KEPT:
                self._ends.clear()
            end = (day + 1) * QUARTERS_A_DAY - _LARGEST_OFFSET_QUARTERS
            while self._local_s(zone, end) // _DAY_S <= day:
                end += 1
            self._ends[zone, day] = end
        return end

    def _looked_up(self, known: dict[int, Local], zone: str | None, quarter: int) -> Local:
        if len(known) >= _QUARTERS_KEPT:
            known.clear()
        day, second = divmod(self._local_s(zone, quarter), _DAY_S)
        part = self._daypart(weekday(day), second // 60)
        local = known[quarter] = Local(part, day, day * (MOST_DAYPARTS + 1) + part)
        return local

    def _daypart(self, weekday: int, minute: int) -> int:
        return next(
            place
            for place, part in enumerate(self.dayparts)
            if weekday in part.days and part.start_minute <= minute < part.end_minute
        )

    def _local_s(self, zone: str | None, quarter: int) -> int:
        rules = None if zone is None else self._zones.get(zone)
        utc_s = quarter * _QUARTER_S
        if rules is None:
            return utc_s
        offset = (_EPOCH + timedelta(seconds=min(utc_s, _LAST_OFFSET_S))).astimezone(rules).utcoffset()
        return utc_s + (round(offset.total_seconds()) if offset is not None else 0)
