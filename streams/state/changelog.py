"""The state changelog: a partition's state as keys and values of a compacted topic.

Owns the keys, the position record, and how records become a fold again.

    p                             position of the last checkpoint, JSON (`Position`)
    c <offset, 20 digits> | title the catalog row that holds from that source offset on, JSON; empty: none
    e <offset, 20 digits> | digest of a household   forgotten there (`models.erasure`), JSON (`Erased`)
    k <offset, 20 digits>         the clock before that source offset, after a silence: JSON, ms since 1970
    z <offset, 20 digits> | zone name   the zone's data from that source offset on (`streams.state.zone_records`)
    r <length of title> title household    a packed row (`models.rows`)
    s <quarter hour> title        households by the streaks that end then (`models.streaks`), msgpack
    t title, l title, f franchise, v title, and <letter> <number> title of each kind of windows (`models.windows`)
                                  a tally: its sequence, then its counters, msgpack
    n title                       the title's current windows (`streams.state.tally_records`), msgpack
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import tzinfo
from functools import lru_cache

import msgspec

from models.account import StreamCounters
from models.catalog import CatalogRow
from models.fold import Fold
from models.fold_changes import FoldChanges
from models.tally import TITLE
from models.viewing import Row
from streams.config.zones import rules_of
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
from streams.state.zone_records import ZONE, read_zone

STATE_FORMAT = 6
"""Raise it when the form of any record changes, or when a window or counter is added that an older state lacks."""

READABLE_FORMATS = frozenset({5, STATE_FORMAT})
"""The formats that a worker continues from; any other is refused. It writes `STATE_FORMAT` with its next position.

Nothing is converted, so a format is listed only if its state lacks nothing. Format 5 has the same records, but no zone
data: it is continued with the zone data that its position names.
"""

ZONES_SINCE = 6
"""The first format whose state holds the zone data that it was computed with."""

POSITION_KEY = b"p"
ERASURE = b"e"
"""The first byte of an erasure's key."""

_ROW = ord("r")
_REMEDY = f"go back to the version that wrote it, or {REMEDY}"

_decode_catalog = msgspec.json.Decoder(CatalogRow).decode


class StateError(Exception):
    """The state cannot be used as it is. The message says why, and names the remedy."""


class Position(msgspec.Struct, frozen=True):
    """Where a partition's state stands; written in every checkpoint's transaction.

    - `next_offset`: the first source offset that is not in the state; `topic_id`, `partitions`: of the source.
    - `incarnation`: when this state was begun, in milliseconds; `sequence`: the number of the checkpoint.
    - `rules`: the fingerprint of the rules that it was computed with; `zones`: the version of the zone data installed.
      `changed_rules`: the rule settings that were not at their defaults, by name. Positions of format 6 may lack it.
    - `stream`: the counts of all records, in the order of `StreamCounters`.
    - `format`: of all records of the state; `state_id`: the id of the topic that they are in.
    - `told`: after a rebuild, the first source offset whose outputs (dead letters, late events, milestones) were not
      written before the rebuild. `rebuild_until`: the source offset from which on readers may see the new counters.
      Both stay as they are.
    - `writer`: differs in each worker, so that two that write the same checkpoint can be told apart.
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
    format: int = STATE_FORMAT
    state_id: str = ""
    told: int = 0
    rebuild_until: int = 0
    writer: str = ""
    changed_rules: dict[str, int | str] | msgspec.UnsetType = msgspec.UNSET


class Erased(msgspec.Struct, frozen=True):
    """An erasure: a household's records below the offset `until` do not count. `rows`: how many rows it had."""

    until: int
    rows: int


decode_position = msgspec.json.Decoder(Position).decode
"""Raises `msgspec.DecodeError`."""

_decode_erased = msgspec.json.Decoder(Erased).decode


def position_message(position: Position) -> Message:
    """The position as a changelog message."""
    return {"key": POSITION_KEY, "value": msgspec.json.encode(position)}


def catalog_message(offset: int, title_id: str, row: CatalogRow | None) -> Message:
    """The control row for a title's catalog row, which holds from a source offset on; None: the title was removed."""
    value = b"" if row is None else msgspec.json.encode(row)
    return {"key": b"c%020d|%b" % (offset, title_id.encode()), "value": value}


