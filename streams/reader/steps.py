"""Asks a question until it has an answer, as steps without I/O.

Owns what is sent next, when to wait, and when to give up. A driver (`sync`, `asynchronous`) executes the steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeVar

from streams.reader.alias import Alias, Moved, Shown
from streams.reader.errors import ReaderError
from streams.reader.queries import Command, Part, Queries, Query
from streams.reader.replies import ServerState, server_state
from streams.reader.results import Read

T = TypeVar("T")

AT_ONCE = 1_000
PAUSE_S = 0.25


class Send(NamedTuple):
    """A step: send these commands, several in one pipeline. Its outcome is the replies, or a `ReaderError`."""

    commands: Sequence[Command]


class Pause(NamedTuple):
    """A step: wait this many seconds."""

    seconds: float


Steps = Generator[Send | Pause, Any, T]


class Course:
    """Steps in progress: the next one to execute, or the result once there is none."""

    def __init__(self, steps: Generator[Any, Any, Any]) -> None:
        self._steps = steps
        self.step: Any = None
        self.answer: Any = None
        self.resume(None)

    def resume(self, outcome: list[Any] | ReaderError | None) -> None:
        """Pass in the step's outcome: replies, an error, or nothing. Raises an error that the steps cannot handle."""
        try:
            if isinstance(outcome, ReaderError):
                self.step = self._steps.throw(outcome)
            else:
                self.step = self._steps.send(outcome)
        except StopIteration as end:
            self.step, self.answer = None, end.value


def ask(
    alias: Alias, question: Callable[[Queries], Query[T]], wait_s: float, clock: Callable[[], float] = time.monotonic
) -> Steps[T]:
    """Ask until there is a complete answer, for at most `wait_s` seconds; then return what there is.

    The whole answer is of one application. Raises `ReaderError`: at once if waiting does not help, else once the time
    is over.
    """
    return (yield from patiently(lambda: _asked_once(alias, question), wait_s, clock))


def patiently(
    once: Callable[[], Steps[tuple[T, bool]]], wait_s: float, clock: Callable[[], float] = time.monotonic
) -> Steps[T]:
    """Repeat steps until they return a final outcome, or the time is over."""
    until = clock() + wait_s
    while True:
        is_last = clock() >= until
        try:
            outcome, is_final = yield from once()
            if is_final or is_last:
                return outcome
        except ReaderError as problem:
            if is_last or not problem.passing:
                raise
        yield Pause(PAUSE_S)


def _asked_once(alias: Alias, question: Callable[[Queries], Query[T]]) -> Steps[tuple[T, bool]]:
    while True:
        shown = alias.shown
        query = question(shown.queries)
        try:
            found, is_settled = yield from _read(alias, shown, query.parts)
            more, is_more_settled = yield from _read(alias, shown, query.more(found))
        except Moved:
            continue
        return query.answer([*found, *more]), is_settled and is_more_settled


def _read(alias: Alias, shown: Shown, parts: Sequence[Part]) -> Steps[tuple[list[Any], bool]]:
    results: list[Read | None] = []
    is_settled = True
    for first in range(0, len(parts), AT_ONCE):
        some = parts[first : first + AT_ONCE]
        # The status is read first: a hash that is read after a complete status is not from before the rebuild.
        replies = yield Send([shown.queries.server_state, *(part.command for part in some), alias.command])
        alias.check(shown, replies[-1])
        state = server_state(replies[0])
        for part, reply in zip(some, replies[1:-1], strict=True):
            found = shown.newest.settle(part.name, part.parse(reply, state), state)
            is_settled = is_settled and _is_final(found, state)
            results.append(found)
    return results, is_settled


def _is_final(found: Read | None, state: ServerState) -> bool:
    return found.complete if found is not None else state.complete
