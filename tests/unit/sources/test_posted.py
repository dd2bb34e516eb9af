"""What becomes of a posted message: the record, its key, and its times where the device's clock was ahead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from partition_log import Log
from playing import T0

from models.sources.posted import ENCORE, Posted, posted_format
from models.sources.schemas import schemas
from models.sources.told import Rejected
from models.sources.translator import Translator

NOW_MS = T0 + 60_000


def event(**fields: Any) -> bytes:
    stated = {
        "event_id": "e", "event_type": "heartbeat", "event_time_ms": NOW_MS - 1_000, "household_id": "home",
        "title_id": "film", "play_session_id": "s", "position_ms": 5_000,
    }  # fmt: skip
    return json.dumps(stated | fields).encode()


def track(**fields: Any) -> bytes:
    stated = {
        "type": "track", "event": "Video Content Playing", "messageId": "m", "userId": "home",
        "timestamp": "2026-05-04T18:00:10Z", "properties": {"session_id": "s", "asset_id": "film", "position": 10},
    }  # fmt: skip
    return json.dumps(stated | fields).encode()


SIX_PM_MS = 1_777_917_600_000


def refusal(form: str, message: bytes) -> tuple[str, str]:
    with pytest.raises(Rejected) as refused:
        posted_format(form).record(message, NOW_MS)
    return refused.value.code, str(refused.value)


# -- Encore's own events -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [{}, {"sent_time_ms": None}, {"sent_time_ms": NOW_MS - 1}, {"sent_time_ms": NOW_MS}])
def test_an_event_is_written_as_it_is_under_its_household(sent: dict[str, Any]) -> None:
    message = event(**sent)
    assert posted_format(ENCORE).record(message, NOW_MS) == Posted(b"home", message)


def test_a_clock_that_is_ahead_moves_times_back_by_the_difference() -> None:
    written = posted_format(ENCORE).record(event(sent_time_ms=NOW_MS + 1, own_field=[1]), NOW_MS)
    expected = json.loads(event(own_field=[1])) | {
        "event_time_ms": NOW_MS - 1_001, "sent_time_ms": NOW_MS, "seq": NOW_MS - 1_000,
    }  # fmt: skip
    assert (written.key, json.loads(written.value), written.mended) == (b"home", expected, True)


def test_a_seq_that_is_stated_stays() -> None:
    written = posted_format(ENCORE).record(event(sent_time_ms=NOW_MS + 1, seq=7), NOW_MS)
    assert json.loads(written.value)["seq"] == 7


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (b"", "Input data was truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (event(position_ms="5"), "Expected `int`, got `str` - at `$.position_ms`"),
        (event(household_id=5), "Expected `str`, got `int` - at `$.household_id`"),
        (event(household_id=""), "Expected `str` of length >= 1 - at `$.household_id`"),
        (event(sent_time_ms=NOW_MS * 3), "Expected `int` >= 0 - at `$.event_time_ms`"),
        (b"[" * 100_000, "the value has 100000 bytes, accepted are 65536"),
        (b'{"household_id":' + b"[" * 60_000, "the value nests deeper than 500 levels"),
    ],
)
def test_what_a_worker_could_not_read_is_refused_with_its_place(message: bytes, text: str) -> None:
    assert refusal(ENCORE, message) == ("malformed", text)


@pytest.mark.parametrize("later_ms", [-3_000, -1, 0, 1, 3_000])
@pytest.mark.parametrize("kind", ["heartbeat", "seek", "stop"])
def test_an_event_that_is_sent_again_counts_once_however_late_it_comes(kind: str, later_ms: int) -> None:
    """A fast clock is mended by the time of receipt, which differs; the device's own time, as `seq`, does not."""
    form, ahead_ms = posted_format(ENCORE), 3_600_000
    once, twice = Log(), Log()
    for at_ms, position_ms, name in ((0, 0, "start"), (20_000, 20_000, kind)):
        device_ms = T0 + at_ms + ahead_ms
        fields = {"event_id": name, "event_type": name, "event_time_ms": device_ms, "position_ms": position_ms}
        message = event(**fields, sent_time_ms=device_ms, seek_from_ms=position_ms + 4_000 if name == "seek" else None)
        for log, receipts in ((once, [0]), (twice, [0, later_ms])):
            for late_ms in receipts:
                record = form.record(message, T0 + at_ms + late_ms)
                log.raw((at_ms + 5_000) / 1000, record.key, record.value)
    assert once.fold.credited_ms > 0
    assert (twice.title(), twice.fold.credited_ms) == (once.title(), once.fold.credited_ms)