def silence_message(offset: int, clock_ms: int) -> Message:
    """The control row for the clock after a silence, before the record at a source offset; milliseconds since 1970."""
    return {"key": b"k%020d" % offset, "value": b"%d" % clock_ms}


def erasure_message(offset: int, digest: str, erased: Erased) -> Message:
    """The control row for a household that was forgotten before the record at a source offset."""
    return {"key": b"e%020d|%b" % (offset, digest.encode()), "value": msgspec.json.encode(erased)}


def read_erasure(key: bytes, value: bytes) -> tuple[str, Erased]:
    """The household's digest and the erasure, from a control row. Raises `msgspec.DecodeError`."""
    return key[22:].decode(), _decode_erased(value)


def state_messages(changes: FoldChanges) -> list[Message]:
    """The changed rows and sums as changelog messages; a tombstone for what was deleted."""
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


def check_end(last_key: bytes | None) -> None:
    """Check the key of the last committed record of a state's partition. Raises `StateError`."""
    if last_key != POSITION_KEY:
        raise StateError(
            f"the state ends with the key {last_key!r}, and not with a position: part of a transaction was"
            f" committed; {REMEDY}"
        )


class Restored:
    """Restores a fold and its position from the records of a changelog, in log order.

    `rows` counts the records; `last` is the value of the last one. `zones` is the zone data that applies now, by name.
    """

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self.position: Position | None = None
        self.last: bytes | None = None
        self.rows = 0
        self.zones: dict[str, bytes] = {}
        self._last_key = POSITION_KEY
        self._clock_ms = -1
        self._streaks: dict[bytes, bytes] = {}
        self._current: dict[bytes, bytes] = {}
        self._catalog: dict[str, tuple[bytes, bytes]] = {}
        self._zones: dict[str, tuple[bytes, bytes]] = {}
        self._rows_of: dict[bytes, dict[str, Row | bytes]] = {}

    def add(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Add records, as keys and values; None is a tombstone. Raises `StateError`."""
        key = b""
        try:
            for key, value in records:
                # There are millions of rows, so they are handled here, without another call.
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
                    # Interned: a household's rows of many titles share one string.
                    rows[sys.intern(key[end:].decode())] = value
        except (msgspec.DecodeError, ValueError, IndexError) as problem:
            raise _unreadable(key, problem) from None
        self.rows += len(records)
        if records:
            self._last_key, self.last = records[-1]

    def finish(self) -> None:
        """Finish the restore, after all records were added. Raises `StateError`."""
        # Ignoring what follows the position would be wrong: compaction may have removed the values that it replaced.
        check_end(self._last_key)
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
        self._apply_zones()
        self.fold.stream = StreamCounters(*self.position.stream)
        self.fold.restored(catalog, self.position.stream_time_ms, self._clock_ms)

    def _apply_zones(self) -> None:
        self.zones = {name: data for name, (_, data) in self._zones.items()}
        rules: dict[str, tzinfo] = {}
        for name, data in self.zones.items():
            try:
                rules[name] = rules_of(data)
            except ValueError as problem:
                raise StateError(
                    f"the state cannot be read: the data of the zone {name!r}: {problem}; {_REMEDY}"
                ) from None
        self.fold.apply_zones(rules)

    def _restore_current(self, title_id: str, value: bytes) -> None:
        tallies = self.fold.tallies
        windows = tallies.current[self.fold.title(title_id).title_id] = read_current(title_id, value)
        for key in windows.lacks:
            # The window's own record is older.
            tallies.own.pop(key, None)

    def _add_other(self, key: bytes, value: bytes | None) -> None:
        kind = key[:1]
        if key == POSITION_KEY and value is not None:
            self.position = decode_position(value)
        elif kind == b"c" and value is not None:
            _add_control_row(self._catalog, key, value)
        elif kind == ZONE and value is not None:
            _add_control_row(self._zones, key, read_zone(value))
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


def _add_control_row(rows: dict[str, tuple[bytes, bytes]], key: bytes, value: bytes) -> None:
    """Keep the row with the largest offset of a title or zone."""
    offset, name = key[1:21], key[22:].decode()
    before = rows.get(name)
    if before is None or before[0] <= offset:
        rows[name] = (offset, value)


def _unreadable(key: bytes, problem: Exception) -> StateError:
    return StateError(f"the state cannot be read at the key {key!r}: {problem}; {_REMEDY}")
