"""The topics that are made where they are missing, on a cluster that only remembers them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.topics import KafkaFailed, TopicMismatch, all_topics, make_posted_topics, make_topics

KAFKA = KafkaAddress("127.0.0.1:9092")


class Answer:
    """An answer that is there. `refusal`: the error that it is, if it is one."""

    def __init__(self, refusal: int | None = None) -> None:
        self._refusal = refusal

    def result(self) -> None:
        if self._refusal is not None:
            raise KafkaException(KafkaError(self._refusal, "refused"))


class Cluster:
    """Stands in for Kafka's admin client; there is one cluster. `rival`: topics that another one makes just before.

    `failing`: the errors by which its next answers fail. `refuses`: the one by which it makes no topic.
    """

    topics: dict[str, NewTopic]
    rival: set[str]
    failing: list[int]
    refuses: int | None
    clients: int

    def __init__(self, _: object) -> None:
        Cluster.clients += 1

    def list_topics(self, **_: object) -> Any:
        if self.failing:
            raise KafkaException(KafkaError(self.failing.pop(0)))
        led = SimpleNamespace(leader=1)
        return SimpleNamespace(
            topics={
                name: SimpleNamespace(partitions=dict.fromkeys(range(topic.num_partitions), led))
                for name, topic in self.topics.items()
            }
        )

    def create_topics(self, wanted: list[NewTopic], **_: object) -> dict[str, Answer]:
        if self.refuses is not None:
            return {topic.topic: Answer(self.refuses) for topic in wanted}
        self.topics.update({topic.topic: topic for topic in wanted})
        taken = KafkaError.TOPIC_ALREADY_EXISTS
        return {topic.topic: Answer(taken if topic.topic in self.rival else None) for topic in wanted}


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> type[Cluster]:
    monkeypatch.setattr("confluent_kafka.admin.AdminClient", Cluster)
    monkeypatch.setattr(Cluster, "topics", {}, raising=False)
    monkeypatch.setattr(Cluster, "rival", set(), raising=False)
    monkeypatch.setattr(Cluster, "failing", [], raising=False)
    monkeypatch.setattr(Cluster, "refuses", None, raising=False)
    monkeypatch.setattr(Cluster, "clients", 0, raising=False)
    return Cluster


@pytest.mark.parametrize(("replication", "in_sync"), [(1, None), (2, None), (3, "2"), (4, "2")])
def test_from_three_replicas_on_two_must_be_in_sync(cluster, replication: int, in_sync: str | None) -> None:
    make_topics(Settings(topic_replication=replication), KAFKA, all_of_them=True)

    assert cluster.topics
    for topic in cluster.topics.values():
        assert topic.replication_factor == replication
        assert topic.config.get("min.insync.replicas") == in_sync


def test_what_is_posted_has_topics_and_no_others_are_made(cluster) -> None:
    made = make_posted_topics(Settings(), KAFKA, ["playback-events", "plex"], 0)
    assert made == ["playback-events", "plex"]
    source, other = cluster.topics.values()
    assert (source.config["retention.ms"], other.config, other.num_partitions) == ("-1", {}, source.num_partitions)


def test_what_a_worker_writes_has_as_many_partitions_as_the_source(cluster) -> None:
    settings = Settings(topic_partitions=7)

    made = make_topics(settings, KAFKA, all_of_them=True)

    assert made == [topic.name for topic in all_topics(settings)]
    counts = {name: topic.num_partitions for name, topic in cluster.topics.items()}
    assert counts == {topic.name: topic.partitions or 7 for topic in all_topics(settings)}


def test_the_state_is_compacted_within_six_hours_and_its_tombstones_stay_for_a_day(cluster) -> None:
    make_topics(Settings(), KAFKA, all_of_them=True)

    hour_ms = 60 * 60 * 1000
    assert {name: int(value) for name, value in cluster.topics["encore-state"].config.items() if "c" not in value} == {
        "max.compaction.lag.ms": 6 * hour_ms,
        "delete.retention.ms": 24 * hour_ms,
        # Only what lies in a closed segment is compacted.
        "segment.ms": hour_ms,
        "segment.bytes": 2**26,
    }


def test_catalog_erasures_and_state_are_compacted_and_all_else_is_kept_for_ever(cluster) -> None:
    make_topics(Settings(), KAFKA, all_of_them=True)

    kept = {
        name: (topic.config.get("cleanup.policy"), topic.config.get("retention.ms"))
        for name, topic in cluster.topics.items()
    }
    assert kept == dict.fromkeys(["titles", "encore-erasures", "encore-state"], ("compact", None)) | dict.fromkeys(
        ["playback-events", "encore-milestones", "encore-dead-letters", "encore-late"], (None, "-1")
    )


def test_topics_that_are_there_are_not_made_again() -> None:
    settings = Settings()

    assert make_topics(settings, KAFKA) == [settings.source_topic, settings.titles_topic]
    assert make_topics(settings, KAFKA) == []


def test_a_topic_that_another_worker_has_just_made_is_no_failure(cluster) -> None:
    settings = Settings()
    cluster.rival.add(settings.source_topic)

    assert make_topics(settings, KAFKA) == [settings.titles_topic]


def test_a_state_topic_that_does_not_fit_the_source_is_refused() -> None:
    make_topics(Settings(topic_partitions=4), KAFKA, all_of_them=True)
    other = Settings(topic_partitions=7, source_topic="other")

    with pytest.raises(TopicMismatch, match="encore-state has 4 partitions, other has 7"):
        make_topics(other, KAFKA, all_of_them=True)


@pytest.mark.parametrize(
    "code", [KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.NOT_CONTROLLER, KafkaError._ALL_BROKERS_DOWN]
)
def test_a_broker_that_has_just_died_is_waited_for_and_the_others_are_asked_by_a_new_client(cluster, code: int) -> None:
    cluster.failing += [code, code]

    assert make_topics(Settings(), KAFKA) == ["playback-events", "titles"]
    assert cluster.clients == 3


def test_after_the_time_the_last_error_says_where_and_what(cluster) -> None:
    cluster.failing += [KafkaError._TIMED_OUT] * 5

    with pytest.raises(KafkaFailed, match=r"^Kafka at 127\.0\.0\.1:9092: no answer in time$"):
        make_topics(Settings(), KAFKA, within_s=-1)
    assert cluster.clients == 1


def test_what_no_time_changes_is_said_at_once_with_what_to_do(cluster) -> None:
    cluster.refuses = KafkaError.INVALID_REPLICATION_FACTOR

    with pytest.raises(KafkaFailed, match="refused; start the brokers that are missing, or set ENCORE_TOPIC_REPL"):
        make_topics(Settings(topic_replication=3), KAFKA)
    assert cluster.clients == 1
