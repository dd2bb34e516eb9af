"""The state changelog: what a partition's state looks like as keys and values of a compacted topic.

Owns the keys, the position record and the way back from records to a fold. It must not know transactions,
consumers or threads.

    p                             position of the last checkpoint, JSON (`Position`)
    c <offset, 20 digits> | title the catalog row that holds from that source offset on, JSON; empty: none
    e <offset, 20 digits> | digest of a household   forgotten there (`models.erasure`), JSON (`Erased`)
    k <offset, 20 digits>         the time that had passed in silence before that source offset came, JSON, in ms
    r <length of title> title household    a packed row (`models.rows`)
    s <quarter hour> title        households by the streaks that end then (`models.streaks`), msgpack
    t title, l title, f franchise, v title, h <hour> title, d <day> title, a <age> title, w <week> title, u <week> title
                                  a tally: its sequence, then its counters, msgpack
    n title                       the windows that move as the title does (`streams.state.tally_records`), msgpack
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from models.account import StreamCounters
from models.catalog import CatalogRow
from models.changes import Changes
from models.fold import Fold
from models.rows import ROW_FORMAT
from models.tally import TITLE
from models.viewing import Row
from streams.kafka.topics import REMEDY
from streams.state.tally_records import (
    CURRENT,
    Message,
    UnknownKind,
    current_messages,
    decode_tally,
    encode,
    read_current,
    read_tally_key,
    tally_messages,
)

POSITION_KEY = b"p"
ERASURE = b"e"
"""The first byte of an erasure's key."""

_ROW = ord("r")
_REMEDY = f"go back to the version that wrote it, or {REMEDY}"

_decode_catalog = msgspec.json.Decoder(CatalogRow).decode


class StateError(Exception):
    """The state cannot be used as it is. The message says why and names the remedy."""


class Position(msgspec.Struct, frozen=True):
    """Where a partition's state stands; written in every checkpoint's transaction.

    `next_offset` is the first source offset that is not in the state; `incarnation` the time in milliseconds
    at which this state was begun; `sequence` numbers its checkpoints; `rules` and `zones` are the
    fingerprints of what it was computed with; `stream` the counts of all records, in their fields' order;
    `state_id` the id of the topic that the state is in. After a rebuild `told` is the first source offset of which
    no dead letter, late event or milestone was written before it, and `rebuild_until` the source offset from which
    on readers may see the new counters; both stay. `writer` is another one in each worker: two that write the same
    checkpoint are told apart by it.
    """

    next_offset: int
    topic_id: str
    partitions: int
    stream_time_ms: int
    sequence: int
    rules: str
    zones: str
    incarnation: int
    stream: list[int]
    format: int = ROW_FORMAT
    state_id: str = ""
    told: int = 0
    rebuild_until: int = 0
    writer: str = ""


class Erased(msgspec.Struct, frozen=True):
    """What was erased of a household: `rows` in number; its records below the offset `until` do not count."""

    until: int
    rows: int


_decode_position = msgspec.json.Decoder(Position).decode
_decode_erased = msgspec.json.Decoder(Erased).decode


def position_message(position: Position) -> Message:
    """The position as a changelog message."""
    return {"key": POSITION_KEY, "value": msgspec.json.encode(position)}


def catalog_message(offset: int, title_id: str, row: CatalogRow | None) -> Message:
    """The control row that says which catalog row holds from a source offset on (None: none does)."""
    value = b"" if row is None else msgspec.json.encode(row)
    return {"key": b"c%020d|%b" % (offset, title_id.encode()), "value": value}


def silence_message(offset: int, clock_ms: int) -> Message:
    """The control row that says how far time had come before the record at a source offset."""
    return {"key": b"k%020d" % offset, "value": b"%d" % clock_ms}


def erasure_message(offset: int, digest: str, erased: Erased) -> Message:
    """The control row that says that a household was forgotten before the record at a source offset."""
    return {"key": b"e%020d|%b" % (offset, digest.encode()), "value": msgspec.json.encode(erased)}


def read_erasure(key: bytes, value: bytes) -> tuple[str, Erased]:
    """The digest that an erasure's control row names, and what was erased. Raises `msgspec.DecodeError`."""
    return key[22:].decode(), _decode_erased(value)


def state_messages(changes: Changes) -> list[Message]:
    """The changed rows and sums as changelog messages; a tombstone for what left."""
    messages: list[Message] = [
        {"key": _row_prefix(title_id) + household_id.encode(), "value": packed}
        for title_id, household_id, packed in changes.rows
    ]
    messages += tally_messages(changes.tallies)
    messages += current_messages(changes.current)
    messages += [
        {
            "key": b"s" + end_quarter.to_bytes(4, "big") + title_id.encode(),
            "value": None if sums is None else encode(sums),
        }
        for (title_id, end_quarter), sums in changes.streaks.items()
    ]
    return messages


