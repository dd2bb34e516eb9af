"""The one feed behind all open pages: each question is asked once, however many pages show its answer.

Owns when a question is asked again, and the newest answer to each, already encoded.

The load on Redis does not grow with the number of pages: one reader follows the changes and asks one question after the
other, and pauses for at least as long as the questions took. A slow page gets the newest answer and skips those before.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import msgspec

from streams.api.catalogue import Catalogue
from streams.dashboard.pipeline_page import PipelinePage, RecordRate, pipeline_page, records_of
from streams.dashboard.questions import Question
from streams.display.titles_file import Names
from streams.reader import AsyncReader, Change, ReaderError

REST_S = 0.5
"""The least time between two rounds of asking."""

PIPELINE_S = 2.0
"""How often the pipeline's health is read, even without changes: its clock advances."""

STALE_S = 30.0
"""After this long, a question is asked again even without a change."""

AGAIN_S = 2.0
"""How long to wait after Redis gave no answer."""

PIPELINE, PAGE, PROBLEM = "pipeline", "page", "problem"
"""The events of a stream: the pipeline's health, the page's content, and why it is not updated (empty: it is)."""


def message(event: str, value: object) -> bytes:
    """A server-sent event with a JSON value."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), msgspec.json.encode(value))


def said(problem: ReaderError) -> str:
    """Why nothing is new, for people."""
    return f"Redis is away: {problem}" if problem.passing else str(problem)


class Listener:
    """One open page. It keeps only the newest of each event until they are sent."""

    def __init__(self) -> None:
        self._waiting: dict[str, bytes] = {}
        self._woken = asyncio.Event()

    def tell(self, event: str, data: bytes) -> None:
        """Queue an event. It replaces a waiting one with the same name."""
        self._waiting[event] = data
        self._woken.set()

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield what must be sent, for ever."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            waiting, self._waiting = self._waiting, {}
            for data in waiting.values():
                yield data


class OpenQuestion:
    """A question of at least one open page, and its newest answer. `problem`: why it has none that is newer."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.data = self.problem = b""
        self.is_due = True
        self.asked_s = 0.0


class Feed:
    """The feed that all open pages share. `run` does the work; each page calls `listen`."""

    def __init__(self, reader: AsyncReader, catalogue: Catalogue, names: Names) -> None:
        self._reader, self._catalogue, self._names = reader, catalogue, names
        self._answers: dict[Question, OpenQuestion] = defaultdict(OpenQuestion)
        self._listeners: set[Listener] = set()
        self._pace = RecordRate()
        self._pipeline = b""
        self._pipeline_s = 0.0
        self._problem = self._deaf_because = ""
        self._wanted = asyncio.Event()
        self._shown = reader.prefix

    async def run(self) -> None:
        """Follow the changes and ask, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._ask())

    @contextmanager
    def listen(self, question: Question | None) -> Iterator[Listener]:
        """A listener for this question (None: only for the pipeline's health), while the context lasts."""
        listener = Listener()
        listener.tell(PROBLEM, message(PROBLEM, self._problem))
        if self._pipeline:
            listener.tell(PIPELINE, self._pipeline)
        if question is not None:
            answer = self._answers[question]
            answer.listeners.add(listener)
            if answer.data:
                listener.tell(PAGE, answer.data)
            if answer.problem:
                listener.tell(PROBLEM, answer.problem)
        self._listeners.add(listener)
        self._wanted.set()
        try:
            yield listener
        finally:
            self._leave(listener, question)

    def _leave(self, listener: Listener, question: Question | None) -> None:
        self._listeners.discard(listener)
        if question is not None:
            self._answers[question].listeners.discard(listener)
            if not self._answers[question].listeners:
                del self._answers[question]

    async def _follow(self) -> None:
        while True:
            try:
                async for change in self._reader.changes():
                    self._deaf_because = ""
                    self._note(change)
            except ReaderError as problem:
                self._deaf_because = said(problem)
                await asyncio.sleep(AGAIN_S)

    def _note(self, change: Change) -> None:
        for question, answer in self._answers.items():
            if not answer.is_due and (change.missed or question.concerns(change)):
                answer.is_due = True
                self._wanted.set()

    async def _ask(self) -> None:
        while True:
            began_s = time.monotonic()
            try:
                await self._round()
            except ReaderError as problem:
                self._say(said(problem))
                await asyncio.sleep(AGAIN_S)
                continue
            self._say(self._deaf_because)
            await self._rest(time.monotonic() - began_s)

    async def _rest(self, took_s: float) -> None:
        """Wait at least as long as a round took; then until something changes, or is old."""
        await asyncio.sleep(max(REST_S, took_s))
        if not self._listeners:
            self._wanted.clear()
            await self._wanted.wait()
        elif not any(answer.is_due for answer in self._answers.values()):
            self._wanted.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._pipeline_s + PIPELINE_S - time.monotonic())):
                    await self._wanted.wait()

    async def _round(self) -> None:
        """Ask what is due. A page that is opened in the meantime waits for the next round."""
        now_s = time.monotonic()
        if now_s - self._pipeline_s >= PIPELINE_S or not self._pipeline:
            await self._ask_pipeline(now_s)
        for question, answer in list(self._answers.items()):
            if answer.is_due or now_s - answer.asked_s > STALE_S:
                await self._ask_one(question, answer, now_s)

    async def _ask_pipeline(self, now_s: float) -> None:
        status = await self._reader.status()
        if status is not None and status.complete:
            self._pace.note(now_s, records_of(status))
        page: PipelinePage = pipeline_page(status, self._pace, int(time.time() * 1000))
        self._pipeline, self._pipeline_s = message(PIPELINE, page), now_s
        for listener in self._listeners:
            listener.tell(PIPELINE, self._pipeline)

    async def _ask_one(self, question: Question, answer: OpenQuestion, now_s: float) -> None:
        # A change from here on makes it due again, as the answer may be from before the change.
        answer.is_due = False
        try:
            data = message(PAGE, await self._of_one_application(question))
        except BaseException as problem:
            if isinstance(problem, ReaderError) and not problem.passing:
                self._note_unreadable(answer, problem, now_s)
                return
            answer.is_due = True
            raise
        answer.asked_s = now_s
        if answer.problem:
            answer.problem = b""
            for listener in answer.listeners:
                listener.tell(PROBLEM, message(PROBLEM, self._problem))
        if data != answer.data:
            answer.data = data
            for listener in answer.listeners:
                listener.tell(PAGE, data)

    def _note_unreadable(self, answer: OpenQuestion, problem: ReaderError, now_s: float) -> None:
        """What cannot be read, such as one damaged key, is told on its page, and holds up no other."""
        answer.problem, answer.asked_s = message(PROBLEM, said(problem)), now_s - STALE_S + AGAIN_S
        self._tell_unreadable(answer)

    def _tell_unreadable(self, answer: OpenQuestion) -> None:
        for listener in answer.listeners if answer.problem else ():
            listener.tell(PROBLEM, answer.problem)

    async def _of_one_application(self, question: Question) -> object:
        """The answer to a question, of one application although it takes several: readers may be moved meanwhile."""
        while True:
            answer, prefix = await self._answer(question), self._reader.prefix
            if prefix == self._shown:
                return answer
            self._shown = prefix

    async def _answer(self, question: Question) -> object:
        return await question.answer(self._reader, self._catalogue, self._names)

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            for listener in self._listeners:
                listener.tell(PROBLEM, message(PROBLEM, problem))
            for answer in self._answers.values():
                self._tell_unreadable(answer)
