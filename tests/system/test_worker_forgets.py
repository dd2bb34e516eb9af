"""`encore forget` as a household's request would have it: nothing counts it any more, whatever dies or is rebuilt."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from application import COMMAND, Application, until
from playback import DAY_MS, EVENING_MS, HOUR_MS, TEN_MINUTES, whole_viewing

pytestmark = pytest.mark.system

HOME, OTHER = "private-hôme", "other"
LEFT = {"starters": "1", "completers": "1", "repeaters": "0", "completions": "3", "rewatch_hist_2": "0"}
BEFORE = LEFT | {"starters": "2", "completers": "2", "repeaters": "1", "rewatch_hist_2": "1"}


def film(title_id: str) -> dict[str, Any]:
    """A title of ten minutes in a franchise of its own."""
    return {"title_id": title_id, "runtime_ms": TEN_MINUTES, "franchise_id": f"saga-{title_id}"}


class Running:
    """An application whose worker tests may end, and films that no test has used yet."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.films = [film(f"film-{number}") for number in range(9)]
        application.load_titles(*self.films)
        self.worker = application.ready_worker()

    def restart(self) -> None:
        self.worker = self.application.ready_worker()


class Watched:
    """What became of one film: a household saw it twice, another one once."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.application = running.application
        self.title_id = str(running.films.pop()["title_id"])
        self.home, self.other = f"{HOME} of {self.title_id}", f"{OTHER} of {self.title_id}"
        self.watch(self.home, EVENING_MS)
        self.watch(self.home, EVENING_MS + HOUR_MS)
        self.watch(self.other, EVENING_MS + 2 * HOUR_MS)

    def watch(self, home: str, at_ms: int) -> None:
        self.application.send(whole_viewing(home, self.title_id, at_ms))

    def shown(self, kind: str = "title:") -> dict[str, str]:
        """Some of the fields of the film's hash, or of its franchise's."""
        found = self.application.hash(kind + self.title_id)
        return {name: found.get(name, "") for name in LEFT}

    def verified(self) -> dict[str, str]:
        """What is shown of the film once every number is right."""
        self.application.verify()
        return self.shown()

    def forget(self, *words: str) -> dict[str, Any]:
        return forget(self.application, self.home, *words)

    def rows(self, household: str) -> list[bytes]:
        """The keys of the state that name a household and are no tombstones."""
        newest = {record.key or b"": record.value for record in self.application.read(self.application.state_topic)}
        kept = [key for key, value in newest.items() if value is not None]
        # Names of zones hold any letters: `other` is in Antarctica/Rothera.
        return [key for key in kept if household.encode() in key and key[:1] != b"z"]


@pytest.fixture(scope="module")
def running(module_env, tmp_path_factory) -> Iterator[Running]:
    application = Application(module_env, tmp_path_factory.mktemp("forgets"))
    with closing(application):
        yield Running(application)


@pytest.fixture
def watched(running: Running) -> Watched:
    """A film that was watched, and the worker has told."""
    watched = Watched(running)
    until(lambda: watched.shown() == BEFORE, lambda: f"counted: {watched.shown()}\n{running.worker.log}")
    return watched


def forget(application: Application, household: str, *words: str) -> dict[str, Any]:
    """What the command answered."""
    ended = application.start("forget", household, "--yes", "--json", *words).ended()
    assert (ended.code, ended.log) == (0, "")
    return json.loads(ended.out)


def test_nothing_counts_a_forgotten_household_and_its_rows_are_gone(watched: Watched) -> None:
    assert len(watched.rows(watched.home)) == 1

    answer = watched.forget()

    assert (answer["digest"], answer["rows"], answer["waiting"]) == (sha256(watched.home.encode()).hexdigest(), 1, [])
    assert watched.verified() == watched.shown("franchise:saga-") == LEFT
    assert watched.rows(watched.home) == []
    assert len(watched.rows(watched.other)) == 1
    names = ("SOURCE", "MILESTONES", "DEAD_LETTERS", "LATE", "ERASURES")
    for topic in (watched.application.environment[f"ENCORE_{name}_TOPIC"] for name in names):
        assert any(topic in line for line in answer["remains"]), topic


def test_asked_twice_nothing_happens_twice_and_who_comes_again_is_a_stranger(watched: Watched) -> None:
    watched.forget()
    watched.forget()
    assert watched.verified() == LEFT
    watched.watch(watched.home, EVENING_MS + DAY_MS)

    assert watched.verified() == LEFT | {"starters": "2", "completers": "2", "completions": "4"}


def test_it_stays_forgotten_by_whoever_comes_after_the_worker(watched: Watched) -> None:
    watched.forget()
    watched.running.worker.kill()
    watched.running.restart()
    watched.watch(watched.other, EVENING_MS + DAY_MS)

    assert watched.verified() == LEFT | {"repeaters": "1", "completions": "4", "rewatch_hist_2": "1"}


def test_a_rebuild_does_not_count_it_again(watched: Watched) -> None:
    watched.forget()
    assert watched.running.worker.stopped().code == 0
    assert watched.application.start("rebuild", "--json").ended().code == 0
    watched.running.restart()

    assert watched.verified() == LEFT | {"completions": "1"}
    assert watched.rows(watched.home) == []


def test_asked_while_no_worker_runs_it_is_done_as_soon_as_one_does(watched: Watched) -> None:
    assert watched.running.worker.stopped().code == 0
    watched.watch(watched.home, EVENING_MS + DAY_MS)

    not_yet = watched.application.start("forget", watched.home, "--yes", "--wait", "1").ended()

    assert not_yet.code == 1
    assert "not forgotten yet by 4 partitions: 0, 1, 2, 3." in not_yet.log
    watched.running.restart()
    assert watched.forget()["rows"] == 1
    # What it watched while nobody counted was never counted.
    assert watched.verified() == LEFT


def test_a_household_that_was_never_there_is_forgotten_too(watched: Watched) -> None:
    assert forget(watched.application, "nobody")["rows"] == 0
    assert watched.verified() == BEFORE


def test_under_pseudonyms_it_is_known_by_its_pseudonym(application: Application, tmp_path: Path) -> None:
    key = tmp_path / "pseudonyms.key"
    key.write_text("0123456789abcdef" * 2)
    application.environment["ENCORE_PSEUDONYM_KEY_FILE"] = str(key)
    application.load_titles(film("film"))
    application.ready_worker()
    application.send(whole_viewing(HOME, "film", EVENING_MS))
    until(lambda: application.hash("title:film").get("completers") == "1", "it is counted")

    assert forget(application, HOME)["rows"] == 1
    application.verify()

    assert application.hash("title:film")["completers"] == "0"


def test_the_id_may_come_from_standard_input_and_people_can_read_the_answer(watched: Watched) -> None:
    environment = {**os.environ, **watched.application.environment}
    given = f"{watched.home}\n"
    done = subprocess.run(
        [*COMMAND, "forget", "-", "--yes"], input=given, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[:2], done.stdout.splitlines()[-1]) == (
        0,
        ["forgotten: 1 row removed; no counter counts the household any more", "what cannot be removed:"],
        "what it sends from now on counts as a new household's.",
    )


def test_a_household_that_is_not_there_is_said_to_be_unknown(running: Running) -> None:
    answer = forget(running.application, "nobody")

    assert (answer["known"], answer["rows"], answer["waiting"]) == (False, 0, [])
    told = running.application.start("forget", "nobody", "--yes").ended()
    assert told.out.startswith("forgotten: no rows of it: it is unknown here, or forgotten before;")


def test_nobody_is_forgotten_who_was_not_confirmed(watched: Watched) -> None:
    ended = watched.application.start("forget", watched.home).ended()

    assert (ended.code, ended.out) == (1, "")
    assert ended.log.endswith("confirm with --yes\n")
    assert len(watched.rows(watched.home)) == 1


def test_no_id_is_no_household(running: Running) -> None:
    ended = running.application.start("forget", "").ended()
    assert (ended.code, ended.log) == (2, "Error: HOUSEHOLD must not be empty\n")


def test_a_record_that_is_no_erasure_is_reported_and_left_out(watched: Watched) -> None:
    application, worker = watched.application, watched.running.worker
    application.produce(b"a digest", b"{", EVENING_MS, application.environment["ENCORE_ERASURES_TOPIC"]).get(30)
    until(lambda: worker.count("is no erasure and is left out") == 1, "it is reported")
    assert watched.forget()["rows"] == 1
    assert watched.verified() == LEFT
