"""What a message of a foreign player tells, in one vocabulary for all live schemas, and why one is not translated.

Owns the vocabulary, the reasons, and how foreign units become ours.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import msgspec

from models.events import END_OF_CALENDAR_MS, LONGEST_LABEL_BYTES
from models.rules import LONGEST_MEDIA_MS
from models.sources.reading import fitting_id

START: Final = "start"
PLAY: Final = "play"
PING: Final = "ping"
PASSES: Final = "passes"
PAUSE: Final = "pause"
BUFFER: Final = "buffer"
BUFFERED: Final = "buffered"
SEEK: Final = "seek"
SEEK_BEGINS: Final = "seek_begins"
SEEK_ENDS: Final = "seek_ends"
RATE: Final = "rate"
STOP: Final = "stop"
END: Final = "end"
OPENS: Final = "opens"
AD_BEGINS: Final = "ad_begins"
AD_PLAYS: Final = "ad_plays"
AD_ENDS: Final = "ad_ends"

LEFT_OUT: Final = {
    "ad": "it tells of an advertisement, in which the content does not advance",
    "duplicate": "the same message was translated before",
    "live": "a live stream: its position is none in a title",
    "no_position": "it states no position, and none is known",
    "not_video": "music, a photo or another item that is no title",
    "opening": "a session is opened, nothing plays yet",
    "other_event": "it tells nothing of the playback of a title",
    "seeking": "the player has not arrived yet",
    "still": "the player is paused, buffers or is over, and stays so",
}
"""Why a message that could be read becomes no event."""

REJECTED: Final = {
    "malformed": "it is no JSON of this schema",
    "no_household": "no household is stated, or none is known for the user",
    "no_session": "no session is stated, or its beginning was not seen",
    "no_time": "no time is stated",
    "no_title": "no title is stated",
    "out_of_range": "a number is not possible",
}
"""Why a message cannot be translated: a dead letter."""


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What is subtracted from a time that states no zone: such a time is UTC.
_EPOCH_WITHOUT_ZONE: Final = datetime(1970, 1, 1)
_LONGEST_MEDIA_S: Final = LONGEST_MEDIA_MS // 1000
_decode_array: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Rejected(Exception):
    """The message cannot be translated. `code` is a key of `REJECTED`; the text says where in it and what was found."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class LeftOut(Exception):
    """The message was read, and tells nothing that counts. `code` is a key of `LEFT_OUT`."""

    def __init__(self, code: str) -> None:
        super().__init__(LEFT_OUT[code])
        self.code = code


class Received:
    """A record as it came: its value, its timestamp in ms, its key."""

    def __init__(self, value: bytes, timestamp_ms: int, key: bytes | None = None) -> None:
        self.value, self.timestamp_ms, self.key = value, timestamp_ms, key

    def key_text(self) -> str:
        """The key in text; empty: there is none."""
        return self.key.decode(errors="replace") if self.key else ""


class PlayerMessage:
    """What one message tells. None: not stated.

    `what` is a word of the vocabulary above. `message_id` is never empty: `content_id` makes one. `session` is the
    foreign session, or whatever tells players apart if there is none. `paused`: whether the player stands still, where
    a ping says so. `counts_ads`: the position includes the ads seen so far. `ad_id`, for `AD_PLAYS`: the ad whose own
    position `position_ms` is. `left_out`: nothing of this session counts, for this reason.
    """

    from_ms: int | None = None
    paused: bool | None = None
    counts_ads: bool = False
    ad_id: str = ""
    left_out: str = ""
    profile_id: str | None = None
    profile_kind: str | None = None
    device_id: str | None = None
    playback_rate: float | None = None
    runtime_ms: int | None = None
    time_zone: str | None = None
    country: str | None = None
    content_kind: str | None = None
    autoplay: bool | None = None
    offline: bool | None = None
    sent_time_ms: int | None = None

    def __init__(
        self,
        what: str,
        message_id: str,
        time_ms: int,
        session: str,
        household: str | None = None,
        title: str | None = None,
        position_ms: int | None = None,
    ) -> None:
        self.what, self.message_id, self.time_ms, self.session = what, message_id, time_ms, session
        self.household, self.title, self.position_ms = household, title, position_ms


