"""The drill: each loss that docs/keeping.md tells of, one after another, and what its page says to do about it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from application import Application, until
from kafka import KafkaAdminClient
from playback import DAY_MS, EVENING_MS, TEN_MINUTES, whole_viewing
from test_archive import forget_in_kafka, listed, until_archived, with_archive

pytestmark = pytest.mark.system


@pytest.fixture
def application(encore_env: dict[str, str], tmp_path: Path):
    with closing(Application(with_archive(encore_env, str(tmp_path / "archive")), tmp_path)) as application:
        yield application


def test_after_each_loss_every_number_comes_back(application: Application) -> None:
    application.load_titles({"title_id": "film", "runtime_ms": TEN_MINUTES, "franchise_id": "saga"})
    for day in range(2):
        for home in range(8):
            application.send(whole_viewing(f"home-{home}", "film", EVENING_MS + day * DAY_MS + home))
    archiver, worker = application.start("archive"), application.ready_worker()
    until_archived(application)
    before, published = totals(application), application.published()
    assert before["completions"] == 16

    print("Redis loses its data: workers publish everything again")
    prefix = application.environment["ENCORE_REDIS_PREFIX"]
    for key in list(application.redis.scan_iter(f"{prefix}*", count=1000)):
        application.redis.unlink(key)
    until(lambda: application.published() == published, "everything is published again", 60)
    assert totals(application) == before

    print("Kafka forgets old records: counters stay, and verify reads the archive")
    forget_in_kafka(application, keep=2)
    assert totals(application) == before

    print("the state is lost: workers refuse, a rebuild counts the archive and Kafka")
    assert worker.stopped().code == 0
    delete_topic(application, application.state_topic)
    refused = application.worker().ended()
    assert (refused.code, "encore rebuild" in refused.log) == (1, True)
    rebuilt = application.start("rebuild", "--json").ended(120)
    assert (rebuilt.code, json.loads(rebuilt.out)["gone"]) == (0, 0)
    worker = application.ready_worker()
    assert totals(application) == before
    assert application.published() == published

    print("files of the archive are lost that Kafka has: their partition is archived anew")
    application.send(whole_viewing("home-0", "film", EVENING_MS + 2 * DAY_MS))
    until_archived_to_the_end(application)
    newest = max(listed(application), key=lambda each: (each["day"], each["first"]))
    lost = Path(newest["file"])
    assert archiver.stopped().code == 0
    lost.unlink()
    application.start("archive")
    until_archived_to_the_end(application)
    assert totals(application)["completions"] == 17
    assert worker.stopped().code == 0


def totals(application: Application) -> dict[str, Any]:
    """What `encore verify` found equal."""
    return {**application.verify(), "seconds": 0}


def until_archived_to_the_end(application: Application) -> None:
    """Wait until the archive of each partition ends where the source does."""
    topic = application.environment["ENCORE_SOURCE_TOPIC"]
    ends = {record.partition: record.offset + 1 for record in application.read(topic)}

    def archived_ends() -> dict[int, int]:
        return {each["partition"]: each["next_offset"] for each in listed(application)}

    until(lambda: ends.items() <= archived_ends().items(), lambda: f"{archived_ends()} reach {ends}", 60)


def delete_topic(application: Application, topic: str) -> None:
    with KafkaAdminClient(bootstrap_servers=application.environment["ENCORE_KAFKA"]) as admin:
        admin.delete_topics([topic])
        until(lambda: topic not in admin.list_topics(), "the topic is gone")
