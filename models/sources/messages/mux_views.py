"""A video view of Mux Data's export, and its events."""

from __future__ import annotations

import msgspec


class ProtobufTime(msgspec.Struct, gc=False):
    """A time or a duration, as Protobuf has it."""

    seconds: int = 0
    nanos: int = 0


Time = ProtobufTime | int | str | None


class ViewEvent(msgspec.Struct, gc=False):
    """An event of a view: in exports `type` and `playhead_time`, in the API's answers `name` and `playback_time`."""

    type: str | None = None
    name: str | None = None
    sequence_number: int | None = None
    viewer_time: Time = None
    server_time: Time = None
    event_time: Time = None
    playhead_time: Time = None
    playback_time: Time = None


class View(msgspec.Struct, gc=False):
    """The fields that are read."""

    view_id: str | None = None
    id: str | None = None
    view_start: Time = None
    view_end: Time = None
    events: list[ViewEvent] | None = None
    viewer_user_id: str | int | None = None
    video_id: str | int | None = None
    video_duration: float | None = None
    video_content_type: str | None = None
    stream_type: str | None = None
    video_stream_type: str | None = None
    player_autoplay: bool | None = None
    country: str | None = None
    country_code: str | None = None
    view_playing_time: float | None = None
    view_content_playing_time: float | None = None
    view_max_playhead_position: float | None = None
