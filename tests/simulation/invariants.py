"""What must hold after every step, and at the end: the judge of a run.

Owns an undisturbed fold of each partition's log. What is committed is compared to it at each checkpoint; what readers
find in the end, to what it gives when it is published once, without a fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from fake_sink import FakeRedis, FakeSink
from group import Record
from log import Broker, Sent

from models.catalog import CatalogRow
from models.fold import Fold
from models.fold_changes import FoldChanges
from streams.config.settings import Settings
from streams.observability.metrics import Metrics
from streams.publishing.publisher import Publisher
from streams.state.changelog import POSITION_KEY, Position, read_erasure, state_messages
from streams.state.committed import Committed
from streams.state.side_outputs import kept_records

GROWS = ("plays", "starters", "viewers", "completers", "completions", "rewatches", "watched_s")
_CONTROLS = b"ckez"
_AT_ONCE_KEYS = 1_000_000
_decode = msgspec.json.Decoder(Position).decode
_decode_row = msgspec.json.Decoder(CatalogRow).decode


class Reference:
    """One partition, folded without faults up to the last committed position."""

    def __init__(self, number: int, settings: Settings, partitions: int, source: list[Record]) -> None:
        self.number, self._source, self._settings = number, source, settings
        self.fold = Fold(
            settings.rules(), partition=number, partitions=partitions, retention=settings.retention(), pseudonyms=None
        )
        self.rows: dict[bytes, bytes | None] = {}
        self.kept: Counter[Any] = Counter()
        self.offset = 0
        self.sequence = 0

    def advance(self, controls: list[tuple[bytes, bytes]], position: Position) -> None:
        """Fold up to a position, with the control rows of its checkpoint."""
        for key, value in controls:
            self._read_to(int(key[1:21]))
            self._apply(key, value)
        self._read_to(position.next_offset)
        changes = self.fold.drain(position.sequence)
        self.sequence = position.sequence
        for message in state_messages(changes):
            if message["value"] is None:
                self.rows.pop(message["key"] or b"", None)
            else:
                self.rows[message["key"] or b""] = message["value"]
        self._keep(changes)

    def _keep(self, changes: FoldChanges) -> None:
        kept = kept_records(changes, self._settings, self.number, "source-id", None)
        self.kept.update((each.topic, each.key, each.value, tuple(each.headers)) for each in kept)

    def _read_to(self, offset: int) -> None:
        if offset > self.offset:
            self.fold.apply(self._source[self.offset : offset])
            self.offset = offset

    def _apply(self, key: bytes, value: bytes) -> None:
        kind = key[:1]
        if kind == b"c":
            self.fold.apply_catalog_row(key[22:].decode(), _decode_row(value) if value else None)
        elif kind == b"k":
            self.fold.advance_clock(int(value))
        elif kind == b"e":
            digest, erased = read_erasure(key, value)
            self.fold.erase({digest: erased.until})


class Judge:
    """`problems` are sentences; the first ends the run. `is_catalog_corrected`: a franchise may have lost titles."""

    def __init__(self, settings: Settings, broker: Broker, redis: FakeRedis, source: list[list[Record]]) -> None:
        self.problems: list[str] = []
        self.checkpoints = 0
        self.is_catalog_corrected = False
        self._settings, self._broker, self._redis, self._source = settings, broker, redis, source
        self.references = [Reference(n, settings, len(source), records) for n, records in enumerate(source)]
        self._looked_at = [0] * len(source)
        self._committed: list[dict[bytes, bytes | None]] = [{} for _ in source]
        self._changes = 0
        self._shown: dict[str, dict[str, str]] = {}

    # -- after every transaction ----------------------------------------------------------------------------

    def look_at_state(self, place: tuple[str, int]) -> None:
        """A transaction has just ended in a partition."""
        topic, number = place
        if topic != self._settings.state_topic or self.problems:
            return
        log = self._broker.at(place)
        records = log.committed(self._looked_at[number])
        if not records:
            return
        if records[-1][1].key != POSITION_KEY:
            if log.entries[-1].sent is None:
                key = records[-1][1].key
                self.problems.append(f"partition {number}: half of a transaction is visible, up to {key!r}")
            return
        self._looked_at[number] = log.stable
        self._follow(number, [sent for _, sent in records])

    def _follow(self, number: int, records: list[Sent]) -> None:
        reference, committed = self.references[number], self._committed[number]
        controls: list[tuple[bytes, bytes]] = []
        for sent in records:
            key = sent.key or b""
            if key == POSITION_KEY:
                self._advance(reference, controls, _decode(sent.value or b""))
                controls = []
            elif key[0] in _CONTROLS:
                controls.append((key, sent.value or b""))
            elif sent.value is None:
                committed.pop(key, None)
            else:
                committed[key] = sent.value
        if committed != reference.rows and not self.problems:
            differ = [key for key in committed.keys() | reference.rows if committed.get(key) != reference.rows.get(key)]
            self.problems.append(
                f"partition {number}: at offset {reference.offset} the committed rows are not the fold of the log:"
                f" {sorted(differ)[:3]}"
            )

    def _advance(self, reference: Reference, controls: list[tuple[bytes, bytes]], position: Position) -> None:
        self.checkpoints += 1
        if position.sequence != reference.sequence + 1 or position.next_offset < reference.offset:
            self.problems.append(
                f"partition {reference.number}: checkpoint {position.sequence} at {position.next_offset} follows"
                f" {reference.sequence} at {reference.offset}"
            )
            return
        reference.advance(controls, position)
        if position.stream != reference.fold.stream_counts():
            self.problems.append(
                f"partition {reference.number}: the counts at {position.next_offset} are {position.stream},"
                f" {reference.fold.stream_counts()} are right"
            )

    # -- after every call to Redis --------------------------------------------------------------------------

    def look_at_redis(self) -> None:
        """A call has just changed what readers find."""
        changes = self._redis.changes
        for key, _ in changes[self._changes :]:
            self._look_at(key, self._redis.hashes.get(key, {}))
        self._changes = len(changes)

    def _look_at(self, key: str, found: Mapping[str, str]) -> None:
        if found.get("complete") != "1":
            return
        last = self._shown.get(key, {})
        may_shrink = self.is_catalog_corrected and "franchise:" in key
        for name in ("version", *(() if may_shrink else GROWS)):
            if name in last and name in found and float(found[name]) < float(last[name]):
                self.problems.append(f"{key} {name} went back from {last[name]} to {found[name]}")
        self._shown[key] = dict(found)

    # -- at the end -----------------------------------------------------------------------------------------

    @property
    def is_all_committed(self) -> bool:
        return all(
            reference.offset == len(records) for reference, records in zip(self.references, self._source, strict=True)
        )

    def look_at_kept(self) -> None:
        """Each milestone, dead letter and late event must be there once."""
        settings = self._settings
        found: Counter[Any] = Counter()
        for topic in (settings.milestones_topic, settings.dead_letters_topic, settings.late_topic):
            found.update((topic, *sent[:3]) for _, sent in self._broker.at((topic, 0)).committed())
        expected = sum((reference.kept for reference in self.references), Counter())
        for record in (found - expected) + (expected - found):
            told = found[record], expected[record]
            self.problems.append(f"{record[0]} {record[1]!r} {record[2]!r}: {told[0]} times, {told[1]} are right")

    def look_at_hashes(self, catalog: Mapping[str, CatalogRow], run: Callable[[Any], Any]) -> None:
        """Redis must hold what one publication of the undisturbed folds gives."""
        clean = FakeRedis()
        run(self._publish(clean, catalog))
        for name in ("hashes", "boards"):
            found, expected = getattr(self._redis, name), getattr(clean, name)
            for key in sorted(found.keys() | expected.keys()):
                mine, right = _lasting(found.get(key, {})), _lasting(expected.get(key, {}))
                if mine != right:
                    differ = sorted(field for field in mine.keys() | right if mine.get(field) != right.get(field))
                    said = [f"{field} {mine.get(field)!r}, {right.get(field)!r} is right" for field in differ]
                    self.problems.append(f"{key}: {'; '.join(said[:4])}")

    def look_at_verdicts(self) -> None:
        """Each power of ten of completions that readers see was told once since Redis last lost everything."""
        told = Counter(verdict["id"] for verdict in self._redis.verdicts)
        self.problems += [f"verdict {each}: {times} times" for each, times in told.items() if times > 1]
        for key, fields in self._redis.hashes.items():
            of, _, member = key.removeprefix("p:").partition(":")
            if of in ("title", "franchise") and ":" not in member:
                ids = [f"{of}:{unquote(member)}:completions:{10**n}" for n in range(1, len(fields["completions"]))]
                self.problems += [f"verdict {each}: never told" for each in ids if each not in told]

    async def _publish(self, redis: FakeRedis, catalog: Mapping[str, CatalogRow]) -> None:
        sink = FakeSink(redis, "p:", self._settings.app_id)
        publisher = Publisher(self._settings, sink, lambda: catalog, len(self._source), Metrics())
        publisher._pace.round_keys = _AT_ONCE_KEYS
        await publisher.join()
        for reference in self.references:
            await publisher.open_partition(self._whole(reference))
        assert await publisher.drain(60.0)

    def _whole(self, reference: Reference) -> Committed:
        fold = reference.fold
        tallies = fold.tallies
        return Committed(
            reference.number, 1, reference.sequence, fold.stream_time_ms, fold.stream_counts(), tallies.own,
            current=tallies.current, moved=tallies.current.keys(),
        )  # fmt: skip


_PASSING = ("version", "as_of_ms", "incarnation", "checkpointed_ms", "lag", "partitions_ready")


def _lasting(found: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that do not depend on when, by whom and how often a hash was written."""
    return {name: value for name, value in found.items() if name not in _PASSING}
