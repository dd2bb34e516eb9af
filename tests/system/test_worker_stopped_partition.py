"""Kafka refuses a household's row for its size: its partition stops alone, and goes on once Kafka takes the row."""

from __future__ import annotations

from typing import Any

import pytest
from application import Application, until
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from playback import EVENING_MS, HOUR_MS, MINUTE_MS, event, whole_viewing
from test_worker_monitoring import ask, free_port, metrics

pytestmark = pytest.mark.system

LIMIT = 30_000
SESSIONS = 250


def limit(application: Application, largest_bytes: int) -> None:
    """Let the state topic take batches of records up to this size."""
    options = {"max.message.bytes": str(largest_bytes)}
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, application.state_topic, options)])


def many_sessions(household: str) -> list[dict[str, Any]]:
    """Events of so many sessions with long ids that the household's row exceeds the limit."""
    names = [f"{number:03}" * 80 for number in range(SESSIONS)]
    return [event("start", household, "film", EVENING_MS, 0, play_session_id=name, event_id=name) for name in names]


def apart(application: Application) -> tuple[str, str]:
    """Two households whose records go to different partitions, each after a viewing."""
    place: dict[int, str] = {}
    for number in range(100):
        household = f"home-{number}"
        (sent, *_) = application.send(whole_viewing(household, "film", EVENING_MS))
        place.setdefault(sent.partition, household)
        if len(place) > 1:
            break
    first, second = place.values()
    return first, second


def completions(application: Application) -> int:
    return int(application.hash("title:film").get("completions", "0"))


def test_a_row_that_kafka_refuses_stops_its_partition_until_the_limit_is_raised(application: Application) -> None:
    port = free_port()
    application.load_titles({"title_id": "film", "runtime_ms": 10 * MINUTE_MS})
    worker = application.ready_worker(ENCORE_METRICS_PORT=str(port))
    large, other = apart(application)
    application.until_checkpointed()
    application.verify()
    before = completions(application)
    limit(application, LIMIT)

    application.send(many_sessions(large))
    worker.until_logged("is stopped, and tried again in 10 s")
    application.send(whole_viewing(other, "film", EVENING_MS + HOUR_MS))

    until(lambda: completions(application) == before + 1, "the other partition goes on counting")
    until(lambda: metrics(port)["encore_stopped_partitions"] == 1, "the metric says so")
    assert (ask(port, "/livez"), ask(port, "/readyz")) == ((200, "ok\n"), (200, "ok\n"))
    ended = worker.stopped()
    assert (ended.code, ended.count_errors() > 0) == (0, True), ended.log
    assert "a household's row of title 'film' in" in ended.log and "raise max.message.bytes" in ended.log

    heir = application.worker(ENCORE_METRICS_PORT=str(port))
    heir.until_logged("is stopped, and tried again in 10 s")
    limit(application, 1_048_588)
    heir.until_logged("goes on: Kafka took what it had refused")

    assert application.verify()["produced"] == application.produced()
    until(lambda: metrics(port)["encore_lag_records"] == 0, "it has caught up")
    assert metrics(port)["encore_stopped_partitions"] == 0
    assert heir.stopped().code == 0
