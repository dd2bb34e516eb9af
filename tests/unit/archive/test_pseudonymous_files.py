"""Files under pseudonyms: what they hold, and that days become one file and households go from them as from others."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from records import DAY_MS, NOON_MS, Message, write

from models.pseudonymous_record import Pseudonymizer, PseudonymousRecord
from models.pseudonyms import Pseudonyms
from streams.archive.chain import chains
from streams.archive.compaction import compact
from streams.archive.erasure import erase, holding
from streams.archive.parquet_file import read_records
from streams.archive.store import Store, open_store

HOME = "private-home"
PSEUDONYMS = Pseudonyms(b"k" * 32)
EVENT = {
    "event_id": "e", "event_type": "start", "event_time_ms": NOON_MS, "household_id": HOME, "title_id": "film",
    "play_session_id": "s", "position_ms": 0,
}  # fmt: skip
GIVEN = [
    Message(0, NOON_MS, HOME.encode(), json.dumps({**EVENT, "country": HOME}).encode(), [("of", HOME.encode())]),
    Message(1, NOON_MS - 2, HOME.encode(), json.dumps(EVENT).encode()),
    Message(2, NOON_MS, None, HOME.encode()),
    Message(3, NOON_MS + DAY_MS, b"another", None),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two days, the first in two files. The partition is none of the topic's one, so all is misrouted."""
    store = open_store(str(tmp_path))
    write(store, GIVEN[:2], GIVEN[2:3], GIVEN[3:], pseudonymizer=Pseudonymizer(PSEUDONYMS, 1))
    return store


def records(store: Store) -> list[object]:
    found: list[object] = []
    for file in chains(store, "events")[3].files:
        with store.open(file.link.stored.path) as opened:
            found += read_records(opened, 0, 100)
    return found


def name(key: str) -> bytes:
    return PSEUDONYMS.of(key.encode()).encode()


def under_pseudonyms() -> list[PseudonymousRecord]:
    value = json.dumps({**EVENT, "household_id": PSEUDONYMS.of(HOME.encode())}, separators=(",", ":")).encode()
    ahead_bytes = len(GIVEN[1].value() or b"")
    return [
        PseudonymousRecord(3, 0, NOON_MS, name(HOME), value, None, True, None),
        PseudonymousRecord(3, 1, NOON_MS - 2, name(HOME), value, ahead_bytes, True, None),
        PseudonymousRecord(
            3, 2, NOON_MS, None, None, len(HOME), False, "JSON is malformed: invalid character (byte 0)"
        ),
        PseudonymousRecord(3, 3, NOON_MS + DAY_MS, name("another"), None, None, False, "the value is null"),
    ]


def test_records_come_back_under_pseudonyms_and_days_become_one_file(store: Store) -> None:
    assert records(store) == under_pseudonyms()
    assert compact(store, "events", 3).made == 1
    assert records(store) == under_pseudonyms()
    footers = [file.footer for file in chains(store, "events")[3].files]
    fingerprint = PSEUDONYMS.fingerprint()
    assert [(each.records, each.pseudonyms) for each in footers] == [(3, fingerprint), (1, fingerprint)]


def test_no_cell_holds_an_id(store: Store) -> None:
    for each in store.list("events"):
        assert HOME not in str(pq.read_table(store.address(each.path)).to_pydict())


def test_a_former_version_takes_them_for_no_files_that_it_knows(store: Store) -> None:
    for each in store.list("events"):
        note = pq.read_schema(store.address(each.path)).metadata[b"encore"]
        assert json.loads(note)["format"] == 2


def test_a_household_goes_from_them_by_its_pseudonym(store: Store) -> None:
    until = {3: 100}
    assert holding(store, "events", HOME.encode(), until) == []
    assert erase(store, "events", name(HOME), until) == 2
    assert records(store) == under_pseudonyms()[2:]
