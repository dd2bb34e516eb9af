"""Watches the topics that a worker's state rests on: Kafka's clients go by names, and a name may come to mean another.

Owns how often it looks and what it says. It must not know what the worker does then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import NoReturn

from streams.changelog import StateError
from streams.kafka_view import KafkaView, TopicNow
from streams.topics import REMEDY, KafkaFailed

log = logging.getLogger(__name__)

_LOOK_S = 2.0


async def watch_topics(view: KafkaView, as_found: Mapping[str, TopicNow]) -> NoReturn:
    """Look at topics, by name, for as long as they are as they were found; then raise `StateError`."""
    missing: set[str] = set()
    while True:
        await asyncio.sleep(_LOOK_S)
        try:
            now = {name: await asyncio.to_thread(view.topic, name) for name in as_found}
        except KafkaFailed as problem:
            log.debug("topics not looked at: %s", problem)
            continue
        for name, topic in now.items():
            # A broker that has just come up may not know a topic yet: it must be missing twice.
            if topic != as_found[name] and (topic is not None or name in missing):
                raise StateError(f"topic {name} {_change(as_found[name], topic)} while this worker ran; {REMEDY}")
        missing = {name for name, topic in now.items() if topic is None}


def _change(before: TopicNow, now: TopicNow | None) -> str:
    if now is None:
        return "was deleted"
    if now.topic_id != before.topic_id:
        return "was deleted and made anew"
    return f"has {now.partitions} partitions by now, it had {before.partitions},"
