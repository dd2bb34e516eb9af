"""The reader and its commands as downstream teams have them: a real Redis, a user that cannot write, a terminal."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from application import Application, until
from playback import DAY_MS, EVENING_MS, TEN_MINUTES, event, whole_viewing
from published_by_hand import PublishedByHand
from redis import Redis

from streams.reader import Reader, ReaderError
from streams.tools.devstack import Devstack

pytestmark = pytest.mark.system

GUIDE = (Path(__file__).parents[2] / "docs" / "reading.md").read_text()


@pytest.fixture
def published(private_redis: Devstack) -> Iterator[PublishedByHand]:
    with Redis.from_url(private_redis.redis, decode_responses=True) as client:
        published = PublishedByHand(client, "encore:")
        published.status(checkpointed_ms=int(time.time() * 1000))
        published.title("dragon", plays=44_012_345, starters=600, completers=559, completion_rate="0.931667")
        published.window("dragon", "age:opening", starters=200, completers=120)
        published.part("dragon", "dayparts", before_school_watched_s="9.000", before_school_streak_5=7)
        published.part("dragon", "legs", week=9, hold="0.970000", unstoppable=1)
        published.title("big opening", plays=90, starters=9_000, completers=1_269, completion_rate="0.141000")
        published.board("plays", **{"dragon": 44_012_345, "big opening": 90})
        published.board("plays", day="20261123", dragon=7)
        yield published


@pytest.fixture
def encore(published: PublishedByHand, private_redis: Devstack) -> Callable[..., Any]:
    """`encore(*words)`: a command against that Redis, in a terminal of 80 columns."""

    def run(*words: str, redis: str = private_redis.redis) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ENCORE_REDIS": redis, "ENCORE_REDIS_PREFIX": "encore:", "COLUMNS": "80"}
        command = [sys.executable, "-m", "streams.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run


def test_counters_that_are_not_those_of_now_are_told_of_on_standard_error_alone(encore, published) -> None:
    now_ms = int(time.time() * 1000)
    published.status(checkpointed_ms=now_ms, events=1_000, lag=10)
    assert encore("top", "--metric", "plays").stderr == ""
    published.status(checkpointed_ms=now_ms, events=1_000, lag=11)
    late = encore("top", "--metric", "plays", "--json")

    said = "note: workers are catching up: 11 records are not counted yet; `encore lag --wait` waits for them\n"
    assert (late.stderr, json.loads(late.stdout)["metric"]) == (said, "plays")


def test_top_shows_the_board_and_json_its_exact_numbers(encore: Callable[..., Any]) -> None:
    done = encore("top", "--metric", "plays")
    assert done.returncode == 0, done.stderr
    first, second = [line for line in done.stdout.splitlines() if re.match(r"[12] ", line)]
    assert first.split()[1:] == ["dragon", "44.0M", "600", "93.2%", "–", "0"]
    assert second.startswith("2  big opening")
    assert max(map(len, done.stdout.splitlines())) <= 80
    (line,) = encore("top", "--metric", "plays", "--top", "1", "--json").stdout.splitlines()
    assert json.loads(line)["entries"] == [{"title_id": "dragon", "score": 44_012_345}]
    of_a_day = json.loads(encore("top", "--metric", "plays", "--day", "2026-11-23", "--json").stdout)
    assert (of_a_day["day"], of_a_day["entries"]) == ("2026-11-23", [{"title_id": "dragon", "score": 7}])


def test_show_tells_all_of_a_title(encore: Callable[..., Any]) -> None:
    done = encore("show", "dragon")
    assert done.returncode == 0, done.stderr
    for words in ("44.0M", "first 72 hours", "before school", "unstoppable"):
        assert words in done.stdout
    found = json.loads(encore("show", "dragon", "--json").stdout)
    assert (found["title"]["plays"], found["legs"]["hold"], found["ages"][0]["name"]) == (44_012_345, 0.97, "opening")


def test_compare_lays_titles_side_by_side_by_their_names(encore: Callable[..., Any], tmp_path: Path) -> None:
    names = tmp_path / "names.jsonl"
    names.write_text('{"title_id": "dragon", "name": "The Little Dragon"}\n')
    done = encore("compare", "dragon", "big opening", "--names", str(names))
    assert done.returncode == 0, done.stderr
    head, *rows = [line for line in done.stdout.splitlines() if line.strip()]
    assert head.split() == ["The", "Little", "Dragon", "big", "opening"]
    rates = [line.split()[-2:] for line in rows if line.strip().startswith("completion rate")]
    assert rates == [["60.0%", "–"], ["93.2%", "14.1%"]]
    assert [found["title_id"] for found in json.loads(encore("compare", "dragon", "big opening", "--json").stdout)] == [
        "dragon",
        "big opening",
    ]


def test_watch_prints_a_line_each_time_the_board_changes(published: PublishedByHand, private_redis: Devstack) -> None:
    environment = {**os.environ, "ENCORE_REDIS": private_redis.redis, "ENCORE_REDIS_PREFIX": "encore:"}
    command = [sys.executable, "-m", "streams.cli", "watch", "--metric", "plays", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["entries"][0]["score"] == 44_012_345
        began = time.monotonic()
        published.board("plays", dragon=44_012_346)
        published.title("dragon", plays=44_012_346)
        assert json.loads(watching.stdout.readline())["entries"] == [{"title_id": "dragon", "score": 44_012_346}]
        assert time.monotonic() - began < 5
        watching.terminate()


def test_watch_ends_when_it_was_told_to(encore: Callable[..., Any]) -> None:
    done = encore("watch", "--metric", "plays", "--for", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "dragon" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["show", "nobody"], 1, "no counters of the title 'nobody' under 'encore:'"),
        (["compare", "dragon", "nobody"], 1, "no counters of the title 'nobody'"),
        (["top", "--day", "2026-02-30"], 2, "accepted: a UTC day such as"),
        (["top", "--day", "2026-11-23", "--metric", "views"], 2, "with --day use one of plays"),
        (["top", "--names", "/nowhere"], 2, "--names /nowhere"),
    ],
)
def test_what_cannot_be_shown_is_one_line_and_an_exit_code(
    encore: Callable[..., Any], words: list[str], code: int, said: str
) -> None:
    done = encore(*words)
    assert (done.returncode, done.stdout) == (code, "")
    (line,) = done.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize("words", [["top"], ["show", "dragon"], ["compare", "dragon"], ["watch"]])
def test_a_redis_that_is_not_there_is_one_line_and_exit_code_1(encore: Callable[..., Any], words: list[str]) -> None:
    done = encore(*words, redis="redis://127.0.0.1:1/0")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "Redis at redis://127.0.0.1:1/0 does not answer" in line


def test_what_a_worker_publishes_is_what_the_reader_reads(application: Application) -> None:
    film = {
        "title_id": "film", "name": "Film", "runtime_ms": TEN_MINUTES, "franchise_id": "films",
        "release_time_ms": EVENING_MS,
    }  # fmt: skip
    application.load_titles(film)
    application.ready_worker()
    environment = application.environment
    with Reader(environment["ENCORE_REDIS"], environment["ENCORE_REDIS_PREFIX"], wait_s=30) as reader:
        place = reader.place()
        for day in range(3):
            application.send(whole_viewing("home", "film", EVENING_MS + day * DAY_MS, profile_kind="kids"))
        application.send([event("heartbeat", "home", "film", EVENING_MS + 8 * DAY_MS, 0, play_session_id="late")])
        application.until_checkpointed()
        until(lambda: reader.legs("film"), "the first week's legs are published")

        (profile,) = reader.compare(["film"])
        title, dayparts = profile.title, profile.dayparts
        assert title is not None
        assert dayparts is not None
        assert (title.completions, title.rewatches, title.watched_s, title.views) == (3, 2, 1_800.0, 3.0)
        assert (title.name, title.franchise_id, title.runtime_s) == ("Film", "films", 600.0)
        assert (reader.title_ids().ids, reader.franchise_ids().ids) == (("film",), ("films",))
        assert [(each.franchise_id, each.score) for each in reader.franchise_board().entries] == [("films", 3)]
        assert (title.rewatch_histogram["3-4"], title.kids_completions, title.complete) == (1, 3, True)
        assert [(age.name, age.completions) for age in profile.ages] == [
            ("opening", 3),
            ("7d", 3),
            ("28d", 3),
            ("91d", 3),
        ]
        assert [(week.number, week.completions) for week in profile.weeks] == [(1, 3)]
        assert (dayparts["evening"].completions, dayparts["evening"].watched_s) == (3, 1_800.0)
        assert [part.name for part in dayparts.dayparts] == ["before_school", "after_school", "evening", "other"]
        assert profile.legs is not None
        assert (profile.legs.week, profile.legs.week_watched_s, profile.legs.unstoppable) == (1, 1_800.0, False)
        franchise, status = reader.franchise("films"), reader.status()
        assert franchise is not None
        assert status is not None
        assert (franchise.completions, franchise.completers, status.dead_letters) == (3, 1, 0)
        first_day = datetime.fromtimestamp(EVENING_MS / 1000, UTC)
        assert [day.completions for day in reader.days("film", first_day.date(), first_day.date())] == [1]
        assert [hour.completions for hour in reader.hours("film", first_day, first_day)] == [1]
        assert [entry.score for entry in reader.board("completions").entries] == [3]
        assert [entry.score for entry in reader.board("rewatches", (first_day + timedelta(1)).date()).entries] == [1]
        changes = reader.changes(after=place)
        assert next(change for change in changes if change.title_id == "film").version <= title.version


def rights(section: str = "SETUSER") -> list[str]:
    """The rights of a reader as the guide says them, its password `SECRET`."""
    (line,) = re.findall(rf"^ACL {section} (.*)$", GUIDE, re.MULTILINE)
    return line.split()


def test_the_rights_in_the_guide_are_enough_and_do_not_let_anyone_write(
    published: PublishedByHand, private_redis: Devstack
) -> None:
    published.client.execute_command("ACL", "SETUSER", *rights())
    url = private_redis.redis.replace("redis://", "redis://reader:SECRET@")
    with Reader(url) as reader:
        place = reader.place()
        version = published.title("dragon", plays=5)
        change = next(reader.changes(after=place))
        assert (change.title_id, change.version) == ("dragon", version)
        everything(reader)
    with Redis.from_url(url) as intruder:
        for attempt in (["SET", "encore:x", "1"], ["HSET", "encore:title:dragon", "plays", "0"], ["GET", "other:x"]):
            with pytest.raises(Exception, match="permissions"):
                intruder.execute_command(*attempt)


def test_a_user_without_the_rights_is_told_where_they_are_written(
    published: PublishedByHand, private_redis: Devstack
) -> None:
    published.client.execute_command("ACL", "SETUSER", *[word for word in rights() if word != "+hgetall"])
    url = private_redis.redis.replace("redis://", "redis://reader:SECRET@")
    with Reader(url, wait_s=30) as reader, pytest.raises(ReaderError, match=r"docs/reading\.md") as raised:
        reader.title("dragon")
    assert not raised.value.passing
    with Reader(url.replace("SECRET", "WRONG")) as reader, pytest.raises(ReaderError, match="refuses the user"):
        reader.title("dragon")


def everything(reader: Reader) -> None:
    """Ask every question once."""
    assert reader.title("dragon") is not None
    assert list(reader.titles(["dragon"])) == ["dragon"]
    assert reader.ages("dragon")[0].name == "opening"
    assert reader.weeks("dragon") == ()
    assert reader.board("plays").entries
    assert reader.franchise("dragons") is None
    assert reader.compare(["dragon"])[0].legs == reader.legs("dragon")
    dayparts, status = reader.dayparts("dragon"), reader.status()
    assert dayparts is not None
    assert dayparts["before_school"].streak_5 == 7
    assert status is not None
