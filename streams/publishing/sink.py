"""The contract of a sink, the store that readers read: its calls, their arguments and results, and how they fail.

`tests/contract/test_sink.py` holds every sink to it. It must not know that the sink is Redis
(`streams.publishing.redis_sink`).

A hash is named by its key, and holds fields with texts. Behind it are shares: absolute numbers, one tuple for each
partition. Their sum is the hash's total, which has a revision. Times are in ms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from streams.publishing.partition_status import PartitionHealth

Version = tuple[int, int]
"""Incarnation and sequence: how far a partition's state is. The larger one of two is newer."""

NOT_KNOWN: Mapping[int, int] = MappingProxyType({})
NOT_COMPLETE = -1

Share = tuple[int, ...]
"""A partition's share of a key: partition, incarnation, sequence, then the counters."""


class Unreachable(Exception):
    """The server did not answer, or answered wrongly; the call may have had an effect or not. The message says why."""


class DataLost(Exception):
    """The server, or its data, is not what was joined: join again and publish everything again."""


class ForeignPrefix(Exception):
    """The prefix belongs to another application. The message names both and the remedy."""


class Metric(NamedTuple):
    """One board. `score` is the place of its score among the hash's fields and texts. `judge` is the place of a count
    that must be at least `least`, or the hash is not ranked; -1: there is none."""

    score: int
    judge: int
    least: int


class VerdictField(NamedTuple):
    """A field whose change is told, as a verdict of the hash's member. `of`: what that is, `title` or `franchise`.

    `place`: that of the field's text. The field `completions` is told at each power of ten from 10 on that it reaches,
    once for ever. A flag is told whenever it changes; the first text of its hash is a week. Such a hash ends with
    `as_of_ms`, its text, `complete` and its text.
    """

    field: str
    of: str
    place: int


LISTED = Metric(-1, -1, 0)
"""Not a board but a list: every hash is on it, with the score 0."""


class Boards(NamedTuple):
    """The boards and lists of a hash, one for each metric, when they expire (0: never), and what is told of it."""

    keys: tuple[str, ...]
    metrics: tuple[Metric, ...]
    life_ms: int
    told: VerdictField | None = None


class WrittenTotals(NamedTuple):
    """Each key's revision and total. `refused`: how many shares were older than the stored ones.

    A key that never had a share has the revision "0" and the total []; one all of whose shares were refused has the
    revision "": another worker writes its hash.
    """

    refused: int
    revisions: list[str]
    totals: list[list[int]]


class PrefixState(NamedTuple):
    """The state of all workers: the least stream time, and fields and texts of the status hash, alternating.

    `judged_ms` is the largest stream time for which anything has been computed so far.
    """

    as_of_ms: int
    judged_ms: int
    status: list[str]


class Begun(NamedTuple):
    """What a round finds: `Sink.is_complete` and `Sink.read_state`.

    `is_held`: readers are being moved to another application, which must not be overtaken: write nothing, ask again.
    """

    is_complete: bool
    state: PrefixState
    is_held: bool = False


class Readable(NamedTuple):
    """A hash to write: fields and texts, alternating; when it expires (0: never); its member on boards.

    Without fields, the hash is deleted. `alone`: it gets exactly these fields and a version.
    """

    key: str
    revision: str
    life_ms: int
    fields: Sequence[str]
    boards: Boards | None = None
    member: str = ""
    alone: bool = False


class Derived(NamedTuple):
    """A hash computed from others' totals. `has_shares`: it exists only while it has shares of its own."""

    key: str
    inputs: Sequence[str]
    life_ms: int = 0
    has_shares: bool = False


