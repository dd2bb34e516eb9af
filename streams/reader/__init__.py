"""A typed client for programs that read the counters: sync and asyncio, for one Redis, Sentinel or a cluster.

It must not know the worker: importing it loads neither Kafka nor Faust. `docs/reading.md` is a guide of five minutes;
`docs/counters.md` says what the counters mean.
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
    DayMetric,
    Daypart,
    Dayparts,
    Entry,
    Franchise,
    FranchiseBoard,
    FranchiseEntry,
    Hour,
    Legs,
    Listing,
    LongWindow,
    Metric,
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
    "DayMetric",
    "Daypart",
    "Dayparts",
    "Entry",
    "Franchise",
    "FranchiseBoard",
    "FranchiseEntry",
    "Hour",
    "Legs",
    "Listing",
    "LongWindow",
    "Metric",
    "Profile",
    "Reader",
    "ReaderError",
    "Status",
    "Title",
    "Week",
    "Window",
]
