"""Who is watching now: sessions that are playing and have reported recently.

Owns which sessions count, and when one stops counting by the clock alone (the design, section 1: watching now).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from models.glance import glance
from models.rows import unpack
from models.title import TitleState
from models.viewing import Row

_STEP_MS: Final = 10_000


class Watching:
    """The sessions of one partition that are watched now, each named in its title's `watching`.

    A session is checked again when it may have ended. Most have had another event by then.
    """

    def __init__(self, watching_ms: int, future_ms: int) -> None:
        self._watching_ms = watching_ms
        self._future_ms = future_ms
        # Names by the step of time in which their sessions may end.
        self._ends: dict[int, list[tuple[int, TitleState, str, str]]] = {}

    @property
    def next_end_ms(self) -> int | None:
        """No session ends before this instant, in milliseconds since 1970; None: no session is watched now."""
        return min(self._ends) * _STEP_MS if self._ends else None

    def set_watched(self, title: TitleState, household_id: str, row: Row, session_id: str, is_watched: bool) -> None:
        """Count a session of a row as watched now, or stop counting it."""
        name = (household_id, session_id)
        if not is_watched:
            row.watched = _without(row.watched, session_id)
            title.watching.discard(name)
            return
        # The row's own string of the id: finding it again then compares no characters.
        row.watched = (*row.watched, *(known for known in row.sessions if known == session_id))
        if name not in title.watching:
            title.watching.add(name)
            self._schedule_end(row.sessions[session_id].time_ms, title, name)

    def schedule_earlier(self, title: TitleState, household_id: str, session_id: str, time_ms: int) -> None:
        """Schedule an earlier check of a session: its last applied event is older than one before it."""
        self._schedule_end(time_ms, title, (household_id, session_id))

    def of_row(self, title: TitleState, household_id: str, row: Row) -> tuple[str, ...]:
        """The ids of a row's sessions that are watched now."""
        return tuple(session_id for session_id in row.sessions if (household_id, session_id) in title.watching)

    def leave(self, title: TitleState, household_id: str) -> None:
        """Stop counting all sessions of a household in a title."""
        title.watching = {name for name in title.watching if name[0] != household_id}

    def _schedule_end(self, time_ms: int, title: TitleState, name: tuple[str, str]) -> None:
        end_ms = time_ms + self._watching_ms
        step = end_ms // _STEP_MS
        ends = self._ends.get(step)
        if ends is None:
            ends = self._ends[step] = []
        ends.append((end_ms, title, *name))

    def end(self, clock_ms: int) -> Iterator[TitleState]:
        """Stop counting sessions that have been silent for too long. Yields the titles that changed."""
        last = clock_ms // _STEP_MS
        # A session may be scheduled several times; it is checked and scheduled again only once.
        looked_at: set[tuple[TitleState, tuple[str, str]]] = set()
        for step in sorted(step for step in self._ends if step <= last):
            for end_ms, title, household_id, session_id in self._ends.pop(step):
                name = (household_id, session_id)
                if name not in title.watching:
                    continue
                if end_ms >= clock_ms:
                    self._schedule_end(end_ms - self._watching_ms, title, name)
                    continue
                if (title, name) in looked_at:
                    continue
                looked_at.add((title, name))
                time_ms = self._last_told_ms(title, household_id, session_id, clock_ms)
                if time_ms is not None:
                    self._schedule_end(time_ms, title, name)
                else:
                    title.watching.discard(name)
                    yield title

    def _last_told_ms(self, title: TitleState, household_id: str, session_id: str, clock_ms: int) -> int | None:
        """The time of a session's last event; None if it is not watched any more."""
        kept = title.rows.get(household_id)
        row = unpack(kept) if isinstance(kept, bytes) else kept
        session = row.sessions.get(session_id) if row is not None else None
        if session is not None and session.playing and session.time_ms >= clock_ms - self._watching_ms:
            return session.time_ms
        if row is not None:
            row.watched = _without(row.watched, session_id)
        return None

    def restore(self, title: TitleState, clock_ms: int) -> None:
        """Find a title's sessions that are watched now, after a restore: its rows are all packed."""
        since_ms = clock_ms - self._watching_ms
        for household_id, kept in title.rows.items():
            # An event's time is at most `future_ms` after the stream time at which it was applied.
            if isinstance(kept, bytes) and glance(kept).touched_ms >= since_ms - self._future_ms:
                row = unpack(kept)
                for session_id, session in row.sessions.items():
                    if session.playing and session.time_ms >= since_ms:
                        self.set_watched(title, household_id, row, session_id, True)


def _without(watched: tuple[str, ...], session_id: str) -> tuple[str, ...]:
    return tuple(other for other in watched if other != session_id)
