"""One feed behind all pages: each question is asked once, each page gets the newest answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from shown_titles import HEAD, title

from streams.api.catalogue import Catalogue
from streams.dashboard import feed as feeds
from streams.dashboard.feed import Feed, Listener
from streams.dashboard.questions import BoardQuestion, FranchiseQuestion
from streams.display.titles_file import Names
from streams.reader import Board, Change, Entry, ReaderError, Status, Title


class FakeReader:
    """A reader of one title on one board. `problem`: what every call raises, `unreadable`: that of a franchise;
    `asked`: how often what was asked."""

    prefix = "encore:"

    def __init__(self) -> None:
        self.score = 1
        self.problem: ReaderError | None = None
        self.unreadable: ReaderError | None = None
        self.asked: Counter[str] = Counter()
        self.told: asyncio.Queue[Change] = asyncio.Queue()

    async def board(self, metric: str, day: Any, top: int, skip: int) -> Board:
        self._ask("board")
        return Board(metric=metric, entries=(Entry(title_id="dragon", score=self.score),), **HEAD)

    async def titles(self, title_ids: Any) -> dict[str, Title]:
        self._ask("titles")
        return {title_id: title(title_id) for title_id in title_ids}

    async def franchise(self, franchise_id: str) -> None:
        self._ask("franchise")
        if self.unreadable is not None:
            raise self.unreadable

    async def status(self) -> Status:
        self._ask("status")
        return Status(**HEAD)

    async def changes(self) -> AsyncIterator[Change]:
        while True:
            yield await self.told.get()

    def change(self, score: int, title_id: str = "dragon") -> None:
        self.score = score
        self.told.put_nowait(Change(key="k", version=score, place=f"{score}-0", title_id=title_id))

    def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if self.problem is not None:
            raise self.problem


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"REST_S": 0.01, "PIPELINE_S": 0.05, "AGAIN_S": 0.02}.items():
        monkeypatch.setattr(feeds, name, seconds)


def run(test: Callable[[FakeReader, Feed], Coroutine[Any, Any, None]]) -> None:
    async def running() -> None:
        reader = FakeReader()
        feed = Feed(reader, Catalogue(reader), Names())  # type: ignore[arg-type]
        working = asyncio.create_task(feed.run())
        try:
            async with asyncio.timeout(20):
                await test(reader, feed)
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    asyncio.run(running())


async def until(listener: Listener, event: str, is_it: Callable[[Any], bool] = lambda _: True) -> Any:
    """The value of the first such event."""
    async for data in listener.messages():
        name, value = data.decode().rstrip().split("\n")
        if name == f"event: {event}" and is_it(json.loads(value.removeprefix("data: "))):
            return json.loads(value.removeprefix("data: "))
    raise AssertionError


def score_is(score: int) -> Callable[[Any], bool]:
    return lambda page: page["rows"][0]["score"]["text"] == str(score)


def test_a_change_reaches_every_page_and_each_question_is_asked_once_for_all() -> None:
    async def test(reader: FakeReader, feed: Feed) -> None:
        async with AsyncExitStack() as open_pages:
            pages = [open_pages.enter_context(feed.listen(BoardQuestion())) for _ in range(200)]
            await asyncio.gather(*(until(page, "page", score_is(1)) for page in pages))
            assert reader.asked["board"] == 1
            reader.change(2)
            await asyncio.gather(*(until(page, "page", score_is(2)) for page in pages))
            assert reader.asked["board"] == 2

    run(test)


def test_a_page_that_comes_later_gets_the_newest_answer_without_asking() -> None:
    async def test(reader: FakeReader, feed: Feed) -> None:
        with feed.listen(BoardQuestion()) as first:
            await until(first, "page")
            with feed.listen(BoardQuestion()) as second:
                await until(second, "page", score_is(1))
            assert reader.asked["board"] == 1

    run(test)


def test_a_slow_page_gets_the_newest_answer_and_none_between() -> None:
    async def test(reader: FakeReader, feed: Feed) -> None:
        with feed.listen(BoardQuestion()) as slow, feed.listen(BoardQuestion()) as quick_one:
            for score in (2, 3, 4):
                reader.change(score)
                await until(quick_one, "page", score_is(score))
            assert (await until(slow, "page"))["rows"][0]["score"]["text"] == "4"

    run(test)


def test_a_problem_is_told_and_taken_back_and_what_changed_meanwhile_is_shown() -> None:
    async def test(reader: FakeReader, feed: Feed) -> None:
        with feed.listen(BoardQuestion()) as page:
            await until(page, "page", score_is(1))
            reader.problem = ReaderError("no answer", passing=True)
            reader.change(2)
            assert await until(page, "problem", bool) == "Redis is away: no answer"
            reader.problem = ReaderError("not allowed")
            assert await until(page, "problem", lambda says: "away" not in says) == "not allowed"
            reader.problem = None
            await until(page, "page", score_is(2))
            with feed.listen(None) as another:
                assert await until(another, "problem") == ""

    run(test)


def test_what_one_page_cannot_read_is_told_there_and_holds_up_no_other() -> None:
    async def test(reader: FakeReader, feed: Feed) -> None:
        reader.unreadable = ReaderError("no number")
        with feed.listen(FranchiseQuestion("saga")) as broken, feed.listen(BoardQuestion()) as page:
            assert await until(broken, "problem", bool) == "no number"
            await until(page, "page", score_is(1))
            with feed.listen(FranchiseQuestion("saga")) as another:
                assert await until(another, "problem") == "no number"
            with feed.listen(BoardQuestion()) as another:
                assert await until(another, "problem") == ""
            reader.unreadable = None
            await until(broken, "page")
            with feed.listen(FranchiseQuestion("saga")) as another:
                assert await until(another, "problem") == ""

    run(test)


def test_the_pipeline_is_told_again_and_again_and_nobody_is_asked_for_no_page() -> None:
    async def test(reader: FakeReader, feed: Feed) -> None:
        await asyncio.sleep(0.1)
        with feed.listen(None) as page:
            await until(page, "pipeline")
            await until(page, "pipeline")
        await asyncio.sleep(0.1)
        asked = reader.asked["status"]
        await asyncio.sleep(0.2)
        assert reader.asked["status"] == asked

    run(test)


def test_a_board_that_nobody_looks_at_any_more_is_not_asked_for() -> None:
    async def test(reader: FakeReader, feed: Feed) -> None:
        with feed.listen(BoardQuestion()) as page:
            await until(page, "page")
        with feed.listen(None) as page:
            reader.change(2)
            for _ in range(3):
                await until(page, "pipeline")
            assert reader.asked["board"] == 1

    run(test)
