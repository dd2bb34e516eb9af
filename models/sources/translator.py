"""Translates the messages of one live schema into playback events, message after message.

Owns what all schemas share: reading a message, whose household it is, the sessions that are remembered, duplicates, and
how an event is written. It is pure: the same messages with the same record timestamps, in the same order, give the same
events, with the same ids. So a replay changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from models.events import nesting
from models.rules import DEEPEST_NESTING
from models.sources.identities import BY_THE_SCHEMA, Identities, field_reader
from models.sources.player import LONGEST_SILENCE_MS, ForeignSession, Step, advance, session_of
from models.sources.reading import session_id
from models.sources.told import OPENS, PLAY, START, LeftOut, PlayerMessage, Received, Rejected, Schema, id_text
from models.sources.written import SessionAtRest, TranslatedEvent

LARGEST_MESSAGE_BYTES: Final = 1_048_576
"""A message is at most 1 MiB, the largest that Kafka takes unless it is told otherwise."""


LONGEST_UNNAMED_MS: Final = 600_000
LONGEST_AFTER_END_MS: Final = 30_000
"""Where messages name no session: after this silence, a player is gone. Media Collection's sessions end so, too."""


_unpack: Final = msgspec.msgpack.Decoder(SessionAtRest).decode
_pack: Final = msgspec.msgpack.Encoder().encode


class Translation:
    """What became of a message: events in order, and a code of `told.LEFT_OUT` for each thing told that became none."""

    def __init__(self, events: list[TranslatedEvent], left_out: list[str]) -> None:
        self.events, self.left_out = events, left_out