class Schema(ABC):
    """A live schema: what is common to its messages, and how one is read.

    `name` is for people. `message` are the fields that are read. `household` and `title` are the fields that say so
    unless others are chosen.

    `tells_household_once`: only the message that opens a session states both; then its id must be unique.
    `tells_sessions`: messages name their session. If not, each `START` begins one. `tells_seeks`: if not, they show in
    the positions, as content cannot advance faster than `fastest_percent` of the time. `is_whole`: one message tells a
    whole session.
    """

    name: ClassVar[str]
    message: ClassVar[type[msgspec.Struct]]
    household: ClassVar[str]
    title: ClassVar[str]
    tells_household_once: ClassVar[bool] = False
    tells_sessions: ClassVar[bool] = True
    tells_seeks: ClassVar[bool] = True
    fastest_percent: ClassVar[int] = 210
    is_whole: ClassVar[bool] = False

    @abstractmethod
    def read(self, message: Any, received: Received) -> Sequence[PlayerMessage]:
        """What a message tells, in order. Raises `Rejected` and `LeftOut`."""

    @abstractmethod
    def is_ours(self, header: dict[str, Any]) -> bool:
        """Whether a message whose fields do not fit is one of playback all the same, and bad."""

    def as_json(self, value: bytes) -> bytes:
        """The message in JSON, if it comes in another notation. Raises `Rejected`."""
        return value

    def split(self, body: bytes) -> list[bytes]:
        """The messages of what a device posts at once. Raises `Rejected`."""
        return split_array(body)

    def mended(self, message: bytes, received_ms: int) -> bytes:
        """What a device sends, with its times moved back by as much as its clock was ahead when it was received."""
        return message


def split_array(body: bytes) -> list[bytes]:
    """The elements of a JSON array, as they are; anything else is one. Raises `Rejected`."""
    if body.lstrip()[:1] != b"[":
        return [body]
    try:
        return [bytes(element) for element in _decode_array(body)]
    except (msgspec.DecodeError, RecursionError) as problem:
        raise Rejected("malformed", str(problem)) from None


def time_ms(time: datetime | None, place: str) -> int:
    """A time in ms since 1970; one without an offset is UTC. Raises `Rejected`."""
    if time is None:
        raise Rejected("no_time", f"{place} is missing")
    return checked_time(_unix_ms(time), place)


def optional_time_ms(time: datetime | None) -> int | None:
    """A time in ms that is not judged."""
    return None if time is None else _unix_ms(time)


def _unix_ms(time: datetime) -> int:
    since = time - (_EPOCH if time.tzinfo is not None else _EPOCH_WITHOUT_ZONE)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def checked_time(unix_ms: int, place: str) -> int:
    """A time in ms, if it is in the years 1970 to 9999. Raises `Rejected`."""
    if not 0 <= unix_ms < END_OF_CALENDAR_MS:
        raise Rejected("out_of_range", f"{place} leaves the years 1970 to 9999")
    return unix_ms


# Not only `float`: compiled code would make one of an integer before it could be compared.
def position_ms(position: int | float | None, place: str, units_per_s: int = 1) -> int | None:
    """A position in ms. Up to a second below 0 becomes 0, as players round. Raises `Rejected`."""
    if position is None:
        return None
    # Compared before it is computed with: it may be infinite, no number, or an integer beyond all floats.
    if -units_per_s <= position <= _LONGEST_MEDIA_S * units_per_s:
        return max(0, _rounded_ms(position, units_per_s))
    shown = f"{position:.15g}" if -1e15 < position < 1e15 else "no number that a player has"
    raise Rejected("out_of_range", f"{place} is {shown}, accepted: 0 to seven days")


def length_ms(length: int | float | None, units_per_s: int = 1) -> int | None:
    """A title's length in ms. Players say 0, -1 or a huge number if they do not know it: then it is none."""
    if length is None or not 0 < length <= _LONGEST_MEDIA_S * units_per_s:
        return None
    return _rounded_ms(length, units_per_s)


def _rounded_ms(units: float, units_per_s: int) -> int:
    return int(units * 1000 / units_per_s + 0.5)


def id_text(stated: str | int | None) -> str | None:
    """An id, shortened to what an id may have. An empty one is none."""
    if stated is None or stated == "":
        return None
    text = stated if isinstance(stated, str) else str(stated)
    return text if len(text) <= 64 else fitting_id(text)


def label(stated: str | None) -> str | None:
    """The name of a zone or country, if it is one: it is not judged here."""
    if not stated or len(stated) > LONGEST_LABEL_BYTES:
        return None
    return stated if stated.isascii() or len(stated.encode()) <= LONGEST_LABEL_BYTES else None


def content_id(received: Received, with_time: bool = False) -> str:
    """An id for a message that has none, computed from its text; `with_time`: and from the record's time."""
    time = f"{received.timestamp_ms}:".encode() if with_time else b""
    return hashlib.blake2b(time + received.value, digest_size=12).hexdigest()
