"""Detects what the Kafka clients do not report.

A client uses topic names, and a name may come to mean another topic. A client may also stop delivering without an
error, for example after it ran out of memory. Owns how often this is checked, and the messages.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import NoReturn

from streams.kafka.admin import KafkaView, TopicNow
from streams.kafka.topics import GROWN, REMEDY, KafkaFailed
from streams.state.changelog import StateError

log = logging.getLogger(__name__)

_LOOK_S = 2.0
_LOOK_FOR_PROGRESS_S = 5.0


class Stalled(Exception):
    """Records are available, but none arrives. The message says where."""


async def watch_topics(
    view: KafkaView, as_found: Mapping[str, TopicNow], *, if_grown: str = GROWN, if_gone: str = REMEDY
) -> NoReturn:
    """Check topics, by name, every two seconds. Raises `StateError` once one is not as it was found; it ends with what
    to do if partitions were added, or otherwise."""
    missing: set[str] = set()
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            now = {name: await asyncio.to_thread(view.topic, name) for name in as_found}
        except KafkaFailed as problem:
            log.debug("topics not looked at: %s", problem)
            continue
        for name, topic in now.items():
            # A broker that has just started may not know a topic yet, so it must be missing twice.
            if topic != as_found[name] and (topic is not None or name in missing):
                remedy = if_grown if _is_grown(as_found[name], topic) else if_gone
                raise StateError(f"topic {name} {_change(as_found[name], topic)} while this worker ran; {remedy}")
        missing = {name for name, topic in now.items() if topic is None}


def _is_grown(before: TopicNow, now: TopicNow | None) -> bool:
    return now is not None and now.topic_id == before.topic_id


def _change(before: TopicNow, now: TopicNow | None) -> str:
    if now is None:
        return "was deleted"
    if now.topic_id != before.topic_id:
        return "was deleted and made anew"
    return f"has {now.partitions} partitions by now, it had {before.partitions},"


async def watch_progress(
    view: KafkaView, topic: str, positions: Callable[[], Mapping[int, int]], stall_s: float
) -> NoReturn:
    """Raise `Stalled` once a partition has had records to read for `stall_s` seconds and got none.

    `positions` returns the next offsets of the partitions that may be delivered now. Time in which Kafka does not
    answer does not count.
    """
    before: Mapping[int, int] = {}
    behind_since: dict[int, float] = {}
    while True:
        await asyncio.sleep(_LOOK_FOR_PROGRESS_S)
        now = positions()
        still = [number for number, position in now.items() if before.get(number) == position]
        try:
            ends = await asyncio.to_thread(view.readable_ends, topic, still) if still else {}
        except KafkaFailed as problem:
            log.debug("progress not looked at: %s", problem)
            ends = {}
        at_s = time.monotonic()
        behind = [number for number, end in ends.items() if end > now[number]]
        behind_since = {number: behind_since.get(number, at_s) for number in behind}
        for number, since_s in behind_since.items():
            if at_s - since_s >= stall_s:
                raise Stalled(
                    f"{topic}/{number}: records from offset {now[number]} to {ends[number]} have waited for"
                    f" {at_s - since_s:.0f} s and the Kafka client delivers none; the worker ends and goes on from its"
                    " last checkpoint"
                )
        before = now
