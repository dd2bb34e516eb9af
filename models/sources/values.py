"""Parses times and durations in the notations that the files use."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from models.rules import LONGEST_MEDIA_MS
from models.sources.reading import UnreadableField

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d?:\d\d(?::\d\d)?)(\.\d+)?\s*(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII)
_LOCAL = re.compile(
    r"(\d{1,2})([./])(\d{1,2})\2(\d{4}|\d\d),?\s+(\d\d?:\d\d(?::\d\d)?)\s*([AP]M)?", re.IGNORECASE | re.ASCII
)
_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d)(\.\d+)?", re.ASCII)
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)
_WORDS = re.compile(
    r"(\d+)\s*(days?|d|hrs?|hours?|h|mins?|minutes?|m|secs?|seconds?|s)\b\s*,?\s*", re.IGNORECASE | re.ASCII
)
_UNIT_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def time_ms(column: str, text: str, zone: tzinfo = UTC, day_first: bool | None = None) -> int:
    """A time in milliseconds since 1970; without an offset, it is in `zone`. Raises `UnreadableField`.

    `day_first`: whether 3/4/2020, as a spreadsheet writes it, is in April; None: not known.
    """
    found = _TIME.fullmatch(_as_iso(column, text.strip(), day_first))
    try:
        if not found:
            raise ValueError
        day, clock, _, offset = found.groups()
        local = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S" if clock.count(":") == 2 else "%Y-%m-%d %H:%M")
        return (_seconds(local, offset, zone)) * 1000 + _milliseconds(found[3])
    except (ValueError, OverflowError):
        raise UnreadableField(f"{column} is {text[:40]!r}, accepted: YYYY-MM-DD HH:MM:SS") from None


def _as_iso(column: str, text: str, day_first: bool | None) -> str:
    """A time that a spreadsheet has rewritten, such as 14.03.2020 18:00 or 3/14/20 6:00 PM, in ISO notation."""
    found = _LOCAL.fullmatch(text)
    if not found:
        return text
    first, dot, second, year, clock, half = found.groups()
    if dot == "/" and day_first is None:
        raise UnreadableField(
            f"{column} is {text!r}, of which nothing in the file tells whether day or month comes first"
        )
    day, month = (first, second) if dot == "." or day_first else (second, first)
    if half:
        hour, rest = clock.split(":", 1)
        clock = f"{int(hour) % 12 + (12 if half.upper() == 'PM' else 0)}:{rest}"
    return f"{year if len(year) == 4 else f'20{year}'}-{int(month):02}-{int(day):02} {clock}"


def _seconds(local: datetime, offset: str | None, zone: tzinfo) -> int:
    if offset is None:
        return int(local.replace(tzinfo=zone).timestamp())
    if offset in ("Z", "UTC"):
        return int(local.replace(tzinfo=UTC).timestamp())
    return int(datetime.strptime(f"{local:%Y-%m-%d %H:%M:%S}{offset}", "%Y-%m-%d %H:%M:%S%z").timestamp())


def duration_ms(column: str, text: str) -> int:
    """A duration in milliseconds, from `0:47:10`, `1 hr 5 mins`, or seconds. Raises `UnreadableField`."""
    text = text.strip()
    found: int | None = None
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds = (int(part) for part in clock.groups()[:3])
        found = (hours * 3600 + minutes * 60 + seconds) * 1000 + _milliseconds(clock[4])
    elif number := _SECONDS.fullmatch(text):
        found = int(text.split(".")[0]) * 1000 + _milliseconds(number[1])
    elif text and not _WORDS.sub("", text):
        found = sum(int(count) * _UNIT_S[unit[0].lower()] for count, unit in _WORDS.findall(text)) * 1000
    if found is None:
        raise UnreadableField(f"{column} is {text[:40]!r}, accepted: H:MM:SS or seconds")
    if found > LONGEST_MEDIA_MS:
        raise UnreadableField(f"{column} is {text[:40]!r}, accepted: at most seven days")
    return found


def _milliseconds(fraction: str | None) -> int:
    return int((fraction or ".0")[1:4].ljust(3, "0"))
