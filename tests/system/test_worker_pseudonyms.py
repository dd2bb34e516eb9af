"""Households under pseudonyms: every number as before, and no id in anything but the source topic."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from application import Application, until
from playback import DAY_MS, EVENING_MS, event, whole_viewing

pytestmark = pytest.mark.system

HOUSEHOLDS = ("private-home", "private-hôme")
OUTPUTS = ("ENCORE_MILESTONES_TOPIC", "ENCORE_DEAD_LETTERS_TOPIC", "ENCORE_LATE_TOPIC")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "pseudonyms.key"
    file.write_text("0123456789abcdef" * 2 + "\n")
    return file


@pytest.fixture
def private(application: Application, key_file: Path) -> Application:
    application.environment["ENCORE_PSEUDONYM_KEY_FILE"] = str(key_file)
    return application


def nameless(event: dict[str, Any]) -> dict[str, Any]:
    """The same with ids of its own and of its session that do not hold the household's."""
    names = {name: sha256(event[name].encode()).hexdigest() for name in ("event_id", "play_session_id")}
    return event | names


def watch(application: Application) -> None:
    """Each household sees the film twice, and sends something late and something that is no event."""
    for household in HOUSEHOLDS:
        for evening in (EVENING_MS - DAY_MS, EVENING_MS):
            application.send(map(nameless, whole_viewing(household, "film", evening)))
        late = nameless(event("start", household, "film", EVENING_MS - 31 * DAY_MS, 0))
        application.send([late], timestamp_ms=EVENING_MS)
        bad = nameless(event("start", household, "film", EVENING_MS, 0, profile_kind=household))
        application.produce(household.encode(), json.dumps(bad).encode(), EVENING_MS).get(30)


def written(application: Application) -> list[bytes]:
    """Every key, value and header that the worker wrote into Kafka."""
    topics = [application.state_topic, *(application.environment[name] for name in OUTPUTS)]
    of_topics = [application.read(topic) for topic in topics]
    assert all(of_topics), "something is in each"
    records = [record for records in of_topics for record in records]
    return [
        part or b""
        for record in records
        for part in (record.key, record.value, *(str(header).encode() for header in record.headers.values()))
    ]


def test_every_number_is_exact_and_no_id_leaves_the_source_topic(private: Application) -> None:
    private.load_titles({"title_id": "film", "runtime_ms": 600_000})
    worker = private.ready_worker(ENCORE_LOG_LEVEL="debug")
    watch(private)
    private.until_checkpointed()
    until(lambda: private.hash("title:film").get("repeaters") == "2", "both are repeaters")

    found = private.verify()
    assert (found["dead_letters"], found["late"], found["milestones"]) == (2, 2, 8)
    assert worker.stopped().code == 0
    for household in HOUSEHOLDS:
        assert not [part for part in written(private) if household.encode() in part]
        assert household not in worker.log
        assert household not in str(private.published())


def test_a_state_is_refused_by_another_key_and_goes_on_by_its_own(private: Application, key_file: Path) -> None:
    worker = private.ready_worker()
    private.send(whole_viewing("home", "film", EVENING_MS))
    private.until_checkpointed()
    assert worker.stopped().code == 0
    own = key_file.read_text()

    key_file.write_text("f" * 32)
    assert "computed with other rule settings" in private.worker().ended().failure()
    assert "computed with other rule settings" in private.worker(ENCORE_PSEUDONYM_KEY_FILE="").ended().failure()

    key_file.write_text(own.strip())
    private.ready_worker()
    private.verify()


def test_what_was_kept_without_its_bytes_is_not_sent_again(private: Application) -> None:
    private.ready_worker()
    private.produce(b"home", b"no event", EVENING_MS).get(30)
    until(lambda: private.status().get("dead_letters") == "1", "the dead letter is counted")

    ended = private.start("dead-letters", "replay", "--yes").ended()

    assert (ended.code, "no dead letters to send again" in ended.out) == (0, True)


@pytest.mark.parametrize(
    ("length", "accepted"),
    [(0, "accepted: 32 or more"), (31, "accepted: 32 or more"), (None, "a file that can be read")],
)
def test_a_key_that_is_none_is_refused_with_one_line(tmp_path: Path, length: int | None, accepted: str) -> None:
    file = tmp_path / "key"
    if length is not None:
        file.write_bytes(b"k" * length + b"\n")
    application = Application({"ENCORE_REDIS": "redis://127.0.0.1:1"}, tmp_path)

    ended = application.worker(ENCORE_PSEUDONYM_KEY_FILE=str(file)).ended()

    (line,) = ended.log.strip().splitlines()
    assert ended.code == 2
    assert "ENCORE_PSEUDONYM_KEY_FILE" in line and accepted in line
    assert "kkk" not in line
