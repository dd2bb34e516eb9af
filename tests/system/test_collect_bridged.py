"""Messages of other players, posted to `encore collect` and translated by a bridge: what is counted of an evening."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from application import Application, until
from playback import MINUTE_MS
from posting import Collector

told_evenings = pytest.importorskip("told_evenings")

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

BY_THE_RECEIPT = "plex_webhook"
"""It states no time: what it tells happens when it is posted."""

SCHEMAS = [name for name in (*told_evenings.TELLERS, "mux_views") if name != BY_THE_RECEIPT]


@pytest.fixture
def this_evening(monkeypatch: pytest.MonkeyPatch) -> None:
    """The evening began two hours ago: what is posted now is not late."""
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    begin_ms = int(begin.timestamp() * 1000)
    monkeypatch.setattr(told_evenings, "SIX_PM", begin)
    monkeypatch.setattr(told_evenings, "SIX_PM_MS", begin_ms)
    monkeypatch.setitem(told_evenings.OPENED["playerTime"], "ts", begin_ms)


def collecting(application: Application, schemas: list[str]) -> Collector:
    """A collector, a bridge for each schema, and a worker."""
    topics = {schema: f"{application.app_id}-{schema}" for schema in schemas}
    collector = Collector(application, topics)
    collector.ready()
    for schema, topic in topics.items():
        application.start("bridge", schema, "--from", topic)
    application.worker()
    return collector


def messages(schema: str, story: list[Any]) -> Iterator[Any]:
    """A story with a title of the schema's own."""
    for _, message in told_evenings.told(schema, story):
        yield json.loads(json.dumps(message).replace('"film"', f'"{schema}"'))


def until_watched_once(application: Application, title: str, least_s: float, most_s: float) -> None:
    """Wait until a title was completed once, by one household, and watched for so long."""
    expected = {"plays": "1", "completers": "1", "completions": "1"}

    def is_shown() -> bool:
        shown = application.hash(f"title:{title}")
        watched_s = float(shown.get("watched_s", 0))
        return {name: shown.get(name) for name in expected} == expected and least_s <= watched_s <= most_s

    until(is_shown, lambda: f"{title}: {application.hash(f'title:{title}')}\n{application.logs()}", 120)


@pytest.mark.usefixtures("this_evening")
def test_the_evening_of_every_schema_is_one_completion(application: Application) -> None:
    collector = collecting(application, SCHEMAS)
    for schema in SCHEMAS:
        for message in messages(schema, list(told_evenings.the_evening())):
            assert collector.post(message, schema) == (202, {"accepted": 1})
    for schema in SCHEMAS:
        until_watched_once(application, schema, 1199, 1201)


@pytest.mark.usefixtures("this_evening")
def test_a_film_between_two_statements_of_xapi_is_watched_whole(application: Application) -> None:
    collector = collecting(application, ["xapi_video"])
    story = list(messages("xapi_video", list(told_evenings.FILM)))
    assert collector.post(story, "xapi_video") == (202, {"accepted": 2})
    until_watched_once(application, "xapi_video", 5400, 5400)


def test_webhooks_of_plex_tell_an_evening_as_it_happens(application: Application) -> None:
    """A title of a minute: a third, a pause, a jump of ten seconds, and the rest, each as a form."""
    application.load_titles({"title_id": "short", "runtime_ms": MINUTE_MS})
    collector = collecting(application, [BY_THE_RECEIPT])
    for wait_s, what, position_s in ((0, "play", 0), (20, "pause", 20), (2, "resume", 20), (30, "stop", 60)):
        time.sleep(wait_s)
        item = {"type": "movie", "ratingKey": "short", "viewOffset": position_s * 1000, "duration": MINUTE_MS}
        webhook = {"event": f"media.{what}", "Account": {"id": 1}, "Player": {"uuid": "tv"}, "Metadata": item}
        form = b'--edge\r\nContent-Disposition: form-data; name="payload"\r\nContent-Type: application/json\r\n\r\n'
        form += json.dumps(webhook).encode() + b"\r\n--edge--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=edge", "Authorization": ""}
        query = f"?key={collector.keys[BY_THE_RECEIPT]}"
        assert collector.post(form, BY_THE_RECEIPT, headers, query) == (202, {"accepted": 1})
    until_watched_once(application, "short", 49, 52)
