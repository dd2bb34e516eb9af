"""A client for teams that build on the counters: typed, for asyncio and without, of one Redis, Sentinel or a cluster.

Owns how counters are read and followed. It must not know how they come about: nothing of a worker is imported here,
neither Kafka nor Faust. A five minutes' guide is `docs/reading.md`; what the counters mean, `docs/counters.md`.
"""

from streams.reader.asynchronous import AsyncReader
from streams.reader.errors import ReaderError
from streams.reader.results import (
    Age,
    AudienceWeek,
    Board,
    Change,
    Curve,
    Day,
    Daypart,
    Dayparts,
    Entry,
    Franchise,
    Hour,
    Legs,
    LongWindow,
    Profile,
    Status,
    Title,
    Week,
    Window,
)
from streams.reader.sync import Reader

__all__ = [
    "Age",
    "AsyncReader",
    "AudienceWeek",
    "Board",
    "Change",
    "Curve",
    "Day",
    "Daypart",
    "Dayparts",
    "Entry",
    "Franchise",
    "Hour",
    "Legs",
    "LongWindow",
    "Profile",
    "Reader",
    "ReaderError",
    "Status",
    "Title",
    "Week",
    "Window",
]
