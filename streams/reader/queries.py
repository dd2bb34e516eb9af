"""Every question that a reader can ask, as a value: commands for Redis, and how their replies are parsed.

Owns which keys answer which question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar, cast

from models.rules import DAY_MS
from models.tally import AGE, AUDIENCE, CURVE, DAY, DAYPARTS, FRANCHISE, HOUR, TITLE, WEEK, TallyKey
from models.windows import (
    AGES,
    DAYS_A_WEEK,
    KEPT_FOR,
    LAST_WEEK,
    audience_week,
    audience_week_name,
    day_name,
    hour_name,
)
from streams.reader.errors import ReaderError
from streams.reader.replies import ServerState, board, curve, dayparts, struct, texts
from streams.reader.results import (
    Age,
    AudienceWeek,
    Board,
    Curve,
    Day,
    Dayparts,
    Franchise,
    Hour,
    Legs,
    Profile,
    Read,
    Status,
    Title,
    Week,
)
from streams.reader.results import Window as AnyWindow
from streams.redis.keys import Keys

T = TypeVar("T")
W = TypeVar("W", bound=AnyWindow | AudienceWeek)

Command = tuple[str | int, ...]
MOST_WINDOWS = 10_000
AUDIENCE_WEEKS = KEPT_FOR.day_ms // (DAYS_A_WEEK * DAY_MS) + 1
"""So many weeks of audiences are kept by default."""

_WEEKS_AHEAD = 8
"""A title's `as_of_ms` is that of its slowest partition: others may be some weeks ahead of it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Part(NamedTuple):
    """One command of a question, and its result; `name` is what its versions are kept by. `None`: there is none."""

    name: str
    command: Command
    parse: Callable[[Any, ServerState], Read | None]


class Query(NamedTuple, Generic[T]):
    """A question: its parts, those that depend on what came of the first (`more`), the answer made of all results."""

    parts: Sequence[Part]
    answer: Callable[[Sequence[Any]], T]
    more: Callable[[Sequence[Any]], Sequence[Part]] = lambda _: ()


