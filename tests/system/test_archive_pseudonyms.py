"""An archive under pseudonyms: no household's id is in any of its files, and all numbers come back from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
from application import Application
from playback import DAY_MS, EVENING_MS, TEN_MINUTES, event, whole_viewing
from test_archive import forget_in_kafka, forgotten, listed, until_archived, with_archive

pytestmark = pytest.mark.system

HOMES = ("private-home-1", "private-home-2", "private-hôme-3")
STRANGER = "private-home-elsewhere"


@pytest.fixture
def application(
    encore_env: dict[str, str], tmp_path: Path, application_of: Callable[[dict[str, str]], Application]
) -> Application:
    key = tmp_path / "pseudonyms.key"
    key.write_text("0123456789abcdef" * 2)
    environment = with_archive(encore_env, str(tmp_path / "archive"))
    return application_of({**environment, "ENCORE_PSEUDONYM_KEY_FILE": str(key)})


def nameless(event: dict[str, Any]) -> dict[str, Any]:
    """The same with ids of its own and of its session that do not hold the household's, and fields that do."""
    names = {name: sha256(event[name].encode()).hexdigest() for name in ("event_id", "play_session_id")}
    household = event["household_id"]
    return {**event, **names, "device_id": f"tv of {household}", "country": household, "names": [{household: 1}]}


def watch(application: Application) -> None:
    """Each household sees the film twice, and sends something late, ahead, and something that is no event."""
    for day in range(2):
        for home in HOMES:
            application.send(map(nameless, whole_viewing(home, "film", EVENING_MS + day * DAY_MS)))
        for each in map(nameless, whole_viewing(STRANGER, "film", EVENING_MS + day * DAY_MS)):
            elsewhere = {"partition": 0, "headers": [("of", STRANGER.encode())]}
            application.produce(STRANGER.encode(), json.dumps(each).encode(), each["event_time_ms"], **elsewhere)
    now_ms = EVENING_MS + 2 * DAY_MS
    for home in HOMES:
        late, ahead = (nameless(event("start", home, "film", at, 0)) for at in (now_ms - 32 * DAY_MS, now_ms + DAY_MS))
        application.send([late, ahead], timestamp_ms=now_ms)
        bad = nameless(event("start", home, "film", now_ms, 0, profile_kind=home))
        application.produce(home.encode(), json.dumps(bad).encode(), now_ms).get(30)
        application.produce(None, home.encode(), now_ms).get(30)
        application.produce(f"key of {home}".encode(), None, now_ms).get(30)


def cells(application: Application) -> list[str]:
    """Every cell of every file of the archive, and the files themselves, as text."""
    folder = Path(application.environment["ENCORE_ARCHIVE"])
    files = [each for each in folder.rglob("*") if each.is_file()]
    tables = [str(each) for each in files if each.suffix == ".parquet"]
    rows = duckdb.connect().execute("select * from read_parquet(?)", [tables]).fetchall()
    found = [cell.decode() if isinstance(cell, bytes) else str(cell) for row in rows for cell in row]
    return found + [each.read_bytes().decode(errors="replace") for each in files] + list(map(str, files))


def test_no_id_is_in_it_and_a_rebuild_and_verify_give_the_same_from_it(application: Application) -> None:
    application.load_titles({"title_id": "film", "runtime_ms": TEN_MINUTES, "franchise_id": "saga"})
    archiver, worker = application.start("archive"), application.ready_worker()
    watch(application)
    until_archived(application)
    before, published = application.verify(), application.published()
    assert (before["completions"], before["late"], before["dead_letters"]) == (8, 3, 12)
    assert application.status()["misrouted_events"] == "22"
    assert worker.stopped().code == archiver.stopped().code == 0
    assert not [cell for cell in cells(application) if "private-h" in cell]
    assert "private-h" not in archiver.log

    forget_in_kafka(application, keep=2)
    assert {**application.verify(), "seconds": 0} == {**before, "seconds": 0}
    rebuilt = application.start("rebuild", "--json").ended(120)
    assert (rebuilt.code, json.loads(rebuilt.out)["gone"]) == (0, 0), rebuilt.log
    worker = application.ready_worker()
    assert {**application.verify(), "seconds": 0} == {**before, "seconds": 0}
    assert application.published() == published

    files = {each["file"] for each in listed(application)}
    removed = forgotten(application, HOMES[0], "--archive")
    assert (removed["removed"], set(removed["files"]) <= files) == (25, True)
    assert forgotten(application, HOMES[0])["files"] == []


def test_what_does_not_fit_its_key_is_refused(application: Application, tmp_path: Path) -> None:
    application.send(map(nameless, whole_viewing(HOMES[0], "film", EVENING_MS)))
    archiver = application.start("archive")
    until_archived(application)
    assert archiver.stopped().code == 0
    other = tmp_path / "other.key"
    other.write_text("f" * 32)
    for key_file, said in (("", "with a key, and there is none"), (str(other), "with another key")):
        for words in (("archive",), ("rebuild", "--yes")):
            refused = application.start(*words, ENCORE_PSEUDONYM_KEY_FILE=key_file).ended()
            assert (refused.code, said in refused.log) == (1, True)
