"""The catalog while events flow: a title that it lacks counts, and a row takes effect when it comes."""

from __future__ import annotations

import time

import pytest
from application import Application, until
from playback import EVENING_MS, HOUR_MS, MINUTE_MS, TEN_MINUTES, event, whole_viewing

pytestmark = pytest.mark.system

FILM = {"title_id": "film", "runtime_ms": TEN_MINUTES}


def test_a_row_that_comes_later_judges_what_was_watched_before_it(application: Application) -> None:
    application.ready_worker()
    application.send(whole_viewing("home", "film", EVENING_MS))
    application.until_checkpointed()
    until(lambda: application.hash("title:film").get("watched_s") == "600.000", "published")
    assert [application.hash("title:film")[name] for name in ("completions", "views")] == ["0", ""]

    application.load_titles(FILM)
    until(lambda: taken_in(application), "the row is taken in by a checkpoint that events bring")
    application.send([event("heartbeat", "home", "film", EVENING_MS + HOUR_MS, 0, play_session_id="again")])

    application.verify()
    found = application.hash("title:film")
    assert [found[name] for name in ("completions", "watchers", "views")] == ["1", "1", "1.000000"]


def test_a_row_that_comes_while_events_flow_holds_over_a_restart(application: Application) -> None:
    recent_ms = time.time_ns() // 1_000_000 - 2 * HOUR_MS
    worker = application.ready_worker()
    feed = application.feed(400, 6)
    until(lambda: application.checkpointed() > 200, "events flow")
    application.load_titles(FILM, {"title_id": "the-big-opening", "runtime_ms": 3 * MINUTE_MS})
    application.send(whole_viewing("home", "film", recent_ms))
    worker.kill()

    application.ready_worker()
    assert feed.ended().code == 0
    application.send(whole_viewing("home", "film", recent_ms + HOUR_MS))

    application.verify()
    assert application.hash("title:film")["completions"] == "2"


def test_a_row_that_is_no_title_is_reported_and_left_out(application: Application) -> None:
    application.load_titles(FILM)
    application.produce(b"film", b"{", EVENING_MS, application.environment["ENCORE_TITLES_TOPIC"]).get(30)
    worker = application.ready_worker()
    application.send(whole_viewing("home", "film", EVENING_MS))

    application.until_checkpointed()
    application.verify()

    assert application.hash("title:film")["completions"] == "1"
    assert worker.count("is no title and is left out") == 1


def taken_in(application: Application) -> bool:
    """Send an event of another title, and see whether a checkpoint took the row of `film` in."""
    application.send([event("heartbeat", "home", "other", EVENING_MS + 30 * MINUTE_MS, 0)])
    application.until_checkpointed()
    return any((record.key or b"").startswith(b"c") for record in application.read(application.state_topic))
