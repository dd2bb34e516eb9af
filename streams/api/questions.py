"""The questions of the API: each asks the reader, and makes the answer.

The first line of a question's docstring is its summary in the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar, get_args

from msgspec import UNSET, UnsetType

from streams.api.answers import (
    Ages,
    Audience,
    BadArgument,
    Comparison,
    Days,
    Franchises,
    Hours,
    NothingThere,
    Ranked,
    RankedFranchise,
    RankedFranchises,
    RankedTitles,
    Titles,
    Weeks,
    head,
)
from streams.api.asked import (
    AudienceAsked,
    BoardAsked,
    ComparisonAsked,
    DaysAsked,
    FranchiseAsked,
    FranchiseBoardAsked,
    FranchisesAsked,
    HoursAsked,
    NothingAsked,
    TitleAsked,
    TitlesAsked,
    WeeksAsked,
)
from streams.api.bounds import FIRST_YEAR, LAST_YEAR, MOST_DAYS, MOST_HOURS
from streams.api.catalogue import Catalogue
from streams.reader import AsyncReader, Curve, DayMetric, Dayparts, Franchise, Legs, Profile, Status, Title
from streams.reader.results import Read

T = TypeVar("T")
D = TypeVar("D", date, datetime)

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_HOURS, _DAYS = 48, 30
_UNKNOWN = "nobody has watched it yet, or its id is another"


class Library:
    """What the questions are asked of: a reader, and a catalogue for searches. Every question raises `ReaderError`."""

    def __init__(self, reader: AsyncReader, catalogue: Catalogue) -> None:
        self.reader, self._catalogue = reader, catalogue

    async def of_one_application(self, ask: Callable[[], Awaitable[T]]) -> T:
        """An answer of one application, although it may take several calls: readers may be moved meanwhile."""
        while True:
            prefix = self.reader.prefix
            answer = await ask()
            if self.reader.prefix == prefix:
                return answer

    async def titles(self, asked: TitlesAsked) -> Titles:
        """List titles by id, page by page; or those with certain words in name or id; or certain titles."""
        if asked.id:
            return await self._titles_asked(asked)
        if asked.search is not UNSET:
            listing: Read = await self.reader.title_ids("", 1)
            ids: Sequence[str] = await self._catalogue.found(asked.search, asked.after, asked.limit + 1)
        else:
            found = await self.reader.title_ids(asked.after, asked.limit + 1)
            listing, ids = found, found.ids
        shown = tuple((await self.reader.titles(ids[: asked.limit])).values())
        return Titles(titles=shown, next_after=_next(ids, asked.limit), **head(listing, shown))

    async def _titles_asked(self, asked: TitlesAsked) -> Titles:
        if asked.search is not UNSET or asked.after:
            other = "search" if asked.search is not UNSET else "after"
            raise BadArgument("id", list(asked.id), f"not together with {other}")
        shown = tuple((await self.reader.titles(asked.id)).values())
        return Titles(titles=shown, next_after=None, **head(await self.reader.title_ids("", 1), shown))

    async def title(self, asked: TitleAsked) -> Title:
        """A title's counters for all time."""
        return _there(await self.reader.title(asked.title_id), f"no counters of the title {asked.title_id!r}")

    async def hours(self, asked: HoursAsked) -> Hours:
        """A title's UTC hours."""
        title = await self.title(TitleAsked(title_id=asked.title_id))
        first, last = _span(asked.first, asked.last, _hour_of(_as_of(title)), _HOUR, (_HOURS, MOST_HOURS))
        hours = await self.reader.hours(asked.title_id, first, last)
        return Hours(title_id=asked.title_id, hours=hours, **head(title, hours))

    async def days(self, asked: DaysAsked) -> Days:
        """A title's UTC days."""
        title = await self.title(TitleAsked(title_id=asked.title_id))
        first, last = _span(asked.first, asked.last, _as_of(title).date(), _DAY, (_DAYS, MOST_DAYS))
        days = await self.reader.days(asked.title_id, first, last)
        return Days(title_id=asked.title_id, days=days, **head(title, days))

    async def weeks(self, asked: WeeksAsked) -> Weeks:
        """A title's weeks since its release."""
        title = await self.title(TitleAsked(title_id=asked.title_id))
        if asked.first > asked.last:
            raise BadArgument("first", asked.first, f"a week not after the last, {asked.last}")
        weeks = await self.reader.weeks(asked.title_id, asked.first, asked.last)
        return Weeks(title_id=asked.title_id, weeks=weeks, **head(title, weeks))

    async def ages(self, asked: TitleAsked) -> Ages:
        """A title's age windows: its first 72 hours, and longer ones."""
        title = await self.title(asked)
        ages = await self.reader.ages(asked.title_id)
        return Ages(title_id=asked.title_id, ages=ages, **head(title, ages))

    async def audience(self, asked: AudienceAsked) -> Audience:
        """The households that a title reached, UTC week by week: new, returning and resurrected."""
        title = await self.title(TitleAsked(title_id=asked.title_id))
        weeks = await self.reader.audience(asked.title_id, asked.weeks)
        return Audience(title_id=asked.title_id, weeks=weeks, **head(title, weeks))

    async def curve(self, asked: TitleAsked) -> Curve:
        """How often each part of a title was played."""
        missing = f"no curve of the title {asked.title_id!r}: the catalog does not tell its length, or"
        return _there(await self.reader.curve(asked.title_id), missing)

    async def dayparts(self, asked: TitleAsked) -> Dayparts:
        """When a title is watched in the households' own time, and for how many it is a habit."""
        return _there(await self.reader.dayparts(asked.title_id), f"no dayparts of the title {asked.title_id!r}")

    async def legs(self, asked: TitleAsked) -> Legs:
        """How a title holds its audience week by week."""
        missing = f"no legs of the title {asked.title_id!r}: it has no release, no complete week since, or"
        return _there(await self.reader.legs(asked.title_id), missing)

    async def board(self, asked: BoardAsked) -> RankedTitles:
        """Titles ranked by a metric, for all time or on one UTC day."""
        day = None if asked.day is UNSET else asked.day
        if day is not None and asked.metric not in get_args(DayMetric):
            raise BadArgument("metric", asked.metric, f"on a day: {', '.join(get_args(DayMetric))}")
        board = await self.reader.board(asked.metric, day, asked.limit, asked.skip)
        titles = await self.reader.titles(entry.title_id for entry in board.entries)
        names = {title_id: title.name for title_id, title in titles.items()}
        entries = tuple(
            Ranked(rank=rank, title_id=entry.title_id, name=names.get(entry.title_id), score=entry.score)
            for rank, entry in enumerate(board.entries, asked.skip + 1)
        )
        shown = None if day is None else day.isoformat()
        return RankedTitles(metric=board.metric, day=shown, entries=entries, **head(board))

    async def franchise_board(self, asked: FranchiseBoardAsked) -> RankedFranchises:
        """Franchises ranked by a metric, for all time."""
        board = await self.reader.franchise_board(asked.metric, asked.limit, asked.skip)
        entries = tuple(
            RankedFranchise(rank=rank, franchise_id=entry.franchise_id, score=entry.score)
            for rank, entry in enumerate(board.entries, asked.skip + 1)
        )
        return RankedFranchises(metric=board.metric, entries=entries, **head(board))

    async def franchises(self, asked: FranchisesAsked) -> Franchises:
        """List franchises by id, page by page."""
        listing = await self.reader.franchise_ids(asked.after, asked.limit + 1)
        shown = tuple((await self.reader.franchises(listing.ids[: asked.limit])).values())
        return Franchises(franchises=shown, next_after=_next(listing.ids, asked.limit), **head(listing, shown))

    async def franchise(self, asked: FranchiseAsked) -> Franchise:
        """A franchise's counters for all time, each household counted once."""
        found = await self.reader.franchise(asked.franchise_id)
        return _there(found, f"no counters of the franchise {asked.franchise_id!r}")

    async def compare(self, asked: ComparisonAsked) -> Comparison:
        """All that is known of several titles, to lay side by side; `title` is null where nothing is."""
        profiles = await self.reader.compare(asked.id)
        titles = sorted((each.title for each in profiles if each.title is not None), key=_as_of)
        if not titles:
            raise NothingThere(f"no counters of any of {list(asked.id)!r}: {_UNKNOWN}")
        return Comparison(profiles=profiles, **head(titles[0], titles, *map(_parts, profiles)))

    async def status(self, _: NothingAsked) -> Status:
        """How the workers are, and what became of the records."""
        found = await self.reader.status()
        if found is None:
            raise NothingThere("nothing was ever published under this prefix: no worker has run, or it is another")
        return found


