"""A worker counts what households watch: from Kafka records to Redis hashes, every value worked out by hand."""

from __future__ import annotations

import json
import time

import pytest
from application import Application, counters, until
from confluent_kafka import Producer
from playback import DAY_MS, EVENING_MS, HOUR_MS, MINUTE_MS, event, whole_viewing

pytestmark = pytest.mark.system

ONE_COMPLETION = {
    "plays": "1", "starters": "1", "viewers": "1", "watchers": "1", "completers": "1", "repeaters": "0",
    "completions": "1", "rewatches": "0", "watched_s": "600.000",
    "kids_plays": "0", "kids_completions": "0", "kids_rewatches": "0", "kids_watched_s": "0.000",
    "profile_rewatches": "0", "autoplay_completions": "0", "complete": "1",
}  # fmt: skip
NOT_FOLLOWED = {"returned_1d": "0", "returned_7d": "0", "returned_28d": "0"}
FOLLOWED = {"returned_1d": "1", "returned_7d": "1", "returned_28d": "1"}
NO_ONE_TWICE = {
    "skimmers": "0", "rewatch_hist_1": "1", "rewatch_hist_2": "0", "rewatch_hist_3_4": "0",
    "rewatch_hist_5_9": "0", "rewatch_hist_10_plus": "0",
    "views": "1.000000", "completion_rate": "1.000000", "repeat_rate": "0.000000", "return_rate_7d": "0.000000",
    "watching_now": "0",
}  # fmt: skip
OF_THE_CATALOG = {"name": "Paper Boats", "franchise_id": "", "runtime_s": "600.000"}
DAYPARTS = ("before_school", "after_school", "evening", "other")
NO_DAYPART = {
    f"{daypart}_{field}": nothing
    for daypart in DAYPARTS
    for field, nothing in (
        ("watched_s", "0.000"), ("completions", "0"), ("streak_3", "0"), ("streak_5", "0"), ("streak_10", "0")
    )
} | {"complete": "1"}  # fmt: skip
FIRST_EVENING = {
    "title:Paper%20Boats": ONE_COMPLETION | NOT_FOLLOWED | NO_ONE_TWICE | OF_THE_CATALOG,
    "title:Paper%20Boats:day:20260314": ONE_COMPLETION | NOT_FOLLOWED,
    "title:Paper%20Boats:dayparts": NO_DAYPART | {"evening_watched_s": "600.000", "evening_completions": "1"},
    "title:Paper%20Boats:hour:20260314T18": ONE_COMPLETION,
    "title:Paper%20Boats:audience:2026W11": {
        "reached": "1", "new": "1", "returning": "0", "resurrected": "0", "complete": "1",
    },
    "title:Paper%20Boats:curve": {"slices": "100", "complete": "1"} | {str(n): "1.000" for n in range(100)},
}  # fmt: skip
MORNING_MS = EVENING_MS + 14 * HOUR_MS
"""The day after at 08:00 UTC: another hour and another day window than the evening's."""

OLD_EVENT = event("start", "home", "Paper Boats", MORNING_MS - 31 * DAY_MS, 0)


@pytest.fixture(scope="module")
def watched(module_env, tmp_path_factory) -> Application:
    """A household watches a title whole in the evening; a child of it does again the morning after.

    Another household watches another title, which the catalog lacks, for three minutes.
    """
    application = Application(module_env, tmp_path_factory.mktemp("watched"))
    application.load_titles({"title_id": "Paper Boats", "name": "Paper Boats", "runtime_ms": 600_000})
    worker = application.ready_worker()
    application.send(whole_viewing("home", "Paper Boats", EVENING_MS))
    application.until_checkpointed()
    until(lambda: first_evening_is_published(application), "the first evening is published")
    application.first_evening = application.published()
    application.send(whole_viewing("home", "Paper Boats", MORNING_MS, profile_kind="kids"))
    application.send(whole_viewing("next door", "unlisted", MORNING_MS, 3 * MINUTE_MS))
    application.send([OLD_EVENT], timestamp_ms=MORNING_MS + 10 * MINUTE_MS)
    application.produce(b"home", b"no event", MORNING_MS).get(30)
    application.until_checkpointed()
    assert worker.stopped().code == 0
    yield application
    application.close()


