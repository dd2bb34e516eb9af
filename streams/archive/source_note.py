"""Which topic an archive is of, and by what its records name households.

Owns `source.json`, and what is refused by it. Records under one key, under another and under none do not fit together:
each household would count as several.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from models.pseudonyms import Pseudonyms
from streams.archive.store import ArchiveFailed, Exists, FileMissing, Store
from streams.kafka.admin import TopicNow

_FILE = "source.json"


class ArchivedSource(NamedTuple):
    """A source of records. `pseudonyms`: the fingerprint of the pseudonyms' key, and `partitions`: how many there are.

    Without pseudonyms, these are empty and 0: with the ids, any reader can judge which partition a record belongs to.
    """

    topic_id: str
    pseudonyms: str = ""
    partitions: int = 0


def source_of(topic: TopicNow, pseudonyms: Pseudonyms | None) -> ArchivedSource:
    """The source that a topic is now, with or without pseudonyms."""
    if pseudonyms is None:
        return ArchivedSource(topic.topic_id)
    return ArchivedSource(topic.topic_id, pseudonyms.fingerprint(), topic.partitions)


def claim(store: Store, topic: str, source: ArchivedSource) -> None:
    """Note what the archive is of, or check it. Raises `ArchiveFailed` if the records do not fit those that it has."""
    note: dict[str, str | int] = {"topic": topic, "topic_id": source.topic_id}
    if source.pseudonyms:
        note |= {"pseudonyms": source.pseudonyms, "partitions": source.partitions}
    try:
        store.create(_path(topic), json.dumps(note).encode())
    except Exists:
        check_fits(store, topic, source)


def check_fits(store: Store, topic: str, source: ArchivedSource) -> None:
    """Check that records of this source belong into an archive. Raises `ArchiveFailed`."""
    found = check_source(store, topic, source)
    if source.pseudonyms and not found.pseudonyms:
        raise ArchiveFailed(
            f"{store.address(topic)} has the households' ids, as it was begun without ENCORE_PSEUDONYM_KEY_FILE: under"
            " pseudonyms, archive elsewhere (ENCORE_ARCHIVE), and delete the former archive once nobody needs it"
        )


def check_source(store: Store, topic: str, source: ArchivedSource) -> ArchivedSource:
    """Check that a recount of this source can go on from an archive. Returns what the archive is of.

    One that has ids can be counted under pseudonyms, too. Raises `ArchiveFailed`.
    """
    found, where = read_source(store, topic), store.address(topic)
    if found.topic_id != source.topic_id:
        raise ArchiveFailed(
            f"{where} is the archive of a former topic {topic} (id {found.topic_id}); the present one has the id"
            f" {source.topic_id}, and offsets of its own: archive it elsewhere (ENCORE_ARCHIVE), or move the former"
            " archive"
        )
    if not found.pseudonyms:
        return found
    if found.pseudonyms != source.pseudonyms:
        with_key = "with another key" if source.pseudonyms else "with a key, and there is none"
        raise ArchiveFailed(
            f"{where} has pseudonyms that were made {with_key}: set ENCORE_PSEUDONYM_KEY_FILE to that key, or archive"
            " elsewhere (ENCORE_ARCHIVE)"
        )
    if found.partitions != source.partitions:
        raise ArchiveFailed(
            f"{where} was begun when {topic} had {found.partitions} partitions, and it has {source.partitions}: under"
            " pseudonyms nobody can tell by now which of them a household belongs to; run `encore repartition`"
            " (docs/growing.md)"
        )
    return found


def read_source(store: Store, topic: str) -> ArchivedSource:
    """What an archive is of. Raises `ArchiveFailed`."""
    try:
        with store.open(_path(topic)) as file:
            note = json.loads(file.read())
            return ArchivedSource(note["topic_id"], note.get("pseudonyms", ""), note.get("partitions", 0))
    except FileMissing:
        raise ArchiveFailed(f"{store.address(topic)} is no archive: there is no {_FILE} in it") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ArchiveFailed(f"{store.address(_path(topic))} is not what an archive writes there") from None


def _path(topic: str) -> str:
    return f"{topic}/{_FILE}"
