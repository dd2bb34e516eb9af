"""Counts what became of a partition's records, and how much of their content was not credited."""

from __future__ import annotations

import msgspec


class StreamCounters(msgspec.Struct, array_like=True, gc=False):
    """Counts of all records of a partition. Each record is one of `events`, `dead_letters` and `late_events`.

    `refused_…_ms` is content that was not credited, in milliseconds. `refused_back` counts intervals that ended before
    they began (the design, section 1: what is refused is counted).
    """

    events: int = 0
    dead_letters: int = 0
    late_events: int = 0
    late_hour_events: int = 0
    unknown_zone_events: int = 0
    misrouted_events: int = 0
    stale_events: int = 0
    player_restarts: int = 0
    refused_long_ms: int = 0
    refused_fast_ms: int = 0
    refused_gap_ms: int = 0
    refused_back: int = 0