def first_evening_is_published(application: Application) -> bool:
    """All of its hashes, and all partitions have had their say."""
    return application.published() == FIRST_EVENING


def test_a_title_watched_whole_is_one_completion_everywhere(watched: Application) -> None:
    assert watched.first_evening == FIRST_EVENING


def test_a_second_viewing_is_a_rewatch_of_a_repeater(watched: Application) -> None:
    kids = {
        "kids_plays": "1", "kids_completions": "1", "kids_rewatches": "1", "kids_watched_s": "600.000",
    }  # fmt: skip
    again = {"plays": "2", "completions": "2", "rewatches": "1", "repeaters": "1", "watched_s": "1200.000"}
    twice = {"rewatch_hist_1": "0", "rewatch_hist_2": "1", "views": "2.000000", "repeat_rate": "1.000000"}
    followed = FOLLOWED | {"return_rate_7d": "0.500000"}

    found = counters(watched.hash("title:Paper%20Boats"))
    assert found == ONE_COMPLETION | NO_ONE_TWICE | OF_THE_CATALOG | kids | again | twice | followed


def test_windows_hold_what_was_made_in_them(watched: Application) -> None:
    rewatched = ONE_COMPLETION | {
        "starters": "0", "viewers": "0", "watchers": "0", "completers": "0", "repeaters": "1", "rewatches": "1",
        "kids_plays": "1", "kids_completions": "1", "kids_rewatches": "1", "kids_watched_s": "600.000",
    }  # fmt: skip

    assert counters(watched.hash("title:Paper%20Boats:hour:20260314T18")) == ONE_COMPLETION
    assert counters(watched.hash("title:Paper%20Boats:day:20260314")) == ONE_COMPLETION | FOLLOWED
    assert counters(watched.hash("title:Paper%20Boats:hour:20260315T08")) == rewatched
    assert counters(watched.hash("title:Paper%20Boats:day:20260315")) == rewatched | NOT_FOLLOWED


def test_a_second_viewing_in_a_week_adds_to_the_curve_and_not_to_the_audience(watched: Application) -> None:
    audience, curve = "title:Paper%20Boats:audience:2026W11", "title:Paper%20Boats:curve"

    assert counters(watched.hash(audience)) == FIRST_EVENING[audience]
    assert counters(watched.hash(curve)) == FIRST_EVENING[curve] | {str(n): "2.000" for n in range(100)}


def test_windows_have_a_time_to_live_and_titles_have_none(watched: Application) -> None:
    prefix = watched.environment["ENCORE_REDIS_PREFIX"]

    def days(name: str) -> float:
        return round(watched.redis.pttl(f"{prefix}{name}") / DAY_MS)

    assert watched.redis.pttl(f"{prefix}title:Paper%20Boats") == -1
    assert days("title:Paper%20Boats:hour:20260314T18") == 8
    assert days("title:Paper%20Boats:day:20260314") == days("title:Paper%20Boats:audience:2026W11") == 400


def test_a_title_that_the_catalog_lacks_counts_without_views(watched: Application) -> None:
    found = watched.hash("title:unlisted")

    assert (found["plays"], found["starters"], found["viewers"], found["watched_s"]) == ("1", "1", "0", "180.000")
    assert (found["views"], found["completion_rate"], found["repeat_rate"]) == ("", "0.000000", "")


def test_the_status_counts_every_record_once(watched: Application) -> None:
    status = watched.status()

    of_its_own = {"version", "as_of_ms", "incarnation", "checkpointed_ms"}
    assert {name: status[name] for name in status.keys() - of_its_own} == {
        "events": "26", "dead_letters": "1", "late_events": "1", "late_hour_events": "0",
        "unknown_zone_events": "0", "misrouted_events": "0", "stale_events": "0", "player_restarts": "0",
        "refused_long_s": "0.000", "refused_fast_s": "0.000", "refused_gap_s": "0.000", "refused_back": "0",
        "partitions_ready": "4", "lag": "0", "rebuilding": "0",
        "complete": "1",
    }  # fmt: skip
    assert int(status["events"]) + 2 == watched.produced()
    assert 0 <= time.time() - int(status["checkpointed_ms"]) / 1000 < 10


