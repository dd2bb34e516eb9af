"""The whole verification: wait for the worker, recompute from the raw topic, compare."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from streams.archive.history import History, history_of
from streams.config.kafka_security import KafkaAddress
from streams.config.settings import Settings
from streams.kafka.reader import CannotRead, NoTopic, TopicReader
from streams.registry.decoder import decoder_of
from streams.verify.comparison import Difference
from streams.verify.divided import divided
from streams.verify.judging import Judge, Judgement
from streams.verify.kept_topics import KeptTopics
from streams.verify.reading import StateLog, TitlesTopic, source_records
from streams.verify.recomputation import Catalog, Expected, Recomputation
from streams.verify.side_by_side import cores, counted, fold_side_by_side, shares_of
from streams.verify.sums import facts_folder

POLL_S = 0.25
SIDE_BY_SIDE_FROM = 200_000
"""With fewer records than this, starting processes (about a second) takes longer than it saves."""


@dataclass(frozen=True)
class Verification:
    """The result of a verification. Totals are the recomputation's. `notes`: possible causes, one line each."""

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
    """Compare everything that the worker published with a recomputation of the raw topic.

    Waits up to `wait_s` seconds for the worker's checkpoints to reach the end of the source, and then up to `wait_s`
    for it to publish. Windows whose retention is over may be missing, unless `expired_too`. With an archive in the
    settings, what Kafka has forgotten is read there. Raises `CannotRead` if a server, topic or archive cannot be read.
    """
    # Fails now if it is not installed, rather than after everything has been read.
    import duckdb  # noqa: F401

    started = time.monotonic()
    kafka = settings.kafka_address
    with TopicReader(kafka, settings.source_topic) as source:
        history = history_of(settings, source) if settings.archive else None
        checkpoints, ends = _wait_for_checkpoints(kafka, settings, source, wait_s)
        with (
            closing(checkpoints) as state,
            closing(TitlesTopic(kafka, settings.titles_topic)) as titles,
            closing(KeptTopics(kafka, settings, _firsts(source, history))) as kept,
        ):
            recomputation = _recompute(source, ends, state, settings, history)

            judge = Judge(settings, recomputation, state, titles, kept, expired_too=expired_too)
            expected, differences, gone = _wait_for_equality(judge.compare_now, wait_s)
            differences += [*divided(recomputation.logs), *_behind(kafka, settings, source, state, ends)]
            notes = _notes(settings, source, state, ends, history) if differences else []
            if gone:
                notes.append(f"{gone} keys are not there, and need not be: their retention is over")
    return _verification(expected, differences, notes, time.monotonic() - started)


def _firsts(source: TopicReader, history: History | None) -> dict[int, int]:
    """Each partition's first record that can be read: in Kafka, or in the archive."""
    return source.beginnings if history is None else history.firsts


def _wait_for_checkpoints(
    kafka: KafkaAddress, settings: Settings, source: TopicReader, wait_s: float
) -> tuple[StateLog, dict[int, int]]:
    """The state changelog and the source's ends, once the checkpoints reach the ends or the wait is over."""
    until = time.monotonic() + wait_s
    state = _open_state(kafka, settings, until)
    while True:
        ends = source.ends()
        state.read_on()
        if not _behind(kafka, settings, source, state, ends) or time.monotonic() > until:
            return state, ends
        time.sleep(POLL_S)


def _open_state(kafka: KafkaAddress, settings: Settings, until: float) -> StateLog:
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
    kafka: KafkaAddress, settings: Settings, source: TopicReader, state: StateLog, ends: dict[int, int]
) -> list[Difference]:
    """The partitions whose last checkpoint has not reached the last record, as differences."""
    return [
        Difference(f"checkpoint of partition {partition}", "next_offset", str(end), str(at))
        for partition, end in ends.items()
        if (at := max(state.next_offset(partition), source.beginnings[partition])) < end
        and _has_records(kafka, settings.source_topic, partition, at, end)
    ]


def _has_records(kafka: KafkaAddress, topic: str, partition: int, start: int, end: int) -> bool:
    # Markers of transactions take offsets too, so there may be no record between a position and the end.
    with TopicReader(kafka, topic, {partition: start}) as reader:
        return next(reader.read_below({partition: end}, at_once=1), None) is not None


def _recompute(
    source: TopicReader, ends: dict[int, int], state: StateLog, settings: Settings, history: History | None
) -> Recomputation:
    firsts = _firsts(source, history)
    total = sum(end - firsts[partition] for partition, end in ends.items())
    recomputation = Recomputation(
        Catalog(state.catalog()),
        settings.rules(),
        source.partitions,
        state.silent,
        settings.pseudonym_key(),
        state.erasures,
        state.zones(),
        decoder_of(settings),
    )
    with _progress("recomputing", total) as advance:
        if total >= SIDE_BY_SIDE_FROM and cores() > 1:
            _take_side_by_side(recomputation, source, ends, advance, history)
        else:
            recomputation.take(counted(source_records(source, ends, history), advance))
    return recomputation


def _take_side_by_side(
    recomputation: Recomputation,
    source: TopicReader,
    ends: dict[int, int],
    advance: Callable[[int], None],
    history: History | None,
) -> None:
    shares = shares_of(source, ends, recomputation.logs, cores(), history)
    with facts_folder() as folder:
        recomputation.take_folded(*fold_side_by_side(shares, folder, advance))


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)


def _wait_for_equality(compare_now: Callable[[], Judgement], wait_s: float) -> Judgement:
    until = time.monotonic() + wait_s
    while True:
        begun = time.monotonic()
        comparison = compare_now()
        if not comparison.differences or (ended := time.monotonic()) > until:
            return comparison
        # The worker that is waited for needs the processor too.
        time.sleep(max(POLL_S, ended - begun))


def _notes(
    settings: Settings, source: TopicReader, state: StateLog, ends: dict[int, int], history: History | None
) -> list[str]:
    notes = []
    grown = sum(source.ends().values()) - sum(ends.values())
    if grown:
        notes.append(f"{grown} records came to {settings.source_topic} meanwhile: stop what produces them")
    gone = sum(_firsts(source, history).values())
    if gone:
        notes.append(f"{gone} records are gone from the start of {settings.source_topic}: not recomputed")
    for partition, gaps in (history.gaps if history else {}).items():
        notes += [f"the archive lacks offsets {start} to {end - 1} of partition {partition}" for start, end in gaps]
    rules = {position.get("rules") for position in state.positions.values()}
    if rules - {settings.state_fingerprint()}:
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
        titles=len(expected.titles),
        completions=expected.total("completions"),
        rewatches=expected.total("rewatches"),
        keys=len(expected.hashes) + len(expected.boards),
        seconds=seconds,
        differences=differences,
        notes=notes,
    )
