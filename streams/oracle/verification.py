"""The whole verification: wait for the worker, recompute from the raw topic, compare.

Owns the order and the waiting. It must not know how a record is folded or a difference found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.rules import DAY_MS
from streams.oracle.comparison import Difference, Found, compare
from streams.oracle.kept_topics import KeptTopics
from streams.oracle.published import published
from streams.oracle.reading import (
    CannotRead,
    NoTopic,
    StateLog,
    TopicReader,
    current_titles,
    source_records,
)
from streams.oracle.recomputation import Catalog, Expected, recompute
from streams.oracle.sums import window_start_ms
from streams.settings import Settings

POLL_S = 0.25


@dataclass(frozen=True)
class Verification:
    """What a verification saw. Totals are the recomputation's; `notes` explain differences, one line each."""

    produced: int
    events: int
    dead_letters: int
    late: int
    milestones: int
    titles: int
    completions: int
    rewatches: int
    keys: int
    seconds: float
    differences: list[Difference]
    notes: list[str]

    @property
    def verified(self) -> bool:
        return not self.differences


def verify(settings: Settings, *, wait_s: float, expired_too: bool = False) -> Verification:
    """Whether everything the worker published equals a recomputation of the raw topic.

    Waits up to `wait_s` for the worker's checkpoints to reach the end of the source, and then up to `wait_s`
    for what it publishes. Hour and day hashes whose time to live may be over may be missing, unless
    `expired_too`. Raises `CannotRead` where a server or topic cannot be read and `NoServers` without any.
    """
    from streams.devstack import addresses

    started = time.monotonic()
    servers = addresses(settings)
    with TopicReader(servers.kafka, settings.source_topic) as source:
        checkpoints, ends = _wait_for_checkpoints(servers.kafka, settings, source, wait_s)
        with closing(checkpoints) as state, closing(KeptTopics(servers.kafka, settings, source.beginnings)) as kept:
            catalog = Catalog(state.catalog(), _titles(servers.kafka, settings))
            expected = _recompute(source, ends, catalog, settings)

            def differences_now() -> list[Difference]:
                may_lack = set() if expired_too else _may_have_expired(expected, settings, datetime.now(UTC))
                found = _found_now(servers.redis, settings, kept)
                return compare(expected, found, may_lack=may_lack, told=state.told())

            differences = _wait_for_equality(differences_now, wait_s)
            differences += _behind(servers.kafka, settings, source, state, ends)
            notes = _notes(settings, source, state, ends) if differences else []
    return _verification(expected, differences, notes, time.monotonic() - started)


def _wait_for_checkpoints(
    kafka: str, settings: Settings, source: TopicReader, wait_s: float
) -> tuple[StateLog, dict[int, int]]:
    """The state changelog and the source's ends, once the one has reached the other or the wait is over."""
    until = time.monotonic() + wait_s
    state = _open_state(kafka, settings, until)
    while True:
        ends = source.ends()
        state.read_on()
        if not _behind(kafka, settings, source, state, ends) or time.monotonic() > until:
            return state, ends
        time.sleep(POLL_S)


def _open_state(kafka: str, settings: Settings, until: float) -> StateLog:
    while True:
        try:
            return StateLog(kafka, settings.state_topic)
        except NoTopic:
            if time.monotonic() > until:
                raise CannotRead(
                    f"Kafka at {kafka} has no topic {settings.state_topic}: no worker with the application id"
                    f" {settings.app_id} ran yet (start `encore worker`, or set ENCORE_APP_ID)"
                ) from None
            time.sleep(POLL_S)


def _behind(
    kafka: str, settings: Settings, source: TopicReader, state: StateLog, ends: dict[int, int]
) -> list[Difference]:
    """The partitions of which the last checkpoint has not reached the last record."""
    return [
        Difference(f"checkpoint of partition {partition}", "next_offset", str(end), str(at))
        for partition, end in ends.items()
        if (at := max(state.next_offset(partition), source.beginnings[partition])) < end
        and _has_records(kafka, settings.source_topic, partition, at, end)
    ]


def _has_records(kafka: str, topic: str, partition: int, start: int, end: int) -> bool:
    # The end of a transaction takes an offset too, so a position below the end may have nothing before it.
    with TopicReader(kafka, topic, {partition: start}) as reader:
        return next(reader.read_below({partition: end}, at_once=1), None) is not None


def _titles(kafka: str, settings: Settings) -> dict[str, bytes]:
    try:
        return current_titles(kafka, settings.titles_topic)
    except NoTopic:
        return {}


def _recompute(source: TopicReader, ends: dict[int, int], catalog: Catalog, settings: Settings) -> Expected:
    total = sum(end - source.beginnings[partition] for partition, end in ends.items())
    with _progress("recomputing", total) as advance:
        records = _counted(source_records(source.read_below(ends)), advance)
        return recompute(records, catalog, settings.rules(), source.partitions)


def _counted(records: Iterator[Any], advance: Callable[[int], None]) -> Iterator[Any]:
    while some := list(islice(records, 10_000)):
        yield from some
        advance(len(some))


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)


def _wait_for_equality(differences_now: Callable[[], list[Difference]], wait_s: float) -> list[Difference]:
    until = time.monotonic() + wait_s
    while (differences := differences_now()) and time.monotonic() <= until:
        time.sleep(POLL_S)
    return differences


def _found_now(redis: str, settings: Settings, kept: KeptTopics) -> Found:
    """All that the worker wrote, as it is now."""
    kept.read_on()
    return Found(
        *published(redis, settings.redis_prefix),
        kept.dead_letters.found,
        kept.late.found,
        kept.milestones.found,
        kept.odd_records(),
    )


def _may_have_expired(expected: Expected, settings: Settings, now: datetime) -> set[str]:
    """Keys of windows that began so long ago that their time to live may be over."""
    now_ms = round(now.timestamp() * 1000) + settings.future_s * 1000
    kept_ms = {"hour": settings.hour_retention_days * DAY_MS, "day": settings.day_retention_days * DAY_MS}
    return {
        key
        for key in expected.hashes
        if (start_ms := window_start_ms(key)) is not None and start_ms + kept_ms[key.split(":")[2]] <= now_ms
    }


def _notes(settings: Settings, source: TopicReader, state: StateLog, ends: dict[int, int]) -> list[str]:
    notes = []
    grown = sum(source.ends().values()) - sum(ends.values())
    if grown:
        notes.append(f"{grown} records came to {settings.source_topic} meanwhile: stop what produces them")
    gone = sum(source.beginnings.values())
    if gone:
        notes.append(f"{gone} records are gone from the start of {settings.source_topic}: not recomputed")
    rules = {position.get("rules") for position in state.positions.values()}
    if rules - {settings.rules().fingerprint()}:
        notes.append("the worker counted by other rule settings than these")
    return notes


def _verification(expected: Expected, differences: list[Difference], notes: list[str], seconds: float) -> Verification:
    status = expected.hashes["status"]
    return Verification(
        produced=expected.produced,
        events=int(status["events"]),
        dead_letters=int(status["dead_letters"]),
        late=int(status["late_events"]),
        milestones=len(expected.milestones),
        titles=sum(key.count(":") == 1 for key in expected.hashes),
        completions=expected.total("completions"),
        rewatches=expected.total("rewatches"),
        keys=len(expected.hashes),
        seconds=seconds,
        differences=differences,
        notes=notes,
    )