@lru_cache(maxsize=100_000)
def _row_prefix(title_id: str) -> bytes:
    title = title_id.encode()
    return b"r" + len(title).to_bytes(2, "big") + title


class Restored:
    """Collects a changelog, record after record in log order, into a fold and its position."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.position: Position | None = None
        self.rows = 0
        self._last_key = POSITION_KEY
        self._clock_ms = -1
        self._streaks: dict[bytes, bytes] = {}
        self._current: dict[bytes, bytes] = {}
        self._catalog: dict[str, tuple[bytes, bytes]] = {}
        self._rows_of: dict[bytes, dict[str, Row | bytes]] = {}

    def add(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Take in keys and values; a value of None is a tombstone. Raises `StateError`."""
        key = b""
        try:
            for key, value in records:
                # A row, of which there are millions, costs no call of ours.
                if not key or key[0] != _ROW:
                    self._add_other(key or b"", value)
                    continue
                end = 3 + (key[1] << 8) + key[2]
                rows = self._rows_of.get(key[:end])
                if rows is None:
                    rows = self._rows_of[key[:end]] = self.fold.title(key[3:end].decode()).rows
                if value is None:
                    rows.pop(key[end:].decode(), None)
                else:
                    # A household's rows of many titles share its name.
                    rows[sys.intern(key[end:].decode())] = value
        except (msgspec.DecodeError, ValueError, IndexError) as problem:
            raise _unreadable(key, problem) from None
        self.rows += len(records)
        if records:
            self._last_key = key

    def finish(self) -> None:
        """Make the fold stand where its last checkpoint stood. Raises `StateError`."""
        # Leaving out what follows the position would not do: compaction may have removed what that has replaced.
        if self._last_key != POSITION_KEY:
            raise StateError(
                f"the state ends with the key {self._last_key!r}, and not with a position: part of a transaction was"
                f" committed; {REMEDY}"
            )
        if self.position is None:
            return
        catalog = {title_id: _decode_catalog(value) for title_id, (_, value) in self._catalog.items() if value}
        key = b""
        try:
            for key, value in self._current.items():
                self._restore_current(key[1:].decode(), value)
            for key, value in self._streaks.items():
                self.fold.restore_streaks(key[5:].decode(), int.from_bytes(key[1:5], "big"), decode_tally(value))
        except (msgspec.DecodeError, ValueError) as problem:
            raise _unreadable(key, problem) from None
        self.fold.stream = StreamCounters(*self.position.stream)
        self.fold.restored(catalog, self.position.stream_time_ms, self._clock_ms)

    def _restore_current(self, title_id: str, value: bytes) -> None:
        tallies = self.fold.tallies
        windows = tallies.current[self.fold.title(title_id).title_id] = read_current(title_id, value)
        for key in windows.lacks:
            # Its own record is older.
            tallies.own.pop(key, None)

    def _add_other(self, key: bytes, value: bytes | None) -> None:
        kind = key[:1]
        if key == POSITION_KEY and value is not None:
            self.position = _decode_position(value)
        elif kind == b"c" and value is not None:
            self._add_catalog_row(key, value)
        elif kind == ERASURE and value is not None:
            digest, erased = read_erasure(key, value)
            self.fold.erasures.note({digest: erased.until})
        elif kind == b"k" and value is not None:
            self._clock_ms = max(self._clock_ms, int(value))
        elif kind in (b"s", CURRENT):
            kept = self._streaks if kind == b"s" else self._current
            if value is None:
                kept.pop(key, None)
            else:
                kept[key] = value
        else:
            self._add_tally(key, value)

    def _add_catalog_row(self, key: bytes, value: bytes) -> None:
        offset, title_id = key[1:21], key[22:].decode()
        before = self._catalog.get(title_id)
        if before is None or before[0] <= offset:
            self._catalog[title_id] = (offset, value)

    def _add_tally(self, key: bytes, value: bytes | None) -> None:
        try:
            name = read_tally_key(key)
        except UnknownKind as problem:
            raise StateError(f"the state holds {problem}: {_REMEDY}") from None
        if value is None:
            self.fold.tallies.own.pop(name, None)
        else:
            self.fold.tallies.own[name] = decode_tally(value)
            if name.kind == TITLE:
                self.fold.title(name.title_id)


def _unreadable(key: bytes, problem: Exception) -> StateError:
    return StateError(f"the state cannot be read at the key {key!r}: {problem}; {_REMEDY}")
