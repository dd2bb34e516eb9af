"""Whether Kafka keeps the source for long enough: for its own recount, or until the archive has each record.

Owns the judgement, and what it is made of: the topic's retention, the grace, and how far the archive is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from models.rules import DAY_MS
from streams.archive.store import ArchiveFailed, open_store
from streams.config.settings import Settings
from streams.display.numbers import days, many
from streams.kafka.admin import KafkaView
from streams.operations.findings import ODD, OK, WRONG, Finding

_SOON = 2
"""An archive is in danger if its oldest missing record is older than the retention divided by this."""


class MissingInArchive(NamedTuple):
    """What the archive lacks of a partition: records that Kafka has, and offsets that it has forgotten.

    `age_ms`: of the oldest record that it lacks.
    """

    partition: int
    records: int
    age_ms: int
    forgotten: int


def findings(settings: Settings, view: KafkaView) -> Iterator[Finding]:
    """The findings about the source's retention. Raises `KafkaFailed`."""
    retention_ms = int(view.options(settings.source_topic).get("retention.ms", -1))
    yield judge_retention(settings, retention_ms)
    if settings.archive:
        try:
            yield judge_archive(settings.archive, retention_ms, missing(settings, view))
        except ArchiveFailed as problem:
            yield Finding(WRONG, "archive", str(problem), "see docs/keeping.md")
        except ModuleNotFoundError:
            advice = "ask where it is: pip install 'encore-viewing[archive]'"
            yield Finding(ODD, "archive", f"{settings.archive} cannot be read here", advice)


def judge_retention(settings: Settings, retention_ms: int) -> Finding:
    """How long Kafka keeps the source, and what then becomes of recounts."""
    what = f"retention of {settings.source_topic}"
    if retention_ms < 0:
        return Finding(OK, what, "for ever")
    found = f"{days(retention_ms / DAY_MS)}"
    if not settings.archive:
        advice = (
            "`encore rebuild` and `encore verify` end there: run `encore archive` (docs/keeping.md), or keep it for"
            " ever: `kafka-configs --alter --entity-type topics --entity-name"
            f" {settings.source_topic} --add-config retention.ms=-1`"
        )
        return Finding(ODD, what, found, advice)
    if retention_ms < settings.grace_days * DAY_MS:
        advice = "right, as long as an archiver is never away for so long"
        return Finding(
            OK, what, f"{found}, less than the grace of {settings.grace_days} days; then the archive", advice
        )
    return Finding(OK, what, f"{found}; then the archive")


def judge_archive(address: str, retention_ms: int, partitions: list[MissingInArchive]) -> Finding:
    """How far the archive is, by its worst partition."""
    gone = [each for each in partitions if each.forgotten]
    if gone:
        found = ", ".join(f"{each.forgotten:,} records of partition {each.partition}" for each in gone)
        advice = "they are lost: `encore archive --accept-gap` notes that and goes on; keep more in Kafka"
        return Finding(WRONG, "archive", f"Kafka has forgotten what is not in {address}: {found}", advice)
    records, worst = sum(each.records for each in partitions), max(partitions, key=lambda each: each.age_ms)
    if not records:
        return Finding(OK, "archive", f"{address} has every record")
    age = days(worst.age_ms / DAY_MS)
    found = f"{address} lacks {many(records, 'record')}, the oldest, of partition {worst.partition}, {age} old"
    if 0 <= retention_ms <= worst.age_ms * _SOON:
        advice = f"Kafka forgets it after {days(retention_ms / DAY_MS)}: see that `encore archive` runs and keeps up"
        return Finding(WRONG, "archive", found, advice)
    if worst.age_ms > DAY_MS:
        return Finding(ODD, "archive", found, "see that `encore archive` runs and keeps up")
    return Finding(OK, "archive", found)


def missing(settings: Settings, view: KafkaView) -> list[MissingInArchive]:
    """What the archive lacks, by partition. Raises `ArchiveFailed`, `KafkaFailed`."""
    from streams.archive.chain import last_file
    from streams.archive.source_note import check_fits, source_of

    topic, store = settings.source_topic, open_store(settings.archive)
    now = view.topic_there(topic)
    check_fits(store, topic, source_of(now, settings.pseudonyms()))
    found = []
    for number, (first, end) in view.spans(topic, range(now.partitions)).items():
        last = last_file(store, topic, number)
        at = first if last is None else last.footer.next_offset
        start = max(first, at)
        waits_ms = view.time_of(topic, number, start) if start < end else None
        # Nothing but markers of transactions may be left.
        records = 0 if waits_ms is None else end - start
        age_ms = 0 if waits_ms is None else max(0, time.time_ns() // 1_000_000 - waits_ms)
        found.append(MissingInArchive(number, records, age_ms, max(0, first - at)))
    return found
