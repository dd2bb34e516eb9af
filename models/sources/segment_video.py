"""Segment's video events, which RudderStack uses too: `track` calls named `Video …`.

By https://www.twilio.com/docs/segment/connections/spec/video (segmentio/segment-docs, src/connections/spec/video.md at
2d754ff), src/connections/spec/common.md beside it, and
https://www.rudderstack.com/docs/event-spec/standard-events/video-events-spec/.

Positions are whole seconds. Those of *content* events (`asset_id`) leave ads out; those of *playback* events
(`content_asset_id`) count the ads seen so far, in some players. `timestamp` has the device's clock mended already.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from models.sources import told as word
from models.sources.messages.segment_video import Properties, SegmentBatch, Track
from models.sources.told import (
    LeftOut,
    PlayerMessage,
    Received,
    Rejected,
    Schema,
    checked_time,
    content_id,
    id_text,
    label,
    length_ms,
    optional_time_ms,
    position_ms,
    split_array,
    time_ms,
)

PLAYBACK: Final = {
    "Video Playback Started": word.OPENS,
    "Video Playback Paused": word.PAUSE,
    "Video Playback Interrupted": word.PAUSE,
    "Video Playback Buffer Started": word.BUFFER,
    "Video Playback Buffer Completed": word.BUFFERED,
    "Video Playback Seek Started": word.SEEK,
    "Video Playback Seek Completed": word.SEEK_ENDS,
    "Video Playback Resumed": word.PLAY,
    "Video Playback Completed": word.STOP,
    "Video Playback Exited": word.STOP,
}
CONTENT: Final = {
    "Video Content Started": word.START,
    "Video Content Playing": word.PING,
    "Video Content Completed": word.END,
}
ADS: Final = {"Video Ad Started", "Video Ad Playing", "Video Ad Completed"}

END_MS: Final = 2_000
"""A piece of content that ends so close to the end of the whole one ends that: positions are whole seconds."""


class SegmentVideo(Schema):
    """The schema."""

    name = "Segment or RudderStack video"
    message = Track
    household = "userId"
    title = "properties.asset_id or properties.content_asset_id"

    def is_ours(self, header: dict[str, Any]) -> bool:
        """By the event's name."""
        event = header.get("event")
        return isinstance(event, str) and (event in PLAYBACK or event in CONTENT or event in ADS)

    def split(self, body: bytes) -> list[bytes]:
        """The calls of a batch, each with its `sentAt`."""
        if body.lstrip()[:1] != b"{":
            return split_array(body)
        try:
            posted = msgspec.json.decode(body, type=SegmentBatch)
        except (msgspec.DecodeError, RecursionError) as problem:
            raise Rejected("malformed", str(problem)) from None
        if posted.batch is None:
            return [body]
        return [_sent_at(posted.sent_at, bytes(call)) for call in posted.batch]

    def mended(self, message: bytes, received_ms: int) -> bytes:
        """As Segment does it; what has `receivedAt` comes from there, or from RudderStack, and is mended already."""
        try:
            call = msgspec.json.decode(message, type=Track, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return message
        stated, sent_ms = call.timestamp or call.original_timestamp, optional_time_ms(call.sent_at)
        if call.received_at is not None or stated is None or sent_ms is None or sent_ms <= received_ms:
            return message
        try:
            moved = stated - timedelta(milliseconds=sent_ms - received_ms)
        except OverflowError:
            raise Rejected("out_of_range", "sentAt is too far ahead") from None
        times = {
            "originalTimestamp": stated,
            "timestamp": moved,
            "receivedAt": datetime.fromtimestamp(received_ms / 1000, UTC),
        }
        try:
            fields = msgspec.json.decode(message, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            raise Rejected("malformed", str(problem)) from None
        return msgspec.json.encode(fields | times)

    def read(self, message: Track, received: Received) -> Sequence[PlayerMessage]:
        """What a call tells."""
        event, stated = message.event or "", message.properties
        what = CONTENT.get(event) or PLAYBACK.get(event) or (word.AD_PLAYS if event in ADS else "")
        if not what or message.type not in (None, "track"):
            raise LeftOut("other_event")
        if what == word.OPENS:
            raise LeftOut("opening")
        if stated is None or (session := id_text(stated.session_id)) is None:
            raise Rejected("no_session", "properties.session_id is missing")
        if stated.livestream:
            raise LeftOut("live")
        message_id = id_text(message.message_id) or content_id(received)
        told = PlayerMessage(what, message_id, _time_ms(message), session, id_text(message.user_id))
        told.position_ms = position_ms(stated.position, "properties.position")
        told.device_id = id_text(message.anonymous_id)
        told.time_zone = label(message.context.timezone) if message.context else None
        told.sent_time_ms = optional_time_ms(message.sent_at)
        if what == word.AD_PLAYS:
            told.ad_id = id_text(stated.asset_id) or ""
        elif event in CONTENT:
            _read_content(told, stated)
        else:
            _read_playback(told, stated)
        return (told,)


SCHEMA = SegmentVideo()


def _sent_at(stated: msgspec.Raw, call: bytes) -> bytes:
    """A call of a batch, with the batch's `sentAt` unless it has its own."""
    try:
        return msgspec.json.encode({"sentAt": stated} | msgspec.json.decode(call, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return call


def _read_content(told: PlayerMessage, stated: Properties) -> None:
    told.title = id_text(stated.asset_id) or id_text(stated.content_asset_id)
    told.runtime_ms = length_ms(stated.total_length)
    # Each piece between ads is completed, too.
    if told.what == word.END and (told.position_ms or 0) < (told.runtime_ms or 0) - END_MS:
        told.what = word.PAUSE


def _read_playback(told: PlayerMessage, stated: Properties) -> None:
    told.title = id_text(stated.content_asset_id)
    told.counts_ads = True
    if told.what != word.SEEK:
        return
    to_ms = position_ms(stated.seek_position, "properties.seek_position")
    if to_ms is None:
        # Played up to here; where it lands is told when the seek is completed.
        told.what = word.PING
    else:
        told.from_ms, told.position_ms = told.position_ms, to_ms


def _time_ms(message: Track) -> int:
    original = message.original_timestamp
    if message.timestamp is not None or original is None:
        return time_ms(message.timestamp, "timestamp")
    original_ms = time_ms(original, "originalTimestamp")
    if message.sent_at is None or message.received_at is None:
        return original_ms
    waited_ms = time_ms(message.sent_at, "sentAt") - original_ms
    return checked_time(
        time_ms(message.received_at, "receivedAt") - waited_ms, "receivedAt - sentAt + originalTimestamp"
    )
