"""The door, asked without a network: who may post, what it answers, and what it holds meanwhile."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time
import tracemalloc
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError
from http_answer import Answer

from models.sources.posted import Posted
from streams.collect import body
from streams.collect.app import MOST_FAULTS, MOST_MESSAGES, PATH, Door, collect_app, read_messages
from streams.collect.body import Room
from streams.collect.request import GONE
from streams.collect.sources import read_sources
from streams.observability.collect_metrics import CollectMetrics

KEY, PLEX, SEGMENT = "web-key-12345678", "plex-key-12345678", "segment-key-12345678"
SOURCES = f"""
[web]
format = "encore"
keys = ["{KEY}"]
[tv]
format = "plex_webhook"
topic = "plex"
keys = ["{PLEX}"]
[site]
format = "segment_video"
topic = "segment"
keys = ["{SEGMENT}"]
"""
EVENT = {
    "event_id": "e", "event_type": "start", "event_time_ms": 5, "household_id": "home", "title_id": "film",
    "play_session_id": "s", "position_ms": 0,
}  # fmt: skip
ONE = json.dumps(EVENT).encode()
WEBHOOK = b'{"event":"media.play","Account":{"id":1},"Player":{"uuid":"tv"},"Metadata":{"ratingKey":"5"}}'
NEVER = b"never"
"""A part of a body that does not come."""

BEARER = {"authorization": f"Bearer {KEY}"}


class Kafka:
    """In place of the writer: notes what is written, and answers at once with `error`."""

    def __init__(self, error: KafkaError | None = None) -> None:
        self.error = error
        self.written: list[tuple[str, list[Posted]]] = []

    def write(self, topic: str, records: Sequence[Posted], received_ms: int) -> asyncio.Future[KafkaError | None]:
        self.written.append((topic, list(records)))
        answer: asyncio.Future[KafkaError | None] = asyncio.get_running_loop().create_future()
        answer.set_result(self.error)
        return answer


class Collector:
    """A door with rooms of a size, in front of a Kafka."""

    def __init__(
        self, folder: Path, kafka: Kafka | None = None, room: int = 1 << 20, limit: int = 4096, origins: Any = ()
    ) -> None:
        self.folder = folder
        (folder / "sources.toml").write_text(SOURCES)
        self.kafka, self.room, self.metrics = kafka or Kafka(), Room(room), CollectMetrics()
        sources = read_sources(str(folder / "sources.toml"), "playback-events")
        door = Door(sources, self.kafka, self.room, self.metrics, limit)  # type: ignore[arg-type]
        self._app = collect_app(door, origins)

    def posted(
        self, chunks: bytes | Iterable[bytes | None], headers: dict[str, str] = BEARER, query: str = "",
        method: str = "POST",
    ) -> Answer:  # fmt: skip
        """The answer to a body, in one piece or several; None: the client goes."""
        return asyncio.run(
            self._posted([chunks] if isinstance(chunks, bytes) else list(chunks), headers, query, method)
        )

    async def _posted(self, chunks: list[bytes | None], headers: dict[str, str], query: str, method: str) -> Answer:
        coming = [
            {"type": "http.disconnect"} if chunk is None else {"type": "http.request", "body": chunk, "more_body": True}
            for chunk in chunks
        ]
        coming.append({"type": "http.request", "body": b"", "more_body": False})
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            message = coming.pop(0) if coming else {"body": NEVER}
            return await asyncio.Future() if message.get("body") == NEVER else message

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": PATH, "raw_path": PATH.encode(), "root_path": "",
            "scheme": "http", "http_version": "1.1", "query_string": query.encode(), "server": ("localhost", 80),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        async with asyncio.timeout(20):
            await self._app(scope, receive, send)  # type: ignore[arg-type]
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, b"".join(part.get("body", b"") for part in sent[1:]))

    def counted(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"encore_{name}", labels)


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return Collector(tmp_path)


# -- who may post --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        (BEARER, ""),
        ({"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}, ""),
        ({}, f"key={KEY}"),
    ],
    ids=["bearer", "basic", "address"],
)
def test_a_key_may_come_in_three_ways(collector: Collector, headers: dict[str, str], query: str) -> None:
    answer = collector.posted(ONE, headers, query)
    assert (answer.status, answer.said) == (202, {"accepted": 1})
    assert collector.kafka.written == [("playback-events", [Posted(b"home", ONE)])]
    assert collector.counted("collected_records_total", source="web") == 1


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({}, "key="),
        ({}, "key=unknown"),
        ({"authorization": "Bearer "}, ""),
        ({"authorization": f"Bearer {KEY}x"}, ""),
        ({"authorization": "Basic ÿ"}, ""),
        ({"authorization": "Digest x"}, ""),
    ],
)
def test_without_a_known_key_nothing_is_read(collector: Collector, headers: dict[str, str], query: str) -> None:
    answer = collector.posted(ONE, headers, query)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert collector.kafka.written == []
    assert collector.counted("collect_requests_total", source="", status="401") == 1


def test_only_post_is_answered(collector: Collector) -> None:
    assert collector.posted(b"", method="GET").status == 405


# -- what is posted ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (b"[" + ONE + b", " + ONE + b"]", {}),
        (ONE + b"\n\n" + ONE + b"\n", {"content-type": "application/x-ndjson; charset=utf-8"}),
        (gzip.compress(b"[" + ONE + b"," + ONE + b"]"), {"content-encoding": "gzip"}),
    ],
    ids=["array", "lines", "gzip"],
)
def test_several_are_written_in_their_order(collector: Collector, sent: bytes, headers: dict[str, str]) -> None:
    answer = collector.posted(sent, BEARER | headers)
    assert (answer.status, answer.said) == (202, {"accepted": 2})
    assert collector.kafka.written == [("playback-events", [Posted(b"home", ONE)] * 2)]


def test_one_that_cannot_be_read_costs_itself_and_is_named(collector: Collector) -> None:
    answer = collector.posted(json.dumps([EVENT, EVENT | {"position_ms": -1}, EVENT]).encode())
    fault = {"message": 1, "reason": "malformed", "text": "Expected `int` >= 0 - at `$.position_ms`"}
    assert (answer.status, answer.said) == (400, {"accepted": 2, "refused": 1, "faults": [fault]})
    assert [len(records) for _, records in collector.kafka.written] == [2]
    assert collector.counted("collect_unreadable_records_total", source="web", reason="malformed") == 1


def test_of_many_faults_the_first_are_named(collector: Collector) -> None:
    said = collector.posted(b"[" + b"5," * MOST_FAULTS + b"5]").said
    assert (said["accepted"], said["refused"], len(said["faults"])) == (0, MOST_FAULTS + 1, MOST_FAULTS)
    counted = collector.counted("collect_unreadable_records_total", source="web", reason="malformed")
    assert (collector.kafka.written, counted) == ([], MOST_FAULTS + 1)


def test_all_faults_are_counted_and_what_is_kept_of_them_is_bounded(collector: Collector) -> None:
    """A body of 10 KB was 13 MB while Kafka was waited for: an error for each message, with all that it held."""
    source = read_sources(str(collector.folder / "sources.toml"), "playback-events").of(KEY)
    assert source is not None
    tracemalloc.start()
    kept = read_messages(source, [ONE] + [b"5"] * (MOST_MESSAGES - 1), 0, "")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (kept.refused.total(), len(kept.faults), held < 100_000) == (MOST_MESSAGES - 1, MOST_FAULTS, True)


@pytest.mark.parametrize("sent", [b"", b"{", b"[{", b"no json", b"\xff"])
def test_a_body_that_is_no_json_is_refused(collector: Collector, sent: bytes) -> None:
    assert (collector.posted(sent).status, collector.kafka.written) == (400, [])


def test_an_empty_array_is_taken_and_nothing_is_written(collector: Collector) -> None:
    assert (collector.posted(b"[]").said, collector.kafka.written) == ({"accepted": 0}, [])


@pytest.mark.parametrize(("number", "status"), [(MOST_MESSAGES, 400), (MOST_MESSAGES + 1, 413)])
def test_a_body_has_a_largest_number_of_messages(tmp_path: Path, number: int, status: int) -> None:
    collector = Collector(tmp_path, limit=1 << 20)
    assert collector.posted(b"[" + b",".join([b"5"] * number) + b"]").status == status


def test_a_form_of_plex_is_read_from_its_field(collector: Collector) -> None:
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="thumb"; filename="thumb.jpg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\r\n\x00\r\n",
        b'--edge\r\nContent-Disposition: form-data; name="payload"\r\nContent-Type: application/json\r\n\r\n',
        WEBHOOK,
        b"\r\n--edge--\r\n",
    ]
    answer = collector.posted(parts, {"content-type": "multipart/form-data; boundary=edge"}, f"key={PLEX}")
    assert (answer.status, collector.kafka.written) == (202, [("plex", [Posted(b"1/tv", WEBHOOK)])])


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=edge"])
def test_a_form_without_the_field_is_refused(collector: Collector, kind: str) -> None:
    assert collector.posted(b"x", {"content-type": kind}, f"key={PLEX}").status == 400


def test_a_form_of_nested_parts_takes_no_longer_than_another_one(tmp_path: Path) -> None:
    collector = Collector(tmp_path, limit=1 << 20)
    nested = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(800))
    begun_s = time.process_time()
    answer = collector.posted(
        nested + b"\n" * 500_000, {"content-type": "multipart/form-data; boundary=b0"}, f"key={PLEX}"
    )
    assert (answer.status, time.process_time() - begun_s < 2) == (400, True)


def test_what_tells_nothing_of_playback_is_taken_and_not_written(collector: Collector) -> None:
    answer = collector.posted(b'{"event":"library.new"}', {}, f"key={PLEX}")
    assert (answer.status, answer.said) == (202, {"accepted": 0, "left_out": 1})
    assert (collector.kafka.written, collector.counted("collect_left_out_records_total", source="tv")) == ([], 1)


def test_devices_whose_clock_is_ahead_are_counted(collector: Collector) -> None:
    ahead_ms = 99_000_000_000_000
    collector.posted(json.dumps(EVENT | {"event_time_ms": ahead_ms, "sent_time_ms": ahead_ms}).encode())
    assert collector.counted("collect_mended_records_total", source="web") == 1


# -- bounds --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "status"), [(4095, 400), (4096, 400), (4097, 413)])
@pytest.mark.parametrize("way", ["stated", "in chunks", "inflated"])
def test_a_body_is_bounded(collector: Collector, size: int, status: int, way: str) -> None:
    whole = b"[" * size
    sent: Any = {"stated": whole, "in chunks": [whole[:4000], whole[4000:]], "inflated": gzip.compress(whole)}[way]
    more = {"stated": {"content-length": str(size)}, "in chunks": {}, "inflated": {"content-encoding": "gzip"}}[way]
    assert collector.posted(sent, BEARER | more).status == status
    assert collector.room.held == 0


@pytest.mark.parametrize("sent", [b"no gzip", gzip.compress(ONE)[:-1], gzip.compress(ONE) + b"x", b""])
def test_what_is_no_gzip_is_refused(collector: Collector, sent: bytes) -> None:
    assert collector.posted(sent, BEARER | {"content-encoding": "gzip"}).status == 400


def test_another_compression_is_refused(collector: Collector) -> None:
    assert collector.posted(ONE, BEARER | {"content-encoding": "br"}).status == 415


@pytest.mark.parametrize(("room", "status"), [(len(ONE) - 1, 429), (len(ONE), 202), (len(ONE) + 1, 202)])
def test_all_bodies_together_are_bounded(tmp_path: Path, room: int, status: int) -> None:
    collector = Collector(tmp_path, room=room)
    answer = collector.posted([ONE[:10], ONE[10:]])
    assert (answer.status, answer.headers.get("retry-after")) == (status, "1" if status == 429 else None)
    assert collector.room.held == 0


def test_a_client_that_goes_holds_nothing(collector: Collector) -> None:
    assert (collector.posted([ONE[:10], None]).status, collector.room.held) == (GONE, 0)
    assert collector.kafka.written == []


def test_a_body_that_does_not_come_to_its_end_is_given_up(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "SLOWEST_S", 0.01)
    assert (collector.posted([ONE[:10], NEVER]).status, collector.room.held) == (408, 0)
    assert collector.kafka.written == []


# -- Kafka ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [(KafkaError._MSG_TIMED_OUT, 503), (KafkaError.NOT_ENOUGH_REPLICAS, 503), (KafkaError.MSG_SIZE_TOO_LARGE, 413)],
)
def test_what_kafka_has_not_taken_is_not_accepted(tmp_path: Path, code: int, status: int) -> None:
    collector = Collector(tmp_path, Kafka(KafkaError(code)))
    answer = collector.posted(ONE)
    assert (answer.status, answer.headers.get("retry-after")) == (status, "1" if status == 503 else None)
    assert "Kafka has not taken it" in answer.said["error"]
    assert collector.counted("collected_records_total", source="web") is None
    assert collector.counted("collect_requests_total", source="web", status=str(status)) == 1


# -- browsers ------------------------------------------------------------------------------------------------------

ASKING = {"origin": "https://tv.example", "access-control-request-method": "POST"}


def test_no_page_may_post_unless_it_is_named(collector: Collector) -> None:
    assert collector.posted(b"", ASKING, method="OPTIONS").status == 405
    assert "access-control-allow-origin" not in collector.posted(ONE, BEARER | ASKING).headers


@pytest.mark.parametrize(("origins", "allowed"), [(["https://tv.example"], True), (["https://other.example"], False)])
def test_pages_of_named_origins_may_post(tmp_path: Path, origins: list[str], allowed: bool) -> None:
    answer = Collector(tmp_path, origins=origins).posted(ONE, BEARER | ASKING)
    assert (answer.headers.get("access-control-allow-origin") == "https://tv.example") is allowed
