"""Which windows a question asks for: from times, days and words to numbers.

Owns which times, days and words are accepted.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from models.windows import KINDS, OfAges
from streams.reader.errors import ReaderError

MOST_WINDOWS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_KINDS = {each.word: kind for kind, each in KINDS.items() if each.as_titles}
"""The kinds of windows that hold a title's counters, by word."""


def kind_of(word: str) -> str:
    """The kind of windows with this word in keys."""
    if word not in _KINDS:
        raise ReaderError(f"kind={word!r}: accepted: {', '.join(_KINDS)}")
    return _KINDS[word]


def numbers(kind: str, first: datetime | None, last: datetime | None) -> range:
    """The numbers of a kind's windows between two times. Windows by age are few: all of them."""
    bounds, word = KINDS[kind].bounds, KINDS[kind].word
    if isinstance(bounds, OfAges):
        if first is not None or last is not None:
            raise ReaderError(f"{word} from {first} to {last}: accepted: no times; it goes by the title's age")
        return bounds.all
    if first is None or last is None:
        raise ReaderError(f"{word} from {first} to {last}: accepted: a first and a last time")
    first_hour, last_hour = hour_number("first", first), hour_number("last", last)
    return span(f"{word}s", bounds.number(first_hour), bounds.number(last_hour))


def span(what: str, first: int, last: int) -> range:
    """The numbers from `first` to `last`. Raises `ReaderError` if there are too many, or `last` is before `first`."""
    if not 0 <= last - first < MOST_WINDOWS:
        raise ReaderError(f"{what}: accepted: at most {MOST_WINDOWS:,} at once, the first not after the last")
    return range(first, last + 1)


def hour_number(name: str, time: datetime) -> int:
    """The number of the UTC hour that contains a time. Raises `ReaderError` if it is none, or has no zone."""
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise ReaderError(
            f"{name}={time!r}: accepted: a time with its zone, such as datetime(2026, 11, 23, 15, tzinfo=UTC)"
        )
    return (time - _EPOCH) // timedelta(hours=1)


def day_number(name: str, day: date) -> int:
    """The number of a day. Raises `ReaderError` if it is none."""
    if isinstance(day, datetime) or not isinstance(day, date):
        raise ReaderError(f"{name}={day!r}: accepted: a date; days are UTC's")
    return day.toordinal() - _EPOCH.toordinal()
