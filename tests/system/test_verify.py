"""`encore verify` against a real Kafka and a real Redis whose content was written by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from redis import Redis

pytestmark = pytest.mark.system

ZEROS = dict.fromkeys(
    ["plays", "starters", "viewers", "watchers", "completers", "repeaters", "completions", "rewatches",
     "kids_plays", "kids_completions", "kids_rewatches", "profile_rewatches", "autoplay_completions"], "0",
)  # fmt: skip
NOT_FOLLOWED = dict.fromkeys(["returned_1d", "returned_7d", "returned_28d"], "0")
ALL_TIME = dict.fromkeys(
    ["skimmers", "rewatch_hist_1", "rewatch_hist_2", "rewatch_hist_3_4", "rewatch_hist_5_9",
     "rewatch_hist_10_plus"], "0",
)  # fmt: skip
NEVER = {"watched_s": "0.000", "completions": "0", "streak_3": "0", "streak_5": "0", "streak_10": "0"}
WRITTEN = {"as_of_ms": "1", "version": "1", "complete": "1"}
LEGS = dict.fromkeys(
    ["week_before_watched_s", "hold", "d28_watched_s", "multiple", "half_life_days", "hold_4w", "hold_4w_before",
     "rewatch_share", "rewatch_share_before", "completion_rate", "completion_rate_before"], "",
)  # fmt: skip
DAY_MS = 86_400_000


class Written:
    """What a worker leaves after: a starter's two minutes and a half, an aborted record, a dead letter, a late one."""

    def __init__(self, environment: dict[str, str], topic_id: str) -> None:
        self.environment = environment
        self.topic_id = topic_id
        self.app = environment["ENCORE_APP_ID"]
        self.prefix = environment["ENCORE_REDIS_PREFIX"]
        self.now_ms = time.time_ns() // 1_000_000
        self.redis = Redis.from_url(environment["ENCORE_REDIS"], decode_responses=True)
        self.producer = self.new_producer()
        self.offsets: dict[str, int] = {}
        self.partition = -1

    def new_producer(self) -> Producer:
        producer = Producer(
            {
                "bootstrap.servers": self.environment["ENCORE_KAFKA"],
                "partitioner": "murmur2_random",
                "message.max.bytes": 12_000_000,
                "transactional.id": f"{self.app}-test",
            }
        )
        producer.init_transactions(30)
        return producer

    def source(self) -> None:
        """Transactions on the source: their ends take an offset each, and what was aborted does not count."""
        self.event("start", 0, -150_000)
        self.event("stop", 150_000, 0)
        self.event("stop", 900_000, 1, commit=False)
        self.send("bad", b"{")
        self.event("pause", 0, -40 * 86_400_000)

    def event(self, kind: str, position_ms: int, at: int, commit: bool = True) -> None:
        event = {
            "event_id": f"{kind}{at}", "event_type": kind, "event_time_ms": self.now_ms + at,
            "household_id": "home", "title_id": "film", "play_session_id": "s", "position_ms": position_ms,
        }  # fmt: skip
        self.send(f"{kind}{at}", json.dumps(event).encode(), commit)

    def send(self, name: str, value: bytes, commit: bool = True) -> None:
        def delivered(_: Any, message: Any) -> None:
            self.partition, self.offsets[name] = message.partition(), message.offset()

        self.producer.begin_transaction()
        source = self.environment["ENCORE_SOURCE_TOPIC"]
        self.producer.produce(source, value, b"home", timestamp=self.now_ms, on_delivery=delivered)
        self.producer.flush(30)
        self.producer.commit_transaction(30) if commit else self.producer.abort_transaction(30)

    def topics(self, *, checkpoint: bool = True, told: int = 0, dead_letters: int = 1, milestones: int = 1) -> None:
        """The changelog, the catalog and the three topics of kept records."""
        self.producer.begin_transaction()
        release_ms = self.now_ms - 8 * DAY_MS
        film = {"title_id": "film", "runtime_ms": 1_000_000, "release_time_ms": release_ms, "franchise_id": "saga"}
        row = json.dumps(film).encode()
        self.producer.produce(self.environment["ENCORE_TITLES_TOPIC"], row, b"film")
        state = f"{self.app}-state"
        catalog_key = b"c%020d|film" % 0
        self.producer.produce(state, row, catalog_key, partition=self.partition)
        if checkpoint:
            position = {"format": 1, "next_offset": max(self.offsets.values()) + 1, "partitions": 4, "told": told}
            self.producer.produce(state, json.dumps(position), b"p", partition=self.partition)
        for _ in range(dead_letters):
            self.keep("ENCORE_DEAD_LETTERS_TOPIC", "bad", b"{", error="not JSON")
        late = json.dumps(
            {
                "event_id": f"pause{-40 * 86_400_000}", "event_type": "pause",
                "event_time_ms": self.now_ms - 40 * 86_400_000, "household_id": "home", "title_id": "film",
                "play_session_id": "s", "position_ms": 0,
            }
        ).encode()  # fmt: skip
        self.keep("ENCORE_LATE_TOPIC", f"pause{-40 * 86_400_000}", late)
        for _ in range(milestones):
            self.milestone()
        self.producer.commit_transaction(30)

    def milestone(self, **changed: Any) -> None:
        """The household became a starter when its session stopped."""
        value = {
            "milestone": "starter", "household_id": "home", "title_id": "film", "event_id": "stop0",
            "event_time_ms": self.now_ms, "ordinal": 1,
        } | changed  # fmt: skip
        self.keep("ENCORE_MILESTONES_TOPIC", "stop0", json.dumps(value).encode())

    def place(self, name: str) -> dict[str, str]:
        """Where a source record lies, as headers."""
        source, offset = self.environment["ENCORE_SOURCE_TOPIC"], self.offsets[name]
        return {"topic": source, "partition": str(self.partition), "offset": str(offset)}

    def keep(self, kept_in: str, name: str, value: bytes, **headers: str) -> None:
        self.told(kept_in, value, self.place(name) | {"topic_id": self.topic_id} | headers)

    def told(self, kept_in: str, value: bytes, headers: dict[str, str]) -> None:
        self.producer.produce(self.environment[kept_in], value, b"home", headers=[*headers.items()])

    def silence(self) -> None:
        """The silent clock of the partition is past what counts as being watched."""
        silent = b"k%020d" % (max(self.offsets.values()) + 1)
        later = str(self.now_ms + 300_001).encode()
        self.producer.produce(f"{self.app}-state", later, silent, partition=self.partition)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is told more than `topics` told."""
        self.producer.begin_transaction()
        yield
        self.producer.commit_transaction(30)

    def publish(self) -> None:
        """Redis, every value worked out by hand: 150 seconds of a thousand are 0.15 views, eight days after release."""
        watched = ZEROS | {"plays": "1", "starters": "1", "watched_s": "150.000", "kids_watched_s": "0.000"} | WRITTEN
        rates = {"views": "0.150000", "completion_rate": "0.000000", "repeat_rate": "", "return_rate_7d": ""}
        at = datetime.fromtimestamp(self.now_ms / 1000, UTC)
        hour, day = f"title:film:hour:{at:%Y%m%dT%H}", f"title:film:day:{at:%Y%m%d}"
        windows = [day, "title:film:age:28d", "title:film:age:91d", "title:film:week:2"]
        self.hash(hour, watched)
        for key in windows:
            self.hash(key, watched | NOT_FOLLOWED)
        for key in ("title:film", "franchise:saga"):
            self.hash(key, watched | NOT_FOLLOWED | ALL_TIME | rates | {"watching_now": "0"})
        self.hash("title:film", {"name": "", "franchise_id": "saga", "runtime_s": "1000.000"})
        self.redis.zadd(self.prefix + "titles", {"film": 0})
        self.redis.zadd(self.prefix + "franchises", {"saga": 0})
        audience = f"title:film:audience:{at:%GW%V}"
        self.hash(audience, {"reached": "1", "new": "1", "returning": "0", "resurrected": "0"} | WRITTEN)
        played = {str(number): "1.000" if number < 15 else "0.000" for number in range(100)}
        self.hash("title:film:curve", {"slices": "100"} | played | WRITTEN)
        streaks = {f"any_time_streak_{level}": "0" for level in (3, 5, 10)}
        other = {f"other_{name}": value for name, value in NEVER.items()}
        any_time = {"any_time_watched_s": "150.000", "any_time_completions": "0"}
        self.hash("title:film:dayparts", any_time | streaks | other | WRITTEN)
        seconds = {"week_watched_s": "0.000", "opening_watched_s": "0.000"}
        self.hash("title:film:legs", LEGS | seconds | {"week": "1", "unstoppable": "0"} | WRITTEN)
        for metric, score in {"plays": 1, "starters": 1, "watched_s": 150, "views": 0.15}.items():
            self.board(metric, score)
            self.board(f"{metric}:franchises", score, "saga")
            if metric != "views":
                self.board(f"{metric}:day:{at:%Y%m%d}", score)
        counts = {"events": "2", "dead_letters": "1", "late_events": "1", "late_hour_events": "0"}
        gauges = {"partitions_ready": "4", "lag": "0", "checkpointed_ms": "1", "incarnation": "1", "rebuilding": "0"}
        others = ("unknown_zone_events", "misrouted_events", "stale_events", "player_restarts", "refused_back")
        refused = dict.fromkeys(("refused_long_s", "refused_fast_s", "refused_gap_s"), "0.000")
        self.hash("status", counts | dict.fromkeys(others, "0") | refused | gauges | WRITTEN)
        charts = ("title:film:curve", audience)
        for key in ("title:film", "franchise:saga", "title:film:dayparts", hour, *windows, *charts, "status"):
            self.hash(f"internal:shares:{key}", {"total": "1"})
        self.hash("internal:published", {"0": "1:1"})
        self.redis.xadd(self.prefix + "changes", {"key": "title:film", "version": "1"})

    def hash(self, key: str, fields: dict[str, str]) -> None:
        self.redis.hset(self.prefix + key, mapping=fields)

    def board(self, name: str, score: float, title_id: str = "film") -> None:
        self.redis.zadd(f"{self.prefix}board:{name}", {title_id: score})

    def verify(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).parent / "encore", "verify", "--wait", "2", *arguments],
            env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def differences(self) -> list[dict[str, str]]:
        answer = self.verify("--json")
        assert answer.returncode == 1, answer.stderr
        return json.loads(answer.stdout)["differences"]


@pytest.fixture
def written(servers: Any, env_on: Callable[..., dict[str, str]]) -> Written:
    from kafka import KafkaAdminClient

    large = {"max.message.bytes": "12000000"}
    encore_env = env_on(servers, **large) | {"ENCORE_DAYPARTS": "any_time=00:00-24:00"}
    with KafkaAdminClient(bootstrap_servers=encore_env["ENCORE_KAFKA"]) as admin:
        four = {"num_partitions": 4, "replication_factor": 1, "configs": large}
        names = [f"ENCORE_{name}_TOPIC" for name in ("TITLES", "DEAD_LETTERS", "LATE", "MILESTONES")]
        topics = {encore_env[name]: four for name in names} | {f"{encore_env['ENCORE_APP_ID']}-state": four}
        admin.create_topics(topics, wait_for_metadata=True)
        (source,) = admin.describe_topics([encore_env["ENCORE_SOURCE_TOPIC"]])
    written = Written(encore_env, str(source["topic_id"]))
    written.source()
    return written


def test_what_was_published_rightly_verifies(written: Written) -> None:
    written.topics()
    written.publish()
    answer = written.verify("--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    told = json.loads(answer.stdout)
    assert told.pop("seconds") > 0
    assert told == {
        "events": 2, "dead_letters": 1, "late": 1, "produced": 4, "milestones": 1, "titles": 1, "completions": 0,
        "rewatches": 0, "keys": 25, "verified": True, "difference_count": 0, "differences": [], "notes": [],
    }  # fmt: skip
    assert "verified: 2 events + 1 dead letters + 1 late = 4 produced" in written.verify().stdout


def test_what_came_of_another_topic_or_an_earlier_state_or_is_cut_or_over_by_the_silent_clock_verifies_too(
    written: Written,
) -> None:
    written.event("play", 150_000, 0)
    written.send("large", b"x" * 5_000_001)
    written.topics(dead_letters=0, milestones=0, told=written.offsets["stop0"] + 1)
    written.publish()
    written.hash("status", {"events": "3", "dead_letters": "2"})
    with written.transaction():
        for topic in ("MILESTONES", "DEAD_LETTERS", "LATE"):
            written.keep(f"ENCORE_{topic}_TOPIC", "bad", b"gone", topic_id="00000000-0000-0000-0000-000000000007")
            written.keep(f"ENCORE_{topic}_TOPIC", "bad", b"other", topic="other-events")
        without_the_topics_id = written.place("bad") | {"error": "not JSON"}
        written.told("ENCORE_DEAD_LETTERS_TOPIC", b"{", without_the_topics_id)
        written.keep("ENCORE_DEAD_LETTERS_TOPIC", "large", b"x" * 5_000_000, error="long", value_bytes="5000001")
        written.milestone(milestone="viewer")
        written.silence()
    answer = written.verify()
    assert answer.returncode == 0, answer.stdout


def test_whatever_differs_in_redis_is_reported(written: Written) -> None:
    written.event("play", 150_000, 0)
    written.topics()
    written.publish()
    day = f"title:film:day:{datetime.fromtimestamp(written.now_ms / 1000, UTC):%Y%m%d}"
    written.hash("title:film", {"plays": "2", "name": "Film"})
    written.redis.zadd(written.prefix + "titles", {"ghost": 0})
    written.redis.delete(written.prefix + day)
    written.hash("title:ghost", {"plays": "1"})
    written.board("plays", 2)
    written.board("views", 0.1, "ghost")
    written.board("boos", 1)
    written.hash("franchise:saga", {"starters": "2"})
    written.hash("title:film:dayparts", {"any_time_streak_3": "1"})
    written.hash("title:film:legs", {"week": "2"})
    written.hash("title:film:age:91d", {"watched_s": "151.000"})
    written.hash("title:film:week:1", {"plays": "1"})
    written.hash("status", {"events": "3", "mood": "good"})
    for key in (b"note", b"board:fun", b"\xff"):
        written.redis.set(written.prefix.encode() + key, b"1")
    written.hash("internal:shares:title:gone", {"total": "1"})
    written.redis.delete(written.prefix + "internal:shares:title:film", written.prefix + "changes")
    written.redis.set(written.prefix + "changes", "1")

    assert [(each["key"], each["field"], each["found"]) for each in written.differences()] == [
        ("board:watching_now", "", "nothing"),
        ("board:watching_now:franchises", "", "nothing"),
        (day, "", "nothing"),
        ("board:boos", "", "film=1.0"),
        ("title:film:week:1", "", "plays=1"),
        ("title:ghost", "", "plays=1"),
        ("board:fun", "", "a string"),
        ("changes", "", "a string"),
        ("note", "", "a string"),
        ("\udcff", "", "a string"),
        ("franchise:saga", "starters", "2"),
        ("franchise:saga", "watching_now", "0"),
        ("status", "mood", "good"),
        ("title:film", "plays", "2"),
        ("title:film", "watching_now", "0"),
        ("title:film", "name", "Film"),
        ("title:film:age:91d", "watched_s", "151.000"),
        ("title:film:dayparts", "any_time_streak_3", "1"),
        ("title:film:legs", "week", "2"),
        ("board:plays", "film", "2.0"),
        ("board:views", "ghost", "0.1"),
        ("titles", "ghost", "0.0"),
        ("internal:shares:title:gone", "", "shares of a hash that is not there"),
        ("internal:shares:title:film", "", "nothing"),
    ]
    shown = written.verify().stdout
    assert "title:ghost" in shown and "NOT VERIFIED (24 differences)" in shown


def test_whatever_differs_in_the_kept_topics_is_reported(written: Written) -> None:
    written.send("large", b"x" * 5_000_001)
    written.topics(dead_letters=2, milestones=0)
    written.publish()
    written.hash("status", {"dead_letters": "2"})
    source = {"topic": written.environment["ENCORE_SOURCE_TOPIC"], "partition": "0"}
    with written.transaction():
        written.milestone(ordinal=2, event_id="other")
        written.keep("ENCORE_DEAD_LETTERS_TOPIC", "large", b"x" * 5_000_000, error="long", value_bytes="5000002")
        written.told("ENCORE_DEAD_LETTERS_TOPIC", b"{", source | {"offset": "0"})
        written.told("ENCORE_LATE_TOPIC", b"{}", source | {"offset": "zero"})
        written.told("ENCORE_LATE_TOPIC", b"{}", {})
        written.told("ENCORE_MILESTONES_TOPIC", b'{"milestone": "starter"}', source | {"offset": "0"})

    bad, large, starter = (f"{written.partition}:{written.offsets[name]}" for name in ("bad", "large", "stop0"))
    found = [(each["key"], each["field"], each["found"]) for each in written.differences()]
    assert found[:4] == [
        (f"dead letter {bad}", "", "2 times"),
        (f"dead letter {large}", "value_bytes", "5000002"),
        (f"milestone {starter} starter", "event_id", "other"),
        (f"milestone {starter} starter", "ordinal", "2"),
    ]
    assert [(key.split()[0].removeprefix(f"{written.app}-"), field) for key, field, _ in found[4:]] == [
        ("dead-letters", "header error"),
        ("late", "header offset"),
        ("late", "headers"),
        ("milestones", "value"),
    ]


def test_a_checkpoint_short_of_the_end_is_reported(written: Written) -> None:
    written.topics(checkpoint=False)
    written.publish()
    (difference,) = written.differences()
    assert (difference["key"], difference["field"]) == (f"checkpoint of partition {written.partition}", "next_offset")


def test_publishing_that_is_behind_is_waited_for(written: Written) -> None:
    written.topics()
    later = threading.Timer(3, written.publish)
    later.start()
    assert written.verify("--wait", "30").returncode == 0
    later.join()


def test_servers_and_topics_that_are_not_there_are_named(encore_env: dict[str, str]) -> None:
    app = encore_env["ENCORE_APP_ID"]
    cases = [
        ({}, f"no topic {app}-state: no worker with the application id {app} ran yet"),
        ({"ENCORE_SOURCE_TOPIC": "nowhere"}, "has no topic nowhere"),
        ({"ENCORE_KAFKA": "127.0.0.1:1"}, "Kafka at 127.0.0.1:1 does not answer"),
    ]
    command = [Path(sys.executable).parent / "encore", "verify", "--wait", "0"]
    asking = [
        subprocess.Popen(command, env={**os.environ, **encore_env, **changed}, stderr=subprocess.PIPE, text=True)
        for changed, _ in cases
    ]
    for verify, (_, told) in zip(asking, cases, strict=True):
        _, said = verify.communicate(timeout=60)
        assert (verify.returncode, told in said) == (1, True), said
