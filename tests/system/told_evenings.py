"""One evening as the players of each live schema tell it: messages, and the times of their records.

The story: an episode of 22 minutes, paused for two minutes after ten, then a jump of two minutes forward; so 20 minutes
watched, and one completion. Players with pings send one in ten seconds, in the pause too where they do. And a film of
90 minutes between two messages. It imports nothing of Encore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

SIX_PM = datetime(2026, 5, 4, 18, tzinfo=UTC)
SIX_PM_MS = int(SIX_PM.timestamp() * 1000)
LENGTH_S = 1320

Message = dict[str, Any]


class Moment(NamedTuple):
    """Something that happens: when, what, and where the player then is, in seconds."""

    at_s: int
    what: str
    position_s: int
    from_s: int | None = None

    @property
    def iso(self) -> str:
        return (SIX_PM + timedelta(seconds=self.at_s)).isoformat().replace("+00:00", "Z")

    @property
    def unix_ms(self) -> int:
        return SIX_PM_MS + self.at_s * 1000


def the_evening() -> Iterator[Moment]:
    yield Moment(0, "start", 0)
    yield from (Moment(s, "ping", s) for s in range(10, 600, 10))
    yield Moment(600, "pause", 600)
    yield from (Moment(s, "still", 600) for s in range(610, 720, 10))
    yield Moment(720, "play", 600)
    yield Moment(721, "seek", 721, from_s=601)
    yield from (Moment(s, "ping", s) for s in range(731, LENGTH_S, 10))
    yield Moment(LENGTH_S, "end", LENGTH_S)


FILM = (Moment(0, "start", 0), Moment(5400, "end", 5400))


def _segment(at: Moment) -> Message | None:
    names = {
        "start": "Video Content Started",
        "ping": "Video Content Playing",
        "pause": "Video Playback Paused",
        "play": "Video Playback Resumed",
        "seek": "Video Playback Seek Started",
        "end": "Video Content Completed",
        "stop": "Video Playback Exited",
    }
    if at.what not in names:
        return None
    jump = {"position": at.from_s, "seek_position": at.position_s} if at.what == "seek" else {"position": at.position_s}
    return {
        "type": "track",
        "event": names[at.what],
        "messageId": f"{at.at_s}-{at.what}",
        "userId": "home",
        "timestamp": at.iso,
        "properties": {"session_id": "s", "content_asset_id": "film", "total_length": LENGTH_S, **jump},
    }


def _snowplow(at: Moment) -> Message:
    names = {"start": "play", "still": "ping", "seek": "seek_end", "stop": "pause"}
    player = {"currentTime": at.position_s + 0.25, "duration": LENGTH_S, "label": "film", "ended": at.what == "end"}
    return {
        "event_id": f"{at.at_s}-{at.what}",
        "derived_tstamp": at.iso,
        "domain_userid": "home",
        "event_vendor": "com.snowplowanalytics.snowplow.media",
        "event_name": f"{names.get(at.what, at.what)}_event",
        "contexts_com_snowplowanalytics_snowplow_media_player_2": [
            {**player, "paused": at.what in ("pause", "still"), "playbackRate": 1}
        ],
        "contexts_com_snowplowanalytics_snowplow_media_session_1": [{"mediaSessionId": "s"}],
    }


def _adobe(at: Moment) -> Message:
    names = {"start": "play", "still": "ping", "seek": "ping", "pause": "pauseStart", "end": "sessionComplete"}
    names["stop"] = "sessionEnd"
    return {
        "playerTime": {"playhead": at.position_s, "ts": at.unix_ms},
        "eventType": names.get(at.what, at.what),
        "sessionId": "s",
        "params": {},
    }


def _jellyfin(at: Moment) -> Message:
    names = {"start": "PlaybackStart", "end": "PlaybackStop", "stop": "PlaybackStop"}
    return {
        "NotificationType": names.get(at.what, "PlaybackProgress"),
        "UserId": "home",
        "DeviceId": "tv",
        "ItemId": "film",
        "ItemType": "Episode",
        "RunTimeTicks": LENGTH_S * 10_000_000,
        "PlaybackPositionTicks": at.position_s * 10_000_000,
        "IsPaused": at.what in ("pause", "still"),
        "UtcTimestamp": at.iso,
    }


def _plex(at: Moment) -> Message | None:
    names = {"start": "media.play", "pause": "media.pause", "play": "media.resume", "end": "media.stop"}
    names["stop"] = "media.stop"
    if at.what not in names:
        return None
    item = {"type": "movie", "ratingKey": "film", "viewOffset": at.position_s * 1000, "duration": LENGTH_S * 1000}
    return {"event": names[at.what], "Account": {"id": "home"}, "Player": {"uuid": "tv"}, "Metadata": item}


def _xapi(at: Moment) -> Message | None:
    names = {"start": "played", "play": "played", "pause": "paused", "seek": "seeked", "end": "paused"}
    names["stop"] = "paused"
    if at.what not in names:
        return None
    ext = "https://w3id.org/xapi/video/extensions/"
    jump = {ext + "time-from": at.from_s, ext + "time-to": at.position_s}
    return {
        "id": f"{at.at_s}-{at.what}",
        "verb": {"id": f"https://w3id.org/xapi/video/verbs/{names[at.what]}"},
        "actor": {"account": {"name": "home"}},
        "object": {"id": "film"},
        "timestamp": at.iso,
        "result": {"extensions": jump if at.what == "seek" else {ext + "time": at.position_s}},
        "context": {"extensions": {ext + "session-id": "s", ext + "length": LENGTH_S}},
    }


def _mux(story: list[Moment]) -> list[Message]:
    names = {"start": "playing", "ping": "hb", "still": "hb", "play": "playing", "seek": "seeked", "end": "ended"}
    names["stop"] = "viewend"
    events = [
        {
            "sequence_number": number,
            "type": names.get(at.what, at.what),
            "viewer_time": {"seconds": at.unix_ms // 1000},
            "server_time": {"seconds": at.unix_ms // 1000 + 1},
            "playhead_time": {"seconds": at.position_s},
        }
        for number, at in enumerate(story)
    ]
    view = {"view_id": "s", "viewer_user_id": "home", "video_id": "film", "video_duration": LENGTH_S * 1000}
    return [{**view, "events": events}]


OPENED = {
    "eventType": "sessionStart",
    "playerTime": {"playhead": 0, "ts": SIX_PM_MS},
    "sessionId": "s",
    "params": {"media.id": "film", "media.length": LENGTH_S, "media.contentType": "VOD", "analytics.visitorId": "home"},
}

TELLERS: dict[str, Callable[[Moment], Message | None]] = {
    "segment_video": _segment,
    "snowplow_media": _snowplow,
    "adobe_media_collection": _adobe,
    "jellyfin_webhook": _jellyfin,
    "plex_webhook": _plex,
    "xapi_video": _xapi,
}


def told(schema: str, story: list[Moment]) -> list[tuple[int, Message]]:
    """The messages of a story in a schema, with the time of each record."""
    if schema == "mux_views":
        return [(story[-1].unix_ms, message) for message in _mux(story)]
    messages = [(at.unix_ms, message) for at in story if (message := TELLERS[schema](at)) is not None]
    return [(SIX_PM_MS, OPENED), *messages] if schema == "adobe_media_collection" else messages
