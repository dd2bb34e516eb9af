"""One play session: its state, its position, and which events it has applied.

Owns the session of section 1 of the design: which events are stale, when a player restarts its sequence, and the states
playing, still and over. It must not know credit or counters.

    event         afterwards
    start, play   playing, not over
    heartbeat     as before; a still session that moved on and is not over: playing
    rate, seek    as before
    pause, buffer still
    stop, end     still, over until a start or play
    first event   playing for start, play, heartbeat, rate, seek; else still
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from models.events import Event
from models.ids import Id, digest, short
from models.rules import MOST_IDS, RESTART_MS, Rules

ORDINARY_RATE: Final = 1000
"""In thousandths: 1.0, which a session also has while no event has stated a rate."""

STATED: Final = -1
"""Stands in place of remembered speeds once an event has stated the rate."""

STALE: Final = 0
DUPLICATE: Final = 1
NEWS: Final = 2
RESTART: Final = 3
"""How an event compares with its session's place: older, already applied, newer, or the start of a new run."""


class Session:
    """One play session of the row's household and title.

    `spent_ms` is the part of its allowance that is used up. `until_play_ms` is the credit that its play, or the next
    one, still needs. `rate_thousandths` None: the ordinary rate. `time_ms` is the time of the last applied event, and
    the largest applied event time is `later_ms` after it. `time_ids` and `seq_ids` are the ids of the events applied at
    the largest time and at the largest `seq`, short, digests (`models.ids`) or as they came; `seq_ids` None: the same.
    `speeds` are those of its last two intervals (`models.credit`), or `STATED`. `run_start_ms` is the run start: the
    largest applied event time when the player last started numbering again; None: it never did.
    """

    __slots__ = (
        "autoplay",
        "has_played",
        "largest_seq",
        "later_ms",
        "over",
        "playing",
        "position_ms",
        "rate_thousandths",
        "run_start_ms",
        "seq_ids",
        "session_id",
        "speeds",
        "spent_ms",
        "time_ids",
        "time_ms",
        "until_play_ms",
    )

    def __init__(
        self,
        session_id: Id,
        time_ms: int,
        position_ms: int,
        playing: bool,
        over: bool,
        spent_ms: int,
        until_play_ms: int,
        time_ids: tuple[Id, ...],
        later_ms: int = 0,
        rate_thousandths: int | None = None,
        largest_seq: int | None = None,
        seq_ids: tuple[Id, ...] | None = None,
        speeds: int = 0,
        autoplay: bool = False,
        has_played: bool = False,
        run_start_ms: int | None = None,
    ) -> None:
        self.session_id = session_id
        self.time_ms = time_ms
        self.position_ms = position_ms
        self.playing = playing
        self.over = over
        self.spent_ms = spent_ms
        self.until_play_ms = until_play_ms
        self.time_ids = time_ids
        self.later_ms = later_ms
        self.rate_thousandths = rate_thousandths
        self.largest_seq = largest_seq
        self.seq_ids = seq_ids
        self.speeds = speeds
        self.autoplay = autoplay
        self.has_played = has_played
        self.run_start_ms = run_start_ms

    @property
    def largest_time_ms(self) -> int:
        """The largest applied event time, in milliseconds since 1970."""
        return self.time_ms + self.later_ms

    def play_ms(self, rules: Rules) -> int:
        """The credit in milliseconds that makes it a play."""
        return rules.autoplay_play_ms if self.autoplay else rules.play_ms


def opened(event: Event, rules: Rules) -> Session:
    """A new session, from its first event."""
    session = Session(
        event.play_session_id,
        event.event_time_ms,
        event.position_ms,
        playing=event.event_type in ("start", "play", "heartbeat", "rate", "seek"),
        over=event.event_type in ("stop", "end"),
        spent_ms=0,
        until_play_ms=0,
        time_ids=(event.event_id,),
        rate_thousandths=_rate_of(event.playback_rate),
        largest_seq=event.seq,
        speeds=0 if event.playback_rate is None else STATED,
        autoplay=bool(event.autoplay),
    )
    session.until_play_ms = session.play_ms(rules)
    return session


