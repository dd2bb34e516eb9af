"""One foreign player session: what is remembered of it, and what a message means after those before it.

Owns the state and its steps: seeks told as pairs, ads, buffering, pings while paused, seeks that nobody tells. It must
not know any schema, nor how an event is written.
"""

from __future__ import annotations

from typing import Final

from models.rules import HOUR_MS
from models.sources import told as word
from models.sources.told import LeftOut, PlayerMessage
from models.sources.written import SessionAtRest

MOST_IDS: Final = 16
"""Ids of messages that are remembered at the latest time: an older message is none of the present state anyway."""

SLACK_MS: Final = 5_000
"""Positions may be this much ahead of the clock without a seek: as much as the rules allow."""

BACK_MS: Final = 2_000
"""A smaller step back is rounding."""

LONGEST_SEEK_MS: Final = 30_000
LONGEST_AD_BREAK_MS: Final = 600_000
"""After this, a seek or an ad break that was not seen to end has ended."""

LONGEST_SILENCE_MS: Final = 4 * HOUR_MS
"""No interval is longer: it would not be credited."""


_WITHOUT_POSITION: Final = frozenset((word.PAUSE, word.BUFFER, word.STOP, word.END))
"""These change the state even if they state no position: the last one is taken."""


class Step:
    """One event to be written. `seek_from_ms`: None: not known."""

    def __init__(self, event_type: str, time_ms: int, position_ms: int, seek_from_ms: int | None = None) -> None:
        self.event_type, self.time_ms = event_type, time_ms
        self.position_ms, self.seek_from_ms = position_ms, seek_from_ms


class ForeignSession:
    """What is remembered of a foreign session: some hundred bytes, a few thousand at most.

    At rest it is a `models.sources.written.SessionAtRest`: a field of one is a field of both.
    `latest_ms`: the time of the latest message, `ids` those at that time. `position_ms` was told at `at_ms`, by the
    last event that was written; -1: none. `rate`: as last stated. `playing`: what the written events say. `goes_on`:
    still only while it buffers or shows an ad. `since_ms`: when the seek or ad break began. `seen_ms`: the timestamp of
    its last record. `left_out`: why nothing of it counts. `mixed`: it names no session, and is that of several players.
    """

    seen_ms: int = -1
    latest_ms: int = -1
    ids: tuple[str, ...] = ()
    position_ms: int = -1
    at_ms: int = -1
    rate: float = 1.0
    playing: bool = False
    goes_on: bool = False
    over: bool = False
    seeking: bool = False
    in_ad: bool = False
    since_ms: int = -1
    ad_id: str = ""
    ad_position_ms: int = 0
    ads_ms: int = 0
    ads_since_ms: int = 0
    left_out: str = ""
    mixed: bool = False
    runtime_ms: int | None = None
    content_kind: str | None = None
    profile_id: str | None = None
    profile_kind: str | None = None
    device_id: str | None = None
    autoplay: bool | None = None

    def __init__(self, household_id: str, title_id: str, play_session_id: str) -> None:
        self.household_id, self.title_id, self.play_session_id = household_id, title_id, play_session_id

    def at_rest(self) -> SessionAtRest:
        """The session to be packed."""
        return SessionAtRest(
            self.household_id,
            self.title_id,
            self.play_session_id,
            self.seen_ms,
            self.latest_ms,
            self.ids,
            self.position_ms,
            self.at_ms,
            self.rate,
            self.playing,
            self.goes_on,
            self.over,
            self.seeking,
            self.in_ad,
            self.since_ms,
            self.ad_id,
            self.ad_position_ms,
            self.ads_ms,
            self.ads_since_ms,
            self.left_out,
            self.mixed,
            self.runtime_ms,
            self.content_kind,
            self.profile_id,
            self.profile_kind,
            self.device_id,
            self.autoplay,
        )

    def note(self, message_id: str, time_ms: int) -> None:
        """Remember that a message was translated."""
        if time_ms > self.latest_ms:
            self.latest_ms, self.ids = time_ms, (message_id,)
        elif time_ms == self.latest_ms:
            self.ids = (*self.ids[1 - MOST_IDS :], message_id)

    def told_before(self, message_id: str) -> bool:
        """Whether this message is the latest one, again; also if it now states another time, as it was sent again."""
        return message_id in self.ids


