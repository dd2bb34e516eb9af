"""Which application a reader shows: that of its prefix, or the one that the prefix's alias names.

Owns how the alias is read, and what is kept of each application. `encore promote` sets the alias.

The alias is read last in every batch of commands. If it names the application that was asked, everything before it was
read while readers were shown that application, and `encore promote` moves them only to one that has counted as much.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from streams.reader.newest import KEPT, Newest
from streams.reader.queries import Command, Queries
from streams.reader.replies import text_of

PREFIX = "prefix"
"""The field of the alias."""


class Shown(NamedTuple):
    """An application that is read, by its prefix: the questions about it, and its newest results."""

    prefix: str
    queries: Queries
    newest: Newest


class Moved(Exception):
    """Readers were moved to another application while it was asked: ask that one."""


class Alias:
    """The alias of one prefix, and the application that it named last; threads may share it."""

    def __init__(self, prefix: str, kept: int = KEPT) -> None:
        self._kept = kept
        self._known: dict[str, Shown] = {}
        self.own = prefix
        self.shown = self._of(prefix)
        self.command: Command = ("HMGET", self.shown.queries.keys.alias, PREFIX)

    def check(self, asked: Shown, reply: Any) -> None:
        """Compare the alias, as it was read after `asked` was, with that. Raises `Moved` if it names another one.

        An alias that is gone, as after a loss of Redis's data, moves nobody who has seen it.
        """
        (named,) = reply
        prefix = text_of(named) if named else asked.prefix
        if prefix != asked.prefix:
            self.shown = self._of(prefix)
            raise Moved

    def _of(self, prefix: str) -> Shown:
        return self._known.setdefault(prefix, Shown(prefix, Queries(prefix), Newest(self._kept)))