def test_a_late_event_is_kept_as_it_came_with_its_place(watched: Application) -> None:
    (late,) = watched.read(watched.environment["ENCORE_LATE_TOPIC"])

    assert (late.key, json.loads(late.value)) == (b"home", OLD_EVENT)
    assert late.headers.keys() == {"topic", "topic_id", "partition", "offset"}
    assert late.headers["topic"] == watched.environment["ENCORE_SOURCE_TOPIC"]
    source = {(str(r.partition), str(r.offset)): r for r in watched.read(late.headers["topic"])}
    assert source[late.headers["partition"], late.headers["offset"]].value == late.value


def test_milestones_tell_who_crossed_a_threshold_and_when(watched: Application) -> None:
    records = watched.read(watched.environment["ENCORE_MILESTONES_TOPIC"])
    told = [(r.key, m["milestone"], m["ordinal"], m["event_time_ms"]) for r in records for m in [json.loads(r.value)]]

    assert sorted(told) == [
        (b"home", "completion", 1, EVENING_MS + 9 * MINUTE_MS),
        (b"home", "completion", 2, MORNING_MS + 9 * MINUTE_MS),
        (b"home", "starter", 1, EVENING_MS + 2 * MINUTE_MS),
        (b"home", "viewer", 1, EVENING_MS + 5 * MINUTE_MS),
        (b"next door", "starter", 1, MORNING_MS + 2 * MINUTE_MS),
    ]


def test_all_of_it_equals_the_recomputation(watched: Application) -> None:
    assert watched.verify()["completions"] == 2


def test_a_household_in_two_partitions_counts_twice_and_verify_the_doctor_and_the_log_say_so(
    application: Application,
) -> None:
    worker = application.ready_worker()
    events = list(whole_viewing("home", "film", EVENING_MS, runtime_ms=600_000))
    places = {place.partition for place in application.send(events)}
    elsewhere = (places.pop() + 1) % 4
    for each in whole_viewing("home", "film", EVENING_MS + HOUR_MS, runtime_ms=600_000):
        application._producer.send(
            application.environment["ENCORE_SOURCE_TOPIC"], json.dumps(each).encode(), b"home",
            partition=elsewhere, timestamp_ms=each["event_time_ms"],
        ).get(30)  # fmt: skip

    application.until_checkpointed()
    until(lambda: application.status().get("misrouted_events") == "11", "the last checkpoint is published")
    assert (application.status()["events"], application.hash("title:film")["completers"]) == ("22", "2")
    assert worker.count(f"partition {elsewhere} has counted") == 1

    verified = application.start("verify", "--json").ended()
    answer = json.loads(verified.out)
    (difference,) = answer["differences"]
    assert (verified.code, difference["key"]) == (1, "households in two partitions")
    assert difference["found"].startswith(f"1, for example that of the event at partition {elsewhere}, offset 0;")
    lines = map(json.loads, application.start("doctor", "--json").ended().out.splitlines())
    (finding,) = [each for each in lines if each["what"] == "households and partitions"]
    assert (finding["level"], "`encore repartition`" in finding["advice"]) == ("wrong", True)


CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def test_records_count_whichever_codec_their_producers_compress_them_with(application: Application) -> None:
    for codec in CODECS:
        producer = Producer(
            {
                "bootstrap.servers": application.environment["ENCORE_KAFKA"],
                "compression.type": codec,
                "partitioner": "murmur2_random",
            }
        )
        for each in whole_viewing(f"home of {codec}", "Paper Boats", EVENING_MS):
            key, value, sent_ms = each["household_id"].encode(), json.dumps(each).encode(), each["event_time_ms"]
            producer.produce(application.environment["ENCORE_SOURCE_TOPIC"], value, key, timestamp=sent_ms)
        assert producer.flush(30) == 0
    application.load_titles({"title_id": "Paper Boats", "runtime_ms": 600_000})

    application.ready_worker()
    application.until_checkpointed()

    until(lambda: application.hash("title:Paper%20Boats").get("completers") == str(len(CODECS)), "all are counted")
    application.verify()
