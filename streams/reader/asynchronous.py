"""The reader for asyncio programs: the same methods, awaited.

Owns one reader's client, and executes its steps. The questions, and how replies are used, are in `queries`, `steps` and
`following`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from models.windows import LAST_WEEK
from streams.reader.alias import Alias
from streams.reader.errors import ReaderError
from streams.reader.following import Following, Show, last_place
from streams.reader.queries import AUDIENCE_WEEKS, Command, Queries, Query
from streams.reader.refusals import FAILURES, OPTIONS, RETRIES, checked, reader_error
from streams.reader.results import (
    Age,
    AudienceWeek,
    Board,
    Change,
    Computed,
    Curve,
    Day,
    Dayparts,
    Franchise,
    FranchiseBoard,
    Hour,
    Legs,
    Listing,
    Metric,
    Profile,
    Status,
    Title,
    Week,
    Window,
)
from streams.reader.steps import Course, Pause, Send, Steps, ask, patiently
from streams.redis.clients import async_client

C = TypeVar("C", bound=Computed)
T = TypeVar("T")


class AsyncReader:
    """Reads the counters under one prefix of one Redis; tasks may share it. Every method raises `ReaderError`.

    Where an alias names another application's prefix, that is read: each answer is of one application.
    A version never goes backwards: of each key, the newest complete value that this reader has seen is shown until
    there is a newer one. While counters are rebuilt, and it has seen none, a result says `complete` False. `wait_s`:
    how long a call waits for them, and for a Redis that does not answer, before it gives up.
    """

    def __init__(self, url: str, prefix: str = "encore:", *, wait_s: float = 0.0) -> None:
        self._url = checked(url)
        self._client: Any = async_client(url, retry=Retry(NoBackoff(), RETRIES), **OPTIONS)
        self._alias = Alias(prefix)
        self._wait_s = wait_s

    async def title(self, title_id: str) -> Title | None:
        """A title's counters for all time; `None` where it has none."""
        return await self._ask(lambda of: of.title(title_id))

    async def titles(self, title_ids: Iterable[str]) -> dict[str, Title]:
        """The same of many titles, by id, in one round trip; those without counters are left out."""
        return await self._ask(lambda of: of.titles(title_ids))

    async def hours(self, title_id: str, first: datetime, last: datetime) -> tuple[Hour, ...]:
        """The UTC hours of a title from that of `first` to that of `last`. One that is left out counted nothing."""
        return await self._ask(lambda of: of.hours(title_id, first, last))

    async def days(self, title_id: str, first: date, last: date) -> tuple[Day, ...]:
        """The UTC days of a title from `first` to `last`. One that is left out counted nothing."""
        return await self._ask(lambda of: of.days(title_id, first, last))

    async def weeks(self, title_id: str, first: int = 1, last: int = LAST_WEEK) -> tuple[Week, ...]:
        """The weeks of a title since its release, numbered from 1. One that is left out counted nothing."""
        return await self._ask(lambda of: of.weeks(title_id, first, last))

    async def ages(self, title_id: str) -> tuple[Age, ...]:
        """A title's age windows: its first 72 hours (`opening`), and longer. One that is left out counted nothing."""
        return await self._ask(lambda of: of.ages(title_id))

    async def windows(
        self, title_id: str, kind: str, first: datetime | None = None, last: datetime | None = None
    ) -> tuple[Window, ...]:
        """The windows of any kind, by its word in keys, such as `day`, from that of `first` to that of `last`.

        Those by a title's age take no times: all of them are read. One that is left out counted nothing.
        """
        return await self._ask(lambda of: of.windows(title_id, kind, first, last))

    async def dayparts(self, title_id: str) -> Dayparts | None:
        """When a title is watched in the households' own time, and for how many it is a habit."""
        return await self._ask(lambda of: of.dayparts(title_id))

    async def audience(self, title_id: str, weeks: int = AUDIENCE_WEEKS) -> tuple[AudienceWeek, ...]:
        """The households reached in each of the last UTC weeks. One that is left out reached none."""
        return await self._ask(lambda of: of.audience(title_id, weeks))

    async def curve(self, title_id: str) -> Curve | None:
        """How often each part of a title was played; `None` while the catalog does not tell its length."""
        return await self._ask(lambda of: of.curve(title_id))

    async def legs(self, title_id: str) -> Legs | None:
        """How a title holds its audience; `None` before its first complete week, and without a release."""
        return await self._ask(lambda of: of.legs(title_id))

    async def computed(self, title_id: str, result: type[C]) -> C | None:
        """What is computed of a title week by week, by the type of the result, such as `Legs`; `None` as for them."""
        return await self._ask(lambda of: of.computed(title_id, result))

    async def franchise(self, franchise_id: str) -> Franchise | None:
        """A franchise's counters for all time; `None` where it has none."""
        return await self._ask(lambda of: of.franchise(franchise_id))

    async def franchises(self, franchise_ids: Iterable[str]) -> dict[str, Franchise]:
        """The same of many franchises, by id, in one round trip; those without counters are left out."""
        return await self._ask(lambda of: of.franchises(franchise_ids))

    async def board(
        self, metric: Metric = "completions", day: date | None = None, top: int = 20, skip: int = 0
    ) -> Board:
        """The titles with the most of a metric, for all time or on one UTC day; `skip` leaves out the first."""
        return await self._ask(lambda of: of.board(metric, day, top, skip))

    async def franchise_board(self, metric: Metric = "completions", top: int = 20, skip: int = 0) -> FranchiseBoard:
        """The franchises with the most of a metric, for all time; `skip` leaves out the first."""
        return await self._ask(lambda of: of.franchise_board(metric, top, skip))

    async def title_ids(self, after: str = "", most: int = 1_000) -> Listing:
        """The ids of the titles that have counters, in order: the first `most` (at most 10,000) after one id."""
        return await self._ask(lambda of: of.title_ids(after, most))

    async def franchise_ids(self, after: str = "", most: int = 1_000) -> Listing:
        """The same of franchises."""
        return await self._ask(lambda of: of.franchise_ids(after, most))

    async def status(self) -> Status | None:
        """How the workers are doing; `None` where nothing was ever published under the prefix."""
        return await self._ask(lambda of: of.status())

    async def compare(self, title_ids: Iterable[str]) -> tuple[Profile, ...]:
        """All that is known of each title, to be laid side by side, in the order given."""
        return await self._ask(lambda of: of.profiles(title_ids))

    @property
    def prefix(self) -> str:
        """The prefix that is read: as it was given, or the one that its alias named last."""
        return self._alias.shown.prefix

    async def place(self) -> str:
        """Where the stream of changes is now: what changes after this call, `changes(after=…)` shows."""
        return await self._run(patiently(lambda: last_place(self._alias), self._wait_s))

    async def changes(self, after: str | None = None) -> AsyncIterator[Change]:
        """Every change from now on (or from a change's `place` on), for ever; Redis may come and go.

        A key's version never goes backwards. A change that says `missed` follows some that may have been lost.
        """
        course = Course(Following(self._alias, after).steps())
        while True:
            if isinstance(course.step, Show):
                for change in course.step.changes:
                    yield change
                course.resume(None)
            else:
                course.resume(await self._do(course.step))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, question: Callable[[Queries], Query[T]]) -> T:
        return await self._run(ask(self._alias, question, self._wait_s))

    async def _run(self, steps: Steps[T]) -> T:
        course = Course(steps)
        while course.step is not None:
            course.resume(await self._do(course.step))
        answer: T = course.answer
        return answer

    async def _do(self, step: Send | Pause) -> list[Any] | ReaderError | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            return await self._send(step.commands)
        except FAILURES as problem:
            return reader_error(problem, self._url)

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        if len(commands) == 1:
            return [await self._client.execute_command(*commands[0])]
        pipe = self._client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        return list(await pipe.execute())
