"""Waits until readers see everything that was sent until now.

Owns what that means: each partition's checkpoints have reached the end that its source had when the wait began, and are
published.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from redis import RedisError

from streams.config.redis_address import without_password
from streams.config.settings import Settings
from streams.kafka.admin import KafkaView
from streams.kafka.last_record import last_record
from streams.kafka.reader import CannotRead
from streams.redis.clients import sync_client
from streams.redis.keys import Keys
from streams.redis.published import read_version
from streams.state.changelog import Position, decode_position

_POLL_S = 0.25
_ANSWER_S = 10.0


class CatchingUp(NamedTuple):
    """What readers do not see yet of what was sent before the wait.

    `records`: how many are not counted. `unseen`: the partitions that are not published up to there. `workers`: how
    many are in the group.
    """

    records: int
    unseen: list[int]
    workers: int

    @property
    def is_over(self) -> bool:
        """Whether readers see everything."""
        return not self.unseen


def follow(settings: Settings, view: KafkaView, within_s: float, tell: Callable[[CatchingUp], None]) -> CatchingUp:
    """Wait up to `within_s` until readers see what the source holds now; `tell` is called with each look.

    Raises `KafkaFailed`, `CannotRead`.
    """
    deadline = time.monotonic() + within_s
    ends = _ends(settings, view)
    while True:
        found = _look(settings, view, ends)
        tell(found)
        if found.is_over or time.monotonic() > deadline:
            return found
        time.sleep(_POLL_S)


def _ends(settings: Settings, view: KafkaView) -> dict[int, int]:
    """The offset behind each partition's last record. What follows it, markers of transactions, is never read."""
    numbers = range(view.topic_there(settings.source_topic).partitions)
    last = {n: last_record(settings.kafka_address, settings.source_topic, n, _ANSWER_S) for n in numbers}
    return {number: record.offset + 1 for number, record in last.items() if record is not None}


def _look(settings: Settings, view: KafkaView, ends: Mapping[int, int]) -> CatchingUp:
    workers = view.members(settings.app_id)
    spans = view.spans(settings.source_topic, ends)
    records = sum(
        max(0, end - max(spans[number][0], view.committed(settings.app_id, settings.source_topic, number) or 0))
        for number, end in ends.items()
    )
    if records:
        return CatchingUp(records, list(ends), workers)
    published = _published(settings)
    return CatchingUp(0, [n for n, end in ends.items() if not _is_seen(settings, n, end, published.get(n))], workers)


def _is_seen(settings: Settings, number: int, end: int, published: tuple[int, int] | None) -> bool:
    position = _position(settings, number)
    if position is None or published is None or position.next_offset < end:
        return False
    return published >= (position.incarnation, position.sequence)


def _position(settings: Settings, number: int) -> Position | None:
    last = last_record(settings.kafka_address, settings.state_topic, number, _ANSWER_S)
    return None if last is None else decode_position(last.value or b"")


def _published(settings: Settings) -> dict[int, tuple[int, int]]:
    try:
        with sync_client(settings.redis_url, socket_timeout=_ANSWER_S) as client:
            found = client.hgetall(Keys(settings.redis_prefix).published)
    except (RedisError, OSError) as problem:
        raise CannotRead(f"Redis at {without_password(settings.redis)} does not answer: {problem}") from None
    return {int(number): read_version(text) for number, text in found.items()}
