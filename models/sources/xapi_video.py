"""Statements of the xAPI video profile.

By https://github.com/liveaspankaj/xapi-video-cop (statement_data_model.md at 79b7b5a, profile v1.0) and
https://github.com/adlnet/xapi-authored-profiles (video/v1.0.3/video.jsonld at 23819e2).

Times are seconds with up to three decimals. There are no heartbeats: a film may lie between two statements. `completed`
says that all parts were watched, and may come in the middle.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from models.sources import told as word
from models.sources.messages.xapi_video import Actor, Result, Statement, XapiSession
from models.sources.reading import session_id
from models.sources.told import (
    LeftOut,
    PlayerMessage,
    Received,
    Rejected,
    Schema,
    content_id,
    id_text,
    length_ms,
    position_ms,
    time_ms,
)

OF_VIDEO: Final = "https://w3id.org/xapi/video/verbs/"
OF_ADL: Final = "http://adlnet.gov/expapi/verbs/"
VERBS: Final = {
    OF_VIDEO + "played": word.PLAY,
    OF_VIDEO + "paused": word.PAUSE,
    OF_VIDEO + "seeked": word.SEEK,
    OF_ADL + "initialized": word.OPENS,
    OF_ADL + "interacted": word.PASSES,
    OF_ADL + "completed": word.PASSES,
    OF_ADL + "terminated": word.STOP,
}
END_MS: Final = 1_000
"""So close to the end of the video, `completed` is its end."""

_NUMBER = re.compile(r"\d{1,10}(?:\.\d{1,9})?", re.ASCII)
_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?", re.ASCII)
_SPEED = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)x", re.ASCII)


class XapiVideo(Schema):
    """The schema."""

    name = "xAPI video profile"
    message = Statement
    household = "actor.account.name"
    title = "object.id"

    def is_ours(self, header: dict[str, Any]) -> bool:
        """By a verb of videos."""
        verb = header.get("verb")
        return isinstance(verb, dict) and str(verb.get("id")).startswith(OF_VIDEO)

    def read(self, message: Statement, received: Received) -> Sequence[PlayerMessage]:
        """What a statement tells."""
        verb = (message.verb.id if message.verb else None) or ""
        what = VERBS.get(verb)
        at = (message.result.extensions if message.result else None) or Result()
        where = (message.context.extensions if message.context else None) or XapiSession()
        # ADL's verbs are used for courses and tests, too.
        is_video = what is not None and (verb.startswith(OF_VIDEO) or at.time is not None or where.length is not None)
        if what is None or not is_video:
            raise LeftOut("other_event")
        title = id_text(message.object.id if message.object else None)
        if title is None:
            raise Rejected("no_title", "object.id is missing")
        actor = _actor(message.actor)
        registration = message.context.registration if message.context else None
        told = PlayerMessage(
            what,
            id_text(message.id) or content_id(received),
            time_ms(message.timestamp or message.stored, "timestamp"),
            id_text(where.session_id) or session_id(registration or "", actor or "", title),
            actor,
            title,
            position_ms(_seconds(at.time, "time"), "time"),
        )
        told.runtime_ms = length_ms(_seconds(where.length, "length"))
        told.playback_rate = _speed(where.speed)
        _read_position(told, at, verb)
        return (told,)


SCHEMA = XapiVideo()


def _read_position(told: PlayerMessage, at: Result, verb: str) -> None:
    if told.what == word.SEEK:
        told.from_ms = position_ms(_seconds(at.time_from, "time-from"), "time-from")
        told.position_ms = position_ms(_seconds(at.time_to, "time-to"), "time-to")
    elif told.what == word.PASSES and told.runtime_ms is not None and verb.endswith("completed"):
        if told.position_ms is not None and told.position_ms >= told.runtime_ms - END_MS:
            told.what = word.END
    elif told.what == word.PASSES and told.playback_rate is not None:
        told.what = word.RATE


def _actor(actor: Actor | None) -> str | None:
    if actor is None:
        return None
    stated = actor.account.name if actor.account else None
    return id_text(stated) or id_text(actor.mbox) or id_text(actor.mbox_sha1sum) or id_text(actor.openid)


def _seconds(stated: float | str | None, place: str) -> float | None:
    if not isinstance(stated, str):
        return stated
    if _NUMBER.fullmatch(stated):
        return float(stated)
    found = _DURATION.fullmatch(stated)
    if found is None or stated == "PT":
        raise Rejected("out_of_range", f"{place} is {stated[:40]!r}, accepted: seconds")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _speed(stated: float | str | None) -> float | None:
    """The speed, as `1.5x`. One below 0 is a rewind, and none."""
    if isinstance(stated, str):
        found = _SPEED.fullmatch(stated)
        stated = float(found[1]) if found else None
    return stated if stated is not None and stated > 0 else None