# -- messages of live schemas --------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent_at", [None, "2026-05-04T18:00:11Z", "2026-05-04T18:00:12Z"])
def test_a_message_is_written_as_it_is_under_its_session(sent_at: str | None) -> None:
    message = track(sentAt=sent_at)
    assert posted_format("segment_video").record(message, SIX_PM_MS + 12_000) == Posted(b"s", message)


def test_segments_times_move_back_as_segment_does_it() -> None:
    written = posted_format("segment_video").record(track(sentAt="2026-05-04T18:00:12Z"), SIX_PM_MS + 5_000)
    expected = json.loads(track(sentAt="2026-05-04T18:00:12Z")) | {
        "timestamp": "2026-05-04T18:00:03Z", "originalTimestamp": "2026-05-04T18:00:10Z",
        "receivedAt": "2026-05-04T18:00:05Z",
    }  # fmt: skip
    assert (written.key, json.loads(written.value), written.mended) == (b"s", expected, True)


def test_what_segment_has_received_is_mended_already() -> None:
    message = track(sentAt="2026-05-04T18:00:12Z", receivedAt="2026-05-04T18:00:05Z")
    assert posted_format("segment_video").record(message, SIX_PM_MS) == Posted(b"s", message)


@pytest.mark.parametrize("later_ms", [-200, 0, 200])
def test_a_mended_call_that_is_sent_again_is_translated_once(later_ms: int) -> None:
    form, translator = posted_format("segment_video"), Translator(schemas()["segment_video"])
    message = track(sentAt="2026-05-04T19:00:10Z")
    records = [form.record(message, SIX_PM_MS + 10_000 + late_ms) for late_ms in (0, later_ms)]
    first, second = (translator.translate(record.value, SIX_PM_MS, record.key) for record in records)
    assert (len(first.events), second.events, second.left_out) == (1, [], ["duplicate"])


def test_a_session_may_be_named_beside_a_message() -> None:
    message = b'{"eventType":"ping","playerTime":{"playhead":5,"ts":1777917600000}}'
    form = posted_format("adobe_media_collection")
    assert form.record(message, SIX_PM_MS, "s-1") == Posted(b"s-1", message)
    assert refusal("adobe_media_collection", message)[0] == "no_session"


@pytest.mark.parametrize("schema", schemas())
def test_what_is_no_json_is_refused(schema: str) -> None:
    assert refusal(schema, b"no json")[0] == "malformed"


# -- several at once -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [ENCORE, *schemas()])
@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (b'{"a": 1}', [b'{"a": 1}']),
        (b"", [b""]),
        (b" []", []),
        (b' [ {"a": 1},5 ]\n', [b'{"a": 1}', b"5"]),
    ],
)
def test_an_array_holds_messages_as_they_are(form: str, body: bytes, messages: list[bytes]) -> None:
    assert posted_format(form).split(body) == messages


@pytest.mark.parametrize("body", [b"[", b"[{]", b"[1,", b"[" * 100_000])
def test_an_array_that_is_cut_off_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        posted_format(ENCORE).split(body)


def test_a_batch_of_segments_says_when_its_calls_were_sent() -> None:
    body = b'{"batch": [{"a": 1}, {"sentAt": "then"}, 5], "sentAt": "now", "context": {}}'
    assert posted_format("segment_video").split(body) == [b'{"sentAt":"now","a":1}', b'{"sentAt":"then"}', b"5"]


def test_a_call_of_a_batch_whose_keys_are_no_text_costs_no_other() -> None:
    calls = posted_format("segment_video").split(b'{"batch": [{"a": 1}, {"\xff": 1}], "sentAt": "now"}')
    assert calls == [b'{"sentAt":"now","a":1}', b'{"\xff": 1}']


def test_a_batch_that_is_none_is_refused() -> None:
    with pytest.raises(Rejected, match="batch"):
        posted_format("segment_video").split(b'{"batch": 5}')
