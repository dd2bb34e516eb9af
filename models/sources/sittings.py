"""Turns a sitting, as histories state it, into the events of a player that reports once a minute.

Owns what must be invented: which parts of the title the stated duration covered, and the heartbeats. It invents as
little as possible to agree with the file:

- A stated position is where the sitting ended. It began earlier by the duration.
- If more was played than lies before that position, the part before it was played again. If that is still too little,
  the title was played on, to its end if its length is known, and begun again.
- Without a position, the sitting began where the profile last left the title, if the catalog has the title's length and
  the rest is long enough; otherwise at the start.
- Pauses without a stated place become one pause, in the middle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from models.events import END_OF_CALENDAR_MS
from models.sources.reading import (
    BadRow,
    FileOwner,
    PlaybackEvent,
    Reading,
    session_fields,
    session_id,
)

HEARTBEAT_MS = 60_000
AT_THE_END_PERCENT = 95
ROUNDED_MS = 2_000
"""Duration and position are whole seconds, each rounded separately."""

LONGEST_WITHOUT_POSITION_MS = 4 * 3_600_000
"""A longer sitting without a position says nothing about the title's length."""

BEYOND = "longer than the title: a player that was never stopped"

Span = tuple[int, int]


@dataclass(slots=True)
class Sitting:
    """One row of a history. `identity`: texts that are the same for this row in a later export.

    `reached_ms`: the position at the end; None: not stated. `still_ms`: the pauses in it. `clipped`: `played_ms` must
    be clipped to the title's runtime. `runtime_ms`: the title's length; 0: not stated.
    """

    line: int
    identity: tuple[str, ...]
    profile: str
    title: str
    start_ms: int
    played_ms: int
    reached_ms: int | None = None
    still_ms: int = 0
    device: str = ""
    country: str = ""
    franchise: str = ""
    kind: str = "main"
    autoplay: bool = False
    kids: bool = False
    clipped: bool = False
    runtime_ms: int = 0

    @property
    def largest_ms(self) -> int:
        """The position at the end. If none is stated, what was played in one go, if that is believable; else 0."""
        if self.reached_ms is not None:
            return self.reached_ms
        return self.played_ms if self.played_ms <= LONGEST_WITHOUT_POSITION_MS else 0


def add_sittings(reading: Reading, sittings: Iterable[Sitting], viewer: FileOwner, unit: str = "line") -> None:
    """Add the events of a history's rows to a reading, in the order of their times, and the titles that they name."""
    rows = sorted(_within_calendar(reading, sittings, unit), key=lambda sitting: sitting.start_ms)
    for sitting in rows:
        if sitting.kind == "main" and sitting.played_ms:
            _meet(reading, sitting, viewer)
    left_at: dict[tuple[str, str], int] = {}
    for sitting in rows:
        title_id = viewer.title_id(sitting.title)
        runtime_ms = viewer.runtimes_ms.get(title_id, 0)
        played_ms = _clipped(sitting, runtime_ms)
        from_ms = _resumed(left_at.get((sitting.profile, title_id), 0), played_ms, runtime_ms)
        length_ms = runtime_ms or _length_ms(reading, sitting, title_id)
        spans = _spans(played_ms, sitting.reached_ms, length_ms, from_ms)
        left_at[sitting.profile, title_id] = spans[-1][1] if spans else 0
        _account(reading, sitting, played_ms, list(_events(sitting, title_id, spans, viewer)))


def _within_calendar(reading: Reading, sittings: Iterable[Sitting], unit: str) -> Iterator[Sitting]:
    for sitting in sittings:
        if sitting.start_ms >= 0 and sitting.start_ms + sitting.played_ms + sitting.still_ms < END_OF_CALENDAR_MS:
            yield sitting
        else:
            reading.bad_rows.append(BadRow(sitting.line, "it leaves the years 1970 to 9999", unit))


def _meet(reading: Reading, sitting: Sitting, viewer: FileOwner) -> None:
    title_id = viewer.title_id(sitting.title)
    largest_ms = _clipped(replace(sitting, played_ms=sitting.largest_ms), viewer.runtimes_ms.get(title_id, 0))
    reading.meets(title_id, sitting.title, sitting.franchise, largest_ms, sitting.runtime_ms)


def _length_ms(reading: Reading, sitting: Sitting, title_id: str) -> int:
    """A title's length by the file; 0 if the row states no position, as its positions would be invented then."""
    title = reading.titles.get(title_id)
    return title.length_ms if title and sitting.reached_ms is not None else 0


def _account(reading: Reading, sitting: Sitting, played_ms: int, events: list[PlaybackEvent]) -> None:
    reading.rows += 1
    reading.empty_rows += not events
    reading.events += events
    reading.told_ms += sitting.played_ms
    if played_ms < sitting.played_ms:
        reading.lost_ms[BEYOND] += sitting.played_ms - played_ms
    if sitting.kind != "main":
        reading.promotional_ms += played_ms