class Translator:
    """Translates one stream of messages, such as a partition of the foreign topic.

    `sessions` holds what is remembered, by foreign session. After translating, `drain` gives what changed, packed; put
    it where it survives, and give it back by `restore`.
    """

    def __init__(self, schema: Schema, identities: Identities = BY_THE_SCHEMA) -> None:
        self.sessions: dict[str, ForeignSession] = {}
        self._schema, self._identities = schema, identities
        # These are asked for each message, and a class variable is looked up.
        self._is_whole, self._tells_household_once = schema.is_whole, schema.tells_household_once
        self._tells_sessions, self._tells_seeks = schema.tells_sessions, schema.tells_seeks
        self._fastest_percent = schema.fastest_percent
        self._decode = msgspec.json.Decoder(schema.message, strict=False).decode
        self._household = field_reader(identities.household)
        self._title = field_reader(identities.title)
        self._profile = field_reader(identities.profile)
        self._chooses = bool(identities.household or identities.title or identities.profile)
        self._changed: set[str] = set()

    def translate(self, value: bytes | None, timestamp_ms: int, key: bytes | None = None) -> Translation:
        """The events of a record: its value, its timestamp in ms, and its key. Raises `Rejected`, and nothing else."""
        events: list[TranslatedEvent] = []
        left_out: list[str] = []
        try:
            tells = self.read(value, timestamp_ms, key)
            if self._is_whole:
                self._follow_whole(tells, events, left_out)
            else:
                for told in tells:
                    self._follow(told, timestamp_ms, events)
        except LeftOut as reason:
            left_out.append(reason.code)
        return Translation(events, left_out)

    def read(self, value: bytes | None, timestamp_ms: int, key: bytes | None = None) -> Sequence[PlayerMessage]:
        """What a record tells by itself; nothing is remembered of it. Raises `Rejected` and `LeftOut`."""
        if value is None:
            raise Rejected("malformed", "the value is null")
        received = Received(value, timestamp_ms, key)
        value = self._schema.as_json(self._checked(value))
        tells = self._schema.read(self._message(value), received)
        if self._chooses:
            self._choose(value, tells)
        return tells

    # -- what is remembered -----------------------------------------------------------------------------------

    def drain(self) -> dict[str, bytes | None]:
        """The sessions that changed since the last call, packed; None: forgotten."""
        changed = {
            key: None if (session := self.sessions.get(key)) is None else _pack(session.at_rest())
            for key in sorted(self._changed)
        }
        self._changed.clear()
        return changed

    def restore(self, key: str, packed: bytes) -> None:
        """Take a session as `drain` gave it."""
        self.sessions[key] = session_of(_unpack(packed))

    def forget(self, before_ms: int) -> None:
        """Forget the sessions whose last record is older than this (by the records' timestamps)."""
        for key in [key for key, session in self.sessions.items() if session.seen_ms < before_ms]:
            del self.sessions[key]
            self._changed.add(key)

    # -- reading ----------------------------------------------------------------------------------------------

    def _checked(self, value: bytes) -> bytes:
        """The value, if it is neither too large nor too deep. Raises `Rejected`."""
        if len(value) > LARGEST_MESSAGE_BYTES:
            raise Rejected("malformed", f"the value has {len(value)} bytes, accepted are {LARGEST_MESSAGE_BYTES}")
        if len(value) > 2 * DEEPEST_NESTING and nesting(value) > DEEPEST_NESTING:
            raise Rejected("malformed", f"the value nests deeper than {DEEPEST_NESTING} levels")
        return value

    def _message(self, value: bytes) -> Any:
        try:
            return self._decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            self._check_ours(value)
            raise Rejected("malformed", str(problem)) from None

    def _check_ours(self, value: bytes) -> None:
        """Leave out a message of something else on the same topic: its fields need not fit. Raises `LeftOut`."""
        try:
            header = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if isinstance(header, dict) and not self._schema.is_ours(header):
            raise LeftOut("other_event")

    def _choose(self, value: bytes, tells: Sequence[PlayerMessage]) -> None:
        """Take household, title and profile from the chosen fields."""
        for told in tells:
            if self._household:
                told.household = self._household(value)
            if self._title:
                told.title = self._title(value)
            if self._profile:
                told.profile_id = self._profile(value)

    # -- following --------------------------------------------------------------------------------------------

    def _follow_whole(self, tells: Sequence[PlayerMessage], events: list[TranslatedEvent], left_out: list[str]) -> None:
        """Follow a session that one message tells: nothing of it is remembered."""
        session: ForeignSession | None = None
        for told in tells:
            session = session or self._begun(told)
            try:
                self._write(session, told, events)
            except LeftOut as reason:
                left_out.append(reason.code)

    def _follow(self, told: PlayerMessage, timestamp_ms: int, events: list[TranslatedEvent]) -> None:
        # ForeignSession ids need not be unique among households.
        key = told.session if self._tells_household_once else f"{told.household}\x1f{told.session}"
        session = self.sessions.get(key)
        if session is not None and not told.session:
            session = self._only(session, told)
        if session is not None and session.told_before(told.message_id):
            raise LeftOut("duplicate")
        if session is None or self._begins(session, told):
            # A message of the title before, or of the time before, says nothing of the present state.
            if session is not None and told.time_ms < session.latest_ms:
                self._write(self._begun(told, session), told, events)
                return
            session = self.sessions[key] = self._begun(told, session)
        elif told.time_ms < session.latest_ms:
            self._write(self._begun(told, session), told, events)
            return
        session.note(told.message_id, told.time_ms)
        session.seen_ms = max(session.seen_ms, timestamp_ms)
        self._changed.add(key)
        self._write(session, told, events)

    def _only(self, session: ForeignSession, told: PlayerMessage) -> ForeignSession | None:
        """The session of messages that name none, as one player may tell at a time; None: another begins.

        Raises `Rejected` for all messages while those of several households are mixed.
        """
        silent_ms = told.time_ms - session.latest_ms
        if told.what == OPENS and silent_ms > 0:
            is_gone = silent_ms > (LONGEST_AFTER_END_MS if session.over else LONGEST_UNNAMED_MS)
            is_another = session.mixed or self._household_id(told, None) != session.household_id
            if is_gone or not is_another:
                return None
            session.mixed = True
        if session.mixed:
            session.latest_ms = max(session.latest_ms, told.time_ms)
            self._changed.add(told.session)
            raise Rejected("no_session", "several players tell at once without a session: name it in the record's key")
        return session

    def _begins(self, session: ForeignSession, told: PlayerMessage) -> bool:
        """Whether a message begins anew: another title, or another session where messages name none."""
        if told.title is not None and told.title != session.title_id:
            return True
        if self._tells_sessions or told.time_ms <= session.latest_ms:
            return False
        if told.time_ms - session.latest_ms > LONGEST_SILENCE_MS:
            return True
        # Players say that they start again when the quality changes, too: at the position where they are.
        goes_back = told.what == START and (told.position_ms or 0) < session.position_ms
        return goes_back or (session.over and (told.what == PLAY or told.what == START))

    def _begun(self, told: PlayerMessage, before: ForeignSession | None = None) -> ForeignSession:
        """A session that begins with this message. `before`: the one that the player had before. Raises `Rejected`."""
        if before is None and told.title is None and self._tells_household_once:
            raise Rejected("no_session", "the message that opens this session was not seen, or is too long ago")
        household_id = self._household_id(told, before)
        title_id = told.title or (before.title_id if before else "")
        if not title_id:
            raise Rejected("no_title", f"{self._identities.title or self._schema.title} is missing")
        play_session_id = id_text(told.session) or session_id(household_id, title_id, str(told.time_ms))
        if not self._tells_sessions:
            if before is not None and before.title_id == title_id and told.time_ms < before.latest_ms:
                play_session_id = before.play_session_id
            else:
                play_session_id = session_id(told.session, title_id, str(told.time_ms))
        session = ForeignSession(household_id, title_id, play_session_id)
        if before is not None and before.title_id == title_id:
            _remember(session, before)
        return session

    def _household_id(self, told: PlayerMessage, before: ForeignSession | None) -> str:
        stated = told.household
        if stated is None:
            if before is None:
                place = self._identities.household or self._schema.household
                raise Rejected("no_household", f"{place} is missing")
            return before.household_id
        if self._identities.household_of is None:
            return stated
        # An older message is of the session that is there, and a session keeps its household.
        if before is not None and told.time_ms < before.latest_ms:
            return before.household_id
        household_id = id_text(self._identities.household_of(stated))
        if household_id is None:
            raise Rejected("no_household", f"no household is known for {stated[:64]!r}")
        return household_id

    # -- writing ----------------------------------------------------------------------------------------------

    def _write(self, session: ForeignSession, told: PlayerMessage, events: list[TranslatedEvent]) -> None:
        """Add the events of a message to the list. Raises `LeftOut` if there are none."""
        if told.left_out:
            session.left_out = told.left_out
        _keep_stated(session, told)
        if session.left_out:
            raise LeftOut(session.left_out)
        steps = advance(session, told, self._tells_seeks, self._fastest_percent)
        last = len(steps) - 1
        for number, step in enumerate(steps):
            # What the message itself says has its id; what had to be put before it has one of its own.
            event_id = told.message_id if number == last else id_text(f"{told.message_id}~{last - number}") or ""
            events.append(self._event(event_id, session, told, step))

    def _event(self, event_id: str, session: ForeignSession, told: PlayerMessage, step: Step) -> TranslatedEvent:
        kind = session.profile_kind
        if kind is None and session.profile_id is not None and session.profile_id in self._identities.kids:
            kind = "kids"
        return TranslatedEvent(
            event_id,
            step.event_type,  # type: ignore[arg-type]
            step.time_ms,
            session.household_id,
            session.title_id,
            session.play_session_id,
            step.position_ms,
            session.profile_id,
            kind,  # type: ignore[arg-type]
            session.device_id,
            None,
            told.playback_rate,
            step.seek_from_ms,
            session.runtime_ms,
            None,
            told.time_zone or self._identities.time_zone,
            told.country,
            session.content_kind,  # type: ignore[arg-type]
            session.autoplay,
            told.offline,
            told.sent_time_ms,
        )


def _keep_stated(session: ForeignSession, told: PlayerMessage) -> None:
    """What one message of a session states holds for those after it that do not."""
    if told.runtime_ms is not None:
        session.runtime_ms = told.runtime_ms
    if told.content_kind is not None:
        session.content_kind = told.content_kind
    if told.profile_id is not None:
        session.profile_id = told.profile_id
    if told.profile_kind is not None:
        session.profile_kind = told.profile_kind
    if told.device_id is not None:
        session.device_id = told.device_id
    if told.autoplay is not None:
        session.autoplay = told.autoplay
    if told.playback_rate is not None and told.playback_rate > 0:
        session.rate = told.playback_rate


def _remember(session: ForeignSession, before: ForeignSession) -> None:
    """What another session of the same title and player stated of it."""
    session.runtime_ms, session.content_kind = before.runtime_ms, before.content_kind
    session.profile_id, session.profile_kind = before.profile_id, before.profile_kind
    session.device_id, session.left_out = before.device_id, before.left_out
