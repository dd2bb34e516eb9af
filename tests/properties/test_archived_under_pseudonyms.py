"""A recount from an archive under pseudonyms equals that of the source: every counter, dead letter and late event."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from random_logs import Log, Step, Writer
from shown_hashes import shown
from whole_state import state

from models.events import END_OF_CALENDAR_MS
from models.pseudonymous_record import Pseudonymizer
from streams.config.settings import Settings
from streams.state.side_outputs import kept_records
from streams.state.transactions import SideRecord

LOGS = st.builds(
    lambda seed, events: Writer(Random(seed), events, pseudonymous=True).log(),
    st.integers(0, 2**32),
    st.integers(1, 150),
)


@settings(max_examples=40)
@given(LOGS, st.randoms(use_true_random=False))
def test_whatever_is_archived_and_from_wherever_kafka_goes_on(log: Log, random: Random) -> None:
    some = replace(log, steps=archived(log, random.choice((len(log.steps), random.randint(0, len(log.steps))))))
    assert counted(some) == counted(log)
    there = shown([fold for fold, _ in log.folded()], log)
    expected, found = log.recomputed(there), some.recomputed(there)
    assert replace(found, dead_letters=set(found.dead_letters)) == replace(
        expected, dead_letters=set(expected.dead_letters)
    )


def archived(log: Log, until: int) -> list[Step]:
    """The log's steps, the first of them as its archive gives them."""
    assert log.pseudonyms is not None
    of = Pseudonymizer(log.pseudonyms, log.partitions, shortest_grace_ms=log.rules.grace_ms).of
    stream_times_ms = [-1] * log.partitions
    steps = []
    for step in log.steps[:until]:
        number, (offset, timestamp_ms, key, value) = step.partition, step.record
        if timestamp_ms < END_OF_CALENDAR_MS:
            stream_times_ms[number] = max(stream_times_ms[number], timestamp_ms)
        record = of(number, offset, timestamp_ms, key, value, stream_times_ms[number])
        steps.append(step._replace(record=record))
    return steps + log.steps[until:]


def counted(log: Log) -> list[tuple[dict[str, Any], list[SideRecord]]]:
    """Each partition's state in the end, and what was written to the side topics."""
    where = Settings()
    return [
        (
            state(fold),
            [kept for each in changes for kept in kept_records(each, where, number, "a topic's id", log.pseudonyms)],
        )
        for number, (fold, changes) in enumerate(log.folded())
    ]
