"""The topics that are made where they are missing, on a cluster that only remembers them."""

from __future__ import annotations

from typing import Any

import pytest

from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.topics import make_topics


class Cluster:
    """Stands in for Kafka's admin client; there is one cluster."""

    topics: dict[str, dict[str, Any]]

    def __init__(self, **_: object) -> None:
        pass

    def list_topics(self) -> list[str]:
        return list(self.topics)

    def create_topics(self, wanted: dict[str, dict[str, Any]], **_: object) -> None:
        self.topics.update(wanted)

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"partitions": [{}] * self.topics[name]["num_partitions"]} for name in names]

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> type[Cluster]:
    monkeypatch.setattr("kafka.admin.KafkaAdminClient", Cluster)
    monkeypatch.setattr(Cluster, "topics", {}, raising=False)
    return Cluster


@pytest.mark.parametrize(("replication", "in_sync"), [(1, None), (2, None), (3, "2"), (4, "2")])
def test_from_three_replicas_on_two_must_be_in_sync(cluster, replication: int, in_sync: str | None) -> None:
    make_topics(Settings(topic_replication=replication), KafkaAddress("127.0.0.1:9092"), all_of_them=True)

    assert cluster.topics
    for topic in cluster.topics.values():
        assert topic["replication_factor"] == replication
        assert topic["configs"].get("min.insync.replicas") == in_sync
