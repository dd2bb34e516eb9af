"""Records as an archive keeps them under pseudonyms: no id, and yet a recount judges and counts each as it was.

Owns what is kept of a record (decision record 35). What settings, catalog, zones or erasures decide, a recount decides.
Noted is only what is lost with the bytes: why they are no event, and whether the key belongs to another partition.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from models.events import END_OF_CALENDAR_MS, BadEvent
from models.partitioner import partition_of
from models.pseudonyms import Pseudonyms, without_quotes
from models.reading import read_event
from models.rules import SHORTEST_GRACE_MS
from models.source_record import SourceRecord

KEPT_FIELDS = (
    "event_id", "event_type", "event_time_ms", "household_id", "title_id", "play_session_id", "position_ms",
    "profile_id", "profile_kind", "seq", "playback_rate", "seek_from_ms", "runtime_ms", "credits_start_ms",
    "time_zone", "content_kind", "autoplay",
)  # fmt: skip
"""The fields of an event that the rules read. All others go: whatever a producer adds may name the household."""

_HOUSEHOLDS_CACHED = 100_000
_Kept = msgspec.defstruct("_Kept", [(name, Any, None) for name in KEPT_FIELDS], omit_defaults=True, gc=False)
_kept = attrgetter(*KEPT_FIELDS)
_encode = msgspec.json.Encoder().encode


class PseudonymousRecord(NamedTuple):
    """A record of the source under its household's pseudonym. `timestamp`: milliseconds.

    `key`: the pseudonym of the key. `value`: the event's kept fields as JSON; None: the record is no event, for the
    reason `refusal`. `value_bytes`: how long the source's value was; None also for events that are on time by any
    settings, as it says something of the id's length. `is_misrouted`: the source's key belongs to another partition.
    """

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    value_bytes: int | None
    is_misrouted: bool
    refusal: str | None


class Pseudonymizer:
    """Puts records of a topic that has `partitions` under pseudonyms.

    An event that is at most `shortest_grace_ms` behind the stream time is not late by any settings. `decode` turns a
    value into JSON, or raises `BadEvent`; None: all values are JSON.
    """

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        partitions: int,
        *,
        shortest_grace_ms: int = SHORTEST_GRACE_MS,
        decode: Callable[[bytes | None], bytes | None] | None = None,
    ) -> None:
        self.fingerprint = pseudonyms.fingerprint()
        self._pseudonyms, self._partitions = pseudonyms, partitions
        self._shortest_grace_ms, self._decode = shortest_grace_ms, decode
        self._household = lru_cache(_HOUSEHOLDS_CACHED)(self._of_household)

    def of(
        self,
        partition: int,
        offset: int,
        timestamp_ms: int,
        key: bytes | None,
        value: bytes | None,
        stream_time_ms: int,
    ) -> PseudonymousRecord:
        """A record under its pseudonym. `stream_time_ms`: the partition's, with this record."""
        length = None if value is None else len(value)
        try:
            event = read_event(key, value if self._decode is None else self._decode(value))
        except BadEvent as problem:
            # A key that is no household's may be long, so it is not cached.
            name = None if key is None else self._pseudonyms.of(key).encode()
            reason = without_quotes(str(problem))
            return PseudonymousRecord(partition, offset, timestamp_ms, name, None, length, False, reason)
        event.household_id, home = self._household(event.household_id)
        if stream_time_ms - self._shortest_grace_ms <= event.event_time_ms <= timestamp_ms < END_OF_CALENDAR_MS:
            length = None
        name, text = event.household_id.encode(), _encode(_Kept(*_kept(event)))
        return PseudonymousRecord(partition, offset, timestamp_ms, name, text, length, home != partition, None)

    def _of_household(self, household_id: str) -> tuple[str, int]:
        key = household_id.encode()
        return self._pseudonyms.of(key), partition_of(key, self._partitions)


def refusal_of(record: SourceRecord, problem: BadEvent) -> str:
    """Why a record is no event: what the archive says, if its bytes are gone."""
    return (record.refusal if isinstance(record, PseudonymousRecord) else None) or str(problem)
