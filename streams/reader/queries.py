"""Every question that a reader can ask, as a value: commands for Redis, and how their replies are parsed.

Owns which keys answer which question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, TypeVar, cast

from models.events import END_OF_CALENDAR_MS
from models.rules import DAY_MS
from models.tally import CURVE, DAYPARTS, FRANCHISE, TITLE, TallyKey
from models.windows import (
    AGE,
    AGES,
    AUDIENCE,
    DAY,
    DAYS_A_WEEK,
    HOUR,
    KEPT_FOR,
    KINDS,
    LAST_WEEK,
    WEEK,
    audience_week,
)
from streams.reader.arguments import check_metric, check_number, checked_id, checked_ids
from streams.reader.errors import ReaderError
from streams.reader.replies import ServerState, board, curve, dayparts, franchise_board, listing, struct, texts
from streams.reader.results import (
    Age,
    AudienceWeek,
    Board,
    Computed,
    Curve,
    Day,
    Dayparts,
    Franchise,
    FranchiseBoard,
    Hour,
    Legs,
    Listing,
    LongWindow,
    Metric,
    Profile,
    Read,
    Status,
    Title,
    Week,
    Window,
)
from streams.reader.spans import MOST_WINDOWS, day_number, hour_number, kind_of, numbers, span
from streams.redis.keys import Keys

T = TypeVar("T")
C = TypeVar("C", bound=Computed)
W = TypeVar("W", bound=Window | AudienceWeek)

Command = tuple[str | int, ...]
AUDIENCE_WEEKS = KEPT_FOR.day_ms // (DAYS_A_WEEK * DAY_MS) + 1
"""How many weeks of audiences are kept by default."""

MOST_LISTED = 10_000
"""How many ids one call lists at most."""

_RESULTS: dict[str, type[Window | AudienceWeek]] = {
    HOUR: Hour,
    DAY: Day,
    AGE: Age,
    WEEK: Week,
    AUDIENCE: AudienceWeek,
}
"""The result types of the kinds of windows that have a type of their own."""

_WEEKS_AHEAD = 8
"""A title's `as_of_ms` is that of its slowest partition. Others may be this many weeks ahead."""
_LAST_WEEK = audience_week((END_OF_CALENDAR_MS - 1) // DAY_MS)


class Part(NamedTuple):
    """One command of a question, and how its reply is parsed (None: no such key). Versions are compared by `name`."""

    name: str
    command: Command
    parse: Callable[[Any, ServerState], Read | None]


class Query(NamedTuple, Generic[T]):
    """A question. `parts`: its commands; `more`: further ones, by the first results; `answer`: from all results."""

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
        asked = checked_ids("title_ids", title_ids)
        return Query([self._title(title_id) for title_id in asked], lambda found: _by_id(asked, found))

    def franchise(self, franchise_id: str) -> Query[Franchise | None]:
        return _one(self._franchise(franchise_id))

    def franchises(self, franchise_ids: Iterable[str]) -> Query[dict[str, Franchise]]:
        asked = checked_ids("franchise_ids", franchise_ids)
        return Query([self._franchise(franchise_id) for franchise_id in asked], lambda found: _by_id(asked, found))

    def hours(self, title_id: str, first: datetime, last: datetime) -> Query[tuple[Hour, ...]]:
        asked = span("hours", hour_number("first", first), hour_number("last", last))
        return _series(self._windows(HOUR, title_id, asked))

    def days(self, title_id: str, first: date, last: date) -> Query[tuple[Day, ...]]:
        return _series(self._windows(DAY, title_id, span("days", day_number("first", first), day_number("last", last))))

    def weeks(self, title_id: str, first: int = 1, last: int = LAST_WEEK) -> Query[tuple[Week, ...]]:
        if not 1 <= first <= last <= LAST_WEEK:
            raise ReaderError(f"weeks {first} to {last}: accepted: from 1 to {LAST_WEEK}, the first not after the last")
        return _series(self._windows(WEEK, title_id, range(first, last + 1)))

    def ages(self, title_id: str) -> Query[tuple[Age, ...]]:
        return _series(self._windows(AGE, title_id, range(len(AGES))))

    def windows(
        self, title_id: str, kind: str, first: datetime | None = None, last: datetime | None = None
    ) -> Query[tuple[Window, ...]]:
        letter = kind_of(kind)
        return _series(self._windows(letter, title_id, numbers(letter, first, last)))

    def dayparts(self, title_id: str) -> Query[Dayparts | None]:
        return _one(self._dayparts(title_id))

    def audience(self, title_id: str, weeks: int = AUDIENCE_WEEKS) -> Query[tuple[AudienceWeek, ...]]:
        check_number("weeks", weeks, 1, MOST_WINDOWS)
        return Query(
            [self._title(title_id)],
            lambda found: _there(found[1:]),
            lambda found: self._audience(title_id, found[0], weeks) if found[0] is not None else (),
        )

    def curve(self, title_id: str) -> Query[Curve | None]:
        return _one(self._curve(title_id))

    def legs(self, title_id: str) -> Query[Legs | None]:
        return self.computed(title_id, Legs)

    def computed(self, title_id: str, result: type[C]) -> Query[C | None]:
        return _one(self._computed(title_id, result))

    def board(self, metric: Metric, day: date | None = None, top: int = 20, skip: int = 0) -> Query[Board]:
        check_metric(metric, day)
        check_number("top", top, 1)
        check_number("skip", skip, 0)
        key = self.keys.board(metric, None if day is None else day_number("day", day))
        command = ("ZREVRANGE", key, skip, skip + top - 1, "WITHSCORES")
        part = Part(f"{key}:{skip}:{top}", command, lambda reply, state: board(reply, state, metric, day))
        return Query([part], lambda found: cast(Board, found[0]))

    def franchise_board(self, metric: Metric, top: int = 20, skip: int = 0) -> Query[FranchiseBoard]:
        check_metric(metric, None)
        check_number("top", top, 1)
        check_number("skip", skip, 0)
        key = self.keys.franchise_board(metric)
        command = ("ZREVRANGE", key, skip, skip + top - 1, "WITHSCORES")
        part = Part(f"{key}:{skip}:{top}", command, lambda reply, state: franchise_board(reply, state, metric))
        return Query([part], lambda found: cast(FranchiseBoard, found[0]))

    def title_ids(self, after: str, most: int) -> Query[Listing]:
        return _listing(self.keys.titles, after, most)

    def franchise_ids(self, after: str, most: int) -> Query[Listing]:
        return _listing(self.keys.franchises, after, most)

    def status(self) -> Query[Status | None]:
        key = self.keys.status
        return _one(_hash(key, lambda fields: struct(Status, key, fields)))

    def profiles(self, title_ids: Iterable[str]) -> Query[tuple[Profile, ...]]:
        asked = checked_ids("title_ids", title_ids)
        parts = [part for title_id in asked for part in self._profile(title_id)]
        size = len(parts) // len(asked) if asked else 0

        def audiences(found: Sequence[Any]) -> list[Part]:
            titles = zip(asked, found[::size], strict=True) if asked else ()
            return [part for title_id, title in titles for part in self._audience(title_id, title, AUDIENCE_WEEKS)]

        return Query(parts, lambda found: _profiles(asked, found, size), audiences)

    def _profile(self, title_id: str) -> list[Part]:
        """The parts of a title's profile; the first one is the title."""
        alone = [self._title(title_id), self._dayparts(title_id), self._computed(title_id, Legs), self._curve(title_id)]
        ages, weeks = range(len(AGES)), range(1, LAST_WEEK + 1)
        return [*alone, *self._windows(AGE, title_id, ages), *self._windows(WEEK, title_id, weeks)]

    def _title(self, title_id: str) -> Part:
        key = self.keys.tally(TallyKey(TITLE, 0, checked_id("title_id", title_id)))
        return _hash(key, lambda fields: struct(Title, key, fields, title_id=title_id))

    def _franchise(self, franchise_id: str) -> Part:
        key = self.keys.tally(TallyKey(FRANCHISE, 0, checked_id("franchise_id", franchise_id)))
        return _hash(key, lambda fields: struct(Franchise, key, fields, franchise_id=franchise_id))

    def _dayparts(self, title_id: str) -> Part:
        key = self.keys.tally(TallyKey(DAYPARTS, 0, checked_id("title_id", title_id)))
        return _hash(key, lambda fields: dayparts(key, fields, title_id))

    def _curve(self, title_id: str) -> Part:
        key = self.keys.tally(TallyKey(CURVE, 0, checked_id("title_id", title_id)))
        return _hash(key, lambda fields: curve(key, fields, title_id))

    def _audience(self, title_id: str, title: Title | None, weeks: int) -> list[Part]:
        """Further parts of a title's profile: the same number for a title that does not exist."""
        newest = audience_week((title.as_of_ms if title is not None else 0) // DAY_MS)
        newest = min(newest, _LAST_WEEK - _WEEKS_AHEAD)
        return self._windows(AUDIENCE, title_id, range(newest - weeks + 1, newest + _WEEKS_AHEAD + 1))

    def _computed(self, title_id: str, result: type[Computed]) -> Part:
        key = self.keys.computed(result.WORD, checked_id("title_id", title_id))
        return _hash(key, lambda fields: struct(result, key, fields, title_id=title_id))

    def _windows(self, kind: str, title_id: str, numbers: Iterable[int]) -> list[Part]:
        """The windows of a kind, by its letter, with these numbers."""
        checked_id("title_id", title_id)
        result, name = _RESULTS.get(kind, LongWindow), KINDS[kind].name
        return [self._window(result, TallyKey(kind, n, title_id), name(n)) for n in numbers]

    def _window(self, kind: type[W], tally: TallyKey, name: str) -> Part:
        key = self.keys.tally(tally)
        return _hash(key, lambda fields: struct(kind, key, fields, title_id=tally.title_id, name=name))


def _hash(key: str, parse: Callable[[dict[str, str]], Read]) -> Part:
    return Part(key, ("HGETALL", key), lambda reply, _: parse(texts(reply)) if reply else None)


def _listing(key: str, after: str, most: int) -> Query[Listing]:
    checked_id("after", after)
    check_number("most", most, 1, MOST_LISTED)
    # No id is empty, so all come after the empty one.
    command = ("ZRANGEBYLEX", key, f"({after}", "+", "LIMIT", 0, most)
    return Query([Part(f"{key}:{most}:{after}", command, listing)], lambda found: cast(Listing, found[0]))


def _one(part: Part) -> Query[Any]:
    return Query([part], lambda found: found[0])


def _series(parts: Sequence[Part]) -> Query[Any]:
    return Query(parts, _there)


def _there(found: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(window for window in found if window is not None)


def _by_id(asked: Sequence[str], found: Sequence[Any]) -> dict[str, Any]:
    return {each: result for each, result in zip(asked, found, strict=True) if result is not None}


def _profiles(asked: Sequence[str], found: Sequence[Any], size: int) -> tuple[Profile, ...]:
    """The profiles from results: `size` for each title, then the same number of weekly audiences for each."""
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
