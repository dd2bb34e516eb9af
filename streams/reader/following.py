"""Follows the stream of changes through trims, losses of data and server restarts.

Owns where the stream is read from, which changes are shown, and when some may have been missed.

Reading resumes at the last entry seen, that entry included. If it is the first to come back, nothing was lost. If it is
not, the stream was trimmed beyond it, or this is another stream: of a server that lost its data, of a replica that
lagged, or of the application that readers were moved to. Then the stream is read from its beginning, and versions tell
which changes are new.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from streams.reader.alias import Alias, Moved, Shown
from streams.reader.errors import ReaderError
from streams.reader.queries import Command
from streams.reader.replies import text_of
from streams.reader.results import Change
from streams.reader.steps import Pause, Send, Steps

KEPT = 20_000
"""How many keys' last versions are kept: those that changed last. Twice as many as the stream keeps entries."""

BEGINNING = "0-0"
_OF = "@"
_AT_ONCE = 1_000
_BLOCK_MS = 1_000
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0


class Show(NamedTuple):
    """A step: show these changes."""

    changes: Sequence[Change]


FollowingSteps = Generator[Send | Pause | Show, Any, None]


def last_place(alias: Alias) -> Steps[tuple[str, bool]]:
    """Find the present end of the stream of the application that is shown. The outcome is final."""
    while True:
        shown = alias.shown
        reply, named = yield Send([("XREVRANGE", shown.queries.keys.changes, "+", "-", "COUNT", 1), alias.command])
        try:
            alias.check(shown, named)
        except Moved:
            continue
        return _place(text_of(reply[0][0]) if reply else BEGINNING, shown, alias), True


def _place(entry: str, shown: Shown, alias: Alias) -> str:
    """An entry's id as readers are told it, with the prefix of its stream if that is another one than theirs."""
    return entry if shown.prefix == alias.own else f"{entry}{_OF}{shown.prefix}"


class Following:
    """One subscription to the changes of the application that is shown, from the place `after` on.

    `may_have_missed`: the next change that is shown will say so.
    """

    def __init__(self, alias: Alias, after: str | None = None) -> None:
        self._alias = alias
        self._shown = alias.shown
        self._place, self._prefix = after, alias.own
        if after is not None and _OF in after:
            self._place, _, self._prefix = after.partition(_OF)
        self._last: Any = None
        self._knows_alias = False
        self.may_have_missed = False
        self._versions: OrderedDict[str, int] = OrderedDict()

    def steps(self) -> FollowingSteps:
        """Read for ever. Raises `ReaderError` only if waiting does not help."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                changes = yield from self._read_some()
                pause_s = _FIRST_PAUSE_S
            except ReaderError as problem:
                if not problem.passing:
                    raise
                yield Pause(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
                continue
            if changes:
                yield Show(changes)

    def _read_some(self) -> Steps[list[Change]]:
        if not self._knows_alias:
            place, _ = yield from last_place(self._alias)
            self._knows_alias = True
            if self._place is None:
                self._place, self._prefix = place.partition(_OF)[0], self._alias.shown.prefix
        self._begin_anew_where_moved()
        try:
            entries = yield from self._entries()
        except Moved:
            return []
        if not entries:
            stream = self._shown.queries.keys.changes
            yield Send([("XREAD", "COUNT", 1, "BLOCK", _BLOCK_MS, "STREAMS", stream, str(self._place))])
        return self._news(entries)

    def _begin_anew_where_moved(self) -> None:
        """If another application is shown than the place is of: everything that was read before may differ there."""
        self._shown = self._alias.shown
        if self._prefix != self._shown.prefix:
            self._prefix, self._place, self._last = self._shown.prefix, BEGINNING, None
            self.may_have_missed = True

    def _entries(self) -> Steps[list[Any]]:
        """The entries after the place; all entries if the stream no longer has the place. Raises `Moved`."""
        found = yield from self._range(str(self._place))
        if found and text_of(found[0][0]) == self._place and self._last in (None, found[0][1]):
            return list(found[1:])
        self.may_have_missed = True
        if self._place != BEGINNING:
            self._place = BEGINNING
            found = yield from self._range(BEGINNING)
        return list(found)

    def _range(self, start: str) -> Steps[list[Any]]:
        command: Command = ("XRANGE", self._shown.queries.keys.changes, start, "+", "COUNT", _AT_ONCE + 1)
        found, named = yield Send([command, self._alias.command])
        self._alias.check(self._shown, named)
        return list(found)

    def _news(self, entries: Sequence[Any]) -> list[Change]:
        """The changes among entries that are newer than those already shown for their keys."""
        news = []
        for place, fields in entries:
            self._place, self._last = text_of(place), fields
            named = {text_of(name): text_of(value) for name, value in fields.items()}
            key, version = named["key"], int(named["version"])
            if version > self._versions.get(key, -1):
                self._keep(key, version)
                news.append(self._change(key, version))
        return news

    def _change(self, key: str, version: int) -> Change:
        missed, self.may_have_missed = self.may_have_missed, False
        kind, _, rest = key.removeprefix(self._prefix).partition(":")
        subject = unquote(rest.partition(":")[0])
        return Change(
            key=key,
            version=version,
            missed=missed,
            place=_place(str(self._place), self._shown, self._alias),
            title_id=subject if kind == "title" else None,
            franchise_id=subject if kind == "franchise" else None,
        )

    def _keep(self, key: str, version: int) -> None:
        self._versions[key] = version
        self._versions.move_to_end(key)
        if len(self._versions) > KEPT:
            self._versions.popitem(last=False)