def _clipped(sitting: Sitting, runtime_ms: int) -> int:
    return min(sitting.played_ms, runtime_ms) if sitting.clipped and runtime_ms else sitting.played_ms


def _resumed(left_at_ms: int, played_ms: int, runtime_ms: int) -> int:
    """Where a sitting without a stated position began."""
    unfinished = left_at_ms * 100 < runtime_ms * AT_THE_END_PERCENT
    return left_at_ms if unfinished and left_at_ms + played_ms <= runtime_ms else 0


def _spans(played_ms: int, reached_ms: int | None, length_ms: int, from_ms: int) -> list[Span]:
    """The parts of the title that were played, in order; together they last `played_ms`."""
    if reached_ms is None:
        spans = [(from_ms, from_ms + played_ms)] if not length_ms else _through(from_ms, played_ms, length_ms)
    elif reached_ms >= played_ms - ROUNDED_MS:
        begin_ms = max(0, reached_ms - played_ms)
        spans = [(begin_ms, begin_ms + played_ms)]
    elif played_ms <= 2 * reached_ms:
        spans = [(0, reached_ms), (2 * reached_ms - played_ms, reached_ms)]
    else:
        spans = [*_before(played_ms - reached_ms, length_ms), (0, reached_ms)]
    return [(begin, end) for begin, end in spans if end > begin]


def _through(from_ms: int, played_ms: int, length_ms: int) -> list[Span]:
    """The parts from a position on, and from the start again whenever the end is reached."""
    end_ms = min(from_ms + played_ms, length_ms)
    whole, rest_ms = divmod(played_ms - (end_ms - from_ms), length_ms)
    spans = [(from_ms, end_ms), *[(0, length_ms)] * whole]
    if _is_scrap(rest_ms, length_ms):
        return [*spans[:-1], (spans[-1][0], spans[-1][1] + rest_ms)]
    return [*spans, (0, rest_ms)]


def _before(played_ms: int, length_ms: int) -> list[Span]:
    """The parts that were played before the title was begun again: up to its end, if its length is known."""
    if not length_ms or played_ms <= length_ms:
        return [(0, played_ms)]
    whole, rest_ms = divmod(played_ms, length_ms)
    if _is_scrap(rest_ms, length_ms):
        return [*[(0, length_ms)] * (whole - 1), (0, length_ms + rest_ms)]
    return [(length_ms - rest_ms, length_ms), *[(0, length_ms)] * whole]


def _is_scrap(rest_ms: int, length_ms: int) -> bool:
    """Whether the rest is so short that it comes from an inexact length, and not from beginning the title again."""
    return rest_ms * 100 < length_ms * (100 - AT_THE_END_PERCENT)


def _events(sitting: Sitting, title_id: str, spans: list[Span], viewer: FileOwner) -> Iterator[PlaybackEvent]:
    session = session_fields(
        viewer,
        title_id,
        play_session_id=session_id(viewer.household_id, *sitting.identity),
        profile=sitting.profile,
        kids=sitting.kids,
        kind=sitting.kind,
        device=sitting.device,
        country=sitting.country,
    )
    if sitting.autoplay:
        session["autoplay"] = True
    for seq, (event_type, time_ms, position_ms, seek_from_ms) in zip(count(), _steps(sitting, spans), strict=False):
        event: PlaybackEvent = {
            "event_id": f"{session['play_session_id']}-{seq}",
            "event_type": event_type,
            "event_time_ms": time_ms,
            "position_ms": position_ms,
            "seq": seq,
        }
        yield event | ({} if seek_from_ms is None else {"seek_from_ms": seek_from_ms}) | session


def _steps(sitting: Sitting, spans: list[Span]) -> Iterator[tuple[str, int, int, int | None]]:
    """Yield what the player reports: type, time, position, and for a seek the position before it."""
    if not spans:
        return
    now_ms, at_ms = sitting.start_ms, spans[0][0]
    pause_in_ms = sum(end - begin for begin, end in spans) // 2 if sitting.still_ms > 0 else -1
    yield "start", now_ms, at_ms, None
    for number, (begin_ms, end_ms) in enumerate(spans):
        if number:
            yield "seek", now_ms, begin_ms, at_ms
        at_ms = begin_ms
        while at_ms < end_ms:
            step_ms = min(HEARTBEAT_MS, end_ms - at_ms, *((pause_in_ms,) if pause_in_ms > 0 else ()))
            now_ms, at_ms, pause_in_ms = now_ms + step_ms, at_ms + step_ms, pause_in_ms - step_ms
            if pause_in_ms == 0:
                yield "pause", now_ms, at_ms, None
                now_ms += sitting.still_ms
                yield "play", now_ms, at_ms, None
            elif at_ms < end_ms:
                yield "heartbeat", now_ms, at_ms, None
    yield "stop", now_ms, at_ms, None