def session_of(packed: SessionAtRest) -> ForeignSession:
    """The session that was packed."""
    session = ForeignSession(packed.household_id, packed.title_id, packed.play_session_id)
    for name in SessionAtRest.__struct_fields__:
        setattr(session, name, getattr(packed, name))
    return session


def advance(session: ForeignSession, told: PlayerMessage, tells_seeks: bool, fastest_percent: int) -> list[Step]:
    """The events that a message makes. Raises `LeftOut` if it makes none; the session is changed all the same."""
    what = told.what
    _end_what_never_ended(session, told)
    if what == word.OPENS:
        raise LeftOut("opening")
    if what == word.AD_PLAYS:
        _play_ad(session, told)
        raise LeftOut("ad")
    position_ms = _position(session, told)
    if what == word.AD_BEGINS or what == word.AD_ENDS:
        return _ad(session, told, what, position_ms)
    if position_ms is None:
        raise LeftOut("no_position")
    event_type = _event_type(session, told, what, position_ms)
    steps: list[Step] = []
    if not tells_seeks and session.playing and session.position_ms >= 0:
        _add_untold_seek(session, told, position_ms, fastest_percent, steps)
    steps.append(Step(event_type, told.time_ms, position_ms, told.from_ms))
    _settle(session, event_type, told.time_ms, position_ms)
    return steps


def _settle(session: ForeignSession, event_type: str, time_ms: int, position_ms: int) -> None:
    """What the session is after an event was written."""
    is_first = session.position_ms < 0
    session.position_ms, session.at_ms, session.ads_since_ms = position_ms, time_ms, 0
    if event_type == "heartbeat" or event_type == "play" or event_type == "start":
        session.playing, session.over = True, False
    elif event_type == "seek" or event_type == "rate":
        # A session that begins with these plays, by the rules.
        session.playing = session.playing or is_first
    else:
        session.playing = False
        session.over = event_type == "stop" or event_type == "end"


def _end_what_never_ended(session: ForeignSession, told: PlayerMessage) -> None:
    if session.in_ad or session.seeking:
        lasts_ms = told.time_ms - session.since_ms
        session.in_ad = session.in_ad and lasts_ms <= LONGEST_AD_BREAK_MS
        session.seeking = session.seeking and lasts_ms <= LONGEST_SEEK_MS


def _event_type(session: ForeignSession, told: PlayerMessage, what: str, position_ms: int) -> str:
    """The type of the event that a message of the content makes. Raises `LeftOut`."""
    if what == word.PING:
        return _ping(session, told, position_ms)
    if what == word.START or what == word.PLAY:
        session.goes_on = True
        if session.in_ad and what == word.PLAY:
            raise LeftOut("ad")
        session.in_ad = session.seeking = False
        return what
    if what == word.STOP or what == word.END:
        session.in_ad = session.seeking = session.goes_on = False
        if session.over:
            raise LeftOut("still")
        return what
    if what == word.PASSES and session.playing:
        return "heartbeat"
    if what == word.PAUSE:
        session.goes_on = False
    if session.in_ad:
        raise LeftOut("ad")
    return _change(session, what, told.time_ms, position_ms)


def _ping(session: ForeignSession, told: PlayerMessage, position_ms: int) -> str:
    if session.in_ad:
        raise LeftOut("ad")
    if session.seeking:
        raise LeftOut("seeking")
    if told.paused:
        session.goes_on = False
        if not session.playing and session.position_ms >= 0:
            raise LeftOut("still")
        return "pause"
    if session.playing or session.position_ms < 0:
        return "heartbeat"
    # A session that is over plays again by a smaller position, one that is still by a larger one, or where it says so.
    if session.over:
        plays = position_ms < session.position_ms
    else:
        plays = told.paused is False or position_ms > session.position_ms
    if not plays:
        raise LeftOut("still")
    return "play"


