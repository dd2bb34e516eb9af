"""Which topic an archive is of, by what it names households, and what does not fit to that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.pseudonyms import Pseudonyms
from streams.archive.source_note import ArchivedSource, check_source, claim, source_of
from streams.archive.store import ArchiveFailed, Store, open_store
from streams.kafka.admin import TopicNow

KEY = b"a key for pseudonyms of 32 bytes"
IDS, NAMELESS = ArchivedSource("id-1"), ArchivedSource("id-1", "a key", 4)
OTHER_KEY, GROWN, ANEW = (
    NAMELESS._replace(**each) for each in ({"pseudonyms": "b"}, {"partitions": 5}, {"topic_id": "id-2"})
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


@pytest.mark.parametrize("source", [IDS, NAMELESS])
def test_an_archive_goes_on_with_what_it_was_begun_with(store: Store, source: ArchivedSource) -> None:
    claim(store, "events", source)
    claim(store, "events", source)
    claim(store, "other", ANEW)
    assert check_source(store, "events", source) == source


@pytest.mark.parametrize(
    ("begun", "now", "said"),
    [
        (IDS, IDS._replace(topic_id="id-2"), r"archive of a former topic events \(id id-1\).*id-2"),
        (NAMELESS, ANEW, r"archive of a former topic events \(id id-1\).*id-2"),
        (NAMELESS, OTHER_KEY, "has pseudonyms that were made with another key: set ENCORE_PSEUDONYM_KEY_FILE"),
        (NAMELESS, IDS, "has pseudonyms that were made with a key, and there is none: set ENCORE_PSEUDONYM_KEY_FILE"),
        (NAMELESS, GROWN, "events had 4 partitions, and it has 5.*`encore repartition`"),
        (IDS, NAMELESS, "has the households' ids, as it was begun without ENCORE_PSEUDONYM_KEY_FILE"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(
    store: Store, begun: ArchivedSource, now: ArchivedSource, said: str
) -> None:
    claim(store, "events", begun)
    with pytest.raises(ArchiveFailed, match=said):
        claim(store, "events", now)


def test_an_archive_of_ids_can_be_counted_under_pseudonyms(store: Store) -> None:
    claim(store, "events", IDS)
    assert check_source(store, "events", NAMELESS) == IDS


def test_the_note_has_the_keys_fingerprint_and_nothing_of_the_key(store: Store, tmp_path: Path) -> None:
    topic, pseudonyms = TopicNow("id-1", 4), Pseudonyms(KEY)
    assert source_of(topic, None) == IDS
    claim(store, "events", source_of(topic, pseudonyms))
    assert json.loads((tmp_path / "events" / "source.json").read_text()) == {
        "topic": "events",
        "topic_id": "id-1",
        "pseudonyms": pseudonyms.fingerprint(),
        "partitions": 4,
    }
