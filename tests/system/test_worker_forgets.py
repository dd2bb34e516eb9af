"""`encore forget` as a household's request would have it: nothing counts it any more, whatever dies or is rebuilt."""

from __future__ import annotations

import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from application import COMMAND, Application, Process, until
from playback import DAY_MS, EVENING_MS, HOUR_MS, TEN_MINUTES, whole_viewing

pytestmark = pytest.mark.system

FILM = {"title_id": "film", "runtime_ms": TEN_MINUTES, "franchise_id": "saga"}
HOME, OTHER = "private-hôme", "other"
LEFT = {"starters": "1", "completers": "1", "repeaters": "0", "completions": "3", "rewatch_hist_2": "0"}


@pytest.fixture
def worker(application: Application) -> Process:
    application.load_titles(FILM)
    return application.ready_worker()


@pytest.fixture
def watched(application: Application, worker: Process) -> Application:
    """One household has seen the film twice, another one once, and the worker has told."""
    for home, evening_ms in ((HOME, EVENING_MS), (HOME, EVENING_MS + HOUR_MS), (OTHER, EVENING_MS + 2 * HOUR_MS)):
        application.send(whole_viewing(home, "film", evening_ms))
    application.verify()
    assert shown(application) == LEFT | {"starters": "2", "completers": "2", "repeaters": "1", "rewatch_hist_2": "1"}
    return application


def shown(application: Application, key: str = "title:film") -> dict[str, str]:
    """Some of a hash's fields."""
    found = application.hash(key)
    return {name: found[name] for name in LEFT}


def forget(application: Application, household: str = HOME, *words: str) -> dict[str, Any]:
    """What the command said that was done."""
    ended = application.start("forget", household, "--json", *words).ended()
    assert (ended.code, ended.log) == (0, "")
    return json.loads(ended.out)


def in_state(application: Application, household: str) -> list[bytes]:
    """The keys of the state that name a household and are no tombstones."""
    newest = {record.key or b"": record.value for record in application.read(application.state_topic)}
    kept = [key for key, value in newest.items() if value is not None]
    # Names of zones hold any letters: `other` is in Antarctica/Rothera.
    return [key for key in kept if household.encode() in key and key[:1] != b"z"]


def test_nothing_counts_a_forgotten_household_and_its_rows_are_gone(watched: Application) -> None:
    assert len(in_state(watched, HOME)) == 1

    answer = forget(watched)

    assert (answer["digest"], answer["rows"], answer["waiting"]) == (sha256(HOME.encode()).hexdigest(), 1, [])
    watched.verify()
    assert shown(watched) == shown(watched, "franchise:saga") == LEFT
    assert in_state(watched, HOME) == []
    assert len(in_state(watched, OTHER)) == 1
    names = ("SOURCE", "MILESTONES", "DEAD_LETTERS", "LATE", "ERASURES")
    for topic in (watched.environment[f"ENCORE_{name}_TOPIC"] for name in names):
        assert any(topic in line for line in answer["remains"]), topic


def test_who_comes_again_is_a_stranger(watched: Application) -> None:
    forget(watched)
    watched.send(whole_viewing(HOME, "film", EVENING_MS + DAY_MS))

    watched.verify()

    assert shown(watched) == LEFT | {"starters": "2", "completers": "2", "completions": "4"}


def test_it_stays_forgotten_by_whoever_comes_after_the_worker(watched: Application, worker: Process) -> None:
    forget(watched)
    worker.kill()
    watched.ready_worker()
    watched.send(whole_viewing(OTHER, "film", EVENING_MS + DAY_MS))

    watched.verify()

    assert shown(watched) == LEFT | {"repeaters": "1", "completions": "4", "rewatch_hist_2": "1"}


def test_a_rebuild_does_not_count_it_again(watched: Application, worker: Process) -> None:
    forget(watched)
    assert worker.stopped().code == 0
    assert watched.start("rebuild", "--json").ended().code == 0
    watched.ready_worker()

    watched.verify()

    assert shown(watched) == LEFT | {"completions": "1"}
    assert in_state(watched, HOME) == []


def test_asked_while_no_worker_runs_it_is_done_as_soon_as_one_does(watched: Application, worker: Process) -> None:
    assert worker.stopped().code == 0
    watched.send(whole_viewing(HOME, "film", EVENING_MS + DAY_MS))

    not_yet = watched.start("forget", HOME, "--wait", "1").ended()

    assert not_yet.code == 1
    assert "not forgotten yet by 4 partitions: 0, 1, 2, 3." in not_yet.log
    watched.ready_worker()
    assert forget(watched)["rows"] == 1
    watched.verify()
    # What it watched while nobody counted was never counted.
    assert shown(watched) == LEFT


def test_asked_twice_nothing_happens_twice(watched: Application) -> None:
    forget(watched)
    forget(watched)
    watched.verify()
    assert shown(watched) == LEFT


def test_a_household_that_was_never_there_is_forgotten_too(watched: Application) -> None:
    assert forget(watched, "nobody")["rows"] == 0
    watched.verify()
    assert shown(watched)["starters"] == "2"


def test_under_pseudonyms_it_is_known_by_its_pseudonym(application: Application, tmp_path: Path) -> None:
    key = tmp_path / "pseudonyms.key"
    key.write_text("0123456789abcdef" * 2)
    application.environment["ENCORE_PSEUDONYM_KEY_FILE"] = str(key)
    application.load_titles(FILM)
    application.ready_worker()
    application.send(whole_viewing(HOME, "film", EVENING_MS))
    application.verify()

    assert forget(application)["rows"] == 1
    application.verify()

    assert application.hash("title:film")["completers"] == "0"


def test_the_id_may_come_from_standard_input_and_people_can_read_the_answer(watched: Application) -> None:
    environment = {**os.environ, **watched.environment}
    done = subprocess.run(
        [*COMMAND, "forget", "-"], input=f"{HOME}\n", env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[:2], done.stdout.splitlines()[-1]) == (
        0,
        ["forgotten: 1 row removed; no counter counts the household any more", "what cannot be removed:"],
        "what it sends from now on counts as a new household's.",
    )


def test_no_id_is_no_household(application: Application) -> None:
    ended = application.start("forget", "").ended()
    assert (ended.code, ended.log) == (2, "Error: HOUSEHOLD: accepted: an id that is not empty\n")


def test_a_record_that_is_no_erasure_is_reported_and_left_out(watched: Application, worker: Process) -> None:
    watched.produce(b"a digest", b"{", EVENING_MS, watched.environment["ENCORE_ERASURES_TOPIC"]).get(30)
    until(lambda: worker.count("is no erasure and is left out") == 1, "it is reported")
    assert forget(watched)["rows"] == 1
    watched.verify()