def _parts(profile: Profile) -> Iterable[Read | None]:
    alone = (profile.dayparts, profile.legs, profile.curve)
    return (*profile.ages, *profile.weeks, *profile.audience, *alone)


def _there(found: T | None, missing: str) -> T:
    if found is None:
        raise NothingThere(f"{missing}{' ' if missing.endswith('or') else ': '}{_UNKNOWN}")
    return found


def _next(ids: Sequence[str], limit: int) -> str | None:
    return ids[limit - 1] if len(ids) > limit else None


def _as_of(title: Title) -> datetime:
    return title.as_of or datetime.fromtimestamp(0, UTC)


def _span(first: D | UnsetType, last: D | UnsetType, newest: D, step: timedelta, steps: tuple[int, int]) -> tuple[D, D]:
    """The windows from first to last, both included. `steps`: how many without a first one, and how many at most."""
    until = newest if isinstance(last, UnsetType) else _checked("last", last)
    since = until - step * (steps[0] - 1) if isinstance(first, UnsetType) else _checked("first", first)
    if not timedelta(0) <= until - since <= step * (steps[1] - 1):
        most = f"{steps[1] - 1:,} {'hours' if step == _HOUR else 'days'}"
        raise BadArgument("first", since.isoformat(), f"at most {most} before the last, {until}, and not after it")
    return since, until


def _checked(name: str, time: D) -> D:
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise BadArgument(name, time.isoformat(), f"the years {FIRST_YEAR} to {LAST_YEAR}")
    return _hour_of(time) if isinstance(time, datetime) else time


def _hour_of(time: datetime) -> datetime:
    """The beginning of the UTC hour that a time is in."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