class Queries:
    """The questions about one prefix."""

    def __init__(self, prefix: str) -> None:
        self.keys = Keys(prefix)
        self.server_state: Command = ("HMGET", self.keys.status, "version", "complete", "as_of_ms")

    def title(self, title_id: str) -> Query[Title | None]:
        return _one(self._title(title_id))

    def titles(self, title_ids: Iterable[str]) -> Query[dict[str, Title]]:
        asked = tuple(dict.fromkeys(title_ids))
        return Query([self._title(title_id) for title_id in asked], lambda found: _by_id(asked, found))

    def franchise(self, franchise_id: str) -> Query[Franchise | None]:
        key = self.keys.tally(TallyKey(FRANCHISE, 0, franchise_id))
        return _one(_hash(key, lambda fields: struct(Franchise, key, fields, franchise_id=franchise_id)))

    def hours(self, title_id: str, first: datetime, last: datetime) -> Query[tuple[Hour, ...]]:
        numbers = _span("hours", _hour_number(first), _hour_number(last))
        return _series([self._window(Hour, TallyKey(HOUR, n, title_id), hour_name(n)) for n in numbers])

    def days(self, title_id: str, first: date, last: date) -> Query[tuple[Day, ...]]:
        numbers = _span("days", _day_number(first), _day_number(last))
        return _series([self._window(Day, TallyKey(DAY, n, title_id), day_name(n)) for n in numbers])

    def weeks(self, title_id: str, first: int = 1, last: int = LAST_WEEK) -> Query[tuple[Week, ...]]:
        if not 1 <= first <= last <= LAST_WEEK:
            raise ReaderError(f"weeks {first} to {last}: accepted: from 1 to {LAST_WEEK}, the first not after the last")
        return _series(self._weeks(title_id, first, last))

    def ages(self, title_id: str) -> Query[tuple[Age, ...]]:
        return _series(self._ages(title_id))

    def dayparts(self, title_id: str) -> Query[Dayparts | None]:
        return _one(self._dayparts(title_id))

    def audience(self, title_id: str, weeks: int = AUDIENCE_WEEKS) -> Query[tuple[AudienceWeek, ...]]:
        if not 1 <= weeks <= MOST_WINDOWS:
            raise ReaderError(f"weeks={weeks}: accepted: from 1 to {MOST_WINDOWS:,}")
        return Query(
            [self._title(title_id)],
            lambda found: _there(found[1:]),
            lambda found: self._audience(title_id, found[0], weeks) if found[0] is not None else (),
        )

    def curve(self, title_id: str) -> Query[Curve | None]:
        return _one(self._curve(title_id))

    def legs(self, title_id: str) -> Query[Legs | None]:
        return _one(self._legs(title_id))

    def board(self, metric: str, day: date | None = None, top: int = 20) -> Query[Board]:
        if top < 1:
            raise ReaderError(f"top={top}: accepted: 1 or more")
        key = self.keys.board(metric, None if day is None else _day_number(day))
        command = ("ZREVRANGE", key, 0, top - 1, "WITHSCORES")
        part = Part(f"{key}:{top}", command, lambda reply, state: board(reply, state, metric, day))
        return Query([part], lambda found: cast(Board, found[0]))

    def status(self) -> Query[Status | None]:
        key = self.keys.status
        return _one(_hash(key, lambda fields: struct(Status, key, fields)))

    def profiles(self, title_ids: Iterable[str]) -> Query[tuple[Profile, ...]]:
        asked = tuple(dict.fromkeys(title_ids))
        parts = [part for title_id in asked for part in self._profile(title_id)]
        size = len(parts) // len(asked) if asked else 0

        def audiences(found: Sequence[Any]) -> list[Part]:
            titles = zip(asked, found[::size], strict=True) if asked else ()
            return [part for title_id, title in titles for part in self._audience(title_id, title, AUDIENCE_WEEKS)]

        return Query(parts, lambda found: _profiles(asked, found, size), audiences)

    def _profile(self, title_id: str) -> list[Part]:
        """The title is the first of them."""
        alone = [self._title(title_id), self._dayparts(title_id), self._legs(title_id), self._curve(title_id)]
        return [*alone, *self._ages(title_id), *self._weeks(title_id, 1, LAST_WEEK)]

    def _title(self, title_id: str) -> Part:
        key = self.keys.tally(TallyKey(TITLE, 0, title_id))
        return _hash(key, lambda fields: struct(Title, key, fields, title_id=title_id))

    def _dayparts(self, title_id: str) -> Part:
        key = self.keys.tally(TallyKey(DAYPARTS, 0, title_id))
        return _hash(key, lambda fields: dayparts(key, fields, title_id))

    def _curve(self, title_id: str) -> Part:
        key = self.keys.tally(TallyKey(CURVE, 0, title_id))
        return _hash(key, lambda fields: curve(key, fields, title_id))

    def _audience(self, title_id: str, title: Title | None, weeks: int) -> list[Part]:
        """As many parts for a title that is not there as for any other."""
        newest = audience_week((title.as_of_ms if title is not None else 0) // DAY_MS)
        numbers = range(newest - weeks + 1, newest + _WEEKS_AHEAD + 1)
        return [self._window(AudienceWeek, TallyKey(AUDIENCE, n, title_id), audience_week_name(n)) for n in numbers]

    def _legs(self, title_id: str) -> Part:
        key = self.keys.legs(title_id)
        return _hash(key, lambda fields: struct(Legs, key, fields, title_id=title_id))

    def _ages(self, title_id: str) -> list[Part]:
        return [self._window(Age, TallyKey(AGE, place, title_id), name) for place, name in enumerate(AGES)]

    def _weeks(self, title_id: str, first: int, last: int) -> list[Part]:
        return [self._window(Week, TallyKey(WEEK, n, title_id), str(n)) for n in range(first, last + 1)]

    def _window(self, kind: type[W], tally: TallyKey, name: str) -> Part:
        key = self.keys.tally(tally)
        return _hash(key, lambda fields: struct(kind, key, fields, title_id=tally.title_id, name=name))


def _hash(key: str, parse: Callable[[dict[str, str]], Read]) -> Part:
    return Part(key, ("HGETALL", key), lambda reply, _: parse(texts(reply)) if reply else None)


def _one(part: Part) -> Query[Any]:
    return Query([part], lambda found: found[0])


def _series(parts: Sequence[Part]) -> Query[Any]:
    return Query(parts, _there)


def _there(found: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(window for window in found if window is not None)


def _by_id(asked: Sequence[str], found: Sequence[Any]) -> dict[str, Title]:
    return {title_id: title for title_id, title in zip(asked, found, strict=True) if title is not None}


def _profiles(asked: Sequence[str], found: Sequence[Any], size: int) -> tuple[Profile, ...]:
    """The profiles of results: `size` of each title, then the same number of weeks' audiences of each."""
    later = found[len(asked) * size :]
    weeks = len(later) // len(asked) if asked else 0
    return tuple(
        _profile(title_id, found[at * size : (at + 1) * size], later[at * weeks : (at + 1) * weeks])
        for at, title_id in enumerate(asked)
    )


def _profile(title_id: str, found: Sequence[Any], audience: Sequence[Any]) -> Profile:
    title, parts, legs, played, *windows = found
    return Profile(
        title_id=title_id,
        title=title,
        ages=_there(windows[: len(AGES)]),
        weeks=_there(windows[len(AGES) :]),
        dayparts=parts,
        legs=legs,
        audience=_there(audience),
        curve=played,
    )


def _span(what: str, first: int, last: int) -> range:
    if not 0 <= last - first < MOST_WINDOWS:
        raise ReaderError(f"{what}: accepted: at most {MOST_WINDOWS:,} at once, the first not after the last")
    return range(first, last + 1)


def _hour_number(time: datetime) -> int:
    if time.tzinfo is None:
        raise ReaderError(f"{time}: accepted: a time with its zone, such as datetime(2026, 11, 23, 15, tzinfo=UTC)")
    return (time - _EPOCH) // timedelta(hours=1)


def _day_number(day: date) -> int:
    if isinstance(day, datetime):
        raise ReaderError(f"{day!r}: accepted: a date; days are UTC's")
    return day.toordinal() - _EPOCH.toordinal()
