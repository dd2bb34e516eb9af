"""The contract of a sink, the store that readers read: its calls, their arguments and results, and how they fail.

`tests/contract/test_sink.py` holds every sink to it. It must not know that the sink is Redis
(`streams.publishing.redis_sink`).

A hash is named by its key, and holds fields with texts. Behind it are shares: absolute numbers, one tuple for each
partition. Their sum is the hash's total, which has a revision. Times are in ms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from streams.publishing.partition_status import Health

Version = tuple[int, int]
"""Incarnation and sequence: how far a partition's state is. Of two the larger is the newer."""

Share = tuple[int, ...]
"""A partition's share of a key: partition, incarnation, sequence, then the counters."""


class Unreachable(Exception):
    """The server does not answer, or not as it should; nothing is known of the call's effect. The message says why."""


class DataLost(Exception):
    """The server is not the one, or not in the state, that was joined: join again and publish everything again."""


class ForeignPrefix(Exception):
    """The prefix belongs to another application. The message names both and the remedy."""


class Metric(NamedTuple):
    """One board: where its score stands among a hash's texts, and what must be at least so much (-1: nothing)."""

    score: int
    judge: int
    least: int


class Boards(NamedTuple):
    """The boards that a hash has places on, one for each metric, and how long they live; 0: for good."""

    keys: tuple[str, ...]
    metrics: tuple[Metric, ...]
    life_ms: int


class Totals(NamedTuple):
    """For each key its revision and total; `refused` counts the shares older than those held.

    A key of which there never was a share has the revision "0" and the total [].
    """

    refused: int
    revisions: list[str]
    totals: list[list[int]]


class PrefixState(NamedTuple):
    """What all workers together have told: the least stream time, and fields and texts of the status hash in turn.

    `judged_ms` is the largest such time that anything was ever computed for, or this one.
    """

    as_of_ms: int
    judged_ms: int
    status: list[str]


class Readable(NamedTuple):
    """A hash to be written: fields and texts in turn, how long it lives (0: for good), its member's place on boards.

    No fields: there shall be no such hash. `alone`: it shall have these fields, and a version, and no others.
    """

    key: str
    revision: str
    life_ms: int
    fields: Sequence[str]
    boards: Boards | None = None
    member: str = ""
    alone: bool = False


class Derived(NamedTuple):
    """A hash computed from others' totals. `has_shares`: it is there only where it has shares of its own."""

    key: str
    inputs: Sequence[str]
    life_ms: int = 0
    has_shares: bool = False


