"""`encore collect` as players and operators have it: what is accepted is in Kafka, and counts once, whatever dies."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from application import Application, Record, until
from playback import HOUR_MS, MINUTE_MS, TEN_MINUTES, event, whole_viewing
from posting import Collector

pytestmark = pytest.mark.system

KILLS = int(os.environ.get("COLLECT_KILLS", "5"))
EPISODE_MS = 22 * MINUTE_MS
"""An episode; of its evening two minutes are a pause, and two are jumped over: 20 minutes are watched."""


def evening(household: str, begin_ms: int) -> Iterator[dict[str, Any]]:
    """Ten minutes, a pause of two, a jump of two minutes forward, and on to the end."""
    told = [("start", 0, 0)] + [("heartbeat", s, s) for s in range(10, 600, 10)]
    told += [("pause", 600, 600), ("play", 720, 600)]
    told += [("heartbeat", s, s) for s in range(731, 1320, 10)] + [("end", 1320, 1320)]
    for kind, at_s, position_s in told:
        yield event(kind, household, "episode", begin_ms + at_s * 1000, position_s * 1000)
        if kind == "play":
            yield event("seek", household, "episode", begin_ms + 721_000, 721_000, seek_from_ms=601_000)


def one_completion(application: Application, title: str, watched_s: str) -> None:
    """Wait until a title was watched for so long, by one household, and completed once."""
    expected = {"plays": "1", "starters": "1", "completions": "1", "watched_s": watched_s}
    found: dict[str, str] = {}

    def is_shown() -> bool:
        found.update({name: application.hash(f"title:{title}").get(name, "") for name in expected})
        return found == expected

    until(is_shown, lambda: f"{expected}, found {found}\n{application.logs()}", 60)


def now_ms() -> int:
    return int(time.time() * 1000)


def sent(application: Application) -> list[Record]:
    return application.read(application.environment["ENCORE_SOURCE_TOPIC"])


def test_an_evening_that_is_posted_event_by_event_is_one_completion(application: Application) -> None:
    application.load_titles({"title_id": "episode", "runtime_ms": EPISODE_MS})
    collector = Collector(application)
    process = collector.ready()
    application.ready_worker()
    for told in evening("home", now_ms() - HOUR_MS):
        assert collector.post(told) == (202, {"accepted": 1})
    one_completion(application, "episode", "1200.000")
    assert process.stopped().code == 0


def test_an_evening_of_a_device_whose_clock_is_ahead_is_one_completion(application: Application) -> None:
    """A day ahead: unmended, every event would be a dead letter."""
    application.load_titles({"title_id": "episode", "runtime_ms": EPISODE_MS})
    collector = Collector(application)
    collector.ready()
    application.ready_worker()
    ahead_ms = 24 * HOUR_MS
    told = list(evening("home", now_ms() - HOUR_MS + ahead_ms))
    for batch in (told[:50], told[:50], told[40:]):
        stamped = [each | {"sent_time_ms": now_ms() + ahead_ms} for each in batch]
        assert collector.post(stamped) == (202, {"accepted": len(batch)})
    one_completion(application, "episode", "1200.000")
    assert application.status()["dead_letters"] == "0"


def test_what_cannot_be_read_is_named_and_costs_itself(application: Application) -> None:
    collector = Collector(application)
    collector.ready()
    good = event("start", "home", "film", now_ms(), 0)
    answer = collector.post([good, good | {"position_ms": "0"}])
    assert (answer.status, answer.said["accepted"], answer.said["faults"][0]["text"]) == (
        400, 1, "Expected `int`, got `str` - at `$.position_ms`",
    )  # fmt: skip
    assert [(each.key, json.loads(each.value or b"")) for each in sent(application)] == [(b"home", good)]


def test_while_kafka_is_away_nothing_is_accepted_and_afterwards_it_goes_on(
    private_servers: Any, env_on: Callable[..., dict[str, str]], application_of: Callable[..., Application]
) -> None:
    application = application_of(env_on(private_servers))
    collector = Collector(application)
    process = collector.ready(ENCORE_COLLECT_TIMEOUT_S="2")
    until(lambda: collector.probe("/readyz")[0] == 200, "ready")
    one = event("start", "home", "film", now_ms(), 0)
    assert collector.post(one).status == 202
    private_servers.kafka_server.pause()
    assert collector.post(one).status == 503
    until(lambda: collector.probe("/readyz")[0] == 503, "not ready", 60)
    assert collector.probe("/livez") == (200, "ok\n")
    private_servers.kafka_server.resume()
    until(lambda: collector.probe("/readyz")[0] == 200, "ready again", 60)
    collector.post_until_accepted(one)
    assert {each.value for each in sent(application)} == {json.dumps(one).encode()}
    assert process.stopped().code == 0


def test_one_that_is_stopped_answers_what_it_has_accepted(
    private_servers: Any, env_on: Callable[..., dict[str, str]], application_of: Callable[..., Application]
) -> None:
    application = application_of(env_on(private_servers))
    collector = Collector(application)
    process = collector.ready(ENCORE_COLLECT_TIMEOUT_S="60")
    one = event("start", "home", "film", now_ms(), 0)
    assert collector.post(one).status == 202
    private_servers.kafka_server.pause()
    answers: list[Any] = []
    client = threading.Thread(target=lambda: answers.append(collector.post(one | {"event_id": "late"})))
    client.start()
    time.sleep(2)
    process.signal(signal.SIGTERM)
    until(lambda: is_refused(collector), "no connection is accepted")
    private_servers.kafka_server.resume()
    client.join(60)
    assert answers == [(202, {"accepted": 1})]
    assert process.ended().code == 0
    assert [json.loads(each.value or b"")["event_id"] for each in sent(application)][-1] == "late"


def is_refused(collector: Collector) -> bool:
    try:
        collector.post([], within_s=1)
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


class Player(threading.Thread):
    """Watches a title again and again, posting a few events at a time until they are accepted, until it is stopped."""

    def __init__(self, collector: Collector, number: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._collector, self._stop_it = collector, stop
        self._name, self._chance = f"home-{number}", random.Random(number)
        self.viewings, self.tries = 0, 0
        self.accepted: list[str] = []

    def run(self) -> None:
        begin_ms = now_ms() - 20 * 24 * HOUR_MS
        while not self._stop_it.is_set():
            told = list(whole_viewing(self._name, "film", begin_ms + self.viewings * TEN_MINUTES * 2))
            while told:
                size = self._chance.randint(1, 5)
                self.tries += self._collector.post_until_accepted(told[:size])
                self.accepted += [each["event_id"] for each in told[:size]]
                told = told[size:]
            self.viewings += 1


def test_whenever_it_is_killed_what_was_accepted_is_in_kafka_and_counts_once(application: Application) -> None:
    chance, stop = random.Random(KILLS), threading.Event()
    application.load_titles({"title_id": "film", "runtime_ms": TEN_MINUTES})
    collector = Collector(application)
    process = collector.ready()
    players = [Player(collector, number, stop) for number in range(8)]
    for player in players:
        player.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0, 1.5))
        process.kill()
        process = collector.ready()
    stop.set()
    for player in players:
        player.join(180)
        assert not player.is_alive()
    assert process.stopped().code == 0

    in_kafka = [json.loads(each.value or b"")["event_id"] for each in sent(application)]
    accepted = {event_id for player in players for event_id in player.accepted}
    assert accepted == set(in_kafka)
    print(f"{KILLS} kills: {len(accepted)} events accepted, {len(in_kafka) - len(accepted)} of them in Kafka again")

    application.ready_worker()
    application.until_checkpointed(120)
    viewings = sum(player.viewings for player in players)
    expected = {"plays": viewings, "completions": viewings, "watched_s": f"{viewings * 600}.000"}

    def is_shown() -> bool:
        shown = application.hash("title:film")
        return {name: shown.get(name) for name in expected} == {name: str(count) for name, count in expected.items()}

    until(is_shown, lambda: f"{expected}, found {application.hash('title:film')}", 60)
    application.verify()


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ("", "ENCORE_COLLECT_SOURCES is not set: set it to a file"),
        ("none.toml", "ENCORE_COLLECT_SOURCES=none.toml: No such file"),
    ],
)
def test_without_sources_it_ends_with_one_line(application: Application, sources: str, said: str) -> None:
    ended = application.start("collect", ENCORE_COLLECT_SOURCES=sources).ended()
    assert (ended.code, ended.count_errors()) == (2, 0)
    assert said in ended.log