def place_of(session: Session, event: Event) -> int:
    """How an event compares with the session's place: `STALE`, `DUPLICATE`, `NEWS` or `RESTART`."""
    time_ms, largest_ms = event.event_time_ms, session.time_ms + session.later_ms
    if session.run_start_ms is not None and time_ms <= session.run_start_ms:
        return STALE
    if event.seq is not None and session.largest_seq is not None:
        if event.seq > session.largest_seq:
            return NEWS
        if event.seq < session.largest_seq:
            return RESTART if time_ms > largest_ms + RESTART_MS else STALE
        ids = session.time_ids if session.seq_ids is None else session.seq_ids
    elif time_ms != largest_ms:
        return NEWS if time_ms > largest_ms else STALE
    else:
        ids = session.time_ids
    return DUPLICATE if _is_among(event.event_id, ids) else NEWS


def _is_among(event_id: str, ids: tuple[Id, ...]) -> bool:
    return event_id in ids or short(event_id) in ids or digest(event_id) in ids


def count_anew(session: Session) -> None:
    """Begin a new run of `seq`: the next number counts as newer, whatever it is."""
    session.run_start_ms, session.largest_seq = session.largest_time_ms, None


def move(session: Session, event: Event, kind: str, time_ms: int, position_ms: int, seq: int | None) -> None:
    """Apply an event to the session: its position, time, place, rate, and whether it is playing or over.

    `kind`, `time_ms`, `position_ms` and `seq` are the event's.
    """
    if kind == "heartbeat":
        if not session.playing and not session.over and position_ms > session.position_ms:
            session.playing = True
    elif kind in ("start", "play"):
        session.playing, session.over = True, False
    elif kind in ("pause", "buffer"):
        session.playing = False
    elif kind in ("stop", "end"):
        session.playing, session.over = False, True
    later_ms = session.time_ms + session.later_ms - time_ms
    session.time_ms = time_ms
    session.position_ms = position_ms
    rate = event.playback_rate
    if rate is not None:
        session.rate_thousandths, session.speeds = _rate_of(rate), STATED
    largest_seq = session.largest_seq
    if later_ms < 0 and seq is not None and (largest_seq is None or seq > largest_seq):
        # The common case: the event is later than all before it, by time and by `seq`.
        session.later_ms, session.largest_seq = 0, seq
        session.time_ids, session.seq_ids = (event.event_id,), None
    else:
        _note_place(session, event, later_ms)


def _note_place(session: Session, event: Event, later_ms: int) -> None:
    """Update the session's place. `later_ms`: how much later the largest time before this event is."""
    ids, time_ids = (event.event_id,), session.time_ids
    seq_ids = time_ids if session.seq_ids is None else session.seq_ids
    if later_ms <= 0:
        time_ids = ids if later_ms < 0 else _with_newest(time_ids, event.event_id)
    session.later_ms = max(0, later_ms)
    seq, largest_seq = event.seq, session.largest_seq
    if seq is not None:
        if largest_seq is None or seq > largest_seq:
            session.largest_seq, seq_ids = seq, ids
        elif seq == largest_seq:
            seq_ids = _with_newest(seq_ids, event.event_id)
    session.time_ids = time_ids
    session.seq_ids = None if session.largest_seq is None or seq_ids == time_ids else seq_ids


def _with_newest(ids: tuple[Id, ...], event_id: str) -> tuple[Id, ...]:
    """The newest ids at a place, with this one at the end. It may have been among them."""
    if _is_among(event_id, ids):
        forms = (event_id, short(event_id), digest(event_id))
        ids = tuple(each for each in ids if each not in forms)
    return (*ids, event_id)[-MOST_IDS:]


def _rate_of(rate: float | None) -> int | None:
    return None if rate is None or rate == 1.0 else rate_thousandths(rate)


@lru_cache(maxsize=4096)
def rate_thousandths(rate: float) -> int:
    """A playback rate in thousandths, half to even, clamped to 0.1–4."""
    return min(4000, max(100, round(Decimal(repr(rate)) * 1000)))