class Sink(Protocol):
    """One worker's way into the store, under one prefix and for one application.

    All methods are called on one event loop, several at a time. They await the server and never block the loop; each
    states how many answers it waits for. All but `close` raise `Unreachable`; if no answer comes, after the sink's own
    timeout. A call may be cancelled. Repeating a call is harmless, so a sink may retry.

    A change to one hash (its shares, total and revision, its fields and places on boards) is atomic. A call sees the
    effects of all calls that were answered before it was made, in any process.

    "Joined" below means that `join` was answered, and `DataLost` was not raised since. A sink that is not joined may
    only call `join`, `published_version`, `note_partitions`, `read_state` and `close`. After a loss of data, every call
    that can raise `DataLost` does so and changes nothing, until this sink joins again, whichever other sink has joined.
    """

    async def join(self, partitions: int) -> bool:
        """Take part in publishing. Returns whether the data is still that of this sink's last join; at first, False.

        `partitions`: the source's number of partitions. After a loss, the first join marks all of them as not published
        (`is_complete`). Call it at any time, and again after `DataLost`. Awaits one answer. Raises `ForeignPrefix` if
        another application publishes under the prefix.
        """
        ...

    async def is_complete(self) -> bool:
        """Whether every partition has been noted as published since the last loss of data or start of a rebuild.

        This call must also detect a restart of the server, as its data may lack the newest part: it then raises
        `DataLost`. Call it when joined; awaits one answer.
        """
        ...

    async def begin_round(
        self, health: Mapping[int, PartitionHealth], ends: Mapping[int, int] = NOT_KNOWN, topic_id: str = ""
    ) -> Begun:
        """`is_complete`, then `note_partitions`, then `read_state`. Raises `DataLost` as the first does.

        Notes for each partition the source offset below which its records may be counted in what is written next
        (`ends`; `topic_id`: of the source topic), unless the application is held still. Call it when joined, first in
        every round; awaits one answer.
        """
        ...

    async def published_version(self, partition: int) -> Version | None:
        """The version up to which a partition is published; None if unknown, for example after a loss.

        At any time; awaits one answer.
        """
        ...

    async def note_published(self, versions: Mapping[int, Version], ends: Mapping[int, int] = NOT_KNOWN) -> None:
        """Note for each partition the version up to which readers see everything. (0, 0): all must be written again.

        `ends`: the source offsets below which they see everything, as far as that is known; `NOT_COMPLETE`: not all
        of their hashes are marked as complete. Call it when joined, after that was written and swept. Awaits one
        answer, none without versions. Raises `DataLost`.
        """
        ...

    async def begin_rebuild(self, partitions: int) -> int:
        """Note that all these partitions will be recounted; returns the newest published incarnation, or 0.

        Forgets partitions with larger numbers. From then on workers hold publishing back until `note_recounts` returns
        0. Only `encore rebuild` calls it, when joined, while no worker runs. Awaits one answer. Raises `DataLost`.
        """
        ...

    async def note_recounts(self, recounts: Mapping[int, bool]) -> int:
        """Note for each partition whether this worker is still recounting it; returns how many any worker still is.

        When joined; awaits one answer. Raises `DataLost`.
        """
        ...

    async def sweep(self, incarnations: Mapping[int, int], partitions: int) -> int:
        """Delete shares of older incarnations than these, by partition, and of partitions from that number on.

        Hashes without any share left are deleted, with their places on boards and a title's legs; returns how many
        hashes that were, legs not included. Does nothing if there can be no such shares: if there was neither a rebuild
        nor a loss since these partitions were noted as published. Call it when joined, after all shares of these
        partitions were written, and before that is noted. Awaits one answer; if there may be something to sweep, also
        two for every few hundred hashes of the prefix, and only then raises `DataLost`.
        """
        ...

    async def note_partitions(self, health: Mapping[int, PartitionHealth]) -> None:
        """Note each partition's health as of now. At any time; awaits one answer, none without partitions."""
        ...

    async def read_state(self) -> PrefixState:
        """What all workers have noted of their partitions. At any time; awaits one answer."""
        ...

    async def add_shares(
        self, hashes: Sequence[str], lives_ms: Sequence[int], shares: Sequence[Sequence[Share]]
    ) -> WrittenTotals:
        """Replace shares of hashes by newer ones; returns the hashes' totals afterwards, in the same order.

        For each hash: its key, when its shares expire (0: never), and any number of shares; without shares, only the
        total is returned. A share with an older version than the stored one is refused; with the same version it
        changes nothing; a newer one advances the revision. A total is as long as the longest share so far. Call it when
        joined; awaits one answer. Raises `DataLost`.
        """
        ...

    async def write_hashes(self, hashes: Sequence[Readable], *, alone: bool = False) -> int:
        """Write the hashes whose revision is still current; returns how many. `alone`: every hash is `Readable.alone`.

        The others are left as they are, with their places on boards: whoever advanced the revision writes them. Each
        written hash gets a larger `version`, also after a loss, and the change is announced to readers. A hash is not
        ranked with a score of 0 or none, nor below the least value of `Metric`; it is on every list (`LISTED`).
        Verdicts (`VerdictField`) are told in the same step, from one complete hash to the next one: not while a hash is
        written again, but afterwards, if they changed meanwhile. Call it when joined, with revisions of `add_shares` or
        `derive`; awaits one answer. Raises `DataLost`.
        """
        ...

    async def derive(self, hashes: Sequence[Derived], as_of_ms: int) -> list[tuple[str, list[list[int]]]]:
        """For each hash, a revision to write it at and the totals that it is computed from, for a stream time.

        Revisions advance before totals are read, so the last writer has seen every share. A missing total is empty; so
        is the revision of a hash that should have shares and has none. Call it when joined, after this worker's shares
        of all inputs were written; awaits one answer. Raises `DataLost`.
        """
        ...

    async def delete_hashes(self, hashes: Sequence[str]) -> int:
        """Delete derived hashes with their revisions; returns how many existed.

        The change is announced to readers. Call it when joined; awaits one answer. Raises `DataLost`.
        """
        ...

    async def weeks(self, hashes: Sequence[str]) -> list[int]:
        """The field `week` of each of these hashes of legs; 0 if there is no such hash.

        Call it when joined; awaits one answer. Raises `DataLost`.
        """
        ...

    async def close(self) -> None:
        """Close the connections, after the last call has returned; waits for no answer."""
        ...