class Sink(Protocol):
    """One worker's way into the store, under one prefix and for one application.

    All methods are called on the one event loop, several at once. They await the server and never block the loop; each
    says how many answers it waits for. All but `close` raise `Unreachable`, after a timeout of the sink's own where no
    answer comes. A call may be cancelled. To repeat one does no harm, so a sink may retry by itself.

    What is done to one hash (its shares, total and revision, its fields and places on boards) is done whole or not at
    all. Who calls after another call was answered, in whatever process, finds all that it did.

    "Joined" below: `join` was answered, and `DataLost` was not raised since. Who is not joined may only call `join`,
    `published_version`, `note_partitions`, `read_state` and `close`. Once the data is gone, every call that raises
    `DataLost` does so, and does nothing else, until the next `join` of this sink, whoever has joined meanwhile.
    """

    async def join(self, partitions: int) -> bool:
        """Take part in publishing; returns whether the data is as it was at this sink's last join.

        `partitions`: how many the source has. After a loss the first to join lets all of them be published anew
        (`is_complete`). False at the first time. At any time, and again after `DataLost`. Awaits one answer.
        Raises `ForeignPrefix` where another application publishes under the prefix.
        """
        ...

    async def is_complete(self) -> bool:
        """Whether every partition has been noted as published since the data was lost, or a rebuild was begun.

        It alone must notice another run of the server on data of the run before, which may have lost its newest part:
        that, too, is `DataLost`. When joined, first in every round; awaits one answer.
        """
        ...

    async def published_version(self, partition: int) -> Version | None:
        """The version up to which a partition is published; None: nothing is known of it, as after a loss.

        At any time; awaits one answer.
        """
        ...

    async def note_published(self, versions: Mapping[int, Version]) -> None:
        """Note by partition up to which versions readers find everything. (0, 0): all of it is to be written again.

        When joined, once that is written and swept. Awaits one answer, none without versions. Raises `DataLost`.
        """
        ...

    async def begin_rebuild(self, partitions: int) -> int:
        """Note that all partitions, so many, will be recounted; returns the newest incarnation published, or 0.

        Forgets partitions of larger numbers. From then on workers hold back until `note_recounts` returns 0. When
        joined, by `encore rebuild` alone, while no worker runs. Awaits one answer. Raises `DataLost`.
        """
        ...

    async def note_recounts(self, recounts: Mapping[int, bool]) -> int:
        """Note by partition whether this worker recounts it, or is through; how many are recounted by whomever.

        When joined; awaits one answer. Raises `DataLost`.
        """
        ...

    async def sweep(self, incarnations: Mapping[int, int], partitions: int) -> int:
        """Take out the shares of older incarnations than these, by partition, and of partitions from that number on.

        Returns how many hashes were left without a share, and are gone, with their places on boards and a title's
        legs, which are not counted. Looks at nothing where none of these partitions can have such shares: where
        there was neither rebuild nor loss since it was noted as published. When joined, once these partitions' shares
        are all written, and before that is noted. Awaits one answer, and two for each some hundred hashes of the
        prefix where there may be something to sweep; raises `DataLost` only then.
        """
        ...

    async def note_partitions(self, health: Mapping[int, Health]) -> None:
        """Note by partition how it is doing, as of now. At any time; awaits one answer, none without partitions."""
        ...

    async def read_state(self) -> PrefixState:
        """What all workers have noted of their partitions. At any time; awaits one answer."""
        ...

    async def add_shares(
        self, hashes: Sequence[str], lives_ms: Sequence[int], shares: Sequence[Sequence[Share]]
    ) -> Totals:
        """Put newer shares of hashes in place of older ones; the hashes' totals afterwards, in their order.

        Of each hash its key, how long its shares live from now on (0: for good), and any number of shares, none to ask
        for the total alone. A share of an older version than the one held is refused, one of the same changes nothing;
        a newer one moves the revision on. A total is as long as the longest share ever was. When joined; awaits one
        answer. Raises `DataLost`.
        """
        ...

    async def write_hashes(self, hashes: Sequence[Readable], *, alone: bool = False) -> int:
        """Write hashes whose total is still at its revision; returns how many those were. `alone`: all of them are.

        The others stay, with their places on boards: who moved them on writes them. Each written hash gets a larger
        `version`, also past a loss, and that is announced to readers. No place on a board for a score of 0 or none,
        nor with too little of what judges it. When joined, with revisions of `add_shares` or `derive`; awaits one
        answer. Raises `DataLost`.
        """
        ...

    async def derive(self, hashes: Sequence[Derived], as_of_ms: int) -> list[tuple[str, list[list[int]]]]:
        """Of each hash a revision to write it at, and the totals that it is computed from, for a stream time.

        Revisions move on before totals are read: the last to write has seen every share. A total is empty where there
        is none; a revision is where the hash should have shares and has none. When joined, once this worker's shares
        of all inputs are written; awaits one answer. Raises `DataLost`.
        """
        ...

    async def delete_hashes(self, hashes: Sequence[str]) -> int:
        """Delete hashes that are derived from others, with their revisions; returns how many there were.

        That is announced to readers. When joined; awaits one answer. Raises `DataLost`.
        """
        ...

    async def weeks(self, hashes: Sequence[str]) -> list[int]:
        """The field `week` of each of these hashes of legs; 0 where there is no such hash.

        When joined; awaits one answer. Raises `DataLost`.
        """
        ...

    async def close(self) -> None:
        """Close the connections, after the last call has returned; waits for no answer."""
        ...
