"""A Redis in memory, as far as readers ask it: hashes, sorted sets, one stream; and a driver of steps over it."""

from __future__ import annotations

from typing import Any

from streams.reader.errors import ReaderError
from streams.reader.steps import Course, Pause, Send

Entry = tuple[str, dict[str, str]]


class FakeServer:
    """`down`: it does not answer. `waited_s`: how long its readers have paused, blocked reads included."""

    def __init__(self) -> None:
        self.hashes: dict[str, dict[str, str]] = {}
        self.boards: dict[str, dict[str, float]] = {}
        self.stream: list[Entry] = []
        self.down: ReaderError | None = None
        self.waited_s = 0.0

    def publish(self, key: str, version: int, complete: str = "1", **fields: str) -> None:
        self.hashes[key] = {**fields, "version": str(version), "complete": complete, "as_of_ms": "7"}

    def announce(self, place: str, key: str, version: int) -> None:
        self.stream.append((place, {"key": key, "version": str(version)}))

    def execute(self, step: Send | Pause) -> list[Any] | ReaderError | None:
        if isinstance(step, Pause):
            self.waited_s += step.seconds
            return None
        return self.down or [getattr(self, str(command[0]).lower())(*command[1:]) for command in step.commands]

    def hgetall(self, key: str) -> dict[str, str]:
        return dict(self.hashes.get(key, {}))

    def hmget(self, key: str, *names: str) -> list[str | None]:
        return [self.hashes.get(key, {}).get(name) for name in names]

    def zrevrange(self, key: str, first: int, last: int, _: str) -> list[tuple[str, float]]:
        ranked = sorted(self.boards.get(key, {}).items(), key=lambda entry: entry[1], reverse=True)
        return ranked[first : last + 1]

    def xrevrange(self, _: str, end: str, start: str, __: str, count: int) -> list[Entry]:
        return self.stream[::-1][:count]

    def xrange(self, _: str, start: str, end: str, __: str, count: int) -> list[Entry]:
        return [entry for entry in self.stream if place(entry[0]) >= place(start)][:count]

    def xread(self, *words: Any) -> list[Entry]:
        after = place(str(words[-1]))
        found = [entry for entry in self.stream if place(entry[0]) > after][:1]
        self.waited_s += 0 if found else 1
        return found


def place(text: str) -> tuple[int, int]:
    """A stream's place, to be compared."""
    time, _, number = text.partition("-")
    return int(time), int(number)


def carried_out(steps: Any, server: FakeServer) -> Any:
    """What the steps come to on that server."""
    course = Course(steps)
    while course.step is not None:
        course.go_on(server.execute(course.step))
    return course.answer
