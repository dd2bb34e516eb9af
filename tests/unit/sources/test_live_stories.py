"""One evening as each live schema tells it, and what the rules count of it: what a person in the room would say.

The story: an episode of 22 minutes, paused for two minutes after ten, then a jump of two minutes forward; so 20 minutes
watched, and one completion. Players with pings send one in ten seconds, in the pause too where they do. And a film of
90 minutes between two messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partition_log import Log
from playing import T0

from models.sources.schemas import schemas
from models.sources.translator import Translator

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


def _evening() -> Iterator[Moment]:
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


def _told(schema: str, story: list[Moment]) -> list[tuple[int, Message]]:
    """The messages of a story in a schema, with the time of each record."""
    if schema == "mux_views":
        return [(story[-1].unix_ms, message) for message in _mux(story)]
    told = [(at.unix_ms, message) for at in story if (message := TELLERS[schema](at)) is not None]
    return [(SIX_PM_MS, OPENED), *told] if schema == "adobe_media_collection" else told


def _counted(schema: str, messages: list[tuple[int, Message]]) -> Log:
    """A partition that has read the events of these messages."""
    translator, log = Translator(schemas()[schema]), Log()
    for unix_ms, message in messages:
        for event in translator.translate(json.dumps(message).encode(), unix_ms).events:
            at_s = (event.event_time_ms - T0) / 1000
            log.raw(at_s, event.household_id.encode(), msgspec.json.encode(event))
    return log


ONE_COMPLETION = {
    "plays": 1,
    "starters": 1,
    "viewers": 1,
    "watchers": 1,
    "completers": 1,
    "completions": 1,
    "rewatch_hist_1": 1,
}


@pytest.mark.parametrize("schema", schemas())
def test_the_evening_comes_out_as_a_person_in_the_room_would_say(schema: str) -> None:
    log = _counted(schema, _told(schema, list(_evening())))
    title = log.title()
    watched_ms, refused = title.pop("watched_ms"), {name for name in log.account() if name.startswith("refused")}
    assert (title, refused) == (ONE_COMPLETION, set())
    assert 1_199_000 <= watched_ms <= 1_201_000


@pytest.mark.parametrize("schema", schemas())
def test_the_evening_told_twice_counts_once(schema: str) -> None:
    told = _told(schema, list(_evening()))
    twice = [each for message in told for each in (message, message)]
    assert _counted(schema, twice).title() == _counted(schema, told).title()


@pytest.mark.parametrize("schema", ["plex_webhook", "xapi_video", "segment_video", "snowplow_media"])
def test_a_film_between_two_messages_is_watched_whole(schema: str) -> None:
    log = _counted(schema, _told(schema, list(FILM)))
    assert log.title() == ONE_COMPLETION | {"watched_ms": 5_400_000}


class Evening(NamedTuple):
    """Any evening: what happens, for how long it plays, and how often it jumps."""

    moments: list[Moment]
    played_s: int
    jumps: int


@st.composite
def evenings(draw: st.DrawFn) -> Evening:
    """Stretches that are played, and between them nothing, a pause, or a jump of a minute or more."""
    at_s = position_s = played_s = jumps = 0
    moments = [Moment(0, "start", 0)]
    for length_s, between, number in draw(
        st.lists(st.tuples(_STRETCHES, _BETWEEN, st.integers(1, LENGTH_S)), min_size=1)
    ):
        length_s = min(length_s, LENGTH_S - position_s)
        if not length_s:
            break
        moments += [Moment(at_s + s, "ping", position_s + s) for s in range(10, length_s, 10)]
        at_s, position_s, played_s = at_s + length_s, position_s + length_s, played_s + length_s
        if between == "pause":
            moments += [Moment(at_s, "pause", position_s)]
            moments += [Moment(at_s + s, "still", position_s) for s in range(10, number, 10)]
            at_s += number
            moments += [Moment(at_s, "play", position_s)]
        elif between == "jump" and abs(number - position_s) >= 60:
            moments += [Moment(at_s, "seek", number, from_s=position_s)]
            position_s, jumps = number, jumps + 1
    return Evening([*moments, Moment(at_s, "stop", position_s)], played_s, jumps)


_STRETCHES = st.integers(1, 400)
_BETWEEN = st.sampled_from(("nothing", "pause", "jump"))

TELLS_ORIGINS = {"segment_video", "xapi_video"}
"""Their seeks say where they came from. Of others a jump costs what was played since the last ping: up to 20 s,
as each stretch counts its own ten."""


@pytest.mark.parametrize("schema", schemas())
@settings(max_examples=60)
@given(evening=evenings())
def test_any_evening_is_credited_for_as_long_as_it_played(schema: str, evening: Evening) -> None:
    credited_s = _counted(schema, _told(schema, evening.moments)).fold.credited_ms / 1000
    assert credited_s <= evening.played_s * 1.02 + 5
    if schema == "plex_webhook" and evening.jumps:
        return
    assert credited_s >= evening.played_s - (0 if schema in TELLS_ORIGINS else 20 * evening.jumps)


@pytest.mark.parametrize("schema", schemas())
def test_two_evenings_are_a_rewatch(schema: str) -> None:
    week = 7 * 86_400
    told = [
        (unix_ms, json.loads(json.dumps(message).replace('"s"', f'"s{evening}"')))
        for evening in (0, 1)
        for unix_ms, message in _told(schema, [at._replace(at_s=at.at_s + evening * week) for at in _evening()])
    ]
    title = _counted(schema, told).title()
    assert (title["plays"], title["completions"], title["rewatches"]) == (2, 2, 1)