def _change(session: ForeignSession, what: str, time_ms: int, position_ms: int) -> str:
    if what == word.SEEK or what == word.SEEK_ENDS:
        session.seeking = False
        return "seek"
    if what == word.RATE:
        return "rate"
    if what == word.SEEK_BEGINS:
        was_seeking, session.seeking = session.seeking, True
        session.since_ms = time_ms
        if was_seeking or not session.playing or not _lies_ahead(session, time_ms, position_ms):
            raise LeftOut("seeking")
        return "heartbeat"
    if what == word.BUFFERED:
        if session.playing or not session.goes_on:
            raise LeftOut("still")
        return "play"
    if what == word.PASSES or (not session.playing and session.position_ms >= 0):
        raise LeftOut("still")
    session.goes_on = what == word.BUFFER
    return what


def _lies_ahead(session: ForeignSession, time_ms: int, position_ms: int) -> bool:
    """Whether the player may have played up to here: a browser that begins to seek may state the target already."""
    ahead_ms = position_ms - session.position_ms
    return 0 <= ahead_ms <= (time_ms - session.at_ms) * max(session.rate, 1.0) * 1.02 + 1_500


def _add_untold_seek(
    session: ForeignSession, told: PlayerMessage, position_ms: int, fastest_percent: int, steps: list[Step]
) -> None:
    """Add the seek that the positions show. It is put where all that can have been played was played after it."""
    elapsed_ms, ahead_ms = told.time_ms - session.at_ms, position_ms - session.position_ms
    if not 0 <= elapsed_ms <= LONGEST_SILENCE_MS:
        return
    if ahead_ms > elapsed_ms * fastest_percent // 100 + SLACK_MS:
        steps.append(Step("seek", session.at_ms, position_ms - elapsed_ms))
    elif ahead_ms < -BACK_MS and not _looped(session, told, position_ms, elapsed_ms):
        steps.append(Step("seek", told.time_ms, position_ms))


def _looped(session: ForeignSession, told: PlayerMessage, position_ms: int, elapsed_ms: int) -> bool:
    """Whether the title may have begun again by itself: that is for the rules to judge."""
    runtime_ms = told.runtime_ms or session.runtime_ms or 0
    return abs(runtime_ms - session.position_ms + position_ms - elapsed_ms) <= SLACK_MS


def _ad(session: ForeignSession, told: PlayerMessage, what: str, position_ms: int | None) -> list[Step]:
    event_type = ""
    if what == word.AD_BEGINS:
        session.in_ad, session.since_ms = True, told.time_ms
        session.goes_on = session.goes_on or session.playing
        event_type = "pause" if session.playing else ""
    else:
        session.in_ad = False
        event_type = "play" if session.goes_on and not session.playing and not session.over else ""
    if not event_type or position_ms is None:
        raise LeftOut("ad")
    _settle(session, event_type, told.time_ms, position_ms)
    return [Step(event_type, told.time_ms, position_ms)]


def _play_ad(session: ForeignSession, told: PlayerMessage) -> None:
    """Sum up how long ads have played, by their own positions."""
    position_ms = told.position_ms or 0
    before_ms = session.ad_position_ms if told.ad_id == session.ad_id else 0
    played_ms = max(0, position_ms - before_ms)
    session.ad_id, session.ad_position_ms = told.ad_id, position_ms
    session.ads_ms += played_ms
    session.ads_since_ms += played_ms


def _position(session: ForeignSession, told: PlayerMessage) -> int | None:
    """The position in the content: as told, without ads, or the last one that was."""
    position_ms = told.position_ms
    if position_ms is None:
        is_known = session.position_ms >= 0 and told.what in _WITHOUT_POSITION
        return session.position_ms if is_known else None
    if not told.counts_ads or not session.ads_ms or session.position_ms < 0:
        return position_ms
    # Not every player adds the ads, so what fits better to the content's own last position is taken.
    elapsed_ms = told.time_ms - session.at_ms - session.ads_since_ms
    expected_ms = session.position_ms + (max(0, elapsed_ms) if session.playing else 0)
    stated_ms = position_ms if told.from_ms is None else told.from_ms
    if abs(stated_ms - session.ads_ms - expected_ms) >= abs(stated_ms - expected_ms):
        return position_ms
    if told.from_ms is not None:
        told.from_ms = max(0, told.from_ms - session.ads_ms)
    return max(0, position_ms - session.ads_ms)
