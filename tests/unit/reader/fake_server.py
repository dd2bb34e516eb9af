"""A Redis in memory, as far as readers ask it: hashes, sorted sets, streams; and a driver of steps over it."""

from __future__ import annotations

from typing import Any

from streams.reader.errors import ReaderError
from streams.reader.steps import Course, Pause, Send

Entry = tuple[str, dict[str, str]]


class FakeServer:
    """`down`: it does not answer. `waited_s`: how long its readers have paused, blocked reads included.

    `stream`: the changes of the usual prefix. `moves_at`: the command before which readers are moved, counted from the
    next one on, and the prefix that they are moved to.
    """

    def __init__(self) -> None:
        self.hashes: dict[str, dict[str, str]] = {}
        self.boards: dict[str, dict[str, float]] = {}
        self.stream: list[Entry] = []
        self.others: dict[str, list[Entry]] = {}
        self.moves_at: tuple[int, str] | None = None
        self.down: ReaderError | None = None
        self.waited_s = 0.0

    def publish(self, key: str, version: int, complete: str = "1", **fields: str) -> None:
        self.hashes[key] = {**fields, "version": str(version), "complete": complete, "as_of_ms": "7"}

    def announce(self, place: str, key: str, version: int) -> None:
        stream = self._stream(key.partition(":")[0] + ":changes")
        stream.append((place, {"key": key, "version": str(version)}))

    def promote(self, prefix: str) -> None:
        self.hashes["encore:alias"] = {"prefix": prefix}

    def _stream(self, key: str) -> list[Entry]:
        return self.stream if key == "encore:changes" else self.others.setdefault(key, [])

    def execute(self, step: Send | Pause) -> list[Any] | ReaderError | None:
        if isinstance(step, Pause):
            self.waited_s += step.seconds
            return None
        return self.down or [self._one(str(command[0]).lower(), *command[1:]) for command in step.commands]

    def _one(self, name: str, *words: Any) -> Any:
        if self.moves_at is not None:
            left, prefix = self.moves_at
            self.moves_at = (left - 1, prefix) if left else None
            if self.moves_at is None:
                self.promote(prefix)
        return getattr(self, name)(*words)

    def hgetall(self, key: str) -> dict[str, str]:
        return dict(self.hashes.get(key, {}))

    def hmget(self, key: str, *names: str) -> list[str | None]:
        return [self.hashes.get(key, {}).get(name) for name in names]

    def zrevrange(self, key: str, first: int, last: int, _: str) -> list[tuple[str, float]]:
        ranked = sorted(self.boards.get(key, {}).items(), key=lambda entry: entry[1], reverse=True)
        return ranked[first : last + 1]

    def zrangebylex(self, key: str, after: str, _: str, __: str, ___: int, most: int) -> list[str]:
        return sorted(member for member in self.boards.get(key, {}) if member > after.removeprefix("("))[:most]

    def xrevrange(self, key: str, end: str, start: str, __: str, count: int) -> list[Entry]:
        return self._stream(key)[::-1][:count]

    def xrange(self, key: str, start: str, end: str, __: str, count: int) -> list[Entry]:
        return [entry for entry in self._stream(key) if place(entry[0]) >= place(start)][:count]

    def xread(self, *words: Any) -> list[Entry]:
        after = place(str(words[-1]))
        found = [entry for entry in self._stream(words[-2]) if place(entry[0]) > after][:1]
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
        course.resume(server.execute(course.step))
    return course.answer
